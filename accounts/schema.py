"""The ways of signing in, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token from `POST /auth`."}
BASIC = {"type": "http", "scheme": "basic", "description": "Username and password, with every request."}
COOKIE = {
    "type": "apiKey",
    "in": "cookie",
    "name": "sessionid",
    "description": "Set by `/sign-in`. What changes something needs the header `X-CSRFToken` too.",
}


class Bearer(OpenApiAuthenticationExtension):
    target_class = "accounts.authentication.TokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> Any:
        return BEARER


class Basic(OpenApiAuthenticationExtension):
    target_class = "accounts.authentication.RememberedBasicAuthentication"
    name = "basic"

    def get_security_definition(self, auto_schema: Any) -> Any:
        return BASIC


class Cookie(OpenApiAuthenticationExtension):
    target_class = "accounts.authentication.CookieAuthentication"
    name = "cookie"

    def get_security_definition(self, auto_schema: Any) -> Any:
        return COOKIE


class AnyWay(OpenApiAuthenticationExtension):
    target_class = "accounts.authentication.WelcomeAll"
    name = ["bearer", "basic", "cookie"]

    def get_security_requirement(self, auto_schema: Any) -> Any:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> Any:
        return []  # each is defined above
