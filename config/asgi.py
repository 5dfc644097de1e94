"""The ASGI application: REST to a pool of threads, WebSockets and event streams to Channels, on one port."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from channels.routing import URLRouter
from django.conf import settings
from django.urls import path

from config import health, metrics
from config.bridge import Environ, ThreadBridge
from config.errors import FoyerError, MethodNotAllowed
from config.logs import begin_request, id_headers, request_done
from config.redis import STORE_ERRORS, load_functions, on_loop
from config.wsgi import application as wsgi_application
from lobby.routing import websocket_routes as lobby_routes
from messaging.routing import event_streams, wants_events, websocket_routes
from realtime.consumer import http_error
from realtime.gateway import Gateway
from realtime.hub import get_hub
from realtime.log import aread_head
from realtime.metrics import Report
from realtime.presence import ONLINE


def note_request(request: Environ, status: int) -> None:
    """Count and log a REST request; `RequestNotes` left word of its route and its user."""
    method, route = request["REQUEST_METHOD"], request.get("foyer.route", "other")
    seconds = time.perf_counter() - request["foyer.begun_at"]
    metrics.count_request(method, route, status, seconds)
    request_done(method, route, status, seconds, request.get("foyer.user"))


rest = ThreadBridge(
    wsgi_application,
    threads=settings.HTTP_THREADS,
    max_body=settings.MAX_BODY,
    error_answer=http_error,
    note=note_request,
)
# Those who wait for a password to be hashed hold threads of their own, so that a flood of them stalls nobody else.
sign_ins = ThreadBridge(
    wsgi_application,
    threads=settings.HTTP_THREADS,
    max_body=settings.MAX_BODY,
    error_answer=http_error,
    note=note_request,
    most_waiting=settings.SIGN_IN_QUEUE,
)
HASHING_ROUTES = frozenset({"/auth", "/login", "/user", "/createUser", "/sign-in", "/admin/login/"})
sockets = URLRouter([path("ws", Gateway.as_asgi()), *lobby_routes, *websocket_routes])
streams = URLRouter(event_streams)
OPERATORS_PAGES: dict[str, Callable[[Any], Awaitable[health.Page]]] = {
    "/health/live": health.live,
    "/health/ready": health.Readiness({"store": lambda: aread_head(ONLINE), "database": health.ask_database}),
    "/metrics": metrics.page,
}
"""Answered on the loop: they have to be when the threads of REST are all taken."""


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await live(receive, send)
        return
    begin_request(scope)
    if scope["type"] == "websocket":
        await sockets(scope, receive, send)
    elif (page := OPERATORS_PAGES.get(scope["path"])) is not None:
        await answer(page, scope, send)
    elif wants_events(scope):
        await streams(scope, receive, send)
    elif may_hash(scope):
        await sign_ins(scope, receive, send)
    else:
        await rest(scope, receive, send)


async def answer(page: Callable[[Any], Awaitable[health.Page]], scope: Any, send: Any) -> None:
    """Answer with a page for operators. These are asked for all the time, so they are not in the log."""
    try:
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed
        status, told, body = await page(scope)
        headers = [(name.encode(), value.encode()) for name, value in told.items()]
        headers += [(b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store")]
    except FoyerError as error:
        status, headers, body = http_error(error)
        if isinstance(error, MethodNotAllowed):
            headers.append((b"allow", b"GET, HEAD"))
    await send({"type": "http.response.start", "status": status, "headers": headers + id_headers()})
    await send({"type": "http.response.body", "body": body})


def may_hash(scope: Any) -> bool:
    """Whether a request may have a password to be checked or made: a sign-in, a sign-up, or HTTP Basic."""
    if scope["method"] == "POST" and scope["path"] in HASHING_ROUTES:
        return True
    if scope["method"] == "PUT" and scope["path"].endswith("/password"):
        return True
    return any(name == b"authorization" and value[:5].lower() == b"basic" for name, value in scope["headers"])


async def live(receive: Any, send: Any) -> None:
    """What a server process does before its first connection and after its last."""
    await receive()
    with contextlib.suppress(*STORE_ERRORS, FoyerError):  # an absent store is given them by its first call
        await asyncio.get_running_loop().run_in_executor(None, load_functions)
    hub = get_hub()
    hub.start(Report(hub, {"rest": rest, "sign_ins": sign_ins}).keep())
    spare_the_loop()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await get_hub().close()
    await on_loop().close()
    rest.close()
    sign_ins.close()
    await send({"type": "lifespan.shutdown.complete"})


def spare_the_loop() -> None:
    """Keep the garbage collector off the hot path: with 10,000 sockets a full collection takes half a second.

    What start-up made is never looked at again; full collections are made by the hub, when it is quiet.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1_000_000)
