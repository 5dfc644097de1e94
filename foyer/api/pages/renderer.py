"""The browsable API: what a route answers, as a page, for whoever asks for HTML.

Its forms send JSON, as any client does, by a small script (`forms.js`); routes take nothing that they would not take
from others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.template import loader
from rest_framework.renderers import BrowsableAPIRenderer

from foyer.api.pages.policy import POLICY


class PageRenderer(BrowsableAPIRenderer):
    media_type = "text/html"
    format = "api"
    template = "pages/api.html"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> str:
        from foyer.api.pages.page import page_of  # views are not there yet when the settings name this class

        context = dict(renderer_context or {})
        view, request, response = context["view"], context["request"], context["response"]
        page: str = loader.get_template(self.template).render(page_of(data, view, request, response), request=request)
        response["Content-Security-Policy"] = POLICY
        response["Referrer-Policy"] = "same-origin"
        response["Cache-Control"] = "no-store"
        if response.status_code == 204:
            response.status_code = 200  # an answer with 204 has no body, and this one has a page
        elif response.status_code == 401 and "Sec-Fetch-Mode" in request.headers:
            response["WWW-Authenticate"] = (
                'Bearer realm="foyer"'  # of Basic, a browser would make a dialogue of its own
            )
        return page
