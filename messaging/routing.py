"""Addresses of sockets and event streams. REST has its own, in `urls.py`."""

from __future__ import annotations

import re
from typing import Any

from django.urls import path

from foyer.api.negotiation import preferred
from messaging import consumers

websocket_routes = [
    path("room/<str:room_id>/subscribe", consumers.RoomSocket.as_asgi()),
    path("messages/subscribe", consumers.InboxSocket.as_asgi()),
]
event_streams = [
    path("room/<str:room_id>/subscribe", consumers.RoomStream.as_asgi()),
    path("messages/subscribe", consumers.InboxStream.as_asgi()),
]

STREAMS = re.compile(r"/room/[^/]+/subscribe|/messages/subscribe")
OFFERS = ("text/event-stream", "application/json", "text/html")


def wants_events(scope: Any) -> bool:
    """Whether a request asks for a stream of events: where there is one, and by its Accept header.

    That has to name the type, and like it as well as the others that the address has.
    """
    if scope["method"] not in ("GET", "HEAD") or not STREAMS.fullmatch(scope["path"]):
        return False
    accept = ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"accept").lower()
    return OFFERS[0] in accept and preferred(accept, OFFERS) == OFFERS[0]
