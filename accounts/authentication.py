"""Authentication: by the headers of a REST request or of a socket's handshake, or by a form of Django's admin.

The result is always a `Caller`. A wrong header is refused, except on routes that are open to all.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest, parse_cookie
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from accounts import cookies
from accounts.callers import Caller
from accounts.credentials import averify, verify
from accounts.errors import ForeignOrigin, Suspended, TooManySignIns
from accounts.models import Account
from accounts.sessions import aauthenticate, authenticate
from foyer.api.exceptions import CHALLENGE
from foyer.api.forms import FORM
from foyer.errors import BadCredentials, BadToken, FoyerError, NotAuthenticated

TOKEN_PROTOCOL = "bearer."  # noqa: S105 - how a subprotocol that carries a token begins


# Reading headers


def split_authorization(header: str) -> tuple[str, str]:
    """The scheme, in lower case, and what follows it. Raises `NotAuthenticated` for another than Bearer and Basic."""
    scheme, _, value = header.strip().partition(" ")
    scheme = scheme.lower()
    if scheme not in ("", "bearer", "basic"):
        raise NotAuthenticated("The Authorization header takes Bearer or Basic.")
    return scheme, value.strip()


def split_basic(value: str) -> tuple[str, str]:
    """Username and password of HTTP Basic (RFC 7617), in UTF-8 or else Latin-1."""
    try:
        content = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise BadCredentials("HTTP Basic takes username:password in Base64.") from None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    username, _, password = text.partition(":")
    return username, password


# REST


class HeaderAuthentication(BaseAuthentication):
    """One scheme of the Authorization header. `refuses` are the errors that it may answer."""

    scheme: str
    refuses: ClassVar[tuple[type[FoyerError], ...]]

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        scheme, value = split_authorization(request.META.get("HTTP_AUTHORIZATION", ""))
        return (self.caller(value, request), None) if scheme == self.scheme else None

    def caller(self, value: str, request: Request) -> Caller:
        raise NotImplementedError

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class TokenAuthentication(HeaderAuthentication):
    """`Authorization: Bearer <token>`"""

    scheme = "bearer"
    refuses = (NotAuthenticated, BadToken, Suspended)

    def caller(self, value: str, request: Request) -> Caller:
        return authenticate(value)


class RememberedBasicAuthentication(HeaderAuthentication):
    """HTTP Basic. The row is read for every request, the password hashed once in a few minutes."""

    scheme = "basic"
    refuses = (NotAuthenticated, BadCredentials, TooManySignIns, Suspended)

    def caller(self, value: str, request: Request) -> Caller:
        origin = request.META.get("HTTP_ORIGIN")
        is_form = request._request.content_type == FORM
        if is_form and origin is not None and not is_own_origin(origin, request.META.get("HTTP_HOST", "")):
            raise ForeignOrigin  # browsers send a remembered password with forms of any page
        return verify(*split_basic(value), client_address(request)).caller


class CookieAuthentication(SessionAuthentication):
    """The cookie of browsers. Requests that change something need the CSRF token."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        found = super().authenticate(request)
        if found is None:
            cookies.refuse_turned_away(request._request)
        return (cookies.caller_of(found[0], request._request), None) if found else None

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class WelcomeAll(BaseAuthentication):
    """Any way of signing in, on routes that are open to all: a bad token counts as none."""

    ways = (TokenAuthentication, RememberedBasicAuthentication, CookieAuthentication)
    refuses = (TooManySignIns,)

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        try:
            return next((found for way in self.ways if (found := way().authenticate(request))), None)
        except (NotAuthenticated, ForeignOrigin, Suspended, exceptions.PermissionDenied):
            return None


def caller_or_none(request: Request) -> Caller | None:
    """The caller; None if nobody is signed in."""
    return cast("Caller | None", request.user)


def caller_of(request: Request) -> Caller:
    """The caller, on a route that needs a sign-in."""
    return cast(Caller, request.user)


def client_address(request: HttpRequest | Request) -> str:
    """The client's address. Behind a trusted proxy the server has put the right one here."""
    address: str = request.META.get("REMOTE_ADDR", "")
    return address


# Forms


class AccountBackend(ModelBackend):
    """Signs in by a form, with the username in any case, under the same limits as everywhere."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Account | None:
        if username is None or password is None:
            return None
        try:
            account = verify(username, password, client_address(request) if request else "")
        except BadCredentials:
            return None
        if request is not None:
            cookies.make_room_for(account, request)
        return account


# Sockets

HEADERS = {b"authorization": ", ", b"sec-websocket-protocol": ", ", b"cookie": "; ", b"origin": ", ", b"host": ", "}
"""Those that say who it is, and what is between the parts of one that comes on several lines."""


async def acaller_from_headers(headers: Iterable[tuple[bytes, bytes]], address: str) -> Caller:
    """The caller of a socket or an event stream. `headers` are those of the ASGI scope, `address` is the client's.

    A token comes in the Authorization header or, from browsers, as the subprotocol `bearer.<token>`; it costs no SQL.
    Cookies and remembered Basic credentials are sent by browsers without asking. So they are accepted from pages of
    this site only; a cookie needs an `Origin` that says so. Raises `NotAuthenticated`, `BadToken`, `BadCredentials`,
    `ForeignOrigin`, `Suspended`, `TooManySignIns`, `Busy`, `Unavailable`.
    """
    found: dict[bytes, str] = {}
    for name, content in headers:
        if name in HEADERS:
            text = content.decode("latin-1")
            found[name] = f"{found[name]}{HEADERS[name]}{text}" if name in found else text
    scheme, value = split_authorization(found.get(b"authorization", ""))
    if scheme == "bearer":
        return await aauthenticate(value)
    if token := token_among(found.get(b"sec-websocket-protocol", "")):
        return await aauthenticate(token)
    origin, host = found.get(b"origin"), found.get(b"host", "")
    if scheme == "basic":
        if origin is not None and not is_own_origin(origin, host):
            raise ForeignOrigin
        return (await averify(*split_basic(value), address)).caller
    key = parse_cookie(found.get(b"cookie", "")).get(settings.SESSION_COOKIE_NAME)
    caller: Caller | None = await database_sync_to_async(cookies.caller_from_cookie)(key) if key else None
    if caller is None:  # no cookie, or that of some other application
        raise NotAuthenticated
    if origin is None or not is_own_origin(origin, host):
        raise ForeignOrigin
    return caller


def token_among(protocols: str) -> str | None:
    """The token in a `Sec-WebSocket-Protocol` header such as `foyer.v1, bearer.<token>`."""
    offered = (protocol.strip() for protocol in protocols.split(","))
    return next((name[len(TOKEN_PROTOCOL) :] for name in offered if name.startswith(TOKEN_PROTOCOL)), None)


def is_own_origin(origin: str, host: str) -> bool:
    """Whether `origin` is this site (`host` is the Host header), or a site that the settings trust."""
    try:
        parsed = urlsplit(origin)
    except ValueError:
        return False
    if parsed.netloc.lower() == host.lower() and validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return True
    trusted = (urlsplit(text) for text in settings.CSRF_TRUSTED_ORIGINS)
    return any(parsed.scheme == one.scheme and is_same_domain(parsed.netloc, one.netloc.lstrip("*")) for one in trusted)
