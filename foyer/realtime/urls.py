"""Addresses over HTTP. The gateway is in `config/asgi.py`."""

from __future__ import annotations

from django.urls import path

from foyer.api.handlers import needs_socket
from foyer.realtime.views import EventsSchema

urlpatterns = [path("schema/events", EventsSchema.as_view(), name="schema-events"), path("ws", needs_socket)]
