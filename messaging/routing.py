"""Addresses of sockets and event streams. REST has its own, in `urls.py`."""

from __future__ import annotations

import re
from typing import Any

from django.urls import path

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


def wants_events(scope: Any) -> bool:
    """Whether a request asks for a stream of events: where there is one, and by its Accept header."""
    if scope["method"] != "GET" or not STREAMS.fullmatch(scope["path"]):
        return False
    return any(name == b"accept" and b"text/event-stream" in value for name, value in scope["headers"])
