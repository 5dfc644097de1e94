"""Frames about messages, and the sockets of rooms and of the inbox."""

from __future__ import annotations

from rest_framework import serializers

from foyer.api.fields import StrictInteger, StrictText
from foyer.realtime.declarations import Channel, ClientId, FrameShape, event
from foyer.realtime.frames import Failure
from messaging.serializers import (
    MOST_MESSAGES,
    DirectMessageSerializer,
    MessageInputSerializer,
    MessageSerializer,
    UserSerializer,
    WordsSerializer,
)
from rooms.frames import ByName

LARGEST_ID = 2**53


class RoomMessage(MessageSerializer):
    """A message of a room."""


class Message(WordsSerializer, FrameShape):
    """A message of a room, or a direct one: it has a `roomId`, or `to`."""

    roomId = serializers.CharField(required=False)
    to = serializers.CharField(required=False, allow_null=True)
    also = {"oneOf": [{"required": ["roomId"]}, {"required": ["to"]}]}
    example = RoomMessage.example


# Events


@event("message", "room")
class Posted(FrameShape):
    """Somebody said something in the room."""

    message = RoomMessage()
    example = {"message": RoomMessage.example}


@event("direct_message", "user")
class Sent(FrameShape):
    """Somebody said something to the user, or they to somebody."""

    message = DirectMessageSerializer()
    example = {"message": DirectMessageSerializer.example}


@event("message_edited", "room", "user")
class Edited(FrameShape):
    """A message has another text."""

    message = Message()
    example = {"message": {**Message.example, "text": "hi!", "edited_at": "2026-03-04T09:16:20.548Z"}}


class Deleted(FrameShape):
    """A message that was deleted."""

    id = serializers.IntegerField(min_value=1)
    roomId = serializers.CharField(required=False)
    to = serializers.CharField(required=False, allow_null=True)
    also = Message.also
    example = {"id": 17, "roomId": "12"}


@event("message_deleted", "room", "user")
class MessageDeleted(FrameShape):
    """A message is no more."""

    message = Deleted()
    by = ByName()
    example = {"message": Deleted.example, "by": "ben"}


@event("typing", "room", "user", stored=False)
class Typing(FrameShape):
    """Somebody is writing, in the room or to the user."""

    username = serializers.CharField()
    example = {"username": "ann"}


class HereOrThere(FrameShape):
    """What was said in a room, or between the user and another one."""

    room = serializers.CharField(required=False)
    user = serializers.CharField(required=False)
    also = {"oneOf": [{"required": ["room"]}, {"required": ["user"]}]}


@event("read", "user")
class Read(HereOrThere):
    """The user has read up to this offset, on one of their devices; how many messages were unread then."""

    read = serializers.IntegerField(min_value=0)
    unread = serializers.IntegerField(required=False, min_value=0, max_value=100)
    example = {"room": "12", "read": 17, "unread": 0}


# Commands


class Somewhere(FrameShape):
    """A room or a user, not both."""

    room = StrictText(required=False, allow_blank=True)
    user = StrictText(required=False, allow_blank=True)
    also = {"oneOf": [{"required": ["room"]}, {"required": ["user"]}]}


class Post(MessageInputSerializer, Somewhere):
    """Say something in a room or to a user. It is answered when it is stored."""

    client_id = ClientId()
    example = {"room": "12", "text": "hi", "client_id": "c-77"}


class History(Somewhere):
    """A page of messages, oldest first: the newest, or those before or after an id; or the message with an id, with
    half of the others before it and half after it."""

    limit = StrictInteger(required=False, allow_null=True, min_value=1, max_value=MOST_MESSAGES)
    before = StrictInteger(required=False, allow_null=True, min_value=0, max_value=LARGEST_ID)
    after = StrictInteger(required=False, allow_null=True, min_value=0, max_value=LARGEST_ID)
    around = StrictInteger(required=False, allow_null=True, min_value=0, max_value=LARGEST_ID)
    also = {
        **Somewhere.also,
        "anyOf": [
            {"properties": {"around": {"type": "null"}}},
            {"properties": {"before": {"type": "null"}, "after": {"type": "null"}}},
        ],
    }
    example = {"room": "12", "before": 17, "limit": 50}


class Page(FrameShape):
    """Messages, oldest first, and whether there are others beyond them."""

    messages = Message(many=True)
    more = serializers.BooleanField(help_text="In the direction that was asked for; around an id, newer ones.")
    earlier = serializers.BooleanField(required=False, help_text="Around an id: whether there are older ones.")
    example = {"messages": [Message.example], "more": False}


class OneMessage(Somewhere):
    message = StrictInteger(min_value=0, max_value=LARGEST_ID)


class Edit(MessageInputSerializer, OneMessage):
    """Give one's own message another text."""

    example = {"room": "12", "message": 17, "text": "hi!"}


class Delete(OneMessage):
    """Delete a message: one's own or, as the room's owner or an admin, any of the room."""

    example = {"room": "12", "message": 17}


class DeletedId(FrameShape):
    """The message that was deleted."""

    id = serializers.IntegerField(min_value=1)
    example = {"id": 17}


class TypingIn(Somewhere):
    """Tell those who read the room or the user's topic that one is writing. Answered only if it has an `id`."""

    example = {"room": "12"}


class BlockUser(UserSerializer, FrameShape):
    """Take no direct messages from a user, and don't hear them typing."""


class UnblockUser(UserSerializer, FrameShape):
    """Take direct messages from a user again."""


class ReadUpTo(Somewhere):
    """Note how far one has read; one's other devices are told."""

    offset = StrictInteger(min_value=0, max_value=LARGEST_ID)
    example = {"room": "12", "offset": 17}


class Unread(HereOrThere):
    """How far one has read by now, and how many messages of others came after that; 100 stands for more."""

    read = serializers.IntegerField(min_value=0)
    unread = serializers.IntegerField(min_value=0, max_value=100)
    example = {"room": "12", "read": 17, "unread": 0}


# The socket of a room, and that of the inbox

ROOM = Channel(
    "room",
    "/room/{roomId}/subscribe",
    "A room live: as a WebSocket, which takes posts, or with `Accept: text/event-stream` as an event stream. `?after=` "
    "and `?epoch=`, of a stream `Last-Event-ID` too, give first what came after that event.",
    hears=lambda event: "room" in event.topics,
    streams=True,
)
INBOX = Channel(
    "inbox",
    "/messages/subscribe",
    "Direct messages to the caller live: as a WebSocket, which takes no commands, or with `Accept: text/event-stream` "
    "as an event stream. Offsets are those of the caller's own log, which has other events too, so they may skip.",
    hears=lambda event: event.kind == "direct_message",
    streams=True,
)


class PostHere(MessageInputSerializer, FrameShape):
    """Say something in the room. It is answered when it is stored."""

    client_id = ClientId()
    example = {"text": "hi", "client_id": "c-77"}


ROOM.takes("post", PostHere, gives=RoomMessage)
ROOM.says("error", Failure, echoes=True)
INBOX.says("error", Failure, echoes=True)
