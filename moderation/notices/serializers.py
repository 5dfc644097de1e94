"""The shapes of bodies about notices."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from foyer.api.fields import LONG_TEXT, FutureTime, Seen, StrictText
from foyer.api.serializers import Shape
from moderation.notices.models import LONGEST_NOTICE, Notice


class NoticeSerializer(Shape):
    """A notice."""

    id = serializers.CharField()
    text = serializers.CharField()
    level = serializers.ChoiceField(Notice.Level.values)
    until = serializers.DateTimeField(allow_null=True, help_text="Null: until it is deleted.")
    example: ClassVar[Any] = {
        "id": "3",
        "text": "Maintenance at noon",
        "level": "warning",
        "until": "2026-03-04T12:00:00.000Z",
    }


class NewNoticeSerializer(Shape):
    """What everybody is told, how serious it is, and until when it is so."""

    text = StrictText(max_length=LONGEST_NOTICE, validators=[Seen(message="A notice is not blank.")], style=LONG_TEXT)
    level = serializers.ChoiceField(Notice.Level.values)
    until = FutureTime(required=False, allow_null=True, default=None, help_text="Left out: until it is deleted.")
    example = {"text": "Maintenance at noon", "level": "warning", "until": "2026-03-04T12:00:00Z"}
