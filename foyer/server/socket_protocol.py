"""Our side of uvicorn's WebSockets: limits on what comes in, and a way to write frames that are ready.

Consumers find it in the ASGI scope as `extensions["foyer.frames"]`; under another server it is not there and they send
by ASGI. A connection makes no reference cycle that outlives it: with ten thousand of them a full garbage collection
stops the loop for half a second, so nothing may depend on one.
"""

from __future__ import annotations

import asyncio
from typing import Any

from django.conf import settings
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from foyer.realtime.connection import LAST_WORDS, MOST_WAITING, Budget, CloseCode, FramedConnection
from foyer.realtime.hub import get_hub
from foyer.tally import refusals

SLICE = 4096
"""Bytes that are taken apart in one turn: they may be hundreds of frames, and others wait meanwhile."""
MOST_FRAGMENTS = 1000
"""Fragments of one message."""
MOST_LATE = 1024 * 1024
"""Bytes that are read after a close."""
MOST_EARLY = 100
"""Frames that are passed over before a socket is open, when no client has anything to say."""


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, plus `FrameWriter`: frames made elsewhere, written as they are.

    `rest` is what was received and not yet taken apart. `asides` counts frames that are no message of their own:
    control frames, and fragments but the last.
    """

    writer_blocked = False
    owner: FramedConnection | None = None
    budget: Budget | None = None
    rest = b""
    asides = 0
    late = 0

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if scope := getattr(self, "scope", None):
            scope["extensions"]["foyer.frames"] = self

    async def send(self, message: Any) -> None:
        if self.close_sent and message["type"] in ("websocket.send", "websocket.close"):
            return  # closed from elsewhere; the application hears of it next
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and self.close_sent:
            self.handshake_complete = True  # an answer that refuses is one; uvicorn would log an error

    def start_keepalive(self) -> None:
        """The handshake is over: what it was made of need not be kept for as long as the socket lives."""
        super().start_keepalive()
        self.request = self.response = None  # type: ignore[assignment]

    # What comes in

    def data_received(self, data: bytes) -> None:
        """Take apart what came, a slice in each turn of the loop, and no more until it is carried out."""
        if self.close_sent and self.is_late(len(data)):
            return
        if self.rest or (len(data) > SLICE and self.handshake_initiated):
            self.rest += data
            if not self.read_paused:
                self.read_paused = True
                self.transport.pause_reading()
            self.loop.call_soon(self.take_slice)
        else:
            self.take(data)

    def is_late(self, size: int) -> bool:
        """Whether more came after our close than the client's own close and what was on its way."""
        self.late += size
        if self.late > MOST_LATE:
            self.transport.pause_reading()
        return self.late > MOST_LATE

    def take(self, data: bytes) -> None:
        super().data_received(data)
        if self.asides:
            self.count_asides()

    def take_slice(self) -> None:
        if not self.rest or not self.queue.empty():
            return  # `receive` goes on with it, once what came before is carried out
        data, self.rest = self.rest[:SLICE], self.rest[SLICE:]
        self.take(data)
        if self.close_sent or self.disconnected:
            self.rest = b""
        self.read_on()

    def read_on(self) -> None:
        """Go on reading, or with what was read, if nothing waits to be carried out."""
        if not self.read_paused or not self.queue.empty():
            return
        if self.rest:
            self.loop.call_soon(self.take_slice)
        else:
            self.read_paused = False
            self.transport.resume_reading()

    async def receive(self) -> Any:
        message = await self.queue.get()
        self.read_on()
        return message

    def count_asides(self) -> None:
        """Control frames and fragments count as frames do."""
        count, self.asides = self.asides, 0
        if self.owner is not None:
            self.owner.heard_asides(count)
        elif self.handshake_complete:
            self.count_for_others(count)
        elif count > MOST_EARLY:
            refusals["early"] += 1
            self.transport.abort()

    def count_for_others(self, count: int) -> None:
        """The same, and what is left unread, for a consumer that is not ours."""
        now = self.loop.time()
        self.budget = self.budget or Budget(settings.FRAMES_PER_SECOND, now)
        self.budget.take(now, count)
        if self.budget.is_overdrawn:
            self.end(CloseCode.TOO_MANY, "too many frames")
        elif self.writer_blocked and self.transport.get_write_buffer_size() > MOST_WAITING:
            self.end(CloseCode.TOO_SLOW, "too slow")

    def handle_cont(self, event: Frame) -> None:
        self.asides += not event.fin
        if len(self.frames) >= MOST_FRAGMENTS:
            refusals["fragments"] += 1
            self.frames = []
            if self.owner is not None:
                self.owner.close(CloseCode.BAD_FRAME, "too many fragments")
        elif not self.close_sent:
            super().handle_cont(event)

    def handle_text(self, event: Frame) -> None:
        self.asides += not event.fin
        super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        self.asides += not event.fin
        super().handle_bytes(event)

    def handle_pong(self, event: Frame) -> None:
        self.asides += 1
        super().handle_pong(event)

    def handle_ping(self) -> None:
        """A pong that can't be sent waits for the client as everything else does."""
        self.asides += 1
        pongs = b"".join(self.conn.data_to_send())
        if self.disconnected or self.close_sent or not pongs:
            return
        self.transport.write(pongs)
        if self.writer_blocked and self.owner is not None:
            self.owner.left_unread(len(pongs))

    def handle_close(self, event: Frame) -> None:
        super().handle_close(event)
        self.close_for_good()

    def handle_parser_exception(self) -> None:
        super().handle_parser_exception()
        self.close_for_good()

    def close_for_good(self) -> None:
        """A transport that is closing waits for the client to read what is unsent: for a moment, not for ever."""
        if self.transport.get_write_buffer_size():
            self.loop.call_later(LAST_WORDS, self.transport.abort)

    def send_receive_event_to_app(self) -> None:
        """Close on text that is not UTF-8 (RFC 6455, 8.1) and leave it out of the log: it is the client's mistake."""
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.send_close(1007)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def shutdown(self) -> None:
        get_hub().people.stop()
        super().shutdown()

    def write_frames(self, frames: bytes) -> None:
        """Write whole frames. Must not be called for a connection that was not accepted."""
        if not self.close_sent and not self.disconnected:
            self.transport.write(frames)

    def pause_writing(self) -> None:
        self.writer_blocked = True
        super().pause_writing()

    def resume_writing(self) -> None:
        self.writer_blocked = False
        super().resume_writing()
        if self.owner is not None:
            self.owner.drained()

    def end(self, code: int, reason: str) -> None:
        """Send the close frame without waiting for unsent data; the client has `LAST_WORDS` seconds to read it."""
        if not self.handshake_complete:
            return  # the consumer sees that its connection is closing, and refuses the handshake
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.rest = b""
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(LAST_WORDS, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """Cut off a client that does not answer. `close()` would wait for ever until it reads unsent data."""
        self.pong_timer = None
        self.queue.put_nowait({"type": "websocket.disconnect", "code": 1011})
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.rest = b""
        if self.writer_blocked:
            self.resume_writing()  # whoever waits for the client to read waits no longer
        self.conn.parser.close()  # a generator, and its error a traceback, that hold the parser they belong to
        self.conn.parser_exc = None

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        scope: Any = self.scope
        scope["extensions"].pop("foyer.frames", None)
        self.owner = None
        self.close_for_good()
