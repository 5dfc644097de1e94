"""Rooms that the release before named: found, held, and put under the keys of this one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.callers import Caller
from foyer.api.wire import fields_of
from foyer.store.steps import Steps, client
from foyer.text import key_of
from rooms import operations
from rooms.errors import RoomNameTaken
from rooms.names import earlier_key, name_key
from rooms.operations import _create_room, _update_room, delete_room, find_room, show_room, update_room
from rooms.renewal import _renew_keys, arenew_keys, renew_keys
from rooms.tests.invariants import check_index, create, empty_store, names_of
from tests.people import ANN, BEN, BOSS
from tests.steps import crashes, in_every_order

HEART = "Heart ❤\ufe0f"


def create_as_before(caller: Caller, name: str) -> str:
    """Make a room as the release before did. Returns its id."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "name_key", earlier_key)
        room_id: str = create(caller, name)["roomId"]
    return room_id


def held_keys() -> set[str]:
    keys: Any = client().hkeys("{rooms}:names")
    return {key.decode() for key in keys}


def found(name: str) -> str | None:
    room = find_room(BEN, name)
    return fields_of(room)["roomId"] if room else None


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_the_new_key_of_a_name_can_be_made_of_its_earlier_one(name: str) -> None:
    assert key_of(earlier_key(name)) == name_key(name)


def test_a_room_is_found_and_holds_its_name_before_it_is_put_under_its_new_key() -> None:
    room_id = create_as_before(ANN, HEART)
    assert found(HEART) == room_id
    with pytest.raises(RoomNameTaken):
        create(BEN, HEART)
    other = create(BEN, "Stove")["roomId"]
    with pytest.raises(RoomNameTaken):
        update_room(BEN, other, HEART, None)


def test_rooms_are_put_under_their_new_keys_once() -> None:
    rooms = {name: create_as_before(ANN, name) for name in ("general", HEART, "ゲ\u3099ーム", "ab\ufe0e")}
    before = [show_room(ANN, room_id) for room_id in rooms.values()]
    renew_keys()
    assert held_keys() == {name_key(name) for name in rooms}
    assert [show_room(ANN, room_id) for room_id in rooms.values()] == before
    check_index("heart ❤", "general\ufe0f", *rooms)
    late = create_as_before(ANN, "late\ufe0f")
    renew_keys()
    assert earlier_key("late\ufe0f") in held_keys(), "it is done once"
    assert found("late\ufe0f") == late


def test_of_two_rooms_that_have_become_one_name_both_stay() -> None:
    first, second = create_as_before(ANN, "general"), create_as_before(BEN, "general\ufe0f")
    renew_keys()
    assert found("general") == first
    assert found("general\ufe0f") == second
    for name in ("general", "general\ufe0f", "GENERAL\u200b"):
        with pytest.raises(RoomNameTaken):
            create(BEN, name)
    delete_room(ANN, first)
    assert found("general\ufe0f") == second
    update_room(BEN, second, "general", None)
    check_index("general", "general\ufe0f")


def test_a_room_gives_its_earlier_key_back_when_it_is_renamed_or_deleted() -> None:
    renamed, deleted = create_as_before(ANN, HEART), create_as_before(ANN, "a\ufe0f")
    update_room(ANN, renamed, "Hand", None)
    delete_room(ANN, deleted)
    assert held_keys() == {"hand"}
    check_index(HEART, "a\ufe0f", "Hand")


def test_a_change_that_keeps_the_name_puts_the_room_under_its_new_key() -> None:
    room_id = create_as_before(ANN, HEART)
    update_room(ANN, room_id, HEART, True)
    assert held_keys() == {name_key(HEART)}
    assert found(HEART) is None
    update_room(ANN, room_id, None, False)
    check_index(HEART)


def test_a_renewal_cut_short_is_finished_by_the_next() -> None:
    def renewing() -> Steps[None]:
        empty_store()
        create_as_before(ANN, HEART)
        create_as_before(BEN, "general")
        create_as_before(BEN, "general\ufe0f")
        return _renew_keys()

    for calls in crashes(renewing):
        assert found(HEART) == "1", f"after {calls} calls"
        with pytest.raises(RoomNameTaken):
            create(BEN, HEART)
        renew_keys()
        assert held_keys() == {name_key(HEART), "general", "general\ufe0f"}, f"after {calls} calls"
        assert names_of(BOSS) == [HEART, "general", "general\ufe0f"]


def test_a_renewal_and_a_change_of_the_name_at_once_leave_one_name() -> None:
    def scene() -> list[Steps[object]]:
        empty_store()
        create_as_before(ANN, HEART)
        return [_renew_keys(), _update_room(ANN, "1", "Hand", None)]

    for _, renamed in in_every_order(scene):
        if isinstance(renamed, Exception):
            assert names_of(BOSS) == [HEART]
        check_index(HEART, "Hand", "heart ❤")


def test_a_renewal_and_a_creation_of_the_name_at_once_leave_both_rooms_found() -> None:
    def scene() -> list[Steps[object]]:
        empty_store()
        create_as_before(ANN, HEART)
        return [_renew_keys(), _create_room(BEN, "heart ❤", False, None)]

    for _, made in in_every_order(scene):
        assert found(HEART) == "1"
        if not isinstance(made, RoomNameTaken):
            assert found("heart ❤") == fields_of(made)["roomId"]


async def test_processes_renew_at_once() -> None:
    for number in range(30):
        create_as_before(ANN, f"r{number}\ufe0f")
    await asyncio.gather(*(arenew_keys() for _ in range(4)))
    check_index(*(f"r{number}" for number in range(30)))
