"""Addresses of sockets. REST has its own, in `urls.py`."""

from django.urls import path

from lobby import consumers

websocket_routes = [path("lobby_api", consumers.LobbySocket.as_asgi())]
