"""What the bodies about rooms look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.utils.html import is_html_input

from foyer.api.fields import FutureTime, NameText, StrictBoolean, StrictInteger, StrictText
from foyer.api.serializers import Shape

LONGEST_SLOW_MODE = 3600
"""Seconds."""
LONGEST_REASON = 500
MOST_DAYS = 36_500


class RoomSerializer(Shape):
    """A room. It is nobody's once its owner's account is deleted."""

    roomId = serializers.CharField()
    name = serializers.CharField()
    members_only = serializers.BooleanField(help_text="Whether others can neither see nor read it.")
    owner = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    slow_mode = serializers.IntegerField(
        required=False, min_value=1, max_value=LONGEST_SLOW_MODE, help_text="Seconds; only where there is a slow mode."
    )
    retention_days = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MOST_DAYS,
        help_text="Messages older than so many days are gone; null: they stay for ever. Left out where nobody said.",
    )
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


class Days(StrictInteger):
    """A number of days, or null. A form that leaves it empty leaves it as it is."""

    def get_value(self, dictionary: Mapping[Any, Any]) -> Any:
        value = super().get_value(dictionary)
        return empty if value is None and is_html_input(dictionary) else value


class RoomChangeSerializer(Shape):
    """What is to be different about a room."""

    name = NameText(required=False)
    members_only = StrictBoolean(required=False)
    slow_mode = StrictInteger(
        required=False,
        min_value=0,
        max_value=LONGEST_SLOW_MODE,
        help_text="Seconds in which a member posts once; 0 for none. Moderators may change it.",
    )
    retention_days = Days(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MOST_DAYS,
        help_text="Messages older than so many days are gone; null: they stay for ever.",
    )
    example = {"name": "Lab", "members_only": True}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError({"name": ["Give a name, members_only, slow_mode or retention_days."]})
        return attrs


class MemberSerializer(Shape):
    """Somebody in the room."""

    username = serializers.CharField()
    joined_at = serializers.DateTimeField()
    online = serializers.BooleanField(required=False, help_text="Has a socket or stream open. In lists.")
    role = serializers.ChoiceField(["owner", "moderator", "member"], required=False, help_text="Not for newcomers.")
    example = {"username": "ben", "joined_at": "2026-03-04T09:16:10.714Z", "online": True, "role": "owner"}


class NewMemberSerializer(Shape):
    """Who is to be in a room, or no longer."""

    username = StrictText(max_length=200)
    example: ClassVar[Any] = {"username": "ann"}


class RoleSerializer(Shape):
    """What a member is to be in the room."""

    role = serializers.ChoiceField(["moderator", "member"])
    example: ClassVar[Any] = {"role": "moderator"}


class TermsSerializer(Shape):
    """Until when somebody is to be banned or muted, and why; without `until`, until it is lifted."""

    until = FutureTime(required=False, allow_null=True)
    reason = StrictText(required=False, allow_null=True, max_length=LONGEST_REASON)
    example: ClassVar[Any] = {"until": "2126-03-05T09:00:00.000Z", "reason": "Advertising"}


class RestrictionSerializer(Shape):
    """That somebody is banned or muted in a room."""

    username = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True, help_text="null until it is lifted.")
    reason = serializers.CharField(allow_null=True)
    by = serializers.CharField(allow_null=True, help_text="Who did it; null once that account is deleted.")
    at = serializers.DateTimeField()
    example: ClassVar[Any] = {
        "username": "ann",
        "until": "2126-03-05T09:00:00.000Z",
        "reason": "Advertising",
        "by": "ben",
        "at": "2026-03-04T09:16:14.609Z",
    }
