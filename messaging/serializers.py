"""What the bodies and frames about messages look like."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from foyer.api.fields import LONG_TEXT, Seen, StrictText
from foyer.api.retry_keys import retry_key_of
from foyer.api.serializers import Shape
from foyer.errors import InvalidInput
from foyer.text import is_blank

NEWEST, MOST_MESSAGES = 50, 1000
"""Messages in a page, by default and at most."""
LONGEST_TEXT = 4096
NOT_BLANK = Seen(message="A message is not blank.")


class MessageInputSerializer(Shape):
    """A message's text: 1-4096 characters, not blank, no NUL; kept exactly as sent."""

    text = StrictText(max_length=LONGEST_TEXT, validators=[NOT_BLANK], style=LONG_TEXT)
    example: ClassVar[Any] = {"text": "hi"}


class WordsSerializer(Shape):
    """What messages of rooms and direct ones have in common."""

    id = serializers.IntegerField(min_value=1, help_text="Its offset in the log that it is in.")
    sender = serializers.CharField(allow_null=True, help_text="Null once that account is deleted.")
    text = serializers.CharField(allow_blank=True, help_text="Empty where it was deleted meanwhile.")
    sent_at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)


class MessageSerializer(WordsSerializer):
    """A message of a room."""

    roomId = serializers.CharField()
    example = {
        "id": 17,
        "roomId": "12",
        "sender": "ben",
        "text": "hi",
        "sent_at": "2026-03-04T09:16:14.609Z",
        "edited_at": None,
    }


class DirectMessageSerializer(WordsSerializer):
    """A direct message. It is in two logs, its sender's and its recipient's, and has an id of its own in each."""

    to = serializers.CharField(allow_null=True)
    example = {
        "id": 5,
        "to": "ann",
        "sender": "ben",
        "text": "psst",
        "sent_at": "2026-03-04T09:16:14.609Z",
        "edited_at": None,
    }


class UserSerializer(Shape):
    """A user."""

    username = StrictText()
    example: ClassVar[Any] = {"username": "eve"}


class BlockSerializer(UserSerializer):
    """Who is blocked, and since when."""

    at = serializers.DateTimeField()
    example = {"username": "eve", "at": "2026-03-04T09:16:14.609Z"}


class AddressesSerializer(Shape):
    """Where to hear it live."""

    websocket = serializers.CharField()
    events = serializers.CharField()
    example = {
        "websocket": "ws://127.0.0.1:9000/room/12/subscribe",
        "events": "http://127.0.0.1:9000/room/12/subscribe",
    }


def check_post(frame: dict[str, Any]) -> tuple[str, str | None]:
    """The text and the retry key of a `post` frame. Raises `InvalidInput` as the same body does over REST.

    Sound frames, which are nearly all, are recognised without the serializer, at a hundredth of its price.
    """
    text, retry_key = frame.get("text"), retry_key_of(frame.get("client_id"))
    if not (isinstance(text, str) and len(text) <= LONGEST_TEXT and "\0" not in text and not is_blank(text)):
        checked = MessageInputSerializer(data={"text": text} if "text" in frame else {})
        checked.is_valid()
        raise InvalidInput(dict(checked.errors))
    return text, retry_key
