"""How REST speaks: bodies in, answers and errors out, pages and retry keys, the same on every route."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import IO, Any, NamedTuple, TypeVar

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, QueryDict
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from foyer.api.wire import decode, encode
from foyer.errors import (
    BadRequest,
    Forbidden,
    FoyerError,
    InvalidInput,
    MalformedJSON,
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

T = TypeVar("T")

CHALLENGE = 'Bearer realm="foyer", Basic realm="foyer", charset="UTF-8"'
CHALLENGE_TO_SCRIPTS = 'Bearer realm="foyer"'
"""For scripts of pages: of Basic, a browser would make a dialogue of its own."""

# Bodies


def read_body(stream: IO[bytes]) -> bytes:
    """All of `stream`. Raises `TooLarge` over `MAX_BODY`, without keeping more than that."""
    body = stream.read(settings.MAX_BODY + 1)
    if len(body) > settings.MAX_BODY:
        raise TooLarge
    return body


class JSONParser(BaseParser):
    """A body is one JSON object in UTF-8."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        value = decode(read_body(stream))
        if not isinstance(value, dict):
            raise MalformedJSON(f"The body is a JSON object, not {JSON_NAMES[type(value)]}.")
        return value


JSON_NAMES = {
    list: "a list",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


class AnyTypeJSONParser(JSONParser):
    """JSON whatever the Content-Type says: `curl -d` calls it a form."""

    media_type = "*/*"


class FormParser(BaseParser):
    """`application/x-www-form-urlencoded`, as an object of strings; of a name that comes twice the last one counts."""

    media_type = "application/x-www-form-urlencoded"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        try:
            return QueryDict(read_body(stream).decode(), encoding="utf-8").dict()
        except UnicodeDecodeError:
            raise BadRequest("The form is not in UTF-8.") from None


class RawJSON(bytes):
    """JSON that a stored function has composed; it is answered as it is."""


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        if data is None:
            return b""
        if isinstance(data, RawJSON):
            return data
        return encode(data, indent=bool((renderer_context or {}).get("indent")))


# Negotiation


class Negotiation(BaseContentNegotiation):
    """JSON, unless the client prefers HTML, as browsers do. Raises `NotAcceptable` where Accept rules out both."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        by_type = {renderer.media_type: renderer for renderer in renderers}
        wanted = request.query_params.get("format") if request.META.get("QUERY_STRING") else None
        named = [media_type for media_type, renderer in by_type.items() if renderer.format == wanted]
        chosen = named[0] if named else preferred(request.META.get("HTTP_ACCEPT", ""), tuple(by_type))
        if chosen is None:
            raise NotAcceptable
        return by_type[chosen], chosen


@lru_cache(256)
def preferred(accept: str, offers: tuple[str, ...]) -> str | None:
    """Which of `offers` the Accept header likes best, the first of those it likes the same; None if it refuses all.

    Parameters other than `q` are passed over; a header that is empty takes anything.
    """
    liking: dict[str, float] = {}
    for token in accept[:2048].split(","):
        media_type, *parameters = (part.strip().lower() for part in token.split(";"))
        if media_type:
            liking[media_type] = next((quality(text[2:]) for text in parameters if text.startswith("q=")), 1.0)
    if not liking:
        return offers[0]

    def rank(offer: str) -> float:
        ranges = (offer, offer.partition("/")[0] + "/*", "*/*")
        return next((liking[name] for name in ranges if name in liking), 0.0)

    best = max(offers, key=rank)
    return best if rank(best) > 0 else None


def quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0


# Errors


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer for whatever a view raised; None for what is a fault of ours, which Django then reports."""
    told = understand(error)
    if told is None:
        return None
    request = context["request"]
    if "_user" not in vars(request):  # it failed while signing in: don't try again while the answer is rendered
        request.user = request.auth = None
    return Response(told.as_json(), status=told.status, headers=error_headers(told, request))


def error_headers(error: FoyerError, request: HttpRequest | Request | None = None) -> dict[str, str]:
    """The headers that go with an error, on any route: every 401 names both ways to sign in.

    To a `request` that says that a script made it (`X-Requested-With`) it names the one that asks nobody anything.
    """
    headers = {}
    if error.status == 401:
        by_script = request is not None and "HTTP_X_REQUESTED_WITH" in request.META
        headers["WWW-Authenticate"] = CHALLENGE_TO_SCRIPTS if by_script else CHALLENGE
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

# Pages

NEWEST, MOST_MESSAGES = 50, 1000
"""Messages in a page, by default and at most."""


class Page(NamedTuple):
    """Which part of a list is asked for: at most `limit` entries, those before and after the given ids.

    They are those nearest to `after`; with `before` alone, those nearest to that; with neither, as the list says.
    """

    limit: int = NEWEST
    before: int | None = None
    after: int | None = None

    @property
    def is_backwards(self) -> bool:
        return self.before is not None and self.after is None

    def cut(self, entries: list[T]) -> list[T]:
        """What belongs on the page, of that and the one entry beyond it by which one sees that the list goes on."""
        return entries[-self.limit :] if self.is_backwards else entries[: self.limit]


def page_of(request: Request, *, default: int, most: int) -> Page:
    """The page that the query asks for. Raises `InvalidInput` for what is no whole number or out of range."""
    wrong: dict[str, list[str]] = {}
    limit = number_of(request, "limit", 1, most, wrong)
    before, after = (number_of(request, name, 0, 2**63 - 1, wrong) for name in ("before", "after"))
    if wrong:
        raise InvalidInput(wrong)
    return Page(limit or default, before, after)


def limit_of(request: Request, *, default: int, most: int) -> int:
    """How many entries the query asks for, of a list whose places are no numbers. Raises as `page_of` does."""
    wrong: dict[str, list[str]] = {}
    limit = number_of(request, "limit", 1, most, wrong)
    if wrong:
        raise InvalidInput(wrong)
    return limit or default


def number_of(request: Request, name: str, least: int, top: int, wrong: dict[str, list[str]]) -> int | None:
    """A number of the query, None where it has none; what is wrong with it is noted in `wrong`."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,19}", text) or not least <= int(text) <= top:
        wrong[name] = [f"A whole number from {least} to {top} is expected, not {text[:40]!r}."]
        return None
    return int(text)


def with_next_link(response: Response, request: Request, **cursor: int | str) -> Response:
    """Say where the list goes on: this address with `cursor` (`after=17`) in its query (RFC 8288)."""
    query = request.query_params.copy()
    for name, value in cursor.items():
        query[name] = str(value)
    address = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
    response["Link"] = f'<{address}>; rel="next"'
    return response


# Retries


def retry_key(request: Request) -> str | None:
    """The `Idempotency-Key` header. Raises `InvalidInput` unless it is 1 to 255 printable ASCII characters."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and not re.fullmatch(r"[ -~]{1,255}", key):
        raise InvalidInput({"Idempotency-Key": ["1 to 255 printable ASCII characters are expected."]})
    return key
