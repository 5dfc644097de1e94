"""What frames say of rooms: events, commands of the gateway and their results."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from foyer.api.fields import StrictText
from foyer.errors import InvalidInput
from foyer.realtime.declarations import ClientId, FrameShape, event
from foyer.realtime.frames import Place
from rooms.serializers import NewMemberSerializer, NewRoomSerializer, RoomSerializer


class ByName(serializers.CharField):
    """Who did something; null once their account is deleted."""

    def __init__(self) -> None:
        super().__init__(allow_null=True, help_text="Who did it; null once that account is deleted.")


# Events


class MemberChange(FrameShape):
    username = serializers.CharField(allow_null=True)
    by = ByName()
    example = {"username": "ann", "by": "ben"}


@event("member_added", "room")
class MemberAdded(MemberChange):
    """Somebody came into the room."""


@event("member_removed", "room")
class MemberRemoved(MemberChange):
    """Somebody left the room, or was taken out."""


@event("room_updated", "room")
class RoomUpdated(FrameShape):
    """The room has another name, or is open to others than before. One that may not read it hears nothing more."""

    room = RoomSerializer()
    by = ByName()
    example = {"room": RoomSerializer.example, "by": "ben"}


@event("room_deleted", "room")
class RoomDeleted(FrameShape):
    """The room is no more; this is the last event of its topic."""

    roomId = serializers.CharField()
    by = ByName()
    example = {"roomId": "12", "by": "ben"}


class RoomsChange(RoomUpdated):
    at = Place()
    example = {**RoomUpdated.example, "at": Place.example}


@event("room_added", "user")
class RoomAdded(RoomsChange):
    """The user is in a room now. `at` is where the room's log stood before that: the gateway goes on from there."""


@event("room_removed", "user")
class RoomRemoved(RoomsChange):
    """The user is in a room no more. `at` is where the room's log stood before that."""


# Commands


class InRoom(FrameShape):
    room = StrictText(allow_blank=True)


def room_of(frame: dict[str, Any]) -> str:
    """The room that a frame names. Raises `InvalidInput`."""
    room_id = frame.get("room")
    if not isinstance(room_id, str):
        raise InvalidInput({"room": ["The id of a room is expected: a string."]})
    return room_id


class CreateRoom(NewRoomSerializer, FrameShape):
    """Make a room; the caller owns it and is its first member."""

    client_id = ClientId()
    example = {"name": "Lab", "members_only": False, "client_id": "c-12"}


class DeleteRoom(InRoom):
    """Delete a room and its messages; for its owner, and admins."""

    example = {"room": "12"}


class AddMember(NewMemberSerializer, InRoom):
    """Let somebody into a room, or oneself into an open one."""

    example = {"room": "12", "username": "ann"}


class RemoveMember(NewMemberSerializer, InRoom):
    """Take somebody out of a room, or leave it."""

    example = {"room": "12", "username": "ann"}


class Gone(FrameShape):
    """The room that was deleted."""

    roomId = serializers.CharField()
    example = {"roomId": "12"}


class Member(FrameShape):
    """Who is in the room now, and since when."""

    username = serializers.CharField()
    joined_at = serializers.DateTimeField()
    example = {"username": "ann", "joined_at": "2026-03-04T09:16:12.005Z"}


class Removed(FrameShape):
    """Who is in the room no more."""

    username = serializers.CharField()
    example = {"username": "ann"}
