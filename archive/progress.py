"""How far the follower is behind, for `/metrics` and `/health/ready`, as each serving process last saw it.

A process looks every two seconds. What waited at its last look has waited for so much longer now, so a follower or a
store that is away shows by the clock alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from archive.operations import Progress, asee_progress
from foyer.errors import FoyerError
from foyer.server.health import Behind

EVERY = 2.0
"""Seconds between two looks."""
TOO_FAR = 60.0
"""Seconds of being behind that `/health/ready` tells of."""


class Look:
    """What was seen last, and when."""

    def __init__(self) -> None:
        self.found = Progress()
        self.at = time.monotonic()

    @property
    def seconds(self) -> float:
        """For how long the first of what is not archived has waited, by now."""
        return self.found.seconds + time.monotonic() - self.at if self.found.topics else 0.0

    async def keep(self) -> None:
        """Look, again and again, until the process ends."""
        while True:
            with contextlib.suppress(FoyerError):  # another check tells of a store that is away
                self.found, self.at = await asee_progress(), time.monotonic()
            await asyncio.sleep(EVERY)


look = Look()


async def ask_follower() -> None:
    """Raises `Behind`."""
    if look.seconds > TOO_FAR:
        raise Behind
