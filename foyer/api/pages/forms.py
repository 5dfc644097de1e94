"""Forms of the browsable API: the shape of a body as fields, and the same body as JSON to be edited."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.fields import empty

from foyer.api.schema import Operation

SECRETS = frozenset({"password", "current", "new"})
SHORT = 200
"""Characters of a text that is written on one line."""


class Field(NamedTuple):
    """One input. `name` is the way to it in the body, `table.name`; `kind` says how its text becomes JSON."""

    name: str
    kind: str
    label: str
    required: bool
    help: str
    value: Any
    choices: tuple[str, ...] = ()


class MethodForm(NamedTuple):
    """A method of a route, as a form. Without fields and `json` it is a button."""

    method: str
    summary: str
    about: str
    fields: list[Field]
    json: str


def method_form(method: str, operation: Operation, now: Mapping[str, Any]) -> MethodForm:
    """`now` is what the route answers to GET: what a change begins with."""
    if operation.takes is None:
        return MethodForm(method.upper(), operation.summary, "", [], "")
    shape = operation.takes()
    known = {name: now[name] for name in map(str, shape.fields) if name in now} if method in ("put", "patch") else {}
    text = json.dumps(known or operation.example, indent=2, ensure_ascii=False)
    return MethodForm(
        method.upper(),
        operation.summary,
        " ".join((operation.takes.__doc__ or "").split()),
        body_fields(shape, known),
        text,
    )


def body_fields(shape: serializers.Serializer[Any], known: Mapping[str, Any], way: str = "") -> list[Field]:
    """The fields of a shape, those of objects inside it in their place."""
    found: list[Field] = []
    for name, field in shape.fields.items():
        if isinstance(field, serializers.Serializer):
            found += body_fields(field, known.get(name) or {}, f"{way}{name}.")
            continue
        value = known.get(name, "" if field.default is empty else field.default)
        kind = kind_of(name, field)
        if kind == "json":
            value = json.dumps(value, indent=2, ensure_ascii=False) if value != "" else ""
        choices = ("", "true", "false") if kind == "choice" else ()
        found.append(
            Field(f"{way}{name}", kind, label_of(name), field.required, str(field.help_text or ""), value, choices)
        )
    return found


def kind_of(name: str, field: serializers.Field[Any, Any, Any, Any]) -> str:
    match field:
        case serializers.BooleanField():
            return "choice" if field.default is empty else "checkbox"  # type: ignore[comparison-overlap]
        case serializers.IntegerField():
            return "number"
        case serializers.CharField():
            if name in SECRETS:
                return "password"
            return "long" if (field.max_length or 0) > SHORT else "text"
    return "json"


def query_fields(operation: Operation | None, given: Mapping[str, str]) -> list[Field]:
    """What may stand in the query of a route; `given` is what stands there."""
    parameters = operation.parameters if operation else ()
    return [
        Field(
            one.name,
            "choice" if choices else "text",
            label_of(one.name),
            False,
            str(one.description),
            given.get(one.name, ""),
            ("", *choices) if choices else (),
        )
        for one in parameters
        if one.location == OpenApiParameter.QUERY
        for choices in [tuple(one.type.get("enum", ())) if isinstance(one.type, dict) else ()]
    ]


def label_of(name: str) -> str:
    return name.replace("_", " ").capitalize()
