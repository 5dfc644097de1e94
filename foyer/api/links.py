"""Addresses of this server, made in one place: of a named route, of the request itself, of its next page.

Each segment of a path is percent-encoded whole, so that it is right for every name: `who? me`, `a#b`, `50%`, `Zoë`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

from django.http import HttpRequest
from django.urls import reverse
from rest_framework.request import Request

from foyer.errors import FoyerError


def encoded(path: str) -> str:
    """A path as it stands in an address; `path` is what Django calls one, with nothing encoded."""
    return quote(path, safe="/")


def path_to(route: str, **names: Any) -> str:
    """The path of a named route, encoded. `names` are what its parameters stand for."""
    return encoded(unquote(reverse(route, kwargs=names)))


def address_of(request: HttpRequest | Request, route: str, **names: Any) -> str:
    """The absolute address of a named route, as the client that sent `request` reaches it."""
    return request.build_absolute_uri(path_to(route, **names))


def own_address(request: HttpRequest | Request, **query: Any) -> str:
    """The absolute address of `request`; with `query`, its query with these parameters changed; None leaves one
    out."""
    address = encoded(request.path)
    if query:
        parameters = request.GET.copy()
        for name, value in query.items():
            if value is None:
                parameters.pop(name, None)
            else:
                parameters[name] = str(value)
        address = f"{address}?{parameters.urlencode()}"
    return request.build_absolute_uri(address)


def websocket_address(address: str) -> str:
    """The same address for a WebSocket."""
    return "ws" + address.removeprefix("http")


def id_in(text: str, otherwise: type[FoyerError], digits: int = 15) -> int:
    """The id that stands in an address. Raises `otherwise` for what can't be one."""
    if not (text.isascii() and text.isdigit() and len(text) <= digits):
        raise otherwise
    return int(text)
