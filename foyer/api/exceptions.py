"""Errors over HTTP: one shape for whatever a view or a library raised, and the headers that go with it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from foyer.errors import (
    BadRequest,
    Forbidden,
    FoyerError,
    InvalidInput,
    MethodNotAllowed,
    NotAcceptable,
    NotAuthenticated,
    NotFound,
    TooLarge,
    TooManyRequests,
    Unavailable,
    UnsupportedMediaType,
)
from foyer.store.replies import is_away

CHALLENGE = 'Bearer realm="foyer", Basic realm="foyer", charset="UTF-8"'
CHALLENGE_TO_SCRIPTS = 'Bearer realm="foyer"'
"""For scripts of pages: if Basic were named, the browser would open a dialogue."""


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer for an error of a view; None for a fault of ours, which Django then reports."""
    told = understand(error)
    if told is None:
        return None
    request = context["request"]
    if "_user" not in vars(request):  # it failed while signing in: don't try again while the answer is rendered
        request.user = request.auth = None
    return Response(told.as_json(), status=told.status, headers=error_headers(told, request))


def error_headers(error: FoyerError, request: HttpRequest | Request | None = None) -> dict[str, str]:
    """The headers of an error, on any route: every 401 names both ways to sign in, a 426 the protocol to speak.

    If `request` says that a script made it (`X-Requested-With`), only Bearer is named, so that browsers open no
    dialogue.
    """
    headers = {}
    if error.status == 401:
        by_script = request is not None and "HTTP_X_REQUESTED_WITH" in request.META
        headers["WWW-Authenticate"] = CHALLENGE_TO_SCRIPTS if by_script else CHALLENGE
    if error.status == 426:
        headers |= {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return headers


def understand(error: Exception) -> FoyerError | None:
    """What a client is told about `error`, whichever library raised it."""
    match error:
        case FoyerError():
            return error
        case exceptions.ValidationError():
            fields = error.detail if isinstance(error.detail, dict) else {"body": error.detail}
            return InvalidInput(fields)
        case exceptions.Throttled():
            return TooManyRequests(retry_after=int(getattr(error, "wait", None) or 1))
        case exceptions.ParseError():
            return BadRequest(str(error.detail))
        case exceptions.PermissionDenied() | PermissionDenied():
            return Forbidden(str(error))
        case exceptions.APIException() if error.status_code in BY_STATUS:
            return BY_STATUS[error.status_code]()
        case Http404():
            return NotFound()
        case RequestDataTooBig():
            return TooLarge()
        case SuspiciousOperation():
            return BadRequest(str(error))
        case OperationalError() | InterfaceError():
            return Unavailable("The database is away. Try again in a moment.")
    return Unavailable() if is_away(error) else None


BY_STATUS: dict[int, type[FoyerError]] = {
    kind.status: kind
    for kind in (NotAuthenticated, Forbidden, NotFound, MethodNotAllowed, NotAcceptable, UnsupportedMediaType)
}
