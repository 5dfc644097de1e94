"""Fields of bodies that take a value as it came: no trimming, no guessing of types.

A form can only send texts, so in a form numbers, truth values and JSON are written as text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.utils.html import is_html_input

from foyer.api.wire import decode
from foyer.errors import MalformedJSON
from foyer.text import is_blank, is_printable

LONG_TEXT = {"base_template": "textarea.html", "rows": 3}
"""The `style` of a text that may have several lines."""
SECRET = {"input_type": "password"}
"""The `style` of a password."""


class StrictText(serializers.CharField):
    """A string of JSON, kept exactly as sent; no NUL. A number is not a string."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def get_value(self, dictionary: Mapping[Any, Any]) -> Any:
        """Browsers send every line break of a text as two characters; it is one again here."""
        value = super().get_value(dictionary)
        if isinstance(value, str) and "rows" in self.style and is_html_input(dictionary):
            return value.replace("\r\n", "\n")
        return value

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Seen(RegexValidator):
    """A text has something to see. JSON Schema has no words for that; `\\S` is the nearest it has."""

    regex = r"\S"

    def __call__(self, value: Any) -> None:
        if is_blank(value):
            raise ValidationError(self.message)


def check_printable(name: str) -> None:
    if not is_printable(name):
        raise ValidationError("A name has printable characters only.")


NAME_CHECKS = (check_printable, Seen(message="A name has something to see, not only blanks."))
"""The checks of names of rooms and tables, in models and in bodies."""


class NameText(StrictText):
    """A name: 1-100 characters of any script, some of them visible; kept as sent."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=100, validators=[*NAME_CHECKS], **options)


class Moment(StrictText):
    """A time as RFC 3339 has it, in any zone; a `datetime` in UTC."""

    default_error_messages = {"not_a_time": "A time is expected, such as 2026-03-04T09:16:14.609Z."}

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=40,
            validators=[RegexValidator(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$")],
            **options,
        )

    def run_validation(self, data: Any = empty) -> Any:
        text = super().run_validation(data)
        if not isinstance(text, str):
            return text
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("not_a_time")


class StrictBoolean(serializers.BooleanField):
    """true or false; not 1, not "yes"."""

    def get_value(self, dictionary: Mapping[Any, Any]) -> Any:
        """A form without the field leaves it unchanged; a page's form sends `false` for a box without a tick."""
        value = dictionary.get(self.field_name, empty)
        return {"true": True, "on": True, "false": False}.get(value, value) if is_html_input(dictionary) else value

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictInteger(serializers.IntegerField):
    """A whole number of JSON; not 3.0, not "3", not true."""

    def get_value(self, dictionary: Mapping[Any, Any]) -> Any:
        value = super().get_value(dictionary)
        if isinstance(value, str) and is_html_input(dictionary) and re.fullmatch(r"-?[0-9]{1,19}", value):
            return int(value)
        return value

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return data


class FutureTime(Moment):
    """A moment that is still to come, as RFC 3339 has it."""

    default_error_messages = {"past": "A moment that is still to come is expected, this one is over."}

    def run_validation(self, data: Any = empty) -> Any:
        moment = super().run_validation(data)
        if isinstance(moment, datetime) and moment <= timezone.now():
            self.fail("past")
        return moment


class Blank(str):
    """The value that a form for JSON begins with."""

    is_json_string = True


@extend_schema_field({"type": "object", "additionalProperties": {}})
class JSONObject(serializers.JSONField):
    """Any JSON object. In a form it is written as JSON."""

    default_error_messages = {"not_an_object": "This must be a JSON object."}
    initial: Any = Blank()

    def get_value(self, dictionary: Mapping[Any, Any]) -> Any:
        value = super().get_value(dictionary)
        return empty if isinstance(value, str) and is_html_input(dictionary) and not value.strip() else value

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if getattr(data, "is_json_string", False):
            try:
                data = decode(data.encode())
            except MalformedJSON:
                self.fail("invalid")
        if not isinstance(data, dict):
            self.fail("not_an_object")
        return data

    def to_representation(self, value: Any) -> Any:
        return value
