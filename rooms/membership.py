"""Operations on the members of a room: the second half of `operations.py`, which would be too long with it.

A change of members is one step in the room: the membership, its event, and a notice for the member concerned. Saying it
in the log of that user is a step in another slot. A notice that a crash left behind is said by whoever touches the
room's members next, once and in the order of the room's log.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import orjson

from accounts.callers import Caller, who
from accounts.operations import user_tag
from accounts.people import Person
from foyer.api.wire import quoted
from foyer.store.steps import Steps, operation
from foyer.times import now_text
from rooms.errors import NotInRoom
from rooms.operations import LIBRARY, sign, tell, topic_of


class Member(NamedTuple):
    """Somebody in a room. `joined_at` is as clients see it."""

    id: int
    username: str
    joined_at: str


def _add_member(caller: Caller, room_id: str, someone: Person) -> Steps[tuple[Member, bool]]:
    """Let `someone` into a room. Returns the member, and whether they came in now.

    Raises `RoomNotFound`, `NotAMember` for a caller who may not, `AccountGone`.
    """
    tag = topic_of(room_id).tag
    add = partial(LIBRARY.call, "add_member", [tag], *who(caller), caller.signature)
    is_new, joined_at, *notices = yield add(someone.id, quoted(someone.username), "")
    if not joined_at:
        yield LIBRARY.call("remember", [user_tag(someone.id)], tag, room_id)
        yield from sign(caller, tag)
        is_new, joined_at, *notices = yield add(someone.id, quoted(someone.username), now_text())
    yield from tell(room_id, notices)
    return Member(someone.id, someone.username, joined_at.decode()), bool(is_new)


def _remove_member(caller: Caller, room_id: str, someone: Person) -> Steps[None]:
    """Take `someone` out of a room. Raises `RoomNotFound`, `NotAMember` for a caller who may not, `NotInRoom`."""
    tag = topic_of(room_id).tag
    yield from sign(caller, tag)
    was_in, *notices = yield LIBRARY.call(
        "remove_member", [tag], *who(caller), caller.signature, someone.id, quoted(someone.username)
    )
    yield from tell(room_id, notices)
    if not was_in:
        raise NotInRoom(f"'{someone.username}' is not in the room.")


def _list_members(caller: Caller, room_id: str) -> Steps[list[Member]]:
    """Everyone in a room, by the time they joined. Raises `RoomNotFound`."""
    reply, *notices = yield LIBRARY.call("members", [topic_of(room_id).tag], *who(caller))
    yield from tell(room_id, notices)
    found = [
        Member(int(user), orjson.loads(name), joined_at.decode())
        for user, name, joined_at in zip(reply[0::3], reply[1::3], reply[2::3], strict=True)
        if name != b"null"
    ]
    return sorted(found, key=lambda member: (member.joined_at, member.id))


def _is_member(user_id: int, room_id: str) -> Steps[bool]:
    return bool((yield LIBRARY.call("standing", [topic_of(room_id).tag], user_id)))


def _require(user_id: int, room_id: str) -> Steps[None]:
    """Raises `NotInRoom` for somebody who is not a member."""
    if not (yield from _is_member(user_id, room_id)):
        raise NotInRoom


add_member, aadd_member = operation(_add_member)
remove_member, aremove_member = operation(_remove_member)
list_members, alist_members = operation(_list_members)
is_member, ais_member = operation(_is_member)
require_member, arequire_member = operation(_require)
