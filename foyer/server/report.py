"""Passes what a process counted to Prometheus every two seconds, so that counting itself stays cheap.

`docs/operating.md` says what each number means and what to do about it.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from prometheus_client import Counter, Gauge, Histogram

from foyer import tally
from foyer.realtime.connection import CloseCode
from foyer.realtime.hub import Hub
from foyer.tally import Tally

EVERY = 2.0
"""Seconds between two looks."""
KINDS = ("gateway", "room", "inbox", "join", "lobby", "sse")


class TallyHistogram(Histogram):
    """A histogram of a `Tally`. `look` adds what was counted since the last look, in one step for each bucket."""

    def __init__(self, name: str, documentation: str, counted: Tally) -> None:
        self.tally = counted
        self.known: tuple[list[int], float] = [0] * len(counted.counts), 0.0
        super().__init__(name, documentation, buckets=counted.bounds)

    def look(self) -> None:
        counts, total = self.tally.so_far()
        for bucket, count, known in zip(self._buckets, counts, self.known[0], strict=True):
            if count != known:
                bucket.inc(count - known)
        self._sum.inc(total - self.known[1])
        self.known = counts, total


CONNECTIONS = Gauge("foyer_connections", "Open connections.", ["kind"], multiprocess_mode="livesum")
TOPICS = Gauge("foyer_topics", "Topics that are listened to, in each process.", multiprocess_mode="livesum")
DELIVERIES = Counter("foyer_deliveries", "Writes of events to connections; one write may have several events.")
FAN_OUTS = TallyHistogram("foyer_fan_out_seconds", "Time to write to all readers of a topic.", tally.fan_outs)
WAITING = Gauge("foyer_waiting_bytes", "Bytes that wait for clients that do not read.", multiprocess_mode="livesum")
SLOW = Gauge("foyer_slow_connections", "Connections for which something waits.", multiprocess_mode="livesum")
CLOSES = Counter("foyer_closes", "Connections that ended, and handshakes that were refused.", ["code"])
REFUSALS = Counter("foyer_refusals", "Clients that were cut off or turned away by a limit on connections.", ["why"])
GAPS = Counter("foyer_gaps_repaired", "Times that events had not been heard and were read from a log.")
ROUND_TRIPS = TallyHistogram("foyer_redis_round_trip_seconds", "Time of a round trip to the store.", tally.round_trips)
CALLS = TallyHistogram("foyer_redis_calls_per_trip", "Calls that shared a round trip.", tally.calls_per_trip)
REQUESTS_OPEN = Gauge(
    "foyer_http_requests_open", "REST requests in or before a pool of threads.", ["pool"], multiprocess_mode="livesum"
)
LOOP_LAG = Gauge("foyer_loop_lag_seconds", "How late the loop came to this, at worst.", multiprocess_mode="livemax")
MEMORY = Gauge("foyer_process_resident_bytes", "Memory of a process.", multiprocess_mode="liveall")
STARTED = Gauge("foyer_process_start_time_seconds", "When a process started.", multiprocess_mode="liveall")
CPU = Counter("foyer_process_cpu_seconds", "Time for which the processes used a core.")


class Pool(Protocol):
    """What runs REST: how many requests are in it."""

    @property
    def open(self) -> int: ...


class Report:
    """The numbers of one process, on their way to Prometheus. Runs on the loop."""

    def __init__(self, hub: Hub, pools: Mapping[str, Pool]) -> None:
        self.hub = hub
        self.pools = pools
        self.known: dict[Counter, float] = {}
        for code in {value for name, value in vars(CloseCode).items() if name.isupper()}:
            CLOSES.labels(code)
        STARTED.set(time.time())

    async def keep(self) -> None:
        """Tell, again and again, until the process ends."""
        while True:
            due = self.hub.loop.time() + EVERY
            await asyncio.sleep(EVERY)
            LOOP_LAG.set(max(self.hub.loop.time() - due, 0.0))
            self.tell()

    def tell(self) -> None:
        for kind in KINDS:
            CONNECTIONS.labels(kind).set(tally.connections[kind])
        TOPICS.set(len(self.hub.feeds))
        self.advance(DELIVERIES, self.hub.fan_out.deliveries)
        self.advance(GAPS, self.hub.gaps_repaired)
        for code, count in tally.closes.items():
            self.advance(CLOSES.labels(code), count)
        for why, count in tally.refusals.items():
            self.advance(REFUSALS.labels(why), count)
        for histogram in (FAN_OUTS, ROUND_TRIPS, CALLS):
            histogram.look()
        waiting = [reader.waiting_bytes for readers in self.hub.people.users.values() for reader in readers]
        WAITING.set(sum(waiting))
        SLOW.set(len(waiting) - waiting.count(0))
        for name, pool in self.pools.items():
            REQUESTS_OPEN.labels(name).set(pool.open)
        self.advance(CPU, time.process_time())
        with contextlib.suppress(OSError):  # there is no such file on macOS
            MEMORY.set(int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize())

    def advance(self, counter: Counter, count: float) -> None:
        """Bring a counter to where the process' own count is."""
        counter.inc(count - self.known.get(counter, 0))
        self.known[counter] = count
