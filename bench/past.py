"""Parts of the bench about history that the store has let go of: archived, read page by page, and resumed over."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from websockets.sync.client import connect

from bench.client import Answers, Request
from bench.report import Row, Target
from bench.servers import BenchError, Server
from bench.stage import Bench

PAGE = 50
FULL_ROOMS = 32
MESSAGES_PATH = "/room/<room>/messages"
SUBSCRIBED_WITHIN = 60.0


def some_rooms(bench: Bench, name: str, rooms: list[str]) -> Path:
    """A file with these rooms."""
    file = bench.data / name
    file.write_text("\n".join(rooms) + "\n")
    return file


def say(bench: Bench, count: int, rooms: Path) -> None:
    bench.seed("--say", str(count), "--rooms", str(rooms))


def measure_archive(bench: Bench) -> list[Row]:
    """events a second that a follower archives when it is behind"""
    with bench.foyer(quota=False) as server:
        follower = server.follower_pid()
        if follower is None:
            raise BenchError("the server has no follower")
        rooms = bench.rooms.read_text().split()
        each = max(bench.sizes.to_archive // len(rooms), 1)
        bench.seed("--until-archived")
        os.kill(follower, signal.SIGSTOP)
        try:
            say(bench, each, some_rooms(bench, "to-archive", rooms))
        finally:
            os.kill(follower, signal.SIGCONT)
        begin = time.time()
        took = float(bench.seed("--until-archived")) - begin
    count, target = each * len(rooms), Target(least=10_000)
    note = f"{count:,} events of {len(rooms):,} rooms"
    return [Row("archive", "archived by a follower that is behind", count / took, "events/s", target, note=note)]


def measure_past(bench: Bench) -> list[Row]:
    """pages of messages a second by REST, from the archive and from memory"""
    found: list[Answers] = []
    with bench.foyer(quota=False) as server:
        rooms = some_rooms(bench, "old-rooms", bench.rooms.read_text().split()[:FULL_ROOMS])
        say(bench, bench.sizes.old, rooms)
        bench.seed("--until-archived")
        for asked in (f"?limit={PAGE}", f"?limit={PAGE}&after=0"):
            request = Request("GET", MESSAGES_PATH + asked, bench.tokens, rooms)
            found.append(pages(bench, server, request))
    memory, past = found
    note, ratio = f"{bench.sizes.connections} connections", past.latency.p99 / memory.latency.p99
    what = f"pages of {PAGE} messages"
    return [
        Row("past", f"{what} from memory", memory.per_second, "pages/s", None, memory.latency, note, memory.problem),
        Row(
            "past", f"{what} from SQL", past.per_second, "pages/s", Target(least=500), past.latency, note, past.problem
        ),
        Row("past", "p99 of those from SQL, against those from memory", ratio, "times", Target(most=3)),
    ]


def pages(bench: Bench, server: Server, request: Request) -> Answers:
    count, seconds = bench.sizes.connections, bench.sizes.seconds
    bench.client.ask(server.port, request, connections=count, seconds=min(1.0, seconds))
    return bench.client.ask(server.port, request, connections=count, seconds=2 * seconds)


def measure_resume(bench: Bench) -> list[Row]:
    """a resume over 100,000 missed events, and what it does to another room"""
    sizes = bench.sizes
    with bench.foyer(quota=False) as server:
        long, other, *_ = bench.rooms.read_text().split()[::-1]
        say(bench, sizes.missed, some_rooms(bench, "long-room", [long]))
        bench.seed("--until-archived")
        token = bench.tokens.read_text().split()[0]
        over = Event()

        def resume_again_and_again() -> list[float]:
            took = [time_of_resume(server, token, long)]
            while not over.is_set():
                took.append(time_of_resume(server, token, long))
            return took

        talking = some_rooms(bench, "talking-room", [other])
        with bench.sockets(server, sizes.few // 10, talking) as room, ThreadPoolExecutor(1) as beside:
            room.post(10 * sizes.slow_rate, min(1.0, sizes.seconds))
            alone = room.post(10 * sizes.slow_rate, 2 * sizes.seconds)
            resuming = beside.submit(resume_again_and_again)
            meanwhile = room.post(10 * sizes.slow_rate, 2 * sizes.seconds)
            over.set()
            took = resuming.result()
    bench.windows["resume"] = [alone, meanwhile]
    late, before = meanwhile.deliveries.latency, alone.deliveries.latency
    note = f"{len(took)} resumes one after another; p99 {before.p99:.1f} ms without, {late.p99:.1f} ms meanwhile"
    ratio = late.p99 / before.p99
    return [
        Row("resume", f"{sizes.missed:,} missed events, in order", max(took), "s", Target(most=10), note=note),
        Row(
            "resume", "p99 of another room meanwhile", ratio, "times", Target(most=1.5), late, problem=meanwhile.problem
        ),
    ]


def time_of_resume(server: Server, token: str, room: str) -> float:
    """Seconds from asking for all events of a room to having them. Raises `BenchError` if one is missing."""
    headers = {"Authorization": f"Bearer {token}"}
    with connect(
        f"ws://127.0.0.1:{server.port}/ws", additional_headers=headers, max_size=None, compression=None
    ) as gateway:
        gateway.recv(timeout=SUBSCRIBED_WITHIN)
        topic = f"room:{room}"
        gateway.send(json.dumps({"id": 1, "type": "subscribe", "topic": topic}))
        place = json.loads(gateway.recv(timeout=SUBSCRIBED_WITHIN))["result"]
        begin, expected = time.perf_counter(), 1
        asked = [{"topic": topic, "offset": 0, "epoch": place["epoch"]}]
        gateway.send(json.dumps({"id": 2, "type": "resume", "topics": asked}))
        if not json.loads(gateway.recv(timeout=SUBSCRIBED_WITHIN))["result"]["topics"][0]["recovered"]:
            raise BenchError(f"{topic} could not be resumed")
        while expected <= place["offset"]:
            frame = gateway.recv(timeout=SUBSCRIBED_WITHIN)
            if f'"offset":{expected},' not in frame[:200]:
                raise BenchError(f"{topic}: event {expected} is not the next: {frame[:200]!r}")
            expected += 1
        return time.perf_counter() - begin
