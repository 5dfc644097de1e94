"""Lists of rooms and of members, with additions from other apps and from presence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from accounts.callers import Caller
from foyer.api.wire import fields_of
from foyer.paging import Page
from foyer.realtime.presence import ONLINE, among
from rooms.membership import page_of_members
from rooms.operations import find_room, list_rooms
from rooms.search import search_rooms

Summaries = Callable[[Caller, list[str]], list[bytes]]
own_room_summaries: list[Summaries] = []
"""Additions of other apps to a caller's own rooms: for each room id, members of a JSON object without its braces."""


class RoomsWanted(NamedTuple):
    """Which rooms: that of exactly this name, those that words find, or all; `mine` are those the caller is in."""

    name: str | None = None
    words: str | None = None
    cursor: str | None = None
    mine: bool = False


class RoomPage(NamedTuple):
    """Rooms as JSON, whether there are more, and of a search the cursor from which it goes on."""

    rooms: list[bytes]
    more: bool = False
    cursor: str | None = None


def page_of_rooms(caller: Caller, wanted: RoomsWanted, page: Page) -> RoomPage:
    """Some of the rooms that the caller may see: by creation, or a search by words and names.

    The caller's own come with what the other apps tell of each. Raises `UnknownCursor`, `InvalidInput` for a search
    without a word.
    """
    if wanted.name is not None:
        room = find_room(caller, wanted.name)
        return RoomPage([room] if room else [])
    if wanted.words is not None:
        found, cursor = search_rooms(caller, wanted.words, wanted.cursor, page.limit, mine=wanted.mine)
        part = RoomPage(found, cursor is not None, cursor)
    else:
        rooms = list_rooms(caller, page.after, page.limit + 1, before=page.before, mine=wanted.mine)
        part = RoomPage(page.cut(rooms), len(rooms) > page.limit)
    return part._replace(rooms=with_summaries(caller, part.rooms)) if wanted.mine else part


def with_summaries(caller: Caller, rooms: list[bytes]) -> list[bytes]:
    ids = [fields_of(room)["roomId"] for room in rooms]
    told = [summaries(caller, ids) for summaries in own_room_summaries]
    return [
        room[:-1] + b"".join(b"," + more for more in parts) + b"}" for room, *parts in zip(rooms, *told, strict=True)
    ]


Members = tuple[list[dict[str, Any]], str | None]
"""Some of those in a room, and after which place there are more."""


def members_with_presence(caller: Caller, room_id: str, after: str, limit: int) -> Members:
    """Up to `limit` of those in a room after a place, by the time they joined, and who of them is online.

    Raises `RoomNotFound`, `UnknownCursor`.
    """
    page = page_of_members(caller, room_id, after, limit)
    online = among(ONLINE, [member.id for member in page.members])
    members = [
        {
            "username": member.username,
            "joined_at": member.joined_at,
            "online": member.id in online,
            "role": member.role,
        }
        for member in page.members
    ]
    return members, page.after
