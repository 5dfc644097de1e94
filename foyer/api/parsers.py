"""Bodies of requests: a JSON object, or the same as a form."""

from __future__ import annotations

from typing import IO, Any

from django.conf import settings
from django.http import QueryDict
from rest_framework.parsers import BaseParser

from foyer.api.forms import FORM, JSON_FIELD, OWN_FIELDS, fields_of
from foyer.api.wire import decode
from foyer.errors import MalformedJSON, TooLarge, UnsupportedMediaType

JSON = "application/json"
JSON_NAMES = {
    list: "a list",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def read_body(stream: IO[bytes]) -> bytes:
    """All of `stream`. Raises `TooLarge` over `MAX_BODY`, without keeping more than that."""
    body = stream.read(settings.MAX_BODY + 1)
    if len(body) > settings.MAX_BODY:
        raise TooLarge
    return body


def object_in(body: bytes) -> dict[str, Any]:
    """The JSON object that `body` says. Raises `MalformedJSON`."""
    value = decode(body)
    if not isinstance(value, dict):
        raise MalformedJSON(f"The body is a JSON object, not {JSON_NAMES[type(value)]}.")
    return value


def form_in(body: bytes) -> QueryDict | dict[str, Any]:
    """What a form says: its fields, or the JSON that one of them has. Raises `BadRequest`, `MalformedJSON`."""
    fields = fields_of(body)
    if JSON_FIELD in fields:
        return object_in(str(fields[JSON_FIELD]).encode())
    for name in OWN_FIELDS & fields.keys():
        del fields[name]
    return fields


class JSONParser(BaseParser):
    """A body is one JSON object in UTF-8."""

    media_type = JSON

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        return object_in(read_body(stream))


class FormParser(BaseParser):
    """`application/x-www-form-urlencoded`, by POST; of a field that comes twice the last one counts."""

    media_type = FORM

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None
    ) -> QueryDict | dict[str, Any]:
        if parser_context["request"].META["REQUEST_METHOD"] != "POST":  # what was sent, whatever `_method` says
            raise UnsupportedMediaType
        return form_in(read_body(stream))


class AnyTypeParser(BaseParser):
    """JSON whatever the Content-Type says, since `curl -d` calls it a form; a form that is one is taken too."""

    media_type = "*/*"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None
    ) -> QueryDict | dict[str, Any]:
        body = read_body(stream)
        is_form = (media_type or "").lower().startswith(FORM) and not body.lstrip().startswith(b"{")
        return form_in(body) if is_form and b"=" in body else object_in(body)
