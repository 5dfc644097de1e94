"""What frames say of rooms: events, commands of the gateway and their results."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from foyer.api.fields import StrictText
from foyer.errors import InvalidInput
from foyer.realtime.declarations import ClientId, FrameShape, event
from foyer.realtime.frames import Place
from rooms.serializers import (
    NewMemberSerializer,
    NewRoomSerializer,
    RoleSerializer,
    RoomSerializer,
    TermsSerializer,
)


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


@event("member_updated", "room")
class MemberUpdated(MemberChange):
    """A member is a moderator now, or no longer."""

    role = serializers.ChoiceField(["moderator", "member"])
    example = {"username": "ann", "role": "moderator", "by": "ben"}


class Restricted(MemberChange):
    until = serializers.DateTimeField(allow_null=True, help_text="null until it is lifted.")
    reason = serializers.CharField(allow_null=True)
    example = {"username": "ann", "until": "2126-03-05T09:00:00.000Z", "reason": "Advertising", "by": "ben"}


@event("member_banned", "room")
class MemberBanned(Restricted):
    """Somebody is banned, member or not: they are in the room no more, and hear nothing more of it."""


@event("member_unbanned", "room")
class MemberUnbanned(MemberChange):
    """A ban was lifted. One that is over by its time says nothing."""


@event("member_muted", "room")
class MemberMuted(Restricted):
    """Somebody may read the room, and not write."""


@event("member_unmuted", "room")
class MemberUnmuted(MemberChange):
    """A mute was lifted. One that is over by its time says nothing."""


@event("room_updated", "room")
class RoomUpdated(FrameShape):
    """The room has another name or slow mode, or is open to others than before. Who may not read it hears no more."""

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


class SetRole(NewMemberSerializer, RoleSerializer, InRoom):
    """Make a member a moderator, or no longer; for the room's owner, and admins."""

    example = {"room": "12", "username": "ann", "role": "moderator"}


class Ban(NewMemberSerializer, TermsSerializer, InRoom):
    """Ban somebody from a room; for moderators. It ends their membership, and closes the room to them."""

    example = {"room": "12", "username": "ann", **TermsSerializer.example}


class Unban(NewMemberSerializer, InRoom):
    """Lift a ban; for moderators."""

    example = {"room": "12", "username": "ann"}


class Mute(NewMemberSerializer, TermsSerializer, InRoom):
    """Mute somebody in a room: they read on, and can't write; for moderators."""

    example = {"room": "12", "username": "ann", **TermsSerializer.example}


class Unmute(NewMemberSerializer, InRoom):
    """Lift a mute; for moderators."""

    example = {"room": "12", "username": "ann"}


class MemberWithRole(FrameShape):
    """A member, with the new role."""

    username = serializers.CharField()
    joined_at = serializers.DateTimeField()
    role = serializers.ChoiceField(["moderator", "member"])
    example = {"username": "ann", "joined_at": "2026-03-04T09:16:12.005Z", "role": "moderator"}


class Lifted(FrameShape):
    """Whose ban or mute was lifted."""

    username = serializers.CharField()
    example = {"username": "ann"}


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
