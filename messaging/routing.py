"""Addresses of sockets and event streams. REST has its own, in `urls.py`."""

from __future__ import annotations

from typing import Any

from django.urls import path, re_path

from messaging import consumers

websocket_routes = [
    path("room/<str:room_id>/subscribe", consumers.RoomSocket.as_asgi()),
    path("messages/subscribe", consumers.InboxSocket.as_asgi()),
    re_path("", consumers.NoSocket.as_asgi()),
]
event_streams = [
    path("room/<str:room_id>/subscribe", consumers.RoomStream.as_asgi()),
    path("messages/subscribe", consumers.InboxStream.as_asgi()),
]


def wants_events(scope: Any) -> bool:
    """Whether a request asks for a stream of events: where there is one, and by its Accept header."""
    path = scope["path"]
    if not path.endswith("/subscribe") or scope["method"] != "GET":
        return False
    if path != "/messages/subscribe" and not (path.startswith("/room/") and path.count("/") == 3):
        return False
    return any(name == b"accept" and b"text/event-stream" in value for name, value in scope["headers"])
