"""Whether the process answers, and whether it can work: `/health/live` and `/health/ready`.

Both are answered on the loop, without REST's threads, within `PATIENCE` even if a store hangs. Anyone may ask: the
answers say nothing that a client could not find out, and one check serves all requests of the same moment.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import Error, connection

from foyer.api.exceptions import error_headers
from foyer.api.wire import encode
from foyer.errors import Unavailable
from foyer.realtime.log import is_full
from foyer.store.fullness import fullness
from foyer.store.steps import STORE_ERRORS

PATIENCE = 1.0
"""Seconds after which what did not answer counts as away."""
NEARLY_FULL = "nearly full"
"""Said of the memory, while all that reads and deletes goes on: the server is ready."""
FRESH = 0.5
"""Seconds for which an answer is used again."""

Page = tuple[int, dict[str, str], bytes]


class Full(Exception):
    """The store is there and has no memory left."""


class Behind(Exception):
    """Something that is done later is late. The process can do its work nonetheless."""


checks: dict[str, Callable[[], Awaitable[object]]] = {}
"""What apps check: each raises where something is wrong, which `/health/ready` tells under this name."""


async def live(scope: Any) -> Page:
    """The loop answers; nothing else is checked."""
    return 200, {"content-type": "application/json"}, b'{"status":"ok"}'


class Readiness:
    """The page `/health/ready`. Each of `checks` raises if what it is named after can't be used."""

    def __init__(self, checks: Mapping[str, Callable[[], Awaitable[object]]]) -> None:
        self.checks = checks
        self.under_way: dict[str, asyncio.Task[object]] = {}
        self.begun_at: dict[str, float] = {}

    async def __call__(self, scope: Any) -> Page:
        found = await self.look()
        headers = {"content-type": "application/json"}
        wrong = {word: [name for name, answer in found.items() if answer == word] for word in ("away", "full")}
        if not any(wrong.values()):
            return 200, headers, encode({"status": "ok", "checks": found})
        error = Unavailable(
            " ".join(f"{word.capitalize()}: {', '.join(names)}." for word, names in wrong.items() if names)
        )
        return error.status, headers | error_headers(error), encode({**error.as_json(), "checks": found})

    async def look(self) -> dict[str, str]:
        """What each check found: `ok`, or what is wrong. One that hangs is not begun again until it has ended."""
        now = asyncio.get_running_loop().time()
        for name, check in self.checks.items():
            last = self.under_way.get(name)
            if last is None or (last.done() and now - self.begun_at[name] > FRESH):
                self.under_way[name], self.begun_at[name] = asyncio.create_task(self.carry_out(check)), now
        await asyncio.wait(self.under_way.values(), timeout=PATIENCE)
        return {name: word_for(self.under_way[name]) for name in self.checks}

    @staticmethod
    async def carry_out(check: Callable[[], Awaitable[object]]) -> object:
        return await check()


WORDS: dict[type[BaseException], str] = {Full: "full", Behind: "behind"}


def word_for(task: asyncio.Task[object]) -> str:
    if not task.done() or task.cancelled():
        return "away"
    error = task.exception()
    if error is not None:
        return WORDS.get(type(error), "away")
    return NEARLY_FULL if task.result() == NEARLY_FULL else "ok"


memory_thread = ThreadPoolExecutor(1, thread_name_prefix="memory")
"""Asks every node of the store."""


async def ask_memory() -> str:
    """`ok` or `nearly full`. Raises `Full`. Another check reports a store that is away, so this one doesn't wait for
    it."""
    with contextlib.suppress(TimeoutError, Unavailable, *STORE_ERRORS):
        async with asyncio.timeout(PATIENCE / 2):
            if await asyncio.get_running_loop().run_in_executor(memory_thread, is_full):
                raise Full
    return NEARLY_FULL if fullness.is_near else "ok"


database_thread = ThreadPoolExecutor(1, thread_name_prefix="health")
"""Holds one connection to the database, beside those of REST."""


async def ask_database() -> None:
    await asyncio.get_running_loop().run_in_executor(database_thread, select_one)


def select_one() -> None:
    """Raises the database's error. If an idle connection broke, that says nothing, so a new connection is tried."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
