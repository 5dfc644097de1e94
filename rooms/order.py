"""Operations that keep order in a room: roles, bans and mutes.

Each is one step in the room: what changes, its event and its entry in the audit. The stored functions look at bans and
mutes in the same step that posts. So from the moment that a ban is answered nothing of that user is stored any more, on
any instance. A ban is over by time alone: whoever looks at it compares it with the clock of the store.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Literal, NamedTuple

import orjson

from accounts.callers import Caller, who
from accounts.people import Person, about, find_person
from foyer.api.wire import quoted
from foyer.errors import UnknownCursor
from foyer.store.steps import Steps, operation
from foyer.times import now_text, time_text
from rooms.membership import PLACE, Member
from rooms.operations import LIBRARY, remember_signer, show_room, sign, tell, topic_of

Restriction = Literal["bans", "mutes"]


class Terms(NamedTuple):
    """Until when somebody is banned or muted, None for ever, and why."""

    until: datetime | None = None
    reason: str | None = None

    @property
    def ends(self) -> int:
        """When it is over, in milliseconds, 0 for never."""
        return 0 if self.until is None else int(self.until.timestamp() * 1000)

    @property
    def until_json(self) -> bytes:
        return b"null" if self.until is None else quoted(time_text(self.until))


def _set_role(caller: Caller, room_id: str, someone: Person, role: str) -> Steps[Member]:
    """Make a member a moderator, or no longer. Returns the member.

    Raises `RoomNotFound`, `NotTheOwner`, `Forbidden`, `NotInRoom`.
    """
    tag = topic_of(room_id).tag
    yield from sign(caller, tag)
    joined_at = yield LIBRARY.call(
        "set_role", [tag], *who(caller), caller.signature, someone.id, quoted(someone.username), role
    )
    return Member(someone.id, someone.username, joined_at.decode(), role)


def _restrict(caller: Caller, room_id: str, which: Restriction, someone: Person, terms: Terms) -> Steps[bytes]:
    """Ban or mute somebody. Returns the ban or the mute as JSON. A ban ends the membership.

    Raises `RoomNotFound`, `NotAModerator`, `Forbidden`, `UserNotFound` if `someone` is gone.
    """
    tag = topic_of(room_id).tag
    user = someone.id, quoted(someone.username)
    how = which, terms.ends, terms.until_json, orjson.dumps(terms.reason)
    restrict = partial(LIBRARY.call, "restrict", [tag], *who(caller), caller.signature, *user, *how)
    with about(someone.username):
        yield restrict("")  # whether the caller may, before anything is noted
    yield from sign(caller, tag)
    with about(someone.username):
        yield remember_signer(someone.id, tag)
        told, *notices = yield restrict(now_text())
    yield from tell(room_id, notices)
    return bytes(told)


def _lift(caller: Caller, room_id: str, which: Restriction, someone: Person) -> Steps[None]:
    """End a ban or a mute before its time.

    Raises `RoomNotFound`, `NotAModerator`, `Forbidden`, `NotBanned`, `NotMuted`.
    """
    tag = topic_of(room_id).tag
    yield from sign(caller, tag)
    yield LIBRARY.call("lift_restriction", [tag], *who(caller), caller.signature, someone.id, which)


def _list_restrictions(
    caller: Caller, room_id: str, which: Restriction, after: str = "", limit: int = 1000
) -> Steps[tuple[list[bytes], str | None]]:
    """Up to `limit` of the bans or mutes in force, as JSON, by the time at which they were imposed, and the place after
    which there are more.

    Raises `RoomNotFound`, `NotAModerator`, `UnknownCursor`.
    """
    if after and not PLACE.fullmatch(after):
        raise UnknownCursor
    more, *found = yield LIBRARY.call("restrictions", [topic_of(room_id).tag], *who(caller), which, after, limit)
    return found, more.decode() or None


set_role, aset_role = operation(_set_role)
restrict, arestrict = operation(_restrict)
lift, alift = operation(_lift)
list_restrictions, alist_restrictions = operation(_list_restrictions)


def person_for(caller: Caller, room_id: str, username: str) -> Person:
    """Whom a caller means. Callers who may not see the room don't learn which accounts exist. Raises `UserNotFound`."""
    show_room(caller, room_id)
    return find_person(username)
