"""`/schema/events`: what sockets take and say, as AsyncAPI for programs and as a page for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.permissions import AllowAny
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foyer.api.renderers import JSONRenderer
from foyer.realtime.asyncapi import document
from foyer.realtime.events_page import page

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class EventsPage(TemplateHTMLRenderer):
    template_name = "foyer/events.html"

    def get_template_context(self, data: Any, renderer_context: Mapping[str, Any]) -> dict[str, Any]:
        return page()


class EventsSchema(APIView):
    """For anyone; a browser gets the page."""

    authentication_classes = []
    permission_classes = [AllowAny]
    renderer_classes = [JSONRenderer, EventsPage]
    schema = None

    def get(self, request: Request) -> Response:
        told = document(request.get_host(), secure=request.is_secure())
        return Response(told, headers={"Content-Security-Policy": POLICY})
