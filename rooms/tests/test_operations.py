"""Rooms and their names, on both sides: from threads and from the event loop."""

from __future__ import annotations

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foyer.api.wire import fields_of
from foyer.errors import FoyerError, RetryKeyReused
from foyer.realtime.log import read_head, read_log
from foyer.realtime.topics import room_topic
from foyer.text import is_blank
from rooms.errors import NotTheOwner, RoomNameTaken, RoomNotFound
from rooms.names import name_key
from rooms.operations import (
    acreate_room,
    adelete_room,
    aupdate_room,
    create_room,
    delete_room,
    find_room,
    list_rooms,
    show_room,
    topic_of,
    update_room,
)
from rooms.tests.invariants import check_index, create, names_of, rooms_of
from tests.people import ANN, BEN, BOSS, EVE

letters = st.characters(exclude_categories=["Cs", "Cc"])
names = st.text(letters, min_size=1, max_size=20).filter(lambda name: not is_blank(name))


@settings(deadline=None, max_examples=60)
@given(names)
def test_a_name_comes_back_and_is_found_as_it_was_given(name: str) -> None:
    room = create(ANN, name)
    try:
        assert room["name"] == name
        assert fields_of(find_room(BEN, name) or b"{}") == room
        for other in {name.upper(), name.casefold(), unicodedata.normalize("NFD", name)} - {name}:
            if name_key(other) == name_key(name):
                assert find_room(BEN, other) is None, "a search is exact"
                with pytest.raises(RoomNameTaken):
                    create(BEN, other)
    finally:
        delete_room(ANN, room["roomId"])


@given(st.text())
def test_what_names_are_compared_by_is_stable(name: str) -> None:
    key = name_key(name)
    assert name_key(key) == key
    assert name_key(unicodedata.normalize("NFC", name)) == name_key(unicodedata.normalize("NFD", name)) == key


@pytest.mark.parametrize(
    ("one", "other"), [("General", "gENERAL"), ("Straße", "STRASSE"), ("é", "e\u0301"), ("ﬁ", "FI"), ("Σ", "ς")]
)
def test_names_are_one_in_any_case_and_composition(one: str, other: str) -> None:
    create(ANN, one)
    with pytest.raises(RoomNameTaken) as refused:
        create(BEN, other)
    assert other in str(refused.value)


async def test_of_many_who_make_a_room_at_once_one_does() -> None:
    with ThreadPoolExecutor(4) as pool:
        loop = asyncio.get_running_loop()
        threads = [loop.run_in_executor(pool, create_room, BEN, "Kitchen", False, None) for _ in range(10)]
        coroutines = [acreate_room(ANN, "kitchen", False, None) for _ in range(10)]
        results = await asyncio.gather(*threads, *coroutines, return_exceptions=True)
    assert sum(isinstance(result, bytes) for result in results) == 1
    assert sum(isinstance(result, RoomNameTaken) for result in results) == 19
    check_index("Kitchen")


async def test_one_retry_key_many_times_at_once_makes_one_room() -> None:
    results = await asyncio.gather(*(acreate_room(ANN, "Kitchen", False, "k") for _ in range(20)))
    assert set(results) == {find_room(ANN, "Kitchen")}
    assert len(rooms_of(ANN)) == 1
    with pytest.raises(RetryKeyReused):
        create(ANN, "Kitchen", True, "k")


async def test_whatever_happens_at_once_to_many_rooms_names_and_rooms_agree() -> None:
    rooms = [create(ANN, f"room {number}")["roomId"] for number in range(10)]
    renames = [
        aupdate_room(caller, room, f"room {(number + shift) % 13}", None)
        for number, room in enumerate(rooms)
        for shift in range(4)
        for caller in (ANN, BOSS)
    ]
    creations = [acreate_room(BEN, f"ROOM {number}", False, None) for number in range(13)]
    deletions = [adelete_room(ANN, room) for room in rooms[::3]]
    results = await asyncio.gather(*renames, *creations, *deletions, return_exceptions=True)
    assert all(isinstance(result, bytes | FoyerError | None) for result in results)
    for room in rooms_of(BOSS):
        update_room(BOSS, room["roomId"], room["name"], None)
    check_index(*(f"room {number}" for number in range(13)))


def test_a_room_is_its_owners_and_its_first_member() -> None:
    create(ANN, "Kitchen")
    assert names_of(ANN) == names_of(BEN) == ["Kitchen"]
    assert rooms_of(ANN, mine=True) == rooms_of(BEN)
    assert rooms_of(BEN, mine=True) == []


def test_what_happens_to_a_room_is_told_in_its_log() -> None:
    create(ANN, "Kitchen")
    begun = read_head(room_topic("1"))
    assert begun.offset == 0
    assert begun.epoch, "a client may resume from the very beginning"
    renamed = fields_of(update_room(ANN, "1", "Cellar", True))
    update_room(ANN, "1", "Cellar", True)
    (event,) = read_log(room_topic("1"), 0, 10, begun.epoch).events
    assert fields_of(event.json) == {
        "type": "room_updated", "topic": "room:1", "offset": 1, "room": renamed, "by": "ann",
    }  # fmt: skip


def test_only_the_owner_and_admins_change_or_delete() -> None:
    create(ANN, "Kitchen")
    for change in ({"name": "Mine", "members_only": None}, {"name": None, "members_only": True}):
        with pytest.raises(NotTheOwner):
            update_room(EVE, "1", **change)
    with pytest.raises(NotTheOwner):
        delete_room(EVE, "1")
    assert len(rooms_of(ANN)) == 1
    check_index("Kitchen", "Mine")


def test_a_members_only_room_is_not_there_for_others() -> None:
    create(ANN, "Secret", members_only=True)
    for attempt in (show_room, delete_room):
        with pytest.raises(RoomNotFound):
            attempt(EVE, "1")
    with pytest.raises(RoomNotFound):
        update_room(EVE, "1", "Mine", None)
    assert find_room(EVE, "Secret") is None
    assert find_room(ANN, "Secret") == find_room(BOSS, "Secret") == show_room(BOSS, "1")


@pytest.mark.parametrize("room_id", ["", "0", "x", "-1", "01", "1\n", "1 ", "٣", "9" * 17, "{room:1}", "1}", "a/b"])
def test_what_can_be_no_id_is_no_room(room_id: str) -> None:
    create(ANN, "Kitchen")
    with pytest.raises(RoomNotFound):
        topic_of(room_id)
    with pytest.raises(RoomNotFound):
        show_room(BOSS, room_id)


def test_rooms_are_listed_by_creation_whatever_became_of_those_between() -> None:
    for number in range(30):
        create(ANN if number % 2 else BEN, str(number), members_only=number % 5 == 0)
    for room in ("3", "4", "5", "6", "7", "8", "9", "20"):
        delete_room(BOSS, room)
    for caller in (ANN, BEN, BOSS, EVE):
        every = rooms_of(caller)
        ids = [int(room["roomId"]) for room in every]
        assert all(one < other for one, other in pairwise(ids))
        for limit in (1, 3, 10):
            found, after = list[int](), 0
            while page := [fields_of(room) for room in list_rooms(caller, after, limit)]:
                found += [int(room["roomId"]) for room in page]
                after = found[-1]
            assert found == ids
