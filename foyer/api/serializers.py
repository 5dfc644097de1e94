"""Shapes: the serializers of bodies and frames. Many bodies and frames share one."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

Schema = dict[str, Any]


class Shape(serializers.Serializer[Any]):
    """What a body or a part of a frame looks like.

    `example` is an example for `/schema` and `/schema/events`. `also` is JSON Schema for all its fields together. Its
    name in those documents is the name of the class, without `Serializer`.
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
