"""JSON Schema made of serializers."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.validators import RegexValidator
from rest_framework import serializers

from foyer.api.fields import StrictInteger, StrictText
from foyer.api.json_schema import Schemas
from foyer.api.serializers import Schema


class Chair(serializers.Serializer[Any]):
    """Something to
    sit on."""

    legs = StrictInteger(min_value=0, max_value=4, allow_null=True)


class Table(serializers.Serializer[Any]):
    name = StrictText(max_length=10, validators=[RegexValidator(r"\S")], help_text="What it is called.")
    chairs = Chair(many=True, required=False)
    guest = Chair(allow_null=True)
    also = {"minProperties": 1}


def test_an_object_has_the_fields_of_its_serializer_and_what_they_demand() -> None:
    named: dict[str, Schema] = {}
    assert Schemas(named, "#/", closed=True).object_of(Table) == {
        "type": "object",
        "properties": {
            "name": {
                "type": "string",
                "minLength": 1,
                "maxLength": 10,
                "pattern": r"\S",
                "description": "What it is called.",
            },
            "chairs": {"type": "array", "items": {"$ref": "#/Chair"}},
            "guest": {"anyOf": [{"$ref": "#/Chair"}, {"type": "null"}]},
        },
        "required": ["name", "guest"],
        "additionalProperties": False,
        "minProperties": 1,
    }
    assert named == {
        "Chair": {
            "title": "Chair",
            "description": "Something to sit on.",
            "type": "object",
            "properties": {"legs": {"type": ["integer", "null"], "minimum": 0, "maximum": 4}},
            "required": ["legs"],
            "additionalProperties": False,
        }
    }


def test_a_field_of_which_nothing_is_known_is_refused() -> None:
    with pytest.raises(TypeError, match="UUIDField"):
        Schemas({}, "", closed=True).schema_of(serializers.UUIDField())
