"""Fields of bodies that take a value as it came: no trimming, no guessing of types."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from rest_framework import serializers

from foyer.text import is_blank, is_printable


class StrictText(serializers.CharField):
    """A string of JSON, kept exactly as sent; no NUL. A number is not a string."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

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
"""What names of rooms and tables are held to, in models and in bodies."""


class NameText(StrictText):
    """What something is called: 1-100 characters of any script, some of them to be seen; kept as sent."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=100, validators=[*NAME_CHECKS], **options)


class StrictBoolean(serializers.BooleanField):
    """true or false; not 1, not "yes"."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictInteger(serializers.IntegerField):
    """A whole number of JSON; not 3.0, not "3", not true."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return data
