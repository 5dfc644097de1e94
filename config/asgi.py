"""The ASGI application: what the engine's server runs, with the addresses of all apps."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from channels.routing import URLRouter
from django.urls import path, re_path

from config.wsgi import application as rest
from foyer.realtime.consumer import NoSocket
from foyer.realtime.gateway import Gateway
from foyer.server.application import Application
from lobby.routing import websocket_routes as lobby_routes
from messaging.routing import event_streams, wants_events
from messaging.routing import websocket_routes as messaging_routes

websocket_routes = [
    path("ws", Gateway.as_asgi()),
    *lobby_routes,
    *messaging_routes,
]

HASHING_ROUTES = frozenset({"/auth", "/login", "/user", "/createUser", "/sign-in", "/admin/login/"})


def may_hash(scope: Any) -> bool:
    """Whether a request may have a password checked or made: a sign-in, a sign-up, or HTTP Basic."""
    if scope["method"] == "POST" and scope["path"] in HASHING_ROUTES:
        return True
    if scope["method"] in ("PUT", "POST") and scope["path"].endswith("/password"):  # a form sends POST
        return True
    return any(name == b"authorization" and value[:5].lower() == b"basic" for name, value in scope["headers"])


application = Application(
    rest,
    URLRouter([*websocket_routes, re_path("", NoSocket.as_asgi())]),
    URLRouter(event_streams),
    wants_events=wants_events,
    may_hash=may_hash,
)
