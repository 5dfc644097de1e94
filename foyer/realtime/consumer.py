"""What every socket of the project has in common: opening, one command after another, closing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

import orjson
from channels.consumer import AsyncConsumer
from django.conf import settings

from foyer.addresses import client_network
from foyer.api.exceptions import error_headers
from foyer.api.wire import decode, encode
from foyer.errors import BadRequest, BadToken, FoyerError, MalformedJSON, NotFound, TooManyRequests, Unavailable
from foyer.logs import connection_done, id_headers, request_done
from foyer.realtime.connection import (
    EVENTS,
    AsgiConnection,
    Budget,
    CloseCode,
    Connection,
    Dialect,
    FramedConnection,
    FrameWriter,
    Framing,
    Identity,
)
from foyer.realtime.hub import get_hub
from foyer.realtime.sessions import EXPIRED
from foyer.tally import closes, connections

logger = logging.getLogger(__name__)

PROTOCOL = "foyer.v1"
"""What a browser offers beside the subprotocol that carries its token, and is answered."""
STREAM_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
CLOSES = {401: CloseCode.SIGNED_OUT, 403: CloseCode.FORBIDDEN, 404: CloseCode.GONE, 503: CloseCode.RESTARTING}
"""How a socket that was open already is told of an error, by the status it would have had."""
COMMENT_EVERY = 25.0
"""Seconds between comments in a stream of events that has nothing to say."""


class BadFrame(BadRequest):
    code = "bad_frame"
    detail = "A frame is a JSON object in a text frame."


def encode_error(error: FoyerError, command: dict[str, Any] | None = None) -> bytes:
    """The frame that answers a command which failed; `id` as the client sent it."""
    told = {"id": command["id"]} if command and "id" in command else {}
    return encode({**told, "type": "error", **error.as_json()})


def parse_frame(text: str) -> dict[str, Any]:
    """A client's frame. Raises `BadFrame` for anything but a JSON object."""
    try:
        frame = decode(text.encode())
    except MalformedJSON:
        raise BadFrame(f"The frame is not JSON: {text[:40]!r}") from None
    if not isinstance(frame, dict):
        raise BadFrame(f"A frame is a JSON object, this is {type(frame).__name__}.")
    return frame


