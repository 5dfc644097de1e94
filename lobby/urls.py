"""The addresses of lobby tables over HTTP. The socket of `/lobby_api` is in `routing.py`."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from foyer.api.handlers import needs_socket
from lobby.views import LobbyViewSet, TableViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("lobby_api/tables", TableViewSet, basename="table")

urlpatterns = [
    path("join", needs_socket),
    path("lobby_api", LobbyViewSet.as_view({"get": "retrieve"}), name="lobby"),
    path("lobby_api/health", LobbyViewSet.as_view({"get": "health"}, name="Health"), name="lobby-health"),
    *router.urls,
]
