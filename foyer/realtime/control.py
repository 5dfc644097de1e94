"""Requests of operators to every serving process, and what they say to everybody.

They go over the channel layer: they are rare, and may be lost.
"""

from __future__ import annotations

import asyncio
import contextlib

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from foyer.errors import FoyerError
from foyer.realtime.sessions import People
from foyer.store.loop_client import on_loop

GROUP = "control"
PAUSE = 1.0
"""Seconds before a process that could not listen tries again."""


async def aclose_connections(user_id: int) -> None:
    """Have every process close the sockets and streams of a user, with 4401. Their sessions stay.

    Returns once the store has told them all. A process that has no connection to the store at this moment is not told.
    Raises `Unavailable`.
    """
    await get_channel_layer().group_send(GROUP, {"type": "close.connections", "user": user_id})


close_connections = async_to_sync(aclose_connections)


async def atell_everybody(frame: bytes) -> None:
    """Have every process say this, a frame of type `notice`, to all its sockets and streams.

    As for `aclose_connections`, a process that has no connection to the store is not told. Raises `Unavailable`.
    """
    await get_channel_layer().group_send(GROUP, {"type": "tell.everybody", "frame": frame})


def tell_everybody(frame: bytes) -> None:
    """As `atell_everybody`, blocking, in a thread without an event loop."""

    async def tell() -> None:
        try:
            await atell_everybody(frame)
        finally:
            await on_loop().close()

    asyncio.run(tell())


async def hear_operators(people: People) -> None:
    """Do what operators ask, for as long as the process serves."""
    while True:
        with contextlib.suppress(FoyerError):  # the store is away
            await asyncio.create_task(carry_out_all(people))  # with which its channel goes
        await asyncio.sleep(PAUSE)


async def carry_out_all(people: People) -> None:
    layer = await asyncio.to_thread(get_channel_layer)  # which imports it
    channel = await layer.new_channel("control.")
    await layer.group_add(GROUP, channel)
    while True:
        message = await layer.receive(channel)
        if message["type"] == "close.connections":
            people.close_all(message["user"])
        elif message["type"] == "tell.everybody":
            await people.tell_all(message["frame"])