class SocketConsumer(AsyncConsumer):
    """A WebSocket. Subclasses say who may open it (`open`) and what its commands do (`take`).

    Channels' own dispatch is passed over: it starts a task for every frame and visits the database's thread for every
    event, and no socket of ours touches the ORM while it is open.
    """

    kind: ClassVar[str] = "other"
    """What it is called in the log and the metrics."""
    dialect: ClassVar[Dialect] = EVENTS
    connection: Connection
    accepted = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope, self.send = scope, send
        self.hub = get_hub()
        self.begun_at = self.hub.loop.time()
        await receive()  # websocket.connect
        try:
            caller = await self.identify()
            self.hub.people.limit(caller, client_network.get())
        except FoyerError as error:
            await self.refuse(error)
            return
        self.connection = self.make_connection(caller)
        self.connection.network = client_network.get()
        self.hub.people.connected(self.connection)
        connections[self.kind] += 1
        try:
            await self.serve(receive)
        finally:
            connections[self.kind] -= 1
            if self.accepted:
                note_end(self.kind, self.connection, self.begun_at)
            self.hub.people.disconnected(self.connection)
            del self.connection, self.scope, self.send

    async def serve(self, receive: Any) -> None:
        self.connection.budget = self.budget = Budget(settings.FRAMES_PER_SECOND, self.hub.loop.time())
        try:
            await self.open()
        except FoyerError as error:
            await self.refuse(error)
            return
        if self.connection.closing:
            return
        while (message := await receive())["type"] == "websocket.receive":
            if not self.connection.closing:
                await self.answer(message.get("text"))

    async def answer(self, text: str | None) -> None:
        """Carry out one command and answer it before the next is read; None is a binary frame. Every frame counts."""
        now = self.hub.loop.time()
        in_budget = self.budget.take(now)
        if self.budget.is_overdrawn:
            self.connection.close(CloseCode.TOO_MANY, "too many frames")
            return
        if now > self.connection.ends_at:
            self.connection.close(CloseCode.SIGNED_OUT, EXPIRED)
            return
        command = None
        try:
            if text is not None:
                command = parse_frame(text)
            if not in_budget:
                raise TooManyRequests("Too many frames; this one was not carried out.", retry_after=1)
            if command is None:
                self.take_binary()
            else:
                await self.take(command)
        except FoyerError as error:
            self.reply_error(error, command)
        except Exception:
            logger.exception("a command failed")
            self.reply_error(Unavailable("The server failed to carry this out."), command)

    def reply_error(self, error: FoyerError, command: dict[str, Any] | None) -> None:
        """Answer a command that failed; None is one that could not be read."""
        self.connection.reply(encode_error(error, command))

    def take_binary(self) -> None:
        """What becomes of a client that sends a binary frame."""
        self.connection.close(CloseCode.BAD_FRAME, "frames are text")

    async def identify(self) -> Identity:
        """Who opens the socket. Raises `NotAuthenticated`."""
        raise NotImplementedError

    async def open(self) -> None:
        """Subscribe to what the socket reads, and `accept` when that stands. Raises what refuses the handshake."""
        raise NotImplementedError

    async def take(self, command: dict[str, Any]) -> None:
        """Carry out a command and reply to it. Raises what is answered as an error."""
        raise NotImplementedError

    def make_connection(self, caller: Identity) -> Connection:
        writer = self.scope.get("extensions", {}).get("foyer.frames")
        if writer is not None:
            return FramedConnection(writer, self.dialect, caller)
        return AsgiConnection(self.send_text, self.dialect, caller, self.close_by_asgi)

    async def accept(self, subprotocol: str | None = None) -> None:
        """Let the client in, unless what it came for ended meanwhile."""
        if self.connection.closing:
            raise BadToken if self.connection.close_code == CloseCode.SIGNED_OUT else NotFound
        self.accepted = True
        await self.send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": id_headers()})
        self.connection.is_open = not self.connection.many_topics  # the gateway welcomes its client first
        self.hub.people.came_online(self.connection)

    async def send_text(self, text: bytes) -> None:
        await self.send({"type": "websocket.send", "text": text.decode()})

    def close_by_asgi(self, code: int, reason: str) -> None:
        self.hub.start(self.send({"type": "websocket.close", "code": code, "reason": reason}))

    async def refuse(self, error: FoyerError) -> None:
        """Answer the handshake with the error as HTTP, where the server can; one that was accepted is closed."""
        if self.accepted:
            self.connection.close(CLOSES.get(error.status, CloseCode.BAD_FRAME), error.code)
            return
        note_refusal(self.kind, error, self.begun_at)
        await refuse_handshake(self.scope, self.send, error)


