"""Each serving process tells the follower which topics it wrote to: twice a second, in one call."""

from __future__ import annotations

import asyncio

from archive.operations import AT_ONCE, anote_written
from archive.topics import number_of
from foyer.errors import FoyerError
from foyer.store.writes import writes

EVERY = 0.5
"""Seconds."""


async def keep_noting() -> None:
    """Tell, again and again, until the process ends. What could not be told is told the next time."""
    writes.wanted = True
    left: list[str] = []
    try:
        while True:
            await asyncio.sleep(EVERY)
            while left := left or [tag for tag in writes.take(AT_ONCE) if number_of(tag) is not None]:
                try:
                    await anote_written(left)
                except FoyerError:
                    break
                left = []
    finally:
        writes.wanted = False
