"""Whether the store's memory is nearly full, so that what takes more is refused while there is still room to work in.

Each serving process looks twice a second. What asks for more memory asks here, and waits for nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor

from foyer.errors import FoyerError, NearlyFull
from foyer.store.client import STORE_ERRORS
from foyer.store.functions import primaries

NEARLY = 0.9
"""Part of a node's `maxmemory` from which on it is nearly full."""
LOOK_EVERY = 0.5
"""Seconds."""

looking_thread = ThreadPoolExecutor(1, thread_name_prefix="fullness")
"""Asks every node of the store."""


class Fullness:
    """What this process knows. For any thread."""

    def __init__(self) -> None:
        self.is_near = False

    def look(self) -> None:
        """Ask the nodes, blocking. One that does not answer does not count as full."""
        found = False
        for node in primaries():
            with contextlib.suppress(*STORE_ERRORS):
                memory = node.info("memory")
                found = found or 0 < memory["maxmemory"] * NEARLY <= memory["used_memory"]
        self.is_near = found

    def check(self) -> None:
        """Raise `NearlyFull` if some node of the store is. To be called before what takes more memory."""
        if self.is_near:
            raise NearlyFull


fullness = Fullness()


async def watch_fullness() -> None:
    """Look, again and again, until the process ends. While the store is away, what was seen last counts."""
    while True:
        with contextlib.suppress(FoyerError, *STORE_ERRORS):
            await asyncio.get_running_loop().run_in_executor(looking_thread, fullness.look)
        await asyncio.sleep(LOOK_EVERY)
