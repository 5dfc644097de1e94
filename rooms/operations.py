"""Rooms and the index of their names, in Redis.

A room's keys share the tag `{room:<id>}`, the index has `{rooms}`, and a user's list of rooms is at `{user:<id>}`. So
an operation on two of them is a sequence of steps. Each step may be repeated. Their order makes sure that clients don't
see what a crash leaves behind, and that the next operation that finds it repairs it:

- a name is claimed before its room is made; a claim without a room is taken over by the next who wants the name;
- a claim has a number, so that one which was seen to be idle is not taken from a room that has renewed it since;
- a user's lists are written before the room knows them, so they may name too many rooms, never too few;
- a room goes first, then it goes from its members' lists, in portions, and its place in the index goes last; whoever
  finds the place of a room that is gone finishes that.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import orjson
from django.conf import settings

from accounts.callers import Caller, who
from accounts.operations import user_tag
from foyer.api.wire import fields_of, quoted
from foyer.errors import TooManyRequests, UnknownCursor
from foyer.realtime import past
from foyer.realtime.log import PRELUDE
from foyer.realtime.retries import Attempt, remembered_creation
from foyer.realtime.topics import Topic, room_topic
from foyer.store.fullness import fullness
from foyer.store.functions import in_one_call
from foyer.store.steps import Call, Library, Query, Steps, operation
from foyer.times import now_text
from rooms.errors import PermanentRoom, RoomNameTaken, RoomNotFound
from rooms.names import earlier_key, keys_of, name_key
from rooms.rights import IN_ROOMS
from rooms.words import words_of

LUA = Path(__file__).parent / "lua"
LIBRARY = Library("rooms", PRELUDE, *IN_ROOMS, LUA)

INDEX = "{rooms}"
ROOM_ID = re.compile(r"[1-9][0-9]{0,15}")
CALLS_AT_ONCE = 250
"""Calls that read rooms, sent together: on a cluster, where most rooms take one each."""
LOBBY = "lobby"
"""The id, and the name, of the room that always exists. It is in no list of rooms but those of its members."""
OWN_ROOMS_AT_ONCE = 1000
FREED_AFTER = 60
"""Seconds after which somebody who owns too many rooms may try again: they may have deleted one by then."""


class Retention(NamedTuple):
    """For how many days a room is to keep messages; None for ever. `is_said` is false where it is to stay as it is."""

    days: int | None = None
    is_said: bool = True

    @property
    def argument(self) -> str:
        return "" if not self.is_said else "null" if self.days is None else str(self.days)


AS_IT_IS = Retention(is_said=False)


def topic_of(room_id: str) -> Topic:
    """The topic of a room. Raises `RoomNotFound` for what can't be a room's id."""
    if room_id != LOBBY and not ROOM_ID.fullmatch(room_id):
        raise RoomNotFound
    return room_topic(room_id)


def changeable(room_id: str) -> Topic:
    """As `topic_of`, for what changes the room itself. Raises `PermanentRoom` for the lobby."""
    if room_id == LOBBY:
        raise PermanentRoom
    return topic_of(room_id)


def free_key(name: str) -> str:
    """The key of a name for a room. Raises `RoomNameTaken` for the name of the lobby."""
    key = name_key(name)
    if key == LOBBY:
        raise RoomNameTaken(f"A room named '{LOBBY}' exists.")
    return key


def _create_room(caller: Caller, name: str, members_only: bool, retry_key: str | None) -> Steps[bytes]:
    fullness.check()
    request = orjson.dumps([name, members_only])
    return (
        yield from remembered_creation(
            user_tag(caller.id), "room", retry_key, request, partial(make_room, caller, name, members_only)
        )
    )


def make_room(caller: Caller, name: str, members_only: bool, attempt: Attempt) -> Steps[bytes]:
    """Claim the name, then make the room under the id that came with it; or find the one an earlier attempt made.

    Raises `RoomNameTaken`, `TooManyRooms`, `TooManyRequests` for an owner of too many rooms, `AccountGone`.

    That one may have another name by now. When the claim leads elsewhere, what is under its id was made or never will
    be: a claim is taken only from a room that exists, or is barred.
    """
    key = free_key(name)
    if not attempt.place:
        yield from refuse_if_held_before(name)
    while True:
        is_new, found, claim = yield LIBRARY.call("claim", [INDEX], key, "", *words_of(key))
        room_id = found.decode()
        tag = room_topic(room_id).tag
        if attempt.place not in ("", room_id):
            earlier = yield LIBRARY.call("made", [room_topic(attempt.place).tag], attempt.token)
            if earlier:
                return (yield from made_room(attempt.place, *earlier))
        if not is_new:
            state = yield LIBRARY.call("holds", [tag], key)
            if state in (b"gone", b"leaving", b"no"):
                yield from give_back(state, key, room_id, claim)
                continue
        if is_unmade := is_new or state == b"unmade":
            if not (yield from attempt.go_to(room_id)):
                continue
            if not members_only:
                yield LIBRARY.call("open", [INDEX], room_id)
            yield from own_room(caller, room_id)
        state, room, *notices = yield LIBRARY.call(
            "create",
            [tag],
            attempt.token,
            caller.id,
            caller.signature,
            quoted(name),
            key,
            claim,
            int(members_only),
            now_text(),
        )
        if state == b"made":
            return (yield from made_room(room_id, room, *notices))
        if is_unmade and room != caller.id:
            yield LIBRARY.call("disown", [user_tag(caller.id)], room_id)
        if state == b"taken":
            raise RoomNameTaken(f"A room named '{name}' exists.")
        yield from give_back(b"leaving", key, room_id, claim)


def release(key: str, room_id: str, claim: bytes = b"") -> Call:
    """Give a name back, if the room's claim on it is still that one; without `claim`, that of a room that is gone."""
    return LIBRARY.call("release", [INDEX], key, room_id, claim, *words_of(key))


