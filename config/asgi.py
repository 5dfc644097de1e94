"""The ASGI application: REST to a pool of threads, WebSockets and event streams to Channels, on one port."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from channels.routing import URLRouter
from django.conf import settings
from django.urls import path

from config.bridge import ThreadBridge
from config.errors import FoyerError
from config.redis import STORE_ERRORS, load_functions, on_loop
from config.wsgi import application as wsgi_application
from lobby.routing import websocket_routes as lobby_routes
from messaging.routing import event_streams, wants_events, websocket_routes
from realtime.consumer import http_error
from realtime.gateway import Gateway
from realtime.hub import get_hub

rest = ThreadBridge(
    wsgi_application, threads=settings.HTTP_THREADS, max_body=settings.MAX_BODY, error_answer=http_error
)
# Those who wait for a password to be hashed hold threads of their own, so that a flood of them stalls nobody else.
sign_ins = ThreadBridge(
    wsgi_application,
    threads=settings.HTTP_THREADS,
    max_body=settings.MAX_BODY,
    error_answer=http_error,
    most_waiting=settings.SIGN_IN_QUEUE,
)
HASHING_ROUTES = frozenset({"/auth", "/login", "/user", "/createUser", "/admin/login/"})
sockets = URLRouter([path("ws", Gateway.as_asgi()), *lobby_routes, *websocket_routes])
streams = URLRouter(event_streams)


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await sockets(scope, receive, send)
    elif scope["type"] == "lifespan":
        await live(receive, send)
    elif wants_events(scope):
        await streams(scope, receive, send)
    elif may_hash(scope):
        await sign_ins(scope, receive, send)
    else:
        await rest(scope, receive, send)


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
    get_hub()
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
