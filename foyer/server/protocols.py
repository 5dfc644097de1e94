"""Our side of uvicorn: its HTTP and WebSocket protocols, with a way to write frames that are ready.

Consumers find it in the ASGI scope as `extensions["foyer.frames"]`; under another server it is not there and they send
by ASGI. A connection makes no reference cycle that outlives it: with ten thousand of them a full garbage collection
stops the loop for half a second, so nothing may depend on one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from foyer.realtime.connection import LAST_WORDS
from foyer.realtime.hub import get_hub


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which lets go of its parser when a WebSocket takes the connection over."""

    def handle_websocket_upgrade(self) -> None:
        super().handle_websocket_upgrade()
        self.parser = None  # type: ignore[assignment]  # it holds our methods, and so us
        self.cycle = self.scope = self.headers = None  # type: ignore[assignment]

    def shutdown(self) -> None:
        get_hub().people.stop()
        super().shutdown()
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            self.transport.close()  # an event stream: it would not end by itself, and its client resumes elsewhere


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, plus `FrameWriter`: frames made elsewhere, written as they are."""

    writer_blocked = False
    drain_callback: Callable[[], None] | None = None

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

    def send_receive_event_to_app(self) -> None:
        """Close on text that is not UTF-8 (RFC 6455, 8.1) without a word in the log: it is the client's mistake."""
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

    def on_drained(self, callback: Callable[[], None] | None) -> None:
        """Have `callback` called when the client reads again; None to stop that."""
        self.drain_callback = callback

    def pause_writing(self) -> None:
        self.writer_blocked = True
        super().pause_writing()

    def resume_writing(self) -> None:
        self.writer_blocked = False
        super().resume_writing()
        if self.drain_callback is not None:
            self.drain_callback()

    def end(self, code: int, reason: str) -> None:
        """Say goodbye without waiting for what is unsent; the client has `LAST_WORDS` seconds to read it."""
        if not self.handshake_complete:
            return  # the consumer sees that its connection is closing, and refuses the handshake
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(LAST_WORDS, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """A client that does not answer: `close()` would wait for it to read what is unsent, for ever."""
        self.pong_timer = None
        self.queue.put_nowait({"type": "websocket.disconnect", "code": 1011})
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.conn.parser.close()  # a generator, and its error a traceback, that hold the parser they belong to
        self.conn.parser_exc = None

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        scope: Any = self.scope
        scope["extensions"].pop("foyer.frames", None)
        self.drain_callback = None
