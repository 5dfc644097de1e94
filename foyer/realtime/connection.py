"""The outgoing side of a connection: frames that are made once and written to many.

A `Dialect` says what an event looks like to one kind of client. A `Batch` is what happened in a topic within one turn
of the loop; it is encoded once for each dialect, however many connections read it. A `Connection` takes batches and
never blocks: what a slow client does not take waits, up to `MOST_WAITING`, and then the client is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from foyer.realtime.log import Event

MOST_WAITING = 1024 * 1024
"""Bytes that may wait for a client that does not read."""
MOST_KEPT = 10_000
"""Batches that may be kept back from a client that resumes."""
LAST_WORDS = 5.0
"""Seconds that a client which is dropped gets to read why."""


class CloseCode:
    """Why a socket was closed. A client reconnects after those marked so."""

    GOING_AWAY = 1001  # reconnect
    RESTARTING = 1012  # reconnect, after a random 0-5 s
    BAD_FRAME = 4400
    SIGNED_OUT = 4401
    FORBIDDEN = 4403
    GONE = 4404
    TOO_SLOW = 4408  # reconnect
    TOO_MANY = 4429  # reconnect, later


class Dialect:
    """How events look to one kind of client. `encode` gives the text of an event, None for one it does not hear of."""

    def __init__(self, name: str, encode: Callable[[Event], bytes | None]) -> None:
        self.name = name
        self.encode = encode

    def texts(self, event: Event) -> list[bytes]:
        """An event as frames: one, or none; a dialect that has other frames says so here."""
        text = self.encode(event)
        return [] if text is None else [text]


EVENTS = Dialect("events", lambda event: event.json)
"""The events as they are: the gateway's frames, and those of a room's own socket."""


class Batch:
    """Consecutive events of one topic, encoded once for each dialect and way of framing."""

    __slots__ = ("events", "memory")

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.memory: dict[object, Any] = {}

    def texts(self, dialect: Dialect) -> list[bytes]:
        """The events' texts, in order, less those that the dialect leaves out."""
        found: list[bytes] | None = self.memory.get(dialect)
        if found is None:
            found = self.memory[dialect] = [text for event in self.events for text in dialect.texts(event)]
        return found

    def framed(self, dialect: Dialect) -> bytes:
        """The events as WebSocket frames, joined, ready to be written to any number of sockets."""
        found: bytes | None = self.memory.get((dialect, "framed"))
        if found is None:
            found = self.memory[dialect, "framed"] = b"".join(map(frame, self.texts(dialect)))
        return found

    def after(self, offset: int) -> Batch:
        """The part of this batch that came after `offset`."""
        return Batch([event for event in self.events if event.offset > offset or not event.offset])


def frame(text: bytes) -> bytes:
    """A text frame from a server, RFC 6455 section 5.2: final, not masked."""
    size = len(text)
    if size < 126:
        return b"\x81" + bytes((size,)) + text
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + text
    return b"\x81\x7f" + size.to_bytes(8, "big") + text


class Identity(Protocol):
    """Who is connected: what ending a session needs to know of him. `expires_at` is a Unix time."""

    @property
    def id(self) -> int: ...
    @property
    def username(self) -> str: ...
    @property
    def is_admin(self) -> bool: ...
    @property
    def session(self) -> str | None: ...
    @property
    def expires_at(self) -> float | None: ...


class Nobody:
    """The caller of a socket that anyone may open; no session of his can end."""

    id = 0
    username = ""
    is_admin = False
    session: str | None = None
    expires_at: float | None = None


NOBODY = Nobody()


class FrameWriter(Protocol):
    """What our server offers in the ASGI scope's extensions as `foyer.frames`: a way to write ready frames."""

    writer_blocked: bool
    handshake_complete: bool

    def write_frames(self, frames: bytes) -> None: ...
    def on_drained(self, callback: Callable[[], None] | None) -> None: ...
    def end(self, code: int, reason: str) -> None: ...


class Connection:
    """A client that reads topics. Runs on the loop; nothing here awaits.

    `on_close(code, reason)` is called once when the server wants the connection to end; `close_code` then says why.
    `many_topics` is set for one that goes on when a topic ends: the gateway's do, a room's own socket does not.
    `welcoming` is set until such a one was told where it stands.
    """

    __slots__ = (
        "__weakref__",
        "caller",
        "close_code",
        "closing",
        "dialect",
        "kept_back",
        "many_topics",
        "on_close",
        "topics",
        "welcoming",
    )

    waiting_bytes = 0
    """What the client has not taken yet, as far as it waits here."""

    def __init__(self, dialect: Dialect, caller: Identity, on_close: Callable[[int, str], None]) -> None:
        self.dialect = dialect
        self.caller = caller
        self.on_close = on_close
        self.closing = False
        self.close_code: int | None = None
        self.topics: set[str] = set()
        self.kept_back: dict[str, list[Batch]] | None = None
        self.many_topics = False
        self.welcoming: asyncio.Future[None] | None = None

    def deliver(self, batch: Batch) -> None:
        """Write what happened."""
        raise NotImplementedError

    def reply(self, text: bytes) -> None:
        """Write one frame for this connection alone."""
        raise NotImplementedError

    async def room_to_write(self) -> None:
        """Return once the client has read what was written, or is gone."""

    def keep_back(self, topic_tag: str, batch: Batch) -> None:
        """Keep what happens in a topic that is being resumed until what was missed has been written."""
        kept = self.kept_back.get(topic_tag) if self.kept_back is not None else None
        if kept is None:
            self.deliver(batch)
            return
        kept.append(batch)
        if len(kept) > MOST_KEPT:
            self.drop()

    def close(self, code: int, reason: str = "") -> None:
        """End the connection from this side, once."""
        if not self.closing:
            self.closing, self.close_code = True, code
            self.on_close(code, reason)

    def drop(self) -> None:
        """The client does not keep up: it may read why for a moment, then the connection is gone."""
        self.close(CloseCode.TOO_SLOW, "too slow; reconnect and resume")

    def detach(self) -> None:
        """The connection is over; let go of everything that leads back here."""
        self.closing = True


