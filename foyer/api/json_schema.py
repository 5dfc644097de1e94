"""The JSON Schema (draft 7) of what our serializers declare."""

from __future__ import annotations

import re
from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from foyer.api.serializers import Schema, name_of

Shape = type[serializers.Serializer[Any]]

TIME: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
    "description": "RFC 3339 in UTC, with milliseconds.",
}


class Schemas:
    """Makes schemas. Shapes inside others are referred to by the names of their classes, and collected in `named`.

    `closed` says that an object has the fields that are declared and no other.
    """

    def __init__(self, named: dict[str, Schema], address: str, *, closed: bool) -> None:
        self.named = named
        self.address = address
        self.closed = closed

    def object_of(self, shape: Shape) -> Schema:
        """An object with the fields of a shape. A shape's `also` is JSON Schema that is true of it as a whole."""
        fields = shape().fields
        schema: Schema = {
            "type": "object",
            "properties": {name: self.schema_of(field) for name, field in fields.items()},
            "required": [name for name, field in fields.items() if field.required],
        }
        if not schema["required"]:
            del schema["required"]
        if self.closed:
            schema["additionalProperties"] = False
        return {**schema, **getattr(shape, "also", {})}

    def reference_to(self, shape: Shape) -> Schema:
        name = name_of(shape)
        if name not in self.named:
            about = {"description": description_of(shape)} if description_of(shape) else {}
            self.named[name] = {"title": name, **about, **self.object_of(shape)}
        return {"$ref": self.address + name}

    def schema_of(self, field: serializers.Field[Any, Any, Any, Any]) -> Schema:
        """The schema of a field. A field's `also` is JSON Schema that no option of the field says."""
        schema = {**self.type_of(field), **limits_of(field), **getattr(field, "also", {})}
        if field.help_text:
            schema["description"] = str(field.help_text)
        if not field.allow_null:
            return schema
        if "$ref" in schema or "type" not in schema:
            return {"anyOf": [schema, {"type": "null"}]}
        return {**schema, "type": [schema["type"], "null"]}

    def type_of(self, field: serializers.Field[Any, Any, Any, Any]) -> Schema:
        match field:
            case serializers.Serializer():
                return self.reference_to(type(field))
            case serializers.ListSerializer() | serializers.ListField():
                assert field.child is not None
                return {"type": "array", "items": self.schema_of(field.child)}
            case serializers.ChoiceField():
                return {"type": "string", "enum": list(field.choices)}
            case serializers.BooleanField():
                return {"type": "boolean"}
            case serializers.IntegerField():
                return {"type": "integer"}
            case serializers.DateTimeField():
                return dict(TIME)
            case serializers.CharField():
                return {"type": "string"}
            case serializers.DictField():
                return {"type": "object"}
            case serializers.JSONField():
                return {}
        raise TypeError(f"{type(field).__name__} has no JSON Schema yet; say here which.")


def limits_of(field: serializers.Field[Any, Any, Any, Any]) -> Schema:
    """What the options and validators of a field demand."""
    limits: Schema = {}
    if isinstance(field, serializers.CharField):
        checks = [check.regex for check in field.validators if isinstance(check, RegexValidator)]
        patterns = [check.pattern for check in checks if isinstance(check, re.Pattern)]
        least = max(field.min_length or 0, 0 if field.allow_blank else 1)
        limits = {"minLength": least or None, "maxLength": field.max_length, "pattern": next(iter(patterns), None)}
    elif isinstance(field, serializers.IntegerField):
        limits = {"minimum": field.min_value, "maximum": field.max_value}
    return {name: limit for name, limit in limits.items() if limit is not None}


def description_of(shape: Shape) -> str:
    """What a shape says of itself, in one line."""
    return " ".join((shape.__doc__ or "").split())
