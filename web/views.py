"""The web client's one page, `/app/`. All else that it needs are static files, REST and the gateway."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie

from foyer.api.handlers import json_answer
from foyer.errors import MethodNotAllowed
from web.modules import MODULES

POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self' ws://{host} wss://{host}",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
"""Nothing from elsewhere, nothing inline, and no text that a browser would take for HTML. The addresses of sockets are
spelled out for browsers in which 'self' means http alone."""


@csrf_exempt
@ensure_csrf_cookie
def client(request: HttpRequest) -> HttpResponse:
    """The page. It is the same for everyone; its script asks who is signed in. It comes with the cookie for CSRF."""
    if request.method not in ("GET", "HEAD"):
        answer = HttpResponse() if request.method == "OPTIONS" else json_answer(MethodNotAllowed())
        answer["Allow"] = "GET, HEAD, OPTIONS"
        return answer
    page = render(request, "foyer/app.html", {"modules": MODULES})
    page["Content-Security-Policy"] = "; ".join(POLICY).format(host=request.get_host())
    page["Referrer-Policy"] = "no-referrer"
    page["X-Content-Type-Options"] = "nosniff"
    page["Cache-Control"] = "no-cache"
    return page


@csrf_exempt
def without_slash(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect("/app/")
