"""REST from the event loop to Django's synchronous side: a WSGI application on a bounded pool of threads.

One hop to a thread and one back for each request, the body read before and the answer written after, so that a slow
client holds neither a thread nor a place in the queue. An answer without an end in sight (`PagedAnswer`) is made page
by page, each on some thread when the client has taken the one before. The pool bounds the database's connections too.
Measured against Django's own ASGI handler and a2wsgi in `docs/decisions.md`.
"""

from __future__ import annotations

import asyncio
import io
import logging
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from foyer.addresses import client_network
from foyer.api.paged import PagedAnswer
from foyer.errors import Busy, FoyerError, TooLarge
from foyer.logs import id_headers, request_id
from foyer.pools import FairPool

logger = logging.getLogger(__name__)

MOST_READ = 4 * 1024 * 1024
"""Bytes of a body that is refused which are still read."""

PLACE_EVERY = 1.0
"""Seconds between two attempts to get a thread for the next page of a long answer."""

Answer = tuple[int, list[tuple[bytes, bytes]], bytes | PagedAnswer]
Environ = dict[str, Any]


class ThreadBridge:
    """An ASGI application that runs a WSGI one: `threads` requests at once, `most_waiting` more wait, others get 503.

    Threads and places are shared fairly by the addresses of clients.

    `error_answer` makes the answer for a request that is refused here: too large, or too many waiting. `note(request,
    status)` is called for each request that was answered, on its thread.
    """

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        *,
        threads: int,
        max_body: int,
        error_answer: Callable[[FoyerError], Answer],
        note: Callable[[Environ, int], None] = lambda request, status: None,
        most_waiting: int = 2000,
    ) -> None:
        self.application = application
        self.pool = FairPool(threads, most_waiting, "http")
        self.max_body = max_body
        self.error_answer = error_answer
        self.note = note

    @property
    def open(self) -> int:
        """How many requests have a thread, or wait for one."""
        return self.pool.waiting + self.pool.running

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            body = await self.read_body(scope, receive)
            if body is None:
                return
            request = environ(scope, body)
            answer = self.pool.submit(request["foyer.network"], self.run, request)
            status, headers, content = await asyncio.wrap_future(answer)
        except FoyerError as error:
            status, headers, content = self.error_answer(error)
            headers = [*headers, (b"connection", b"close")]  # what is left of the body is not read
            self.note(environ(scope, b""), status)
        headers += id_headers()
        if isinstance(content, PagedAnswer):
            await self.answer_in_pages(scope, receive, send, headers, content)
            return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def answer_in_pages(
        self, scope: Any, receive: Any, send: Any, headers: list[tuple[bytes, bytes]], pages: PagedAnswer
    ) -> None:
        """Send page after page, no faster than the client reads.

        One that can't be made cuts the answer off, so that the client does not take it for whole.
        """
        writer = scope.get("extensions", {}).get("foyer.frames")
        if writer is not None:
            writer.begin_stream()
        leaving = asyncio.ensure_future(until_left(receive))
        network = client_network.get()
        try:
            await send({"type": "http.response.start", "status": pages.status_code, "headers": headers})
            while scope["method"] != "HEAD" and not leaving.done():
                page = await self.make_page(network, pages)
                if page is None:
                    break
                await send({"type": "http.response.body", "body": page, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except FoyerError as error:
            logger.warning("An answer was cut off: %s", error)
            if writer is None:
                raise
            writer.end(0, "")
        finally:
            leaving.cancel()
            await asyncio.wrap_future(self.pool.submit(network, pages.close))

    async def make_page(self, network: str, pages: PagedAnswer) -> bytes | None:
        """The next page, None after the last. While all threads are taken and many wait, it waits too."""
        while True:
            try:
                return await asyncio.wrap_future(self.pool.submit(network, next, pages.pages, None))
            except Busy:
                await asyncio.sleep(PLACE_EVERY)

    async def read_body(self, scope: Any, receive: Any) -> bytes | None:
        """The request's body; None when the client left. Raises `TooLarge`, without keeping more than `max_body`.

        A body that is only a little too large is read to its end first: a client that is still sending may miss the
        answer.
        """
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part = message.get("body", b"")
            size += len(part)
            more = message.get("more_body", False)
            if size <= self.max_body:
                parts.append(part)
            elif not more or size > MOST_READ:
                raise TooLarge
            if not more:
                return b"".join(parts)

    def run(self, request: Environ) -> Answer:
        """Runs on a thread: the whole answer, so that the loop writes it in one piece."""
        request_id.set(request["foyer.request_id"])  # a thread has a context of its own
        client_network.set(request["foyer.network"])
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], error: Any = None) -> Callable[[bytes], None]:
            started[:] = [
                int(status[:3]),
                [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            ]
            return lambda data: None

        result = self.application(request, start_response)
        if isinstance(result, PagedAnswer):
            self.note(request, started[0])
            return started[0], started[1], result
        try:
            content = b"".join(result)
        finally:
            if (close := getattr(result, "close", None)) is not None:
                close()
        self.note(request, started[0])
        return started[0], started[1], content

    def close(self) -> None:
        self.pool.close()


async def until_left(receive: Any) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def environ(scope: Any, body: bytes) -> Environ:
    """The WSGI environment (PEP 3333) of an ASGI request whose body is known; `foyer.begun_at` is when it was."""
    host, port = scope.get("server") or ("localhost", 80)
    request: Environ = {
        "foyer.begun_at": time.perf_counter(),
        "foyer.request_id": request_id.get(),
        "foyer.network": client_network.get(),
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 80),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0] if scope.get("client") else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "CONTENT_LENGTH": str(len(body)),
    }
    for name, value in scope["headers"]:
        text = value.decode("latin-1")
        if name == b"content-type":
            request["CONTENT_TYPE"] = text
        elif name not in (b"content-length", b"transfer-encoding") and b"_" not in name:
            # A name with an underscore would pass for one with a hyphen.
            key = "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
            between = "; " if name == b"cookie" else ", "
            request[key] = f"{request[key]}{between}{text}" if key in request else text
    return request
