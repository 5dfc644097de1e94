"""Search: messages that the caller may read and that have some words, newest first.

The store says which logs the caller may read at this moment, and how far the archive has each. What a log has beyond
that is read from the store; the rest is found in SQL, among those logs alone. In the end the store completes what was
found, as it does for history: with names, and with edits and deletions that SQL may not know yet.

Guarantees: an acknowledged message is found at once, by the text that it has now; a deleted one is not. Only what is
very far ahead of the archive, when no follower runs, may be missed: of each log the newest events are looked at.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from accounts.callers import Caller, who
from accounts.operations import user_tag
from accounts.people import Person
from archive.finding import Place, Scope, find_rows, rows_at
from archive.operations import LIBRARY, Part, copy_call
from archive.reading import as_message
from archive.rows import Row, edit_of, row_of
from archive.topics import number_of, tag_of
from archive.words import Wanted, read_query
from archive.writing import edited
from foyer.api.wire import fields_of
from foyer.errors import InvalidInput, UnknownCursor
from foyer.realtime.log import complete_all
from foyer.realtime.past import Kept
from foyer.realtime.topics import room_topic
from foyer.store.functions import in_one_call
from foyer.store.steps import Query, Steps, operation
from rooms.errors import RoomNotFound
from rooms.operations import INDEX, LOBBY, own_rooms, show_room, topic_of
from rooms.operations import LIBRARY as ROOMS

MOST_CHARACTERS = 200
"""Of a query."""
FOUND, MOST_FOUND = 20, 100
"""Messages in a page, by default and at most."""
OPEN_ROOMS = 150
"""Rooms up to which a search without a room looks in open ones too, those made last, beside the caller's own."""
PORTION = 200
MOST_LOOKED_AT = 2000
"""Messages that may have the words, of which one search looks whether they do. What it found by then is a page."""
TAILS, TAIL, ALL_TAILS = 200, 1000, 10_000
"""Logs that are read beyond the archive, events of each, and events of all of them, about."""
CURSOR = re.compile(r"([0-9]{1,15})-([0-9]{1,19})-([0-9]{1,15})")
MOST_TOPIC = 2**63 - 1
"""The last number that databases know."""


class Search(NamedTuple):
    """What is looked for, and where: in a room, in the conversation with a user, or in all that the caller may read."""

    wanted: Wanted
    room: str | None = None
    user: Person | None = None
    sender: Person | None = None
    limit: int = FOUND
    before: Place | None = None


class Found(NamedTuple):
    """Messages as JSON, newest first, and the cursor from which the search goes on; None at its end."""

    messages: list[bytes]
    cursor: str | None


class Tail(NamedTuple):
    """What logs have beyond the archive: messages, and the places of messages in the archive that were edited."""

    rows: list[Row]
    edited: list[tuple[int, int]]


def wanted_by(query: str) -> Wanted:
    """What a query asks for. Raises `InvalidInput` if there is nothing in it to look for."""
    wanted = read_query(query)
    if not wanted.phrases or len(query) > MOST_CHARACTERS:
        raise InvalidInput({"q": [f"Words to look for are expected, 1 to {MOST_CHARACTERS} characters."]})
    return wanted


def place_of(cursor: str | None) -> Place | None:
    """The place that a cursor stands for. Raises `UnknownCursor`."""
    if cursor is None:
        return None
    found = CURSOR.fullmatch(cursor)
    place = Place(*map(int, found.groups())) if found else None
    if place is None or place.topic > MOST_TOPIC:
        raise UnknownCursor("The search has no such place. Use the cursor of an earlier page.")
    return place


def cursor_of(place: Place) -> str:
    return "-".join(map(str, place))


def _search(caller: Caller, search: Search) -> Steps[Found]:
    """A page of the messages that are looked for.

    Raises `RoomNotFound` or `Banned` for a room that the caller may not read, and `Busy` if it takes too long.
    """
    logs = yield from readable(caller, (yield from logs_of(caller, search)))
    if search.room is not None and not logs:
        yield from show_room.steps(caller, search.room)  # which says why not
        raise RoomNotFound
    topics = frozenset(number for tag in logs if (number := number_of(tag)) is not None)
    peer, signer = (None if person is None else person.id for person in (search.user, search.sender))
    scope = Scope(topics, search.before, peer, signer)
    tail = yield from read_tails(logs)
    if tail.edited:
        tail.rows.extend((yield Query(rows_at, (tail.edited,))))
    edited = set(tail.edited)
    rows = [
        row
        for row in tail.rows
        if scope.has(row) and ((row.topic, row.offset) in edited or search.wanted.are_in(row.text or ""))
    ]
    found = dict((yield from confirmed(rows, search.wanted)))
    edge = yield from look_in_archive(scope, search, found)
    places = sorted((place for place in found if edge is None or place >= edge), reverse=True)
    shown = places[: search.limit]
    last = shown[-1] if len(places) > search.limit else edge
    return Found([found[place] for place in shown], None if last is None else cursor_of(last))


