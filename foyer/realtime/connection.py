"""The outgoing side of a connection: frames that are made once and written to many.

A `Dialect` says what an event looks like to one kind of client. A `Batch` is what happened in a topic within one turn
of the loop; it is encoded once for each dialect, however many connections read it. A `Connection` takes batches and
never blocks: what a slow client does not take waits, up to `MOST_WAITING`, and then the client is dropped.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import Any, Protocol

from foyer.realtime.log import Event

MOST_WAITING = 1024 * 1024
"""Bytes that may wait for a client that does not read."""
EVENT_SIZE = 200
"""Bytes that an event takes beside its text."""
NOTICE = "notice"
"""Type of what is said to every connection. It belongs to no topic, is not stored, and may be lost."""
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


Framing = Callable[[bytes], bytes]
"""How a text is put on the wire."""


class Dialect:
    """How events look to one kind of client. `encode` gives the text of an event, None for one that it does not get."""

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

    @property
    def size(self) -> int:
        """Bytes that keeping this takes."""
        found: int | None = self.memory.get("size")
        if found is None:
            found = self.memory["size"] = sum(len(event.json) + EVENT_SIZE for event in self.events)
        return found

    def texts(self, dialect: Dialect) -> list[bytes]:
        """The events' texts, in order, less those that the dialect leaves out."""
        found: list[bytes] | None = self.memory.get(dialect)
        if found is None:
            found = self.memory[dialect] = [text for event in self.events for text in dialect.texts(event)]
        return found

    def framed(self, dialect: Dialect, framing: Framing) -> bytes:
        """The events as frames, joined, ready to be written to any number of connections."""
        found: bytes | None = self.memory.get((dialect, framing))
        if found is None:
            found = self.memory[dialect, framing] = b"".join(map(framing, self.texts(dialect)))
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
    """The user of a connection: what is needed to end it with the session. `expires_at` is a Unix time."""

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
    """The caller of a socket that anyone may open. There is no session that can end."""

    id = 0
    username = ""
    is_admin = False
    session: str | None = None
    expires_at: float | None = None


NOBODY = Nobody()


class FrameWriter(Protocol):
    """What our server offers in the ASGI scope's extensions as `foyer.frames`: a way to write ready frames.

    `owner` is told when the client reads again, and what else it sends and leaves unread.
    """

    handshake_complete: bool
    owner: FramedConnection | None

    @property
    def writer_blocked(self) -> bool: ...
    def write_frames(self, frames: bytes) -> None: ...
    def end(self, code: int, reason: str) -> None: ...


class Budget:
    """How many frames a connection may send: `rate` a second, and as many again at once."""

    __slots__ = ("left", "rate", "refilled_at")

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self.left = 2 * rate
        self.refilled_at = now

    def take(self, now: float, count: int = 1) -> bool:
        self.left = min(2 * self.rate, self.left + (now - self.refilled_at) * self.rate)
        self.refilled_at = now
        self.left -= count
        return self.left >= 0

    @property
    def is_overdrawn(self) -> bool:
        """Whether as many frames again came after the first that was too many."""
        return self.left < -2 * self.rate


Later = Callable[[], Awaitable[None]]


class KeptBack:
    """What happens in some topics, and what is to be done about it, while a connection is told where it stands there.

    In the order in which it came, so that what follows from an event in one topic stays behind it.
    """

    __slots__ = ("size", "topics", "waiting")

    def __init__(self) -> None:
        self.topics: set[str] = set()
        self.waiting: deque[Batch | Later] = deque()
        self.size = 0


