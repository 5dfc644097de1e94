"""What the bodies about rooms look like."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework import serializers

from foyer.api.fields import StrictBoolean, StrictText


def printable(name: str) -> None:
    if not name.isprintable() or not name.strip():
        raise ValidationError("A name has printable characters, and not only blanks.")


class RoomName(StrictText):
    """1-100 printable characters, kept as sent."""

    also = {"pattern": r"\S"}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=100, validators=[printable], **options)


class NewRoom(serializers.Serializer[Any]):
    name = RoomName()
    members_only = StrictBoolean(default=False)


class RoomChange(serializers.Serializer[Any]):
    name = RoomName(required=False)
    members_only = StrictBoolean(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError({"name": ["Give a name, members_only, or both."]})
        return attrs


class NewMember(serializers.Serializer[Any]):
    """Who is to be in a room, or no longer."""

    username = StrictText(max_length=200)
