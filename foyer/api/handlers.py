"""Errors outside REST views: unknown addresses, hosts that are not ours, what a middleware or the admin raises.

The answer has the shape of every other error; a browser that asks for HTML gets a page.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.core.exceptions import DisallowedHost
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import get_resolver
from django.urls.resolvers import RoutePattern
from django.views.decorators.csrf import csrf_exempt

from foyer.api.exceptions import error_headers, understand
from foyer.api.negotiation import preferred
from foyer.api.policy import POLICY
from foyer.api.wire import encode
from foyer.errors import BadRequest, Forbidden, FoyerError, NotFound, UpgradeRequired

OPERATORS = ("/health/live", "/health/ready", "/metrics")
"""Addresses that the server answers itself."""


def wants_html(request: HttpRequest) -> bool:
    return preferred(request.META.get("HTTP_ACCEPT", ""), ("application/json", "text/html")) == "text/html"


def json_answer(error: FoyerError, request: HttpRequest | None = None) -> HttpResponse:
    headers = error_headers(error, request)
    return HttpResponse(encode(error.as_json()), "application/json", status=error.status, headers=headers)


def html_answer(error: FoyerError) -> HttpResponse:
    """A page. It is made without the request, because reading the request's user may be what failed."""
    page = render_to_string("foyer/error.html", {"title": "Error", "error": error})
    headers = {**error_headers(error), "Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    return HttpResponse(page, status=error.status, headers=headers)


def answer_with(request: HttpRequest, error: FoyerError) -> HttpResponse:
    return html_answer(error) if wants_html(request) else json_answer(error, request)


class ServerFault(FoyerError):
    status = 500
    code = "server_fault"
    detail = "The server failed to carry this out. The fault is ours and has been logged."


class ErrorAnswers:
    """Middleware: answers what is raised outside REST views, also in development, where Django shows its own pages.

    Belongs first in the list: hosts are looked at before anything else uses them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            request.get_host()
        except DisallowedHost:
            return json_answer(BadRequest("The Host header names no host of this server. ALLOWED_HOSTS lists them."))
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        told = understand(error)
        return None if told is None else answer_with(request, told)


@csrf_exempt
def no_such_address(request: HttpRequest) -> HttpResponse:
    """The last route."""
    return not_found(request, Http404())


@csrf_exempt
def needs_socket(request: HttpRequest) -> HttpResponse:
    """At the address of a WebSocket: what a request without an upgrade is told."""
    return html_answer(UpgradeRequired()) if wants_html(request) else json_answer(UpgradeRequired())


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer_with(request, BadRequest())


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer_with(request, Forbidden())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A request that changes something came without the CSRF token, or from a page of another site."""
    return answer_with(request, Forbidden("This form is too old, or another site's. Load its page again."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    meant = address_like(request.path_info)
    error = NotFound(f"{NotFound.detail} Did you mean {meant}?" if meant else "")
    return answer_with(request, error)


def address_like(path: str) -> str | None:
    """An address without parameters that is much like `path`, if there is one: without its last slash, or misspelt."""
    known = fixed_addresses()
    without_slash = path.rstrip("/").lower()
    return next(iter(difflib.get_close_matches(without_slash, known, n=1, cutoff=0.7)), None) if without_slash else None


@functools.cache
def fixed_addresses() -> list[str]:
    """Every address without parameters, and those that are answered before Django is asked."""

    def walk(patterns: Iterable[Any], before: str) -> Iterator[str]:
        for pattern in patterns:
            route = before + str(pattern.pattern)
            if isinstance(pattern.pattern, RoutePattern) and "<" not in route:
                inner = getattr(pattern, "url_patterns", None)
                yield from [route] if inner is None or route == "admin/" else walk(inner, route)

    return [f"/{route}" for route in walk(get_resolver().url_patterns, "") if route] + [*OPERATORS]


def server_fault(request: HttpRequest) -> HttpResponse:
    return answer_with(request, ServerFault())