class Connection:
    """A client that reads topics. Runs on the loop; only what is for the client's own task awaits.

    `on_close(code, reason)` is called once when the server wants the connection to end; `close_code` then says why.
    `many_topics` is set for one that goes on when a topic ends: the gateway's do, a room's own socket does not.
    `is_open` is set once the client has been told what it begins with, so that it may be told what is for everybody.
    `kept_back` is set while it is being told where it stands. `network` is the client's address, as limits take it;
    `ends_at` the loop's time from which on nothing more is carried out.
    """

    __slots__ = (
        "__weakref__",
        "budget",
        "caller",
        "close_code",
        "closing",
        "dialect",
        "ends_at",
        "is_open",
        "kept_back",
        "many_topics",
        "network",
        "on_close",
        "topics",
    )

    waiting_bytes = 0
    """Bytes that wait here because the client has not read what was sent before."""

    def __init__(self, dialect: Dialect, caller: Identity, on_close: Callable[[int, str], None]) -> None:
        self.dialect = dialect
        self.caller = caller
        self.on_close = on_close
        self.ends_at = inf
        self.network = ""
        self.budget: Budget | None = None
        self.closing = self.is_open = False
        self.close_code: int | None = None
        self.topics: set[str] = set()
        self.kept_back: KeptBack | None = None
        self.many_topics = False

    def deliver(self, batch: Batch) -> None:
        """Write what happened."""
        raise NotImplementedError

    def reply(self, text: bytes) -> None:
        """Write one frame for this connection alone."""
        raise NotImplementedError

    async def room_to_write(self) -> None:
        """Return once the client has read what was written, or is gone."""

    def keep_back(self, topic_tag: str) -> None:
        """From here on, what happens in a topic waits for `hand_out`."""
        if self.kept_back is None:
            self.kept_back = KeptBack()
        self.kept_back.topics.add(topic_tag)

    def keeps_back(self, topic_tag: str) -> bool:
        return self.kept_back is not None and topic_tag in self.kept_back.topics

    def deliver_later(self, topic_tag: str, batch: Batch) -> None:
        """Write what happened, behind what is kept back of the topic, if it is."""
        kept = self.kept_back
        if kept is None or topic_tag not in kept.topics:
            self.deliver(batch)
            return
        kept.waiting.append(batch)
        kept.size += batch.size
        if kept.size > MOST_WAITING:
            kept.waiting.clear()
            self.drop()

    def do_later(self, work: Later) -> None:
        """Have `work` done in the turn of what is kept back."""
        assert self.kept_back is not None
        self.kept_back.waiting.append(work)

    async def hand_out(self, *, keep_on: bool = False) -> None:
        """Write all that was kept back, and do what is to be done in between; from then on nothing is kept back, unless
        that is to go on."""
        kept = self.kept_back
        while kept is not None and kept.waiting and not self.closing:
            item = kept.waiting.popleft()
            if isinstance(item, Batch):
                kept.size -= item.size
                self.deliver(item)
            else:
                await item()
        if not keep_on:
            self.kept_back = None

    def close(self, code: int, reason: str = "") -> None:
        """End the connection from this side, once."""
        if not self.closing:
            self.closing, self.close_code = True, code
            self.on_close(code, reason)

    def drop(self) -> None:
        """The client does not keep up: it may read why for a moment, then the connection is gone."""
        self.close(CloseCode.TOO_SLOW, "too slow; reconnect and resume")

    def detach(self) -> None:
        """The connection is over: drop all references that lead back here."""
        self.closing = True


class FramedConnection(Connection):
    """Writes ready frames through our own server: one write for a batch, shared by all who read it."""

    framing: Framing = staticmethod(frame)

    def __init__(
        self,
        writer: FrameWriter,
        dialect: Dialect,
        caller: Identity,
        on_close: Callable[[int, str], None] | None = None,
    ) -> None:
        super().__init__(dialect, caller, on_close or writer.end)
        self.writer = writer
        writer.owner = self
        self.flowing: asyncio.Future[None] | None = None
        self.waiting: list[bytes] | None = None
        self.waiting_bytes = 0

    def deliver(self, batch: Batch) -> None:
        self.write(batch.framed(self.dialect, self.framing))

    def reply(self, text: bytes) -> None:
        self.write(self.framing(text))

    def write(self, frames: bytes) -> None:
        if self.closing or not frames:
            return
        if self.waiting is None:
            if not self.writer.writer_blocked:
                self.writer.write_frames(frames)
                return
            self.waiting = []
        self.waiting.append(frames)
        self.left_unread(len(frames))

    def left_unread(self, size: int) -> None:
        """So many bytes more wait for the client."""
        self.waiting_bytes += size
        if self.waiting_bytes > MOST_WAITING:
            self.waiting = []
            self.drop()

    def heard_asides(self, count: int) -> None:
        """The client sent frames that are no commands: pings, pongs, fragments."""
        if self.budget is not None:
            self.budget.take(asyncio.get_running_loop().time(), count)
            if self.budget.is_overdrawn:
                self.close(CloseCode.TOO_MANY, "too many frames")

    def drained(self) -> None:
        """The client reads again: hand over what waited, in one write."""
        waiting, self.waiting, self.waiting_bytes = self.waiting, None, 0
        if waiting and not self.closing:
            self.writer.write_frames(b"".join(waiting))
        self.flow()

    async def room_to_write(self) -> None:
        while (self.waiting is not None or self.writer.writer_blocked) and not self.closing:
            self.flowing = self.flowing or asyncio.get_running_loop().create_future()
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
        self.writer.owner = None


class AsgiConnection(Connection):
    """The way out under any ASGI server: texts that a task sends one after another."""

    def __init__(
        self,
        send: Callable[[bytes], Awaitable[None]],
        dialect: Dialect,
        caller: Identity,
        on_close: Callable[[int, str], None],
    ) -> None:
        super().__init__(dialect, caller, on_close)
        self.send = send
        self.waiting: deque[bytes] = deque()
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
                text = self.waiting.popleft()
                await self.send(text)
                self.waiting_bytes -= len(text)
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
        self.waiting.clear()
