"""Finding rooms by words of their names, and by beginnings of words.

The index has an entry for each word of each name that is claimed, kept by the functions that claim and release names.
It is in the order of words, then of names, and is read in portions from where the search stands, never as a whole. A
store that a release without it has written to is completed by the first search.
"""

from __future__ import annotations

from typing import NamedTuple

from accounts.callers import Caller
from foyer.api.wire import fields_of
from foyer.errors import InvalidInput, UnknownCursor
from foyer.store.steps import Steps, operation
from rooms.names import keys_of, name_key
from rooms.operations import INDEX, LIBRARY, show_rooms
from rooms.words import words_of

MOST_CHARACTERS = 200
AT_ONCE = 500
MOST_LOOKED_AT = 5000
"""Entries that one search looks at. The rooms found by then are a page, even a short one, with a cursor for the
next."""


class FoundRooms(NamedTuple):
    """Rooms as JSON, and the cursor from which the search goes on; None at its end."""

    rooms: list[bytes]
    cursor: str | None


class Entry(NamedTuple):
    """A place in the index: a word, what the name that has it is compared by, and the room's id, '' for none."""

    word: str
    key: str
    room_id: str

    @property
    def cursor(self) -> str:
        return f"{self.word} {self.key}"


def _search_rooms(
    caller: Caller, query: str, cursor: str | None, limit: int, *, mine: bool = False
) -> Steps[FoundRooms]:
    """Up to `limit` rooms the caller may see (or is in) in whose names each word of `query` begins a word.

    Raises `InvalidInput` for a query without a word, `UnknownCursor` for a cursor of another search.
    """
    wanted = words_of(name_key(query))
    if not wanted[0] or len(query) > MOST_CHARACTERS:
        raise InvalidInput({"q": [f"Some words are expected, 1 to {MOST_CHARACTERS} characters."]})
    main = max(wanted, key=len)
    found: list[tuple[bytes, str]] = []
    position, looked_at, portion = position_of(cursor, main), 0, min(max(limit + 1, 100), AT_ONCE)
    while True:
        entries = yield from read_entries(main, position, portion)
        fitting = [entry for entry in entries if entry.room_id and fits(entry, main, wanted)]
        rooms = yield from show_rooms(caller, [entry.room_id for entry in fitting], mine)
        found += [
            (room, entry.cursor)
            for entry in fitting
            if (room := rooms.get(entry.room_id)) and entry.key in keys_of(fields_of(room)["name"])
        ]
        looked_at += len(entries)
        if len(found) > limit:
            found = found[:limit]
            return FoundRooms([room for room, _ in found], found[-1][1])
        if len(entries) < portion:
            return FoundRooms([room for room, _ in found], None)
        if looked_at >= MOST_LOOKED_AT:
            return FoundRooms([room for room, _ in found], entries[-1].cursor)
        position = f"{entries[-1].word}\0{entries[-1].key}"


def position_of(cursor: str | None, main: str) -> str:
    """Where in the index a search goes on. Raises `UnknownCursor`."""
    if cursor is None:
        return ""
    word, blank, key = cursor.partition(" ")
    if not blank or not word.startswith(main):
        raise UnknownCursor
    return f"{word}\0{key}"


def fits(entry: Entry, main: str, wanted: list[str]) -> bool:
    """Whether a name has all the words; one with several that begin with `main` is found by the first of them."""
    words = words_of(entry.key)
    first = min((word for word in words if word.startswith(main)), default=None)
    return entry.word == first and all(any(word.startswith(one) for word in words) for one in wanted)


def read_entries(main: str, position: str, portion: int) -> Steps[list[Entry]]:
    """The next entries of words that begin with `main`."""
    while True:
        is_complete, *rows = yield LIBRARY.call("search", [INDEX], main, position, portion)
        if is_complete:
            return [entry_of(*row) for row in zip(rows[0::2], rows[1::2], strict=True)]
        yield from list_words()


def entry_of(listed: bytes, room_id: bytes) -> Entry:
    word, _, key = listed.decode().partition("\0")
    return Entry(word, key, room_id.decode())


def list_words() -> Steps[None]:
    """Complete the index, for names that an earlier release has claimed. May be repeated, and by two at once."""
    cursor, claims = "0", None
    while cursor != "0" or claims is None:
        claimed, cursor, *keys = (part.decode() for part in (yield LIBRARY.call("names", [INDEX], cursor, AT_ONCE)))
        claims = claims or claimed
        yield [LIBRARY.call("list_words", [INDEX], key, *words_of(key)) for key in keys]
    yield LIBRARY.call("listed", [INDEX], claims)


search_rooms, asearch_rooms = operation(_search_rooms)
