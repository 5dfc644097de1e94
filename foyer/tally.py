"""What a process counts while it works, in plain numbers. Adding to one is cheap, so hot code may do it.

`foyer/server/report.py` reads the numbers every two seconds and passes them to Prometheus.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence


class Tally:
    """A histogram in plain numbers: how many values were up to each bound, and their sum. For any thread."""

    __slots__ = ("bounds", "counts", "lock", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0
        self.lock = threading.Lock()

    def note(self, value: float) -> None:
        place = bisect_left(self.bounds, value)
        with self.lock:
            self.counts[place] += 1
            self.total += value

    def so_far(self) -> tuple[list[int], float]:
        """How many values each bucket has, the last being those over every bound, and the sum of all."""
        with self.lock:
            return list(self.counts), self.total


SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

round_trips = Tally(SECONDS)
"""Seconds for which the store was waited for, once for each pipeline."""
calls_per_trip = Tally((1, 2, 4, 8, 16, 32, 64, 128, 256, 512))
fan_outs = Tally(SECONDS)
"""Seconds from the first socket to the last, for what was passed on together to the readers of a topic."""
connections: Counter[str] = Counter()
"""Open sockets and event streams, by kind."""
closes: Counter[str] = Counter()
"""Connections that ended: by the code the server closed them with, `client` where it did not; and handshakes that were
refused, by HTTP status."""
WHYS = (
    *("head", "body", "unread", "address", "files", "pipelined", "fragments", "early"),
    *("bad_request", "head_too_large", "request_timeout", "upgrade_required"),
)
refusals: Counter[str] = Counter(dict.fromkeys(WHYS, 0))
"""Clients that were cut off or turned away by a limit on connections, by which; `docs/security.md` explains them."""


def note_trip(seconds: float, calls: int) -> None:
    """Count a round trip to the store that carried so many calls."""
    round_trips.note(seconds)
    calls_per_trip.note(calls)
