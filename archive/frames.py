"""The command of the gateway that searches."""

from __future__ import annotations

from rest_framework import serializers

from archive.search import MOST_FOUND
from archive.serializers import QuestionSerializer
from foyer.api.fields import StrictInteger
from foyer.realtime.declarations import FrameShape
from messaging.frames import Message


class Search(QuestionSerializer, FrameShape):
    """Look for messages by their words, newest first: in a room, in the conversation with a user, or in all that one
    may read."""

    limit = StrictInteger(required=False, allow_null=True, min_value=1, max_value=MOST_FOUND)
    example = {"q": "lab key", "room": "12", "from": "ben", "limit": 20}


class Found(FrameShape):
    """Messages, newest first; whether there are more, and the cursor to ask for them by, null if there are none."""

    messages = Message(many=True)
    more = serializers.BooleanField()
    cursor = serializers.CharField(allow_null=True)
    example = {"messages": [Message.example], "more": True, "cursor": "1772615774609-48-17"}
