"""What the bodies and frames about messages look like."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from foyer.api.fields import Seen, StrictText
from foyer.api.retry_keys import retry_key_of
from foyer.errors import InvalidInput
from foyer.text import is_blank

LONGEST_TEXT = 4096
NOT_BLANK = Seen(message="A message is not blank.")


class MessageText(serializers.Serializer[Any]):
    """A message's text: 1-4096 characters, not blank, no NUL; kept exactly as sent."""

    text = StrictText(max_length=LONGEST_TEXT, validators=[NOT_BLANK])


def check_post(frame: dict[str, Any]) -> tuple[str, str | None]:
    """The text and the retry key of a `post` frame. Raises `InvalidInput` as the same body does over REST.

    Sound frames, which are nearly all, are recognised without the serializer, at a hundredth of its price.
    """
    text, retry_key = frame.get("text"), retry_key_of(frame.get("client_id"))
    if not (isinstance(text, str) and len(text) <= LONGEST_TEXT and "\0" not in text and not is_blank(text)):
        checked = MessageText(data={"text": text} if "text" in frame else {})
        checked.is_valid()
        raise InvalidInput(dict(checked.errors))
    return text, retry_key
