"""Operations for read markers, unread messages and typing.

They are operations like those in `operations.py`, and may name keys; they are apart because they change no message.

A marker is the offset up to which a user has read a room's log or, of what was said between two, their own log. It
never goes back. Unread are the messages of others that came after it and are still there; who joins has read what was
before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from accounts.callers import Caller, who
from accounts.operations import user_tag
from accounts.people import Person
from foyer.api.wire import fields_of, quoted
from foyer.errors import UnknownCursor
from foyer.paging import Page
from foyer.realtime import past
from foyer.realtime.log import complete
from foyer.realtime.past import Kept
from foyer.realtime.topics import Topic, user_topic
from foyer.store.steps import Query, Steps, operation
from messaging.operations import LIBRARY
from messaging.past import INBOX, Log, as_json, read_page
from rooms.errors import RoomNotFound
from rooms.operations import show_room, topic_of

PLACES_AT_ONCE = 500
MOST_UNREAD = 100
"""How many unread messages are counted. It stands for more."""
MOST_PORTIONS = 20
"""Portions of a place's messages that are looked at, each of 500, before those counted so far must do."""


class Place(NamedTuple):
    """What somebody reads: a log, which of its messages, by what name the marker goes, and how clients are told."""

    topic: Topic
    listed: str
    mark: str
    told: bytes


class Last(NamedTuple):
    """The last message of a place: its id and JSON, 0 and '' for none.

    Others, before `before`, were not looked at; `in_past` says that they are all in the archive.
    """

    id: int
    message: bytes
    before: int
    in_past: int


def in_room(room_id: str) -> Place:
    return Place(topic_of(room_id), INBOX, f"room:{room_id}", b'"room":' + quoted(room_id))


def between(caller: Caller, other: Person) -> Place:
    own = user_topic(caller.id, caller.username)
    return Place(own, f"with:{other.id}", f"with:{other.id}", b'"user":' + quoted(other.username))


class Standing(NamedTuple):
    """Where a user stands in a place: the offset of the last event there, that up to which the user has read, and how
    many messages are unread, exact up to `MOST_UNREAD`, which stands for more."""

    head: int
    read: int
    unread: int


def count_unread(caller: Caller, asked: Sequence[tuple[Place, int]]) -> Steps[list[Standing | None]]:
    """Where the caller stands in some places, each with an offset of its log up to which they have read.

    None for a room they can't see. Many messages in a row of the caller's own are counted in portions.
    """
    found: list[Standing | None] = [None] * len(asked)
    open_counts = dict.fromkeys(range(len(asked)), ("", 0))
    in_past = dict[int, int]()
    for _ in range(MOST_PORTIONS):
        calls = [
            LIBRARY.call("unread", [place.topic.tag], *who(caller), place.listed, read, before)
            for number, (before, _) in open_counts.items()
            for place, read in [asked[number]]
        ]
        replies = yield calls
        still_open = {}
        for (number, (_, counted)), reply in zip(open_counts.items(), replies, strict=True):
            if not reply:
                continue
            head, read, more, before, let_go = reply
            unread = min(counted + more, MOST_UNREAD)
            found[number] = Standing(head, read, unread)
            if before and unread < MOST_UNREAD:
                still_open[number] = (before.decode(), unread)
            elif read < let_go and unread < MOST_UNREAD:
                in_past[number] = let_go
        open_counts = still_open
        if not open_counts:
            break
    if in_past:
        yield from count_past(caller, asked, in_past, found)
    return found


def count_past(
    caller: Caller, asked: Sequence[tuple[Place, int]], in_past: dict[int, int], found: list[Standing | None]
) -> Steps[None]:
    """Add to `found` what is unread of the past of some places, each with the offset up to which it was let go of."""
    wanted = []
    for number, let_go in in_past.items():
        place, standing = asked[number][0], found[number]
        assert standing is not None
        log = Log(LIBRARY, place.topic.tag, place.listed, caller)
        most = MOST_UNREAD - standing.unread
        wanted.append((log.tag, log.wanted(standing.read, let_go + 1, most, newest=True)))
    kept = yield Query(past.keeper.ids_of_others, (wanted, caller.id))
    for number, (tag, _), ids in zip(in_past, wanted, kept, strict=True):
        standing = found[number]
        assert standing is not None
        missing = yield from complete(tag, [Kept(offset, "message", "", b"", offset) for offset in ids])
        unread = sum(missing.changes.get(offset) != b"" for offset in ids)
        found[number] = standing._replace(unread=standing.unread + unread)


