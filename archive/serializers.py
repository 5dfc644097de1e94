"""What is asked of search, and what it answers."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from archive.search import MOST_CHARACTERS
from foyer.api.fields import Seen, StrictText
from foyer.api.serializers import Schema, Shape
from messaging.serializers import MessageSerializer, WordsSerializer


class QuestionSerializer(Shape):
    """What is looked for, and where: in a room, in the conversation with a user, or in all that one may read."""

    q = StrictText(
        max_length=MOST_CHARACTERS,
        validators=[Seen(message="Words to look for are expected.")],
        help_text='Words, all of which must be there; `"a phrase"`; `-word` leaves out.',
    )
    room = StrictText(required=False, allow_blank=True, help_text="A room's id.")
    user = StrictText(required=False, allow_blank=True, help_text="Whose conversation with oneself.")
    cursor = StrictText(required=False, allow_null=True, allow_blank=True, help_text="From an earlier page.")
    also: ClassVar[Schema] = {"not": {"required": ["room", "user"]}}
    example: ClassVar[Any] = {"q": "lab key"}

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's own."""
        sender = StrictText(required=False, allow_blank=True, help_text="Who sent it.")
        return {**super().get_fields(), "from": sender}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "room" in attrs and "user" in attrs:
            raise serializers.ValidationError({"room": ["Name a room, or a user, not both."]})
        return attrs


class FoundMessageSerializer(WordsSerializer):
    """A message that was found: one of a room has a `roomId`, a direct one `to`."""

    roomId = serializers.CharField(required=False)
    to = serializers.CharField(required=False, allow_null=True)
    example = MessageSerializer.example