def made_room(room_id: str, room: bytes, *notices: bytes) -> Steps[bytes]:
    yield from tell(room_id, list(notices))
    return bytes(room)


def tell(room_id: str, notices: list[bytes]) -> Steps[None]:
    """Append notices to the logs of the users concerned, in order, then mark them as delivered."""
    tag = topic_of(room_id).tag
    while notices:
        room, epoch, *rows = notices
        for offset, user, name, kind, by in zip(*(rows[column::5] for column in range(5)), strict=True):
            if name == b"null":
                continue  # the account is gone
            body = b'"room":%b,"by":%b,"at":%b' % (room, by, position(tag, max(int(offset) - 1, 0), epoch))
            yield LIBRARY.call("tell", [user_tag(int(user))], name, room_id, offset, kind, body)
        notices = yield LIBRARY.call("told", [tag], *rows[0::5])


def position(tag: str, offset: int, epoch: bytes) -> bytes:
    """Where a topic's log stood, as clients resume from it."""
    return orjson.dumps({"topic": tag[1:-1], "offset": offset, "epoch": epoch.decode()})


def _show_room(caller: Caller, room_id: str) -> Steps[bytes]:
    """The room as JSON. Raises `RoomNotFound` also for a room the caller may not know of, and `Banned`."""
    return bytes((yield LIBRARY.call("see", [topic_of(room_id).tag], *who(caller))))


def _update_room(
    caller: Caller,
    room_id: str,
    name: str | None,
    members_only: bool | None,
    slow_mode: int | None = None,
    retention: Retention = AS_IT_IS,
) -> Steps[bytes]:
    """Rename a room, change who may see it, its slow mode (seconds, 0 for none), or how long it keeps messages.

    Owner and admins may, and moderators may change the slow mode, also that of the lobby. Returns the room as JSON.
    """
    is_changed = name is not None or members_only is not None or retention.is_said
    tag = (changeable if is_changed else topic_of)(room_id).tag
    key, token, claim = "", secrets.token_urlsafe(12), b""
    if name is not None:
        key = free_key(name)
        yield from refuse_if_held_before(name, room_id)
        yield LIBRARY.call("intend", [tag], *who(caller), key, token)
        claim = yield from claim_for(room_id, key, name)
    if members_only is False:
        yield LIBRARY.call("open", [INDEX], room_id)
    if retention.days:
        yield LIBRARY.call("time", [INDEX], room_id)
    yield from sign(caller, tag)
    room, before, claim_before = yield LIBRARY.call(
        "update",
        [tag],
        *who(caller),
        "" if name is None else quoted(name),
        key,
        "" if members_only is None else int(members_only),
        caller.signature,
        token,
        claim,
        "" if slow_mode is None else slow_mode,
        retention.argument,
    )
    if name is not None and before.decode() != key:
        yield release(before.decode(), room_id, claim_before)
    return bytes(room)


def refuse_if_held_before(name: str, room_id: str = "") -> Steps[None]:
    """Raise `RoomNameTaken` where another room than `room_id` still has the key that an earlier release gave it."""
    key = earlier_key(name)
    if key == name_key(name):
        return
    holder = (yield LIBRARY.call("find", [INDEX], key)).decode()
    if holder in ("", room_id):
        return
    if (yield LIBRARY.call("holds", [room_topic(holder).tag], key)) == b"yes":
        raise RoomNameTaken(f"A room named '{name}' exists.")


