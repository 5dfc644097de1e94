"""What is said of the routes of rooms, at `/schema` and on their pages."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from foyer.api.schema import (
    LOCATION,
    NEXT,
    RETRY_KEY,
    Operation,
    describe,
    in_path,
    in_query,
    limit_parameter,
    page_parameters,
)
from rooms import frames, views
from rooms.membership import MOST_MEMBERS
from rooms.search import MOST_CHARACTERS
from rooms.serializers import NewMember, NewRoom, RoomChange

TAG = "Rooms"
ROOM_ID = in_path("roomId", "A room's id, or `lobby`.")
MEMBER = in_path("username", "Who it is about.", "^[^/]+$")


class ListedRoom(frames.Room):
    """A room. Lists with `member=me` tell of each how many messages are unread (100: or more), and the last one."""

    unread = serializers.IntegerField(required=False, min_value=0, max_value=100)
    last_message: Any = serializers.DictField(required=False, allow_null=True)


class Member(serializers.Serializer[Any]):
    """Somebody in the room."""

    username = serializers.CharField()
    joined_at = serializers.DateTimeField()
    online = serializers.BooleanField(required=False, help_text="Has a socket or stream open. In lists.")
    example = {"username": "ben", "joined_at": "2026-03-04T09:16:10.714Z", "online": True}


class NewcomerOrNot(Member):
    """Who is in the room: 201 since now, 200 already."""

    example = {"username": "ann", "joined_at": "2026-03-04T09:16:14.609Z"}


describe(
    views.RoomList,
    "Rooms",
    TAG,
    related={"Rooms you are in": "/rooms?member=me", "The lobby": "/room/lobby/messages"},
    linked={"roomId": "/room/{}"},
    get=Operation(
        "listRooms",
        "The rooms that the caller may see, by creation",
        {200: [ListedRoom]},
        "unknown_cursor",
        parameters=(
            in_query("name", "Only the room of exactly this name."),
            in_query(
                "q",
                "Words of the name, or beginnings of words, whatever their case: only rooms that have all of them, by "
                "words and names. The header `Link` has the next page.",
                {"type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS},
            ),
            in_query("cursor", "With `q`: where the search goes on, from the header `Link`."),
            in_query("member", "`me`: only those that the caller is in.", {"type": "string", "enum": ["me"]}),
            *page_parameters(views.MOST_ROOMS, views.MOST_ROOMS, "rooms"),
        ),
    ),
    post=Operation(
        "createRoom",
        "Make a room; the caller owns it and is its first member",
        {201: frames.Room},
        "room_name_taken account_gone",
        takes=NewRoom,
        example={"name": "general"},
        parameters=(LOCATION, RETRY_KEY),
    ),
)
describe(
    views.RoomDetail,
    "Room",
    TAG,
    ROOM_ID,
    related={"Messages": "/room/{roomId}/messages", "Members": "/room/{roomId}/members",
             "Hear it live": "/room/{roomId}/subscribe", "All rooms": "/rooms"},
    get=Operation("showRoom", "One room", {200: frames.Room}, "room_not_found"),
    patch=Operation(
        "changeRoom",
        "Rename a room, or change who may see it; for its owner, and admins",
        {200: frames.Room},
        "room_not_found not_the_owner permanent_room room_name_taken room_changed",
        takes=RoomChange,
        example={"name": "Lab", "members_only": True},
    ),
    delete=Operation(
        "deleteRoom",
        "Delete a room and its messages; for its owner, and admins",
        {204: None},
        "room_not_found not_the_owner permanent_room",
    ),
)  # fmt: skip
describe(
    views.RoomMembers,
    "Members",
    TAG,
    ROOM_ID,
    related={"The room": "/room/{roomId}", "Messages": "/room/{roomId}/messages"},
    linked={"username": "/room/{roomId}/members/{}"},
    get=Operation(
        "listMembers",
        "Who is in a room, by the time they joined",
        {200: [Member]},
        "room_not_found unknown_cursor",
        parameters=(
            limit_parameter(MOST_MEMBERS, MOST_MEMBERS, "members"),
            in_query("after", "The place after which they are, as the `Link` of an earlier page has it."),
            NEXT,
        ),
    ),
    post=Operation(
        "addMember",
        "Let somebody in: members and admins anyone, anyone himself into an open room",
        {201: NewcomerOrNot, 200: NewcomerOrNot},
        "room_not_found user_not_found not_a_member account_gone",
        takes=NewMember,
        example={"username": "ann"},
    ),
)
describe(
    views.RoomMember,
    "Member",
    TAG,
    ROOM_ID,
    MEMBER,
    related={"All members": "/room/{roomId}/members"},
    delete=Operation(
        "removeMember",
        "Take somebody out: members and admins anyone, anyone himself",
        {204: None},
        "room_not_found user_not_found not_in_room not_a_member",
    ),
)
