"""A bar that shows how far a command got, for people: on a terminal alone."""

from __future__ import annotations

import time
from typing import TextIO

WIDTH = 30
EVERY = 0.1
"""Seconds between two pictures."""


class Bar:
    """How many of `total` things are done."""

    def __init__(self, stream: TextIO, total: int, things: str) -> None:
        self.stream, self.total, self.things = stream, max(total, 1), things
        self.is_shown = stream.isatty()
        self.shown_at = 0.0

    def show(self, done: int) -> None:
        now = time.monotonic()
        if self.is_shown and (now >= self.shown_at + EVERY or done >= self.total):
            self.shown_at = now
            full = min(done, self.total) * WIDTH // self.total
            self.stream.write(f"\r[{'#' * full}{'.' * (WIDTH - full)}] {done:,} of {self.total:,} {self.things}")
            self.stream.flush()

    def end(self) -> None:
        if self.is_shown:
            self.stream.write("\n")
