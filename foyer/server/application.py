"""The ASGI application: REST to a pool of threads, WebSockets and event streams to Channels, on one port."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from foyer.addresses import client_network, network_of
from foyer.api.handlers import OPERATORS
from foyer.errors import FoyerError, MethodNotAllowed
from foyer.logs import begin_request, id_headers, request_done
from foyer.realtime.consumer import answer_for_consumer, http_error
from foyer.realtime.hub import get_hub, supervised
from foyer.realtime.log import aread_head
from foyer.realtime.presence import ONLINE
from foyer.server import beside, health, metrics
from foyer.server.bridge import Environ, ThreadBridge
from foyer.server.cors import with_cors
from foyer.server.report import Report
from foyer.store.steps import STORE_ERRORS, load_functions, on_loop

Asgi = Callable[[Any, Any, Any], Awaitable[None]]
Page = Callable[[Any], Awaitable[health.Page]]
METHODS = "GET, HEAD, OPTIONS"
"""What pages for operators take."""


class Application:
    """Passes each request to the application that answers it.

    `rest` is a WSGI application. `sockets` and `streams` are ASGI applications, for WebSockets and for requests that
    ask for an event stream (`wants_events`). Requests that may hash a password (`may_hash`) have their own threads, so
    that a flood of them delays nobody else.
    """

    def __init__(
        self,
        rest: Callable[..., Any],
        sockets: Asgi,
        streams: Asgi,
        *,
        wants_events: Callable[[Any], bool],
        may_hash: Callable[[Any], bool],
    ) -> None:
        self.sockets, self.streams = sockets, streams
        self.wants_events, self.may_hash = wants_events, may_hash
        self.rest = bridge_to(rest, most_waiting=2000)
        self.sign_ins = bridge_to(rest, most_waiting=settings.SIGN_IN_QUEUE)
        checks = {"store": lambda: aread_head(ONLINE), "memory": health.ask_memory, "database": health.ask_database}
        pages: tuple[Page, ...] = (health.live, health.Readiness({**checks, **health.checks}), metrics.page)
        self.pages = dict(zip(OPERATORS, pages, strict=True))
        """Answered on the loop: they have to be when the threads of REST are all taken."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.live(receive, send)
            return
        begin_request(scope)
        if scope["type"] == "http" and settings.ALLOWED_ORIGINS:
            send = with_cors(scope, send)
        client_network.set(network_of(scope["client"][0] if scope.get("client") else ""))
        if scope["type"] == "websocket":
            try:
                await self.sockets(scope, receive, send)
            except FoyerError as error:
                await answer_for_consumer(scope, send, error)
        elif (page := self.pages.get(scope["path"])) is not None:
            await answer(page, scope, send)
        elif self.wants_events(scope):
            await self.streams(scope, receive, send)
        elif self.may_hash(scope):
            await self.sign_ins(scope, receive, send)
        else:
            await self.rest(scope, receive, send)

    async def live(self, receive: Any, send: Any) -> None:
        """Start what the process needs before its first connection, and stop it after the last."""
        await receive()
        with contextlib.suppress(*STORE_ERRORS, FoyerError):  # an absent store is given them by its first call
            await asyncio.get_running_loop().run_in_executor(None, load_functions)
        hub = get_hub()
        hub.start(supervised("counting", Report(hub, {"rest": self.rest, "sign_ins": self.sign_ins}).keep))
        for work in beside.tasks:
            hub.start(supervised(work.__name__, work))
        spare_the_loop()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await get_hub().close()
        await on_loop().close()
        self.rest.close()
        self.sign_ins.close()
        await send({"type": "lifespan.shutdown.complete"})


def bridge_to(rest: Callable[..., Any], *, most_waiting: int) -> ThreadBridge:
    return ThreadBridge(
        rest,
        threads=settings.HTTP_THREADS,
        max_body=settings.MAX_BODY,
        error_answer=http_error,
        note=note_request,
        most_waiting=most_waiting,
    )


def note_request(request: Environ, status: int) -> None:
    """Count and log a REST request. `RequestNotes` has noted its route and its user."""
    method, route = request["REQUEST_METHOD"], request.get("foyer.route", "other")
    seconds = time.perf_counter() - request["foyer.begun_at"]
    metrics.count_request(method, route, status, seconds)
    request_done(method, route, status, seconds, request.get("foyer.user"))


async def answer(page: Page, scope: Any, send: Any) -> None:
    """Answer with a page for operators. These are asked for all the time, so they are not in the log."""
    try:
        if scope["method"] == "OPTIONS":
            status, told, body = 200, {"allow": METHODS}, b""
        elif scope["method"] in ("GET", "HEAD"):
            status, told, body = await page(scope)
        else:
            raise MethodNotAllowed
        headers = [(name.encode(), value.encode()) for name, value in told.items()]
        headers += [(b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store")]
    except FoyerError as error:
        status, headers, body = http_error(error)
        if isinstance(error, MethodNotAllowed):
            headers.append((b"allow", METHODS.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers + id_headers()})
    await send({"type": "http.response.body", "body": body})


def spare_the_loop() -> None:
    """Keep the garbage collector off the hot path: with 10,000 sockets a full collection takes half a second.

    Objects made at the start are never collected. The hub makes full collections when it is quiet.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1_000_000)