async def refuse_handshake(scope: Any, send: Any, error: FoyerError) -> None:
    """Answer a handshake with an error as HTTP, or by a close code under a server that takes no such answer."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 4000 + error.status})
        return
    status, headers, body = http_error(error)
    headers += id_headers()
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


async def answer_for_consumer(scope: Any, send: Any, error: FoyerError) -> None:
    """Answer what a consumer outside Foyer raised and left to us: by HTTP in its `connect`, later by a close code."""
    writer: FrameWriter | None = scope.get("extensions", {}).get("foyer.frames")
    if writer is not None and writer.handshake_complete:
        writer.end(CLOSES.get(error.status, CloseCode.BAD_FRAME), error.code)
        return
    note_refusal("other", error, asyncio.get_running_loop().time())
    await refuse_handshake(scope, send, error)


def note_end(kind: str, connection: Connection, begun_at: float) -> None:
    """Count a connection that is over, and log it."""
    code = str(connection.close_code or "client")
    closes[code] += 1
    connection_done(kind, code, asyncio.get_running_loop().time() - begun_at, connection.caller.id)


def note_refusal(kind: str, error: FoyerError, begun_at: float) -> None:
    """Count a handshake that was answered with an error, and log it."""
    closes[str(error.status)] += 1
    request_done("GET", kind, error.status, asyncio.get_running_loop().time() - begun_at)


def http_error(error: FoyerError) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """An error as an HTTP answer: status, headers, body."""
    body = orjson.dumps(error.as_json())
    told = {"content-type": "application/json", "content-length": str(len(body)), **error_headers(error)}
    return error.status, [(name.lower().encode(), value.encode()) for name, value in told.items()], body


class StreamConnection(FramedConnection):
    """Writes the parts of an event stream; what comes before the stream has begun waits."""

    def __init__(
        self, writer: StreamWriter, dialect: Dialect, caller: Identity, on_close: Callable[[int, str], None]
    ) -> None:
        super().__init__(writer, dialect, caller, on_close)
        self.framing = writer.framing
        self.waiting = []

    def begin(self, first: bytes) -> None:
        """The answer has started: write its first part, and what waited."""
        self.writer.write_frames(self.framing(first))
        self.drained()


class StreamWriter(FrameWriter, Protocol):
    """What our server offers for event streams: a `FrameWriter` of parts of an answer without an end."""

    @property
    def framing(self) -> Framing: ...
    def begin_stream(self) -> None: ...


class EventStream:
    """Server-sent events: an HTTP answer without an end. Subclasses say who may open it and what it reads (`open`)."""

    kind: ClassVar[str] = "sse"
    dialect: ClassVar[Dialect]
    connection: StreamConnection | AsgiConnection
    writer: StreamWriter | None

    @classmethod
    def as_asgi(cls) -> Any:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            await cls()(scope, receive, send)

        return application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope, self.send = scope, send
        self.writer = scope.get("extensions", {}).get("foyer.frames")
        self.hub = get_hub()
        self.begun_at = self.hub.loop.time()
        self.started, self.ended = asyncio.Event(), asyncio.Event()
        try:
            caller = await self.identify()
            self.hub.people.limit(caller, client_network.get())
        except FoyerError as error:
            await self.refuse(error)
            return
        self.connection = self.make_connection(caller)
        self.hub.people.connected(self.connection)
        connections[self.kind] += 1
        leaving = asyncio.ensure_future(self.wait_until_left(receive))
        try:
            await self.open()
            await self.keep_alive()
        except FoyerError as error:
            await self.refuse(error)
        finally:
            leaving.cancel()
            connections[self.kind] -= 1
            if self.started.is_set():
                note_end(self.kind, self.connection, self.begun_at)
            self.hub.people.disconnected(self.connection)
            del self.connection, self.scope, self.send, self.writer

    def make_connection(self, caller: Identity) -> StreamConnection | AsgiConnection:
        if self.writer is not None:
            return StreamConnection(self.writer, self.dialect, caller, self.end)
        return AsgiConnection(self.send_part, self.dialect, caller, self.end)

    async def identify(self) -> Identity:
        raise NotImplementedError

    async def open(self) -> None:
        """Subscribe and `start`. Raises what is answered instead of a stream."""
        raise NotImplementedError

    async def start(self, place: bytes = b"") -> None:
        """Answer that the stream is open. `place` is the id to go on from for a client that heard nothing yet."""
        if self.writer is not None:
            self.writer.begin_stream()
        headers = [*STREAM_HEADERS, *id_headers()]
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})
        self.started.set()
        if self.scope["method"] == "HEAD":
            self.ended.set()
            return
        first = b"retry: 1000\n" + (b"id: %s\n" % place if place else b"") + b"\n"
        if isinstance(self.connection, StreamConnection):
            self.connection.begin(first)
        else:
            await self.send({"type": "http.response.body", "body": first, "more_body": True})
        self.connection.is_open = True
        self.hub.people.came_online(self.connection)

    async def send_part(self, part: bytes) -> None:
        await self.started.wait()
        await self.send({"type": "http.response.body", "body": part, "more_body": True})

    def end(self, code: int, reason: str) -> None:
        """Have the stream end; that of a client that does not read is cut off."""
        if code == CloseCode.TOO_SLOW and self.writer is not None:
            self.writer.end(code, reason)
        self.ended.set()

    async def wait_until_left(self, receive: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.connection.detach()
        self.ended.set()

    async def keep_alive(self) -> None:
        """Until the stream ends, say something now and then, so that nobody between takes it for dead."""
        while not self.ended.is_set():
            try:
                await asyncio.wait_for(self.ended.wait(), COMMENT_EVERY)
            except TimeoutError:
                self.connection.reply(b":\n\n")
        await self.send({"type": "http.response.body", "body": b""})

    async def refuse(self, error: FoyerError) -> None:
        """Answer with the error; a stream that was open already just ends."""
        if self.started.is_set():
            await self.send({"type": "http.response.body", "body": b""})
            return
        note_refusal(self.kind, error, self.begun_at)
        status, headers, body = http_error(error)
        headers += id_headers()
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


class NoSocket(SocketConsumer):
    """Any other address."""

    async def identify(self) -> Identity:
        raise NotFound("There is no socket at this address.")
