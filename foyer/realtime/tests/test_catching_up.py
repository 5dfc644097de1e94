"""Readers that come back to a busy topic: they have all they missed and are soon among the others."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from foyer.realtime.hub import Hub
from foyer.realtime.log import aread_head
from foyer.realtime.tests.talk import Listener, asay
from foyer.realtime.topics import room_topic

ROOM = room_topic("7004")
READERS = 20


async def look() -> None:
    """What a check of who may read costs: one look at the store."""
    await aread_head(ROOM)


@contextlib.asynccontextmanager
async def writers(count: int) -> AsyncIterator[None]:
    """`count` who write without a pause."""
    stopping = asyncio.Event()

    async def write() -> None:
        while not stopping.is_set():
            await asay(ROOM, "x")

    tasks = [asyncio.create_task(write()) for _ in range(count)]
    try:
        yield
    finally:
        stopping.set()
        await asyncio.gather(*tasks)


@pytest.mark.parametrize("count", [1, 4, 16])
async def test_who_comes_back_while_many_write_joins_soon_and_has_everything_once(hub: Hub, count: int) -> None:
    for _ in range(700):
        await asay(ROOM, "before")
    readers = [Listener() for _ in range(READERS)]
    async with writers(count), asyncio.timeout(2):
        heads = await asyncio.gather(*(hub.subscribe(ROOM, reader, 0, check=look) for reader in readers))
    last = (await aread_head(ROOM)).offset
    assert all(700 <= head.offset <= last for head in heads)
    for reader in readers:
        await reader.until(lambda reader: len(reader.frames) >= last)
        assert reader.offsets == list(range(1, last + 1))
