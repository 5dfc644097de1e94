"""Shapes of bodies, and of frames, which have many of them in common."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

Schema = dict[str, Any]


class Shape(serializers.Serializer[Any]):
    """What a body or a part of a frame looks like.

    `example` is one such, for `/schema` and `/schema/events`; `also` is JSON Schema that is true of its fields
    together. Its name there is that of the class, without `Serializer`.
    """

    example: ClassVar[Any] = None
    also: ClassVar[Schema] = {}


def name_of(shape: type[serializers.BaseSerializer[Any]]) -> str:
    """What a shape is called in documents."""
    return shape.__name__.removesuffix("Serializer")


class ErrorSerializer(Shape):
    """What every error looks like."""

    code = serializers.CharField(help_text="Stable, for programs.")
    detail = serializers.CharField(help_text="For people.")
    fields: Any = serializers.DictField(required=False, help_text="With `invalid`: what is wrong, by field.")


TypedErrorSerializer: type[Shape] = type(
    "TypedErrorSerializer", (ErrorSerializer,), {"$type": serializers.CharField(required=False)}
)
"""An error that may be a frame of `/lobby_api` too."""
