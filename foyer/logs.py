"""What the server writes to its log: one line for each thing, as JSON or for people, with the id of the request.

Guarantees: no query string, header, body or frame is logged. The access log has the route of an address in place of
its path, which may name people. Libraries that would log more at DEBUG are held at INFO in the settings.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

from foyer.times import time_text

FIT = re.compile(rb"[ -~]{1,64}")
"""Ids that are taken from clients: printable ASCII."""
request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request or socket that is being served, an empty string outside of any."""
access = logging.getLogger("foyer.access")


def begin_request(scope: Any) -> None:
    """Give a request, or a socket, its id: that of its `X-Request-ID` header if it is valid, or a new one."""
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    request_id.set(given.decode() if FIT.fullmatch(given) else secrets.token_hex(8))


def id_headers() -> list[tuple[bytes, bytes]]:
    """The header that tells the id to the client; none outside of a request."""
    known = request_id.get()
    return [(b"x-request-id", known.encode())] if known else []


def request_done(method: str, route: str, status: int, seconds: float, user: int | None = None) -> None:
    """Note a request that was answered; as a warning where that was the server's fault.

    `route` is the template of the address, `user` an account's id.
    """
    level = logging.WARNING if status >= 500 else logging.INFO
    if access.isEnabledFor(level):
        duration = round(seconds * 1000, 1)
        told = {"method": method, "route": route, "status": status, "duration_ms": duration}
        fields = {**told, "user": user} if user else told
        access.log(level, "%s %s %d in %s ms", method, route, status, duration, extra={"fields": fields})


def connection_done(kind: str, code: str, seconds: float, user: int | None = None) -> None:
    """Note a socket or event stream that ended: by `code`, that of the server's close, or `client`."""
    if access.isEnabledFor(logging.INFO):
        duration = round(seconds * 1000, 1)
        told = {"kind": kind, "closed": code, "duration_ms": duration}
        fields = {**told, "user": user} if user else told
        access.info("%s closed (%s) after %s ms", kind, code, duration, extra={"fields": fields})


class RequestNotes:
    """Middleware: notes what only Django knows, a request's route and user, in the WSGI environment."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        request.META["foyer.route"] = route_of(request)
        user = vars(request).get("user")
        if type(user) is SimpleLazyObject:  # nobody asked who it is; asking now would cost a query
            user = getattr(request, "_cached_user", None)
        request.META["foyer.user"] = getattr(user, "id", None)
        return response


def route_of(request: HttpRequest) -> str:
    """The template of a request's address: `/room/{room_id}/messages`. `other` for one that leads nowhere."""
    match = request.resolver_match
    if match is not None and (match.route or request.path_info == "/"):
        return template(match.route)
    return "static" if request.path_info.startswith(settings.STATIC_URL) else "other"


@lru_cache(1000)
def template(route: str) -> str:
    return "/" + re.sub(r"(?:\(\?P)?<(?:\w+:)?(\w+)>(?:[^)/]*\)\$?)?", r"{\1}", route)


class Discreet(logging.Filter):
    """Removes what a client sent from Django's log messages about refused requests. The reason stays."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security"):
            reason = record.args[0] if isinstance(record.args, tuple) and record.args else ""
            why = str(reason).partition(" - ")[0] if record.name == "django.security.csrf" else ""
            record.msg, record.args, record.exc_info = why or record.name.rpartition(".")[2], None, None
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": time_text(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if known := request_id.get():
            told["request_id"] = known
        told.update(getattr(record, "fields", {}))
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        try:
            return orjson.dumps(told).decode()
        except orjson.JSONEncodeError:  # half of a surrogate pair, in the name of a file
            return json.dumps(told, default=str)


class LineFormatter(logging.Formatter):
    """For people: `2026-03-04 09:16:14,609 INFO foyer.access: GET /rooms 200 in 3.1 ms [5f0c2a9be1d34c07]`"""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name}: {message}", style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:
        known = request_id.get()
        return super().formatMessage(record) + (f" [{known}]" if known else "")