def claim_for(room_id: str, key: str, name: str) -> Steps[bytes]:
    """Claim a name for a room that exists; returns the claim's number. Raises `RoomNameTaken` where another has it."""
    while True:
        is_ours, holder, claim = yield LIBRARY.call("claim", [INDEX], key, room_id, *words_of(key))
        if is_ours:
            return bytes(claim)
        other = room_topic(holder.decode()).tag
        state = yield LIBRARY.call("holds", [other], key)
        if state == b"unmade" and (yield LIBRARY.call("bar", [other])):
            state = b"gone"
        if state in (b"yes", b"unmade"):
            raise RoomNameTaken(f"A room named '{name}' exists.")
        yield from give_back(state, key, holder.decode(), claim)


def _delete_room(caller: Caller, room_id: str) -> Steps[None]:
    """Delete a room and all its messages; owner and admins. Raises `RoomNotFound` when it is gone already."""
    delete = LIBRARY.call("delete", [changeable(room_id).tag], *who(caller), caller.signature)
    state, *told = yield delete
    while state == b"waits":
        yield from tell(room_id, told)
        state, *told = yield delete
    key, leaving, is_archived = told
    if is_archived:
        yield Query(past.keeper.forget, (room_topic(room_id).tag,))
    yield from clear_away(room_id, key.decode(), *leaving)
    if state == b"gone":
        raise RoomNotFound


def give_back(state: bytes, key: str, room_id: str, claim: bytes) -> Steps[None]:
    """Give back a name that its room does not hold, as `holds` found."""
    if state == b"leaving":
        leaving = yield LIBRARY.call("leaving", [room_topic(room_id).tag])
        yield from clear_away(room_id, key, *leaving)
    else:
        yield release(key, room_id, claim if state == b"no" else b"")


def clear_away(room_id: str, key: str, more: int, *members: bytes) -> Steps[None]:
    """Take a room that is gone from its members' lists, then from the index. Stopped anywhere, it may begin again."""
    tag = room_topic(room_id).tag
    while True:
        if members:
            yield [LIBRARY.call("forget", [user_tag(int(member))], room_id) for member in members]
        done = LIBRARY.call("leaving", [tag], *members)
        if not more:
            break
        more, *members = yield done
    yield [done, release(key, room_id)] if members else [release(key, room_id)]


def _list_rooms(
    caller: Caller, after: int | None, limit: int, *, before: int | None = None, mine: bool = False
) -> Steps[list[bytes]]:
    """Up to `limit` rooms the caller may see (or is in), by creation, each as JSON.

    They are the first with ids after `after` (and before `before`, if given); with `before` alone, the last before it.
    Reads pages of ids, never all of them: those of open rooms and of the caller's own; for an admin, of all rooms.
    Raises `UnknownCursor` for an id that was not given to a room yet.
    """
    if after or before:
        last = yield LIBRARY.call("last", [INDEX])
        if (after or 0) > last or (before or 0) > last + 1:
            raise UnknownCursor
    backwards = after is None and before is not None
    low, high = after or 0, "" if before is None else before
    found: list[bytes] = []
    while len(found) < limit:
        part = (low, high, limit, int(backwards))
        lists = [] if mine else [LIBRARY.call("page", [INDEX], "ids" if caller.is_admin else "open", *part)]
        if mine or not caller.is_admin:
            lists.append(LIBRARY.call("page", [user_tag(caller.id)], "rooms", *part))
        pages = yield lists
        ids = sorted({int(room_id) for page in pages for room_id in page}, reverse=backwards)[:limit]
        if not ids:
            break
        low, high = (low, ids[-1]) if backwards else (ids[-1], high)
        shown = yield from show_rooms(caller, [str(room_id) for room_id in ids], mine)
        found.extend(shown.values())
    found = found[:limit]
    return found[::-1] if backwards else found


def _last_room_id() -> Steps[int]:
    """The id that was given last; 0 before the first."""
    return int((yield LIBRARY.call("last", [INDEX])))


