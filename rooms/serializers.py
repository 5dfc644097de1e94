"""What the bodies about rooms look like."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from foyer.api.fields import NameText, StrictBoolean, StrictText


class NewRoom(serializers.Serializer[Any]):
    name = NameText()
    members_only = StrictBoolean(default=False)


class RoomChange(serializers.Serializer[Any]):
    name = NameText(required=False)
    members_only = StrictBoolean(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError({"name": ["Give a name, members_only, or both."]})
        return attrs


class NewMember(serializers.Serializer[Any]):
    """Who is to be in a room, or no longer."""

    username = StrictText(max_length=200)
