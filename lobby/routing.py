"""Addresses of sockets. REST has its own, in `urls.py`."""

from django.urls import path

from lobby.chat import JoinSocket
from lobby.consumers import LobbySocket

websocket_routes = [path("lobby_api", LobbySocket.as_asgi()), path("join", JoinSocket.as_asgi())]
