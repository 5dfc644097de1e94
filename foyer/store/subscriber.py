"""The connection on which a process hears announcements: to one node of the store, for some channels.

It speaks just enough of the Redis protocol to subscribe and to listen, because every message of every room passes here.
It only reports what it hears, and when it was cut off; its owner decides what to do then.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import hiredis

from foyer.errors import Unavailable
from foyer.store.line import connect, greeting

PING_EVERY = 5.0
"""Seconds of silence after which the node is asked whether it is still there; cut off after as many more."""


class Subscriber(asyncio.Protocol):
    """One connection to one node. Runs on the loop.

    `heard(channel, message)` is called for each message, in order, several in one turn where they came together;
    `cut_off(subscriber)` once, when the connection is gone. A channel counts as subscribed when the node confirmed it.
    """

    def __init__(self, heard: Callable[[bytes, bytes], None], cut_off: Callable[[Subscriber], None]) -> None:
        self.heard = heard
        self.cut_off = cut_off
        self.loop = asyncio.get_running_loop()
        self.reader = hiredis.Reader()
        self.transport: asyncio.Transport | None = None
        self.confirming: dict[bytes, asyncio.Future[None]] = {}
        self.last_heard = self.loop.time()
        self.timer: asyncio.TimerHandle | None = None
        self.commands: list[bytes] = []
        self.channels: set[bytes] = set()
        self.leaving: Counter[bytes] = Counter()

    async def open(self, options: dict[str, Any]) -> None:
        """Connect as `options` of redis-py say. Raises `Unavailable`."""
        try:
            await connect(lambda: self, options, PING_EVERY)
        except (OSError, TimeoutError) as error:
            raise Unavailable from error
        if self.transport is None or self.transport.is_closing():
            raise Unavailable  # lost again before anyone could use it
        for words in greeting({**options, "db": None}):  # channels belong to no database
            self.command(*words)
        self.timer = self.loop.call_later(PING_EVERY, self.look)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def command(self, *parts: str | bytes | int | float) -> None:
        """Send a command; those of one turn go out in one write."""
        if not self.commands:
            self.loop.call_soon(self.flush)
        self.commands.append(hiredis.pack_command(cast(Any, parts)))

    def flush(self) -> None:
        commands, self.commands = b"".join(self.commands), []
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(commands)

    def subscribe(self, channel: str, *, sharded: bool = True) -> asyncio.Future[None]:
        """Ask for a channel; the future is settled when the node confirmed it, or fails with `Unavailable`."""
        name = channel.encode()
        self.channels.add(name)
        future = self.confirming.get(name)
        if future is None:
            future = self.confirming[name] = self.loop.create_future()
            if self.transport is None or self.transport.is_closing():
                self.refuse_all()
            else:
                self.command("SSUBSCRIBE" if sharded else "SUBSCRIBE", channel)
        return future

    def unsubscribe(self, channel: str, *, sharded: bool = True) -> None:
        """Stop listening to a channel. What the node sent before it heard of this may still arrive.

        Callers that still wait for the node to confirm it get `Unavailable`.
        """
        name = channel.encode()
        self.channels.discard(name)
        if (waiting := self.confirming.pop(name, None)) is not None:
            refuse(waiting)
        if self.transport is not None and not self.transport.is_closing():
            self.leaving[name] += 1
            self.command("SUNSUBSCRIBE" if sharded else "UNSUBSCRIBE", channel)

    def data_received(self, data: bytes) -> None:
        self.last_heard = self.loop.time()
        self.reader.feed(data)
        while (reply := self.reader.gets()) is not False:
            self.take(reply)

    def take(self, reply: Any) -> None:
        if isinstance(reply, hiredis.ReplyError):
            # A node that no longer owns a channel's slot, or refuses us, answers without naming the channel.
            self.close()
        elif isinstance(reply, list):
            kind = reply[0]
            if kind == b"smessage" or kind == b"message":
                self.heard(reply[1], reply[2])
            elif kind == b"ssubscribe" or kind == b"subscribe":
                self.confirm(reply[1])
            elif kind == b"sunsubscribe" or kind == b"unsubscribe":
                self.left(reply[1])

    def confirm(self, channel: bytes) -> None:
        """The node sends this channel from now on. If it was asked to stop since, its answer to that comes next."""
        if self.leaving[channel] > 0:
            return
        future = self.confirming.pop(channel, None)
        if future is not None and not future.done():
            future.set_result(None)

    def left(self, channel: bytes) -> None:
        """The node stopped sending a channel: we asked for that, or it gave the slot to another node."""
        if self.leaving[channel] > 0:
            self.leaving[channel] -= 1
        elif channel in self.channels:
            self.close()
        if not self.leaving[channel]:
            del self.leaving[channel]

    def look(self) -> None:
        """Notice a node that went silent without closing the connection."""
        silent = self.loop.time() - self.last_heard
        if silent > 2 * PING_EVERY:
            self.close()
            return
        if silent > PING_EVERY / 2:
            self.command("PING")
        self.timer = self.loop.call_later(PING_EVERY, self.look)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.refuse_all()
        self.cut_off(self)

    def refuse_all(self) -> None:
        confirming, self.confirming = self.confirming, {}
        for future in confirming.values():
            refuse(future)


def refuse(future: asyncio.Future[None]) -> None:
    """Tell a caller that still waits that the node did not confirm the channel."""
    if not future.done():
        future.set_exception(Unavailable())
        with contextlib.suppress(asyncio.CancelledError):
            future.exception()
