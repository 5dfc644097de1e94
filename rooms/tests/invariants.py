"""What holds for rooms and the index of their names, whatever happened: looked at from outside, as clients can."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.callers import Caller
from foyer.api.wire import fields_of
from foyer.store.steps import client
from rooms.errors import RoomNameTaken
from rooms.names import name_key
from rooms.operations import INDEX, create_room, delete_room, find_room, list_rooms
from rooms.search import search_rooms
from rooms.words import words_of
from tests.people import BOSS

STRANGER = Caller(id=77, username="stranger", is_admin=False)


def create(caller: Caller, name: str, members_only: bool = False, retry_key: str | None = None) -> dict[str, Any]:
    return fields_of(create_room(caller, name, members_only, retry_key))


def rooms_of(caller: Caller, *, mine: bool = False) -> list[dict[str, Any]]:
    return [fields_of(room) for room in list_rooms(caller, 0, 1000, mine=mine)]


def names_of(caller: Caller) -> list[str]:
    return [room["name"] for room in rooms_of(caller)]


def empty_store() -> None:
    client().flushall()


def check_words(rooms: list[dict[str, Any]]) -> None:
    """Every room is found by each word of its name, and nothing is listed of names that nobody holds."""
    for room in rooms:
        for word in words_of(name_key(room["name"])):
            assert room in [fields_of(found) for found in search_rooms(BOSS, word, None, 1000).rooms]
    held: list[Any] = client().hkeys(f"{INDEX}:names")
    listed = {f"{word}\0{key.decode()}".encode() for key in held for word in words_of(key.decode())}
    assert set(client().zrange(f"{INDEX}:words", 0, -1)) == listed


def check_index(*names: str) -> None:
    """A name is held by one room; every room is found under its own name and listed to those who may see it.

    Of `names` each is either the name of a room, or can be had by anyone.
    """
    rooms = rooms_of(BOSS)
    held = [name_key(room["name"]) for room in rooms]
    assert len(set(held)) == len(held), f"two rooms of one name: {rooms}"
    assert [int(room["roomId"]) for room in rooms] == sorted({int(room["roomId"]) for room in rooms})
    for room in rooms:
        found = find_room(BOSS, room["name"])
        assert found is not None, f"{room} is not found by its name"
        assert fields_of(found) == room
    assert rooms_of(STRANGER) == [room for room in rooms if not room["members_only"]]
    check_words(rooms)
    for name in names:
        if name_key(name) in held:
            with pytest.raises(RoomNameTaken):
                create(STRANGER, name)
        else:
            room = create(STRANGER, name)
            delete_room(STRANGER, room["roomId"])
    assert rooms_of(BOSS) == rooms
