"""What the bodies about rooms look like."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from foyer.api.fields import NameText, StrictBoolean, StrictText
from foyer.api.serializers import Shape


class RoomSerializer(Shape):
    """A room. It is nobody's once its owner's account is deleted."""

    roomId = serializers.CharField()
    name = serializers.CharField()
    members_only = serializers.BooleanField(help_text="Whether others can neither see nor read it.")
    owner = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    example = {
        "roomId": "12",
        "name": "Lab",
        "members_only": False,
        "owner": "ben",
        "created_at": "2026-03-04T09:16:10.714Z",
    }


class ListedRoomSerializer(RoomSerializer):
    """A room. Lists with `member=me` tell of each how many messages are unread (100: or more), and the last one."""

    unread = serializers.IntegerField(required=False, min_value=0, max_value=100)
    last_message: Any = serializers.DictField(required=False, allow_null=True)


class NewRoomSerializer(Shape):
    """What a room is to be called, and whether it is for its members only."""

    name = NameText()
    members_only = StrictBoolean(default=False)
    example: ClassVar[Any] = {"name": "general"}


class RoomChangeSerializer(Shape):
    """What is to be different about a room."""

    name = NameText(required=False)
    members_only = StrictBoolean(required=False)
    example = {"name": "Lab", "members_only": True}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError({"name": ["Give a name, members_only, or both."]})
        return attrs


class MemberSerializer(Shape):
    """Somebody in the room."""

    username = serializers.CharField()
    joined_at = serializers.DateTimeField()
    online = serializers.BooleanField(required=False, help_text="Has a socket or stream open. In lists.")
    example = {"username": "ben", "joined_at": "2026-03-04T09:16:10.714Z", "online": True}


class NewMemberSerializer(Shape):
    """Who is to be in a room, or no longer."""

    username = StrictText(max_length=200)
    example: ClassVar[Any] = {"username": "ann"}
