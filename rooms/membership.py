"""Operations on the members of a room: the second half of `operations.py`, which would be too long with it.

A change of members is one step in the room: the membership, its event, and a notice for the user who was added or
removed. Appending the event to that user's log is a step in another slot. If a crash leaves a notice behind, the next
operation on the room's members delivers it, once and in the order of the room's log.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import orjson

from accounts.callers import Caller, who
from accounts.errors import AccountGone, UserNotFound
from accounts.people import Person, find_person
from foyer.api.wire import quoted
from foyer.errors import UnknownCursor
from foyer.store.steps import Steps, operation
from foyer.times import now_text
from rooms.errors import NotInRoom
from rooms.operations import LIBRARY, remember_room, show_room, sign, tell, topic_of

MOST_MEMBERS = 1000
"""Of a page."""
PLACE = re.compile(r"[0-9TZ:.-]{24}-[0-9]{1,19}")
ATTEMPTS = 3
"""To put members in order while a release before this one changes them."""


class Member(NamedTuple):
    """Somebody in a room. `joined_at` is as clients see it, `role` is 'owner', 'moderator' or 'member'."""

    id: int
    username: str
    joined_at: str
    role: str = "member"


def _add_member(caller: Caller, room_id: str, someone: Person) -> Steps[tuple[Member, bool]]:
    """Let `someone` into a room. Returns the member, and whether they came in now.

    Raises `RoomNotFound`, `NotAMember` for a caller who may not, `Banned`, `AccountGone`, `TooManyRooms`,
    `UserNotFound` if `someone` is gone.
    """
    try:
        return (yield from let_in(caller, room_id, someone))
    except AccountGone:
        if someone.id == caller.id:
            raise
        raise UserNotFound(f"There is no user '{someone.username}'.") from None


def let_in(caller: Caller, room_id: str, someone: Person) -> Steps[tuple[Member, bool]]:
    tag = topic_of(room_id).tag
    add = partial(LIBRARY.call, "add_member", [tag], *who(caller), caller.signature)
    is_new, joined_at, *notices = yield add(someone.id, quoted(someone.username), "")
    if not joined_at:
        yield remember_room(someone.id, room_id)
        yield from sign(caller, tag)
        is_new, joined_at, *notices = yield add(someone.id, quoted(someone.username), now_text())
    yield from tell(room_id, notices)
    return Member(someone.id, someone.username, joined_at.decode()), bool(is_new)


def _remove_member(caller: Caller, room_id: str, someone: Person) -> Steps[None]:
    """Take `someone` out of a room.

    Raises `RoomNotFound`, `NotAMember` for a caller who may not, `Forbidden` for whom the table of rights protects,
    `NotInRoom`.
    """
    tag = topic_of(room_id).tag
    yield from sign(caller, tag)
    was_in, *notices = yield LIBRARY.call(
        "remove_member", [tag], *who(caller), caller.signature, someone.id, quoted(someone.username)
    )
    yield from tell(room_id, notices)
    if not was_in:
        raise NotInRoom(f"'{someone.username}' is not in the room.")


class MemberPage(NamedTuple):
    """Some of those in a room, by the time they joined; how many there are; after which place there are more."""

    members: list[Member]
    total: int
    after: str | None


def _page_of_members(caller: Caller, room_id: str, after: str = "", limit: int = MOST_MEMBERS) -> Steps[MemberPage]:
    """Up to `limit` of those in a room, those after the place `after` that came with an earlier page.

    A place stays valid when members come and go. Raises `RoomNotFound`, `UnknownCursor` if it can't be a place.
    """
    if after and not PLACE.fullmatch(after):
        raise UnknownCursor
    tag = topic_of(room_id).tag
    read = LIBRARY.call("members", [tag], *who(caller), after, limit)
    is_whole, count, more, rows, *notices = yield read
    for _ in range(ATTEMPTS):
        if is_whole:
            break
        yield from put_in_order(tag)
        is_whole, count, more, rows, *notices = yield read
    yield from tell(room_id, notices)
    members = [
        Member(int(user), orjson.loads(name), joined_at.decode(), role.decode())
        for user, name, joined_at, role in zip(*(rows[column::4] for column in range(4)), strict=True)
        if name != b"null"
    ]
    return MemberPage(members, count, more.decode() or None)


def put_in_order(tag: str) -> Steps[None]:
    """Have the members of a room in the order in which they joined, where a release before this one did not keep it."""
    for which in ("missing", "stale"):
        cursor: bytes | int = 0
        while (cursor := (yield LIBRARY.call("index_members", [tag], which, cursor))) != b"0":
            pass


def _list_members(caller: Caller, room_id: str) -> Steps[list[Member]]:
    """Everyone in a room, by the time they joined; read in portions. Raises `RoomNotFound`."""
    members, after = list[Member](), ""
    while True:
        page = yield from _page_of_members(caller, room_id, after)
        members += page.members
        if page.after is None:
            return members
        after = page.after


def _members_among(room_id: str, user_ids: Sequence[int]) -> Steps[set[int]]:
    """Those of some accounts that are in a room; none for a room that is gone."""
    tag, found = topic_of(room_id).tag, set[int]()
    for start in range(0, len(user_ids), MOST_MEMBERS):
        some = user_ids[start : start + MOST_MEMBERS]
        flags = yield LIBRARY.call("standing", [tag], *some)
        found.update(user_id for user_id, flag in zip(some, flags, strict=True) if flag)
    return found


def _is_member(user_id: int, room_id: str) -> Steps[bool]:
    [is_in] = yield LIBRARY.call("standing", [topic_of(room_id).tag], user_id)
    return bool(is_in)


def _require(user_id: int, room_id: str) -> Steps[None]:
    """Raises `NotInRoom` for somebody who is not a member."""
    if not (yield from _is_member(user_id, room_id)):
        raise NotInRoom


add_member, aadd_member = operation(_add_member)
remove_member, aremove_member = operation(_remove_member)
page_of_members, apage_of_members = operation(_page_of_members)
list_members, alist_members = operation(_list_members)
is_member, ais_member = operation(_is_member)
members_among, amembers_among = operation(_members_among)
require_member, arequire_member = operation(_require)


def add_by_name(caller: Caller, room_id: str, username: str) -> tuple[Member, bool]:
    """As `add_member`. Callers who may not see the room don't learn which accounts exist. Raises `UserNotFound` too."""
    show_room(caller, room_id)
    return add_member(caller, room_id, find_person(username))


def remove_by_name(caller: Caller, room_id: str, username: str) -> None:
    """As `remove_member`. Callers who may not see the room don't learn which accounts exist. Raises `UserNotFound`
    too."""
    show_room(caller, room_id)
    remove_member(caller, room_id, find_person(username))