def look_in_archive(scope: Scope, search: Search, found: dict[Place, bytes]) -> Steps[Place | None]:
    """Add what SQL has to `found`, until that is more than a page. Returns the last place that was looked at, None if
    there are no more."""
    looked_at, portion, confirmed_here = 0, search.limit + 1, 0
    while True:
        rows = yield Query(find_rows, (scope, search.wanted.terms, portion))
        told = yield from confirmed([row for row in rows if search.wanted.are_in(row.text or "")], search.wanted)
        found.update(told)
        confirmed_here += len(told)
        if len(rows) < portion:
            return None
        looked_at, place = looked_at + len(rows), Place.of(rows[-1])
        if confirmed_here > search.limit or looked_at >= MOST_LOOKED_AT:
            return place
        scope, portion = scope._replace(before=place), PORTION


def logs_of(caller: Caller, search: Search) -> Steps[list[str]]:
    """The tags of the logs to look in, if the caller may read them."""
    if search.room is not None:
        return [topic_of(search.room).tag]
    if search.user is not None:
        return [user_tag(caller.id)]
    own = yield from own_rooms.steps(caller.id)
    rooms = dict.fromkeys([LOBBY, *own])
    if len(rooms) < OPEN_ROOMS:
        open_rooms = yield ROOMS.call("page", [INDEX], "open", 0, "", OPEN_ROOMS, 1)
        others = [room_id for found in open_rooms if (room_id := found.decode()) not in rooms]
        rooms |= dict.fromkeys(others[: OPEN_ROOMS - len(rooms)])
    return [user_tag(caller.id), *(room_topic(room_id).tag for room_id in rooms)]


def readable(caller: Caller, tags: Sequence[str]) -> Steps[dict[str, tuple[int, int]]]:
    """Those of some logs that the caller may read: how far the archive is known to have each, and its last offset."""
    groups = list(in_one_call(tags))
    replies = yield [LIBRARY.call("readable", group, *who(caller)) for group in groups]
    return {
        tag: (archived, last)
        for group, reply in zip(groups, replies, strict=True)
        for tag, archived, last in zip(group, reply[0::2], reply[1::2], strict=True)
        if archived >= 0
    }


def read_tails(logs: dict[str, tuple[int, int]]) -> Steps[Tail]:
    """What some logs have beyond the archive, the newest of it."""
    behind = [(tag, archived, last) for tag, (archived, last) in logs.items() if archived < last][:TAILS]
    most = min(TAIL, ALL_TAILS // max(len(behind), 1))
    replies = yield [copy_call(tag, max(archived, last - most), "", most) for tag, archived, last in behind]
    tail = Tail([], [])
    for (tag, _, _), reply in zip(behind, replies, strict=True):
        add_tail(tail, number_of(tag) or 0, Part.of(reply))
    return tail


def add_tail(tail: Tail, topic: int, part: Part) -> None:
    """Add what a part of a log tells, as it stands at its end."""
    rows, now = dict[int, Row](), int(time.time() * 1000)
    for entry in part.entries:
        row = row_of(topic, entry, now)
        if row.is_message:
            rows[row.offset] = row
        elif row.kind == "message_deleted" and row.message is not None:
            rows.pop(row.message, None)
        elif (edit := edit_of(row)) is not None and edit.message in rows:
            rows[edit.message] = edited(rows[edit.message], edit)
        elif edit is not None:
            tail.edited.append((topic, edit.message))
    tail.rows.extend(rows.values())


def confirmed(rows: Iterable[Row], wanted: Wanted) -> Steps[list[tuple[Place, bytes]]]:
    """Messages as JSON, as they are now: those that are still there and have what is wanted."""
    by_topic = dict[int, list[tuple[Place, Kept]]]()
    for row in rows:
        by_topic.setdefault(row.topic, []).append((Place.of(row), as_message(row)))
    asked = [(tag_of(topic), [kept for _, kept in some]) for topic, some in by_topic.items()]
    missing = yield from complete_all(asked)
    told = [
        (place, message)
        for known, some in zip(missing, by_topic.values(), strict=True)
        for place, kept in some
        if (message := known.message(kept)) is not None
    ]
    return [(place, message) for place, message in told if wanted.are_in(fields_of(message)["text"])]


search, asearch = operation(_search)
