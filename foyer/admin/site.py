"""The admin's site: its name, and the page for errors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers

from foyer.api.exceptions import error_headers
from foyer.errors import FoyerError

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # Django's templates have some
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
"""What the pages may load and run: files of this server, and no script that is in a page itself."""


class FoyerSite(AdminSite):
    site_title = "Foyer"
    site_header = "Foyer"
    index_title = "Administration"

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return self.answer(request, lambda: guarded(request, *args, **kwargs))

        return answered

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return self.answer(request, partial(super().login, request, extra_context))

    def answer(self, request: HttpRequest, view: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """What `view` answers, or a page that says what it raised."""
        try:
            response = view()
        except FoyerError as error:
            response = self.refusal(request, error)
        response["Content-Security-Policy"] = POLICY
        return response

    def refusal(self, request: HttpRequest, error: FoyerError) -> TemplateResponse:
        """A page that explains the error, with the status that the error has everywhere."""
        title = "The store is away" if error.code == "unavailable" else "This can't be done"
        if error.code == "unavailable":
            request.user = AnonymousUser()  # who it is can't be told either
        context = {**self.each_context(request), "title": title, "error": error, "again": request.get_full_path()}
        response = TemplateResponse(request, "admin/refusal.html", context, status=error.status)
        for name, value in error_headers(error).items():
            response[name] = value
        add_never_cache_headers(response)
        return response
