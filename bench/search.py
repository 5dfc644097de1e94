"""The search for the rate of posts at which a server delivers most."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.client import Sockets, Window
from bench.servers import BenchError

RAMP = 1.4
"""By how much the rate of posts rises from window to window."""
GROWTH = 1.03
"""A window is better than another if it delivers this much more; less is noise."""


@dataclass
class Search:
    """Windows of `seconds` at rising rates, through sockets that `open_sockets` opens; `windows` keeps them all.

    `settle` is how many seconds a server gets to recover when it lost something; `most` bounds the rising windows.
    """

    open_sockets: Callable[[], Sockets]
    seconds: float
    settle: float
    most: int
    say: Callable[[str], None]
    windows: list[Window] = field(default_factory=list)

    def best_from(self, first_rate: float) -> Window:
        """The window with most deliveries a second of those in which every delivery arrived, once and in order.

        The rate rises until that no longer grows; then the rates on both sides of the best are tried as well.
        """
        self.best: Window | None = None
        self.sockets = self.open_sockets()
        try:
            self.sockets.post(first_rate / 2, min(1.0, self.seconds))  # what is done only once is done now
            rate, worse = first_rate, 0
            while worse < 2 and len(self.windows) < self.most:
                worse = 0 if self.improves_at(rate) else worse + 1
                rate *= RAMP
            if self.best is None:
                raise BenchError(f"at every rate deliveries were lost: {self.windows[0].problem}")
            middle = self.best.asked_per_second
            for rate in (middle / math.sqrt(RAMP), middle * math.sqrt(RAMP)):
                self.improves_at(rate)
        finally:
            self.sockets.close()
        return self.best

    def improves_at(self, rate: float) -> bool:
        """Post at `rate` for a window. Whether it did better, and by more than noise, than the best before it."""
        window = self.sockets.post(rate, self.seconds)
        self.windows.append(window)
        self.say(f"  {rate:,.1f} posts/s: {window.deliveries.per_second:,.0f} deliveries/s {window.problem}".rstrip())
        if window.problem:
            self.sockets.close()
            time.sleep(self.settle)
            self.sockets = self.open_sockets()
            return False
        before = self.best.deliveries.per_second if self.best else 0.0
        if window.deliveries.per_second > before:
            self.best = window
        return window.deliveries.per_second > GROWTH * before