def show_rooms(caller: Caller, ids: Sequence[str], mine: bool) -> Steps[dict[str, bytes]]:
    """Those of some rooms that the caller may see (or is in), as JSON by id, in the order of `ids`."""
    shown: dict[str, bytes] = {}
    groups = list(in_one_call([room_topic(room_id).tag for room_id in ids]))
    for start in range(0, len(groups), CALLS_AT_ONCE):
        some = groups[start : start + CALLS_AT_ONCE]
        replies = yield [LIBRARY.call("show", tags, *who(caller), int(mine)) for tags in some]
        for tags, rooms in zip(some, replies, strict=True):
            shown.update(zip(tags, rooms, strict=True))
    return {room_id: room for room_id in ids if (room := shown[room_topic(room_id).tag])}


def _find_room(caller: Caller, name: str) -> Steps[bytes | None]:
    """The room of exactly this name, as JSON, if the caller may see it."""
    for key in keys_of(name):
        room_id = yield LIBRARY.call("find", [INDEX], key)
        if room_id:
            [room] = yield LIBRARY.call("show", [room_topic(room_id.decode()).tag], *who(caller), 0)
            if room and fields_of(room)["name"] == name:
                return bytes(room)
    return None


def _own_rooms(user_id: int) -> Steps[list[str]]:
    """Ids of the rooms that a user is in, the lobby first, the others by creation; perhaps of some that they left."""
    found: list[str] = []
    after = -1
    while page := (yield LIBRARY.call("page", [user_tag(user_id)], "rooms", after, "", OWN_ROOMS_AT_ONCE, 0)):
        found.extend(room_id.decode() for room_id in page)
        after = 0 if found[-1] == LOBBY else int(found[-1])
    return found


def _openness(room_id: str) -> Steps[str]:
    """'open', 'members_only', or '' for a room that is gone."""
    return bytes((yield LIBRARY.call("openness", [topic_of(room_id).tag]))).decode()


def remember_room(user_id: int, room_id: str, most_owned: int | str = "") -> Call:
    """Note that a user is about to become a member of a room; with `most_owned`, its owner too. Refuses one who is in
    too many rooms, or owns as many."""
    limits = settings.MEMBERSHIPS_PER_USER, most_owned
    return LIBRARY.call("remember", [user_tag(user_id)], topic_of(room_id).tag, room_id, *limits)


def own_room(caller: Caller, room_id: str) -> Steps[None]:
    """Count a room that is about to be made as its owner's. Raises `TooManyRequests`."""
    most = settings.ROOMS_PER_USER if caller.id else 0
    try:
        yield remember_room(caller.id, room_id, most)
    except TooManyRequests:
        raise TooManyRequests(f"You own {most} rooms. Delete one first.", retry_after=FREED_AFTER) from None


def remember_signer(user_id: int, log_tag: str) -> Call:
    """Note that a user is about to sign something in a log, so that deleting the account finds it."""
    return LIBRARY.call("remember", [user_tag(user_id)], log_tag, "")


def sign(caller: Caller, log_tag: str) -> Steps[None]:
    """Make an admin a signer of a log, before their name gets into it. Members are signers already."""
    if caller.is_admin and caller.id:
        yield remember_signer(caller.id, log_tag)


def _rooms_signed(user_id: int) -> Steps[list[str]]:
    """Ids of the rooms whose logs may have something that a user wrote, also of rooms that they left, by creation."""
    found, cursor = set[str](), b"0"
    while True:
        cursor, logs = yield LIBRARY.call("signed", [user_tag(user_id)], cursor)
        found.update(tag[6:-1].decode() for tag in logs if tag.startswith(b"{room:"))
        if cursor == b"0":
            return sorted(found, key=lambda room_id: 0 if room_id == LOBBY else int(room_id))


def _forget_user(user_id: int) -> Steps[None]:
    """Take a deleted account's name from all it wrote, end its memberships, and drop its lists. May be repeated."""
    cursor = b"0"
    while True:
        cursor, logs = yield LIBRARY.call("signed", [user_tag(user_id)], cursor)
        if logs:
            yield [LIBRARY.call("unsign", [tag.decode()], user_id) for tag in logs]
        if cursor == b"0":
            break
    yield LIBRARY.call("forget_lists", [user_tag(user_id)])


create_room, acreate_room = operation(_create_room)
show_room, ashow_room = operation(_show_room)
update_room, aupdate_room = operation(_update_room)
delete_room, adelete_room = operation(_delete_room)
list_rooms, alist_rooms = operation(_list_rooms)
find_room, afind_room = operation(_find_room)
own_rooms, aown_rooms = operation(_own_rooms)
last_room_id, alast_room_id = operation(_last_room_id)
rooms_signed, arooms_signed = operation(_rooms_signed)
openness, aopenness = operation(_openness)
forget_user, aforget_user = operation(_forget_user)