class FramedConnection(Connection):
    """Writes ready frames through our own server: one write for a batch, shared by all who read it."""

    def __init__(
        self,
        writer: FrameWriter,
        dialect: Dialect,
        caller: Identity,
    ) -> None:
        super().__init__(dialect, caller, writer.end)
        self.writer = writer
        self.flowing: asyncio.Future[None] | None = None
        self.waiting: list[bytes] | None = None
        self.waiting_bytes = 0

    def deliver(self, batch: Batch) -> None:
        self.write(batch.framed(self.dialect))

    def reply(self, text: bytes) -> None:
        self.write(frame(text))

    def write(self, frames: bytes) -> None:
        if self.closing or not frames:
            return
        if self.waiting is None:
            if not self.writer.writer_blocked:
                self.writer.write_frames(frames)
                return
            self.waiting = []
            self.writer.on_drained(self.drained)
        self.waiting.append(frames)
        self.waiting_bytes += len(frames)
        if self.waiting_bytes > MOST_WAITING:
            self.waiting = []
            self.drop()

    def drained(self) -> None:
        """The client reads again: hand over what waited, in one write."""
        waiting, self.waiting, self.waiting_bytes = self.waiting, None, 0
        self.writer.on_drained(None)
        if waiting and not self.closing:
            self.writer.write_frames(b"".join(waiting))
        self.flow()

    async def room_to_write(self) -> None:
        while (self.waiting is not None or self.writer.writer_blocked) and not self.closing:
            self.flowing = self.flowing or asyncio.get_running_loop().create_future()
            self.writer.on_drained(self.drained)
            await self.flowing

    def flow(self) -> None:
        if self.flowing is not None and not self.flowing.done():
            self.flowing.set_result(None)
        self.flowing = None

    def close(self, code: int, reason: str = "") -> None:
        super().close(code, reason)
        self.flow()

    def detach(self) -> None:
        super().detach()
        self.flow()
        self.waiting = None
        self.writer.on_drained(None)


class AsgiConnection(Connection):
    """The way out under any ASGI server, and for server-sent events: texts that a task sends one after another."""

    def __init__(
        self,
        send: Callable[[bytes], Awaitable[None]],
        dialect: Dialect,
        caller: Identity,
        on_close: Callable[[int, str], None],
    ) -> None:
        super().__init__(dialect, caller, on_close)
        self.send = send
        self.waiting: list[bytes] = []
        self.waiting_bytes = 0
        self.wake, self.idle = asyncio.Event(), asyncio.Event()
        self.task: asyncio.Task[None] | None = asyncio.get_running_loop().create_task(self.pump())

    def deliver(self, batch: Batch) -> None:
        self.write(batch.texts(self.dialect))

    def reply(self, text: bytes) -> None:
        self.write([text])

    def write(self, texts: list[bytes]) -> None:
        if self.closing:
            return
        if self.waiting_bytes > MOST_WAITING:  # what waited before: one batch alone may be larger
            self.drop()
            return
        self.waiting += texts
        self.waiting_bytes += sum(map(len, texts))
        self.idle.clear()
        self.wake.set()

    async def room_to_write(self) -> None:
        if self.waiting and not self.closing:
            await self.idle.wait()

    async def pump(self) -> None:
        """Send what waits, in order, until the connection ends."""
        while not self.closing:
            await self.wake.wait()
            self.wake.clear()
            while self.waiting:
                texts, self.waiting, self.waiting_bytes = self.waiting, [], 0
                for text in texts:
                    await self.send(text)
            self.idle.set()

    def close(self, code: int, reason: str = "") -> None:
        super().close(code, reason)
        self.idle.set()

    def stop_pump(self) -> None:
        """Cancel the task and let go of it: where it was cancelled it keeps a traceback that leads back here."""
        if self.task is not None:
            self.task.cancel()
            self.task = None
        self.idle.set()

    def drop(self) -> None:
        self.stop_pump()
        super().drop()

    def detach(self) -> None:
        super().detach()
        self.stop_pump()
        self.waiting = []