def standing_at(caller: Caller, place: Place, read: int) -> Steps[Standing]:
    """Where the caller stands in a place. Raises `RoomNotFound`, `Banned`."""
    (standing,) = yield from count_unread(caller, [(place, read)])
    if standing is None:
        yield from show_room.steps(caller, place.topic.name.partition(":")[2])
        raise RoomNotFound
    return standing


def _mark_read(caller: Caller, place: Place, offset: int) -> Steps[bytes]:
    """Note that the caller has read up to `offset`. Returns where they stand, as JSON.

    Raises `RoomNotFound`, `UnknownCursor` for an offset that the log has not reached.
    """
    (read,) = yield LIBRARY.call("marks", [user_tag(caller.id)], place.mark)
    standing = yield from standing_at(caller, place, max(read, offset))
    if offset > standing.head:
        raise UnknownCursor
    body = b'%b,"read":%d,"unread":%d' % (place.told, offset, standing.unread)
    read = yield LIBRARY.call("mark_read", [user_tag(caller.id)], caller.signature, place.mark, offset, body)
    if read > standing.read:  # on another device, meanwhile
        standing = yield from standing_at(caller, place, read)
    return b'{%b,"read":%d,"unread":%d}' % (place.told, standing.read, standing.unread)


def last_messages(caller: Caller, places: Sequence[Place]) -> Steps[list[Last | None]]:
    """The last message of each place; None for a room the caller can't see."""
    replies = yield [LIBRARY.call("latest", [place.topic.tag], *who(caller), place.listed) for place in places]
    found = [Last(*reply) if reply else None for reply in replies]
    logs = [Log(LIBRARY, place.topic.tag, place.listed, caller) for place in places]
    left = {number: last for number, last in enumerate(found) if last is not None and last.before > 1}
    in_past = [number for number, last in left.items() if last.in_past]
    asked = [(logs[number].tag, logs[number].wanted(0, left[number].before, 1, newest=True)) for number in in_past]
    kept = (yield Query(past.keeper.latest, (asked,))) if asked else []
    for number, message in zip(in_past, kept, strict=True):
        told = yield from as_json(logs[number].tag, [] if message is None else [message])
        if told or message is None:
            found[number] = with_message(left.pop(number), told)
    for number, last in left.items():
        page = yield from read_page(logs[number], Page(limit=1, before=last.before))
        found[number] = with_message(last, page.messages)
    return found


def with_message(last: Last, told: list[bytes]) -> Last:
    return last._replace(id=fields_of(told[0])["id"], message=told[0]) if told else last


def _summaries(caller: Caller, room_ids: Sequence[str]) -> Steps[list[bytes]]:
    """For each of some rooms its last message and how many are unread, as members of a JSON object."""
    told: list[bytes] = []
    for start in range(0, len(room_ids), PLACES_AT_ONCE):
        places = [in_room(room_id) for room_id in room_ids[start : start + PLACES_AT_ONCE]]
        read = yield LIBRARY.call("marks", [user_tag(caller.id)], *(place.mark for place in places))
        latest = yield from last_messages(caller, places)
        standings = yield from count_unread(caller, list(zip(places, read, strict=True)))
        for last, standing in zip(latest, standings, strict=True):
            message = last.message if last else b""
            told.append(b'"unread":%d,"last_message":%b' % (standing.unread if standing else 0, message or b"null"))
    return told


def _tell_typing(caller: Caller, topic: Topic) -> Steps[None]:
    """Tell those who read a topic that the caller is writing. Raises `RoomNotFound`, `Banned`, `Muted`."""
    yield LIBRARY.call("typing", [topic.tag], *who(caller), caller.signature, topic.quoted)


mark_read, amark_read = operation(_mark_read)
summaries, asummaries = operation(_summaries)
tell_typing, atell_typing = operation(_tell_typing)
