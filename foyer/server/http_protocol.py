"""Our side of uvicorn's HTTP: what it takes from a client and for how long, and event streams written as ready parts.

What is refused before there is a request to answer is answered here, in the shape of every other error. A connection
makes no reference cycle that outlives it, see `socket_protocol.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from django.conf import settings
from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from foyer.errors import BadRequest, FoyerError, HeadTooLarge, RequestTimeout, UpgradeRequired
from foyer.realtime.connection import FramedConnection
from foyer.realtime.consumer import http_error
from foyer.realtime.hub import get_hub
from foyer.server.bridge import MOST_READ
from foyer.server.intake import Line, get_intake, network_of_client
from foyer.tally import refusals

MOST_PIPELINED = 100
"""Requests that a client may send on one connection before it has the answer to the first."""
LINGER = 2.0
"""Seconds in which a client that was refused may still send: closed at once, it would miss the answer."""


def as_chunk(part: bytes) -> bytes:
    """A part of an answer without a known length, RFC 9112 section 7.1."""
    return b"%x\r\n%b\r\n" % (len(part), part)


def as_it_is(part: bytes) -> bytes:
    """The same for HTTP/1.0, where the end of the connection is the end of the answer."""
    return part


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with limits on what comes in and on what is not read; and a `FrameWriter` for streams.

    `reading` is the part of a request that is under way: "head", "body", or None between two. `unheard` counts the
    bytes of which nothing has come out of the parser yet.
    """

    reading: str | None = None
    unheard = 0
    refusal: FoyerError | None = None
    passes_over = False
    line: Line | None = None
    network = peer = ""
    held = False
    debtor = ""
    lingering: asyncio.TimerHandle | None = None
    owner: FramedConnection | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.intake = get_intake()
        if len(self.connections) > self.intake.most_connections and not self.intake.make_room():
            refusals["files"] += 1
            transport.abort()
            return
        self.peer = self.network_of_peer()
        self.intake.expect(self, self.intake.heads, self.peer)

    def connection_lost(self, exc: Exception | None) -> None:
        self.intake.met(self)
        self.forgive()
        if self.lingering is not None:
            self.lingering.cancel()
        super().connection_lost(exc)
        self.pipeline.clear()
        for scope in (self.scope, self.cycle.scope if self.cycle is not None else None):
            if scope is not None:
                scope.pop("extensions", None)  # which leads back here

    # Whose it is

    def network_of_peer(self) -> str:
        """The address of who connected; empty for a proxy, which speaks for many."""
        trusted = getattr(self.config.loaded_app, "trusted_hosts", None)
        return (
            "" if trusted is not None and self.client and self.client[0] in trusted else network_of_client(self.client)
        )

    def network_of_request(self) -> str:
        """The address of who made the request that is under way, which a trusted proxy names."""
        if self.peer or self.scope is None:
            return self.peer
        forwarded = b", ".join(value for name, value in self.scope["headers"] if name == b"x-forwarded-for")
        trusted: Any = getattr(self.config.loaded_app, "trusted_hosts", None)
        if not forwarded or trusted is None:
            return network_of_client(self.client)
        return network_of_client(trusted.get_trusted_client_address(forwarded.decode("latin-1")))

    # What comes in

    def data_received(self, data: bytes) -> None:
        if self.lingering is not None:
            self.unheard += len(data)
            if self.unheard > MOST_READ:
                self.transport.pause_reading()
            return
        self._unset_keepalive_if_required()
        while data:
            self.unheard += len(data)
            try:
                self.parser.feed_data(data)
                data = b""
            except HttpParserUpgrade as offer:
                if self._should_upgrade():
                    self.intake.met(self)
                    self.handle_websocket_upgrade()
                    return
                data = self.without_offer() + data[offer.args[0] :]
            except HttpParserError:
                self.refuse(self.refusal or BadRequest("This is not HTTP/1.1 as it should be."))
                return
            if self.parser is None or self.transport.is_closing():
                return
        if self.unheard > settings.MAX_HEAD:
            self.refuse(HeadTooLarge())
            return
        self.expect_more()

    def expect_more(self) -> None:
        """Wait for what is still to come."""
        if self.reading == "body":
            self.intake.expect(self, self.intake.bodies, self.network_of_request())
        elif self.reading == "head" or self.cycle is None or self.unheard:
            self.intake.expect(self, self.intake.heads, self.peer)
        elif self.cycle.response_complete:
            self.intake.expect(self, self.intake.idle, self.peer)
        else:
            self.intake.met(self)

    def without_offer(self) -> bytes:
        """The head of a request that offers to upgrade, as to HTTP/2, without the offer: the parser takes one for the
        end of HTTP, and what follows for no body."""
        self.unheard, self.passes_over = 0, False
        kept = [token for token in tokens(self.headers, b"connection") if token not in (b"upgrade", b"http2-settings")]
        headers = [(name, value) for name, value in self.headers if name not in (b"upgrade", b"connection")]
        if kept:
            headers.append((b"connection", b", ".join(kept)))
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        return b"%b %b HTTP/%b\r\n%b\r\n" % (self.method, self.url, self.version, lines)

    def on_message_begin(self) -> None:
        self.reading = "head"
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.reading != "head":
            return  # a trailer: nothing that was decided by the head changes afterwards
        if len(self.headers) >= settings.MAX_HEAD_LINES:
            self.refusal = HeadTooLarge()
            raise self.refusal
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.unheard > settings.MAX_HEAD:
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > settings.MAX_HEAD:
                self.refusal = HeadTooLarge()
                raise self.refusal
        if self.parser.should_upgrade() and not self._should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                self.refusal = BadRequest("This server is no proxy.")
                raise self.refusal
            self.passes_over = True
            self.method, self.version = self.parser.get_method(), self.parser.get_http_version().encode()
            return
        if len(self.pipeline) >= MOST_PIPELINED:
            refusals["pipelined"] += 1
            self.transport.abort()
            raise ConnectionAbortedError
        self.reading, self.unheard = "body", 0
        self.scope["extensions"] = {"foyer.frames": self}  # type: ignore[dict-item]
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self.unheard = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.passes_over:
            return
        self.reading, self.unheard = None, 0
        super().on_message_complete()

    def _get_upgrade(self) -> bytes | None:
        """`websocket` where that is among what is offered, on however many lines."""
        offered = tokens(self.headers, b"upgrade")
        return b"websocket" if b"websocket" in offered and b"upgrade" in tokens(self.headers, b"connection") else None

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, and let go of the parser, which holds our methods, and so us."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.abort()  # there is an answer to come yet, which would be taken for frames
            return
        if tokens(self.headers, b"sec-websocket-version") != [b"13"]:
            self.refuse(UpgradeRequired("WebSockets of version 13 are spoken here."))
            return
        if len(tokens(self.headers, b"upgrade")) > 1:  # what else was offered is passed over
            kept = [(name, value) for name, value in self.headers if name not in (b"upgrade", b"connection")]
            self.scope["headers"] = [*kept, (b"upgrade", b"websocket"), (b"connection", b"upgrade")]
        super().handle_websocket_upgrade()
        self.parser = None  # type: ignore[assignment]
        self.cycle = self.scope = self.headers = None  # type: ignore[assignment]

    # What is refused

    def overdue(self) -> None:
        """The rest of a request did not come in time."""
        if self.reading is None and not self.unheard:
            self.cut()  # nothing was said, so there is nothing to answer
        else:
            self.refuse(RequestTimeout())

    def cut(self) -> None:
        self.transport.abort()

    def refuse(self, error: FoyerError) -> None:
        """Answer with the error and close; where another answer comes first, or is under way, just close."""
        cycle = self.cycle
        answers_it = cycle is not None and not cycle.response_complete
        if answers_it and (self.reading == "head" or cycle.response_started or self.pipeline):
            self.transport.abort()
            return
        refusals[error.code] += 1
        status, headers, body = http_error(error)
        told = [*self.server_state.default_headers, *headers, (b"connection", b"close")]
        head = b"".join(b"%b: %b\r\n" % header for header in told)
        self.transport.write(STATUS_LINE[status] + head + b"\r\n" + body)
        self.transport.write_eof()
        self.lingering = self.loop.call_later(LINGER, self.transport.abort)
        self.intake.met(self)
        if answers_it:
            cycle.disconnected = True
            cycle.message_event.set()

    # What goes out

    def on_response_complete(self) -> None:
        """The next request is read once this answer is: a client that does not read gets no second one."""
        if self.flow.write_paused and not self.transport.is_closing():
            self.held = True
            self.flow.pause_reading()
            return
        super().on_response_complete()
        if self.transport.is_closing():
            self.intake.met(self)
            self.owe()  # it closes when all is read, or after a while
        elif not self.pipeline and self.reading is None:
            self.expect_more()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self.owe()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.owe()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.forgive()
        if self.held:
            self.held = False
            self.on_response_complete()
        if self.owner is not None:
            self.owner.drained()

    def owe(self) -> None:
        """What is unread is waited for, for so long."""
        size = self.transport.get_write_buffer_size()
        if size:
            self.debtor = self.network_of_request()
            self.intake.owes(self, self.debtor, size)

    def forgive(self) -> None:
        self.intake.paid(self, self.debtor)

    # Event streams

    @property
    def writer_blocked(self) -> bool:
        return self.flow.write_paused

    def begin_stream(self) -> None:
        """Before the answer starts: what follows is written by `write_frames`."""
        if self.scope["http_version"] == "1.0":
            self.cycle.chunked_encoding = False

    @property
    def framing(self) -> Callable[[bytes], bytes]:
        """How a part of an event stream is written."""
        return as_it_is if self.scope["http_version"] == "1.0" else as_chunk

    def write_frames(self, frames: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(frames)

    def end(self, code: int, reason: str) -> None:
        """A reader that is too slow is cut off; others are let go by the end of the answer."""
        self.transport.abort()

    def shutdown(self) -> None:
        get_hub().people.stop()
        super().shutdown()
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            self.transport.close()  # an event stream: it would not end by itself, and its client resumes elsewhere


def tokens(headers: list[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    """What a header lists, in lower case: several lines of one name are one list."""
    return [token.strip().lower() for other, value in headers if other == name for token in value.split(b",")]
