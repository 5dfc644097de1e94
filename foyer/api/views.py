"""Signing in by cookie, for all pages; and what describes REST: the OpenAPI document and its page."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.generic import TemplateView
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foyer.api.handlers import json_answer
from foyer.api.negotiation import preferred
from foyer.api.policy import POLICY, SWAGGER_POLICY
from foyer.errors import BadCredentials, InvalidInput


class SignInForm(AuthenticationForm):
    error_messages = {"invalid_login": BadCredentials.detail, "inactive": BadCredentials.detail}


class SignIn(LoginView):
    """A form. It is under the limits of every other way to sign in (`accounts.authentication.AccountBackend`).

    A script that asks for JSON is answered 204, or with an error as of REST.
    """

    http_method_names = ["get", "post", "head", "options"]
    template_name = "foyer/sign_in.html"
    form_class = SignInForm
    extra_context = {"title": "Sign in"}

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return HttpResponseRedirect(self.get_success_url())
        return super().get(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        page = super().form_valid(form)
        return HttpResponse(status=204) if self.wants_json() else page

    def form_invalid(self, form: Any) -> HttpResponse:
        if not self.wants_json():
            return super().form_invalid(form)
        fields = {name: [str(text) for text in told] for name, told in form.errors.items() if name != NON_FIELD_ERRORS}
        return json_answer(InvalidInput(fields) if fields else BadCredentials(), self.request)

    def wants_json(self) -> bool:
        accept = self.request.META.get("HTTP_ACCEPT", "")
        return preferred(accept, ("text/html", "application/json")) == "application/json"

    def render_to_response(self, context: dict[str, Any], **more: Any) -> HttpResponse:
        return with_policy(super().render_to_response(context, **more), POLICY)


class SignOut(LogoutView):
    http_method_names = ["post", "options"]
    next_page = "/"


class Docs(TemplateView):
    """Swagger UI, from files of this server."""

    http_method_names = ["get", "head", "options"]
    template_name = "foyer/docs.html"
    extra_context = {"title": "Schema"}

    def render_to_response(self, context: dict[str, Any], **more: Any) -> HttpResponse:
        return with_policy(super().render_to_response(context, **more), SWAGGER_POLICY)


def with_policy(page: HttpResponse, policy: str) -> HttpResponse:
    page["Content-Security-Policy"] = policy
    page["Referrer-Policy"] = "same-origin"
    return page


class AsJSON(OpenApiJsonRenderer):
    media_type = "application/json"
    format = "json"


class AsYAML(OpenApiYamlRenderer):
    media_type = "application/yaml"
    format = "yaml"


class OfficialJSON(AsJSON):
    media_type = "application/vnd.oai.openapi+json"


class OfficialYAML(AsYAML):
    media_type = "application/vnd.oai.openapi"


@extend_schema(exclude=True)
class Schema(APIView):
    """The OpenAPI document, as JSON unless the Accept header prefers YAML."""

    authentication_classes: list[type[BaseAuthentication]] = []
    permission_classes = [AllowAny]
    renderer_classes: list[type[BaseRenderer]] = [AsJSON, AsYAML, OfficialJSON, OfficialYAML]

    def get(self, request: Request) -> Response:
        return Response(document())


@cache
def document() -> dict[str, Any]:
    """What all REST routes take and answer. It stays as it is while the process lives."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found
