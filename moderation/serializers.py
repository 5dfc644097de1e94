"""What the bodies about audits and reports look like."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from foyer.api.fields import Seen, StrictText
from foyer.api.serializers import Shape
from messaging.serializers import WordsSerializer
from moderation.models import LONGEST_REASON, Report

ACTIONS = (
    "member_updated",
    "member_banned",
    "member_unbanned",
    "member_muted",
    "member_unmuted",
    "member_removed",
    "message_deleted",
    "room_updated",
    "report_resolved",
    "report_dismissed",
)


class AuditEntrySerializer(Shape):
    """Something that was done to keep order in a room: who did what to whom, and why. Names of deleted accounts are
    null."""

    id = serializers.IntegerField(min_value=1)
    at = serializers.DateTimeField()
    action = serializers.ChoiceField(ACTIONS)
    username = serializers.CharField(required=False, allow_null=True, help_text="To whom.")
    role = serializers.ChoiceField(["moderator", "member"], required=False)
    until = serializers.DateTimeField(required=False, allow_null=True)
    reason = serializers.CharField(required=False, allow_null=True)
    message = serializers.IntegerField(required=False, help_text="The id of the message that was deleted.")
    slow_mode = serializers.IntegerField(required=False, help_text="Seconds; 0 for none.")
    report = serializers.IntegerField(required=False, help_text="The id of the report that was closed.")
    note = serializers.CharField(required=False, allow_null=True)
    by = serializers.CharField(allow_null=True)
    example: ClassVar[Any] = {
        "id": 3,
        "at": "2026-03-04T09:16:14.609Z",
        "action": "member_banned",
        "username": "ann",
        "until": "2126-03-05T09:00:00.000Z",
        "reason": "Advertising",
        "by": "ben",
    }


class ComplaintSerializer(Shape):
    """Why a message is reported."""

    reason = StrictText(max_length=LONGEST_REASON, validators=[Seen(message="A reason is not blank.")])
    example: ClassVar[Any] = {"reason": "Advertising"}


class ReportedMessageSerializer(WordsSerializer):
    """A message as it was when it was reported; of a room (`roomId`), or a direct one (`to`)."""

    roomId = serializers.CharField(required=False)
    to = serializers.CharField(required=False, allow_null=True)


class ReportSerializer(Shape):
    """That somebody reported a message. One that was closed says by whom and when."""

    id = serializers.IntegerField(min_value=1)
    state = serializers.ChoiceField(Report.State.values)
    message = ReportedMessageSerializer()
    reason = serializers.CharField()
    by = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()
    note = serializers.CharField(required=False, allow_null=True)
    closed_by = serializers.CharField(required=False, allow_null=True)
    closed_at = serializers.DateTimeField(required=False)
    example: ClassVar[Any] = {
        "id": 7,
        "state": "open",
        "message": {
            "id": 17,
            "roomId": "12",
            "sender": "eve",
            "text": "Buy now!",
            "sent_at": "2026-03-04T09:16:14.609Z",
            "edited_at": None,
        },
        "reason": "Advertising",
        "by": "ann",
        "at": "2026-03-04T09:17:02.117Z",
    }


class ReportClosingSerializer(Shape):
    """What became of a report."""

    state = serializers.ChoiceField([Report.State.RESOLVED.value, Report.State.DISMISSED.value])
    note = StrictText(required=False, allow_null=True, max_length=LONGEST_REASON)
    example: ClassVar[Any] = {"state": "resolved", "note": "Banned"}
