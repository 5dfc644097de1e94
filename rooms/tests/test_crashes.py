"""Operations on rooms that were cut short: nothing is half there, and the next who comes by puts it right."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.operations import bury
from foyer.api.wire import fields_of
from foyer.paging import Page
from foyer.store.steps import Steps
from messaging.operations import post_message, read_history
from rooms.errors import RoomNameTaken, RoomNotFound
from rooms.operations import (
    _create_room,
    _delete_room,
    _forget_user,
    _update_room,
    delete_room,
    find_room,
    forget_user,
    show_room,
    update_room,
)
from rooms.tests.invariants import check_index, create, empty_store, names_of, rooms_of
from tests.people import ANN, BEN, BOSS
from tests.steps import crashes


def creating() -> Steps[bytes]:
    empty_store()
    return _create_room(ANN, "Kitchen", False, "k-1")


def test_a_creation_cut_short_is_finished_by_its_retry() -> None:
    for calls in crashes(creating):
        before = rooms_of(BOSS)
        room = create(ANN, "Kitchen", False, "k-1")
        assert rooms_of(BOSS) == [room] == rooms_of(ANN, mine=True), f"after {calls} calls"
        assert room["owner"] == "ann"
        assert before in ([], [room])
        check_index("Kitchen")


def test_a_creation_cut_short_is_there_or_leaves_the_name_to_others() -> None:
    for calls in crashes(creating):
        if rooms_of(BOSS):
            with pytest.raises(RoomNameTaken):
                create(BEN, "kitchen")
        else:
            room = create(BEN, "kitchen")
            assert rooms_of(BOSS) == [room] == rooms_of(BEN, mine=True), f"after {calls} calls"
            assert rooms_of(ANN, mine=True) == []
            with pytest.raises(RoomNameTaken):
                create(ANN, "Kitchen", False, "k-1")
        check_index("Kitchen")


def test_a_creation_cut_short_leaves_the_name_to_a_room_that_is_renamed_to_it() -> None:
    for calls in crashes(creating):
        if rooms_of(BOSS):
            continue
        other = create(BEN, "Cellar")
        renamed = fields_of(update_room(BEN, other["roomId"], "kitchen", None))
        assert rooms_of(BOSS) == [renamed], f"after {calls} calls"
        with pytest.raises(RoomNameTaken):
            create(ANN, "Kitchen", False, "k-1")
        check_index("Kitchen", "Cellar")


@pytest.mark.parametrize("name_goes_to_another", [False, True])
def test_a_creation_cut_short_is_found_by_its_retry_whatever_the_room_is_called_by_then(
    name_goes_to_another: bool,
) -> None:
    for calls in crashes(creating):
        for room in rooms_of(BOSS):
            update_room(ANN, room["roomId"], "Cellar", None)
            if name_goes_to_another:
                create(BEN, "Kitchen")
        room_id = create(ANN, "Kitchen", False, "k-1")["roomId"]
        assert [room["roomId"] for room in rooms_of(ANN, mine=True)] == [room_id], f"after {calls} calls"
        assert create(ANN, "Kitchen", False, "k-1")["roomId"] == room_id
        check_index("Kitchen", "Cellar")


def renaming() -> Steps[bytes]:
    empty_store()
    create(ANN, "Kitchen")
    return _update_room(ANN, "1", "Cellar", None)


def test_a_rename_cut_short_was_made_or_not() -> None:
    for calls in crashes(renaming):
        room = fields_of(show_room(BEN, "1"))
        assert names_of(BEN) == [room["name"]], f"after {calls} calls"
        assert room["name"] in ("Kitchen", "Cellar")
        found = find_room(BEN, room["name"])
        assert found
        assert fields_of(found) == room
        with pytest.raises(RoomNameTaken):
            create(BEN, room["name"])


@pytest.mark.parametrize("name", ["Cellar", "Kitchen", "Attic"])
def test_after_a_rename_cut_short_any_other_frees_the_names_that_are_not_used(name: str) -> None:
    for _ in crashes(renaming):
        update_room(ANN, "1", name, None)
        assert names_of(BEN) == [name]
        check_index("Kitchen", "Cellar", "Attic")


def test_after_a_rename_cut_short_a_deleted_room_frees_its_names() -> None:
    for _ in crashes(renaming):
        delete_room(ANN, "1")
        check_index("Kitchen", "Cellar")


def test_after_a_rename_cut_short_no_two_rooms_get_one_name() -> None:
    for _ in crashes(renaming):
        for wanted in ("Kitchen", "Cellar"):
            try:
                create(BEN, wanted)
            except RoomNameTaken:
                continue
        update_room(ANN, "1", "Attic", None)
        check_index("Kitchen", "Cellar", "Attic")


def opening() -> Steps[bytes]:
    empty_store()
    create(ANN, "Kitchen", members_only=True)
    return _update_room(ANN, "1", None, False)


def closing() -> Steps[bytes]:
    empty_store()
    create(ANN, "Kitchen")
    return _update_room(ANN, "1", None, True)


@pytest.mark.parametrize("scene", [opening, closing])
def test_a_change_of_who_sees_a_room_cut_short_was_made_or_not(scene: Any) -> None:
    for _ in crashes(scene):
        check_index("Kitchen")


def deleting() -> Steps[None]:
    empty_store()
    create(ANN, "Kitchen")
    post_message(ANN, "1", "hi")
    return _delete_room(ANN, "1")


def test_a_deletion_cut_short_was_made_or_not() -> None:
    for calls in crashes(deleting):
        if not calls:
            assert len(rooms_of(BEN)) == 1
            continue
        assert rooms_of(BEN) == rooms_of(ANN, mine=True) == rooms_of(BOSS) == []
        assert find_room(BOSS, "Kitchen") is None
        with pytest.raises(RoomNotFound):
            show_room(BOSS, "1")
        with pytest.raises(RoomNotFound):
            read_history(BOSS, "1", Page())
        with pytest.raises(RoomNotFound):
            delete_room(ANN, "1")
        check_index("Kitchen")


def forgetting() -> Steps[None]:
    empty_store()
    for name in ("Kitchen", "Cellar"):
        create(ANN, name)
    for caller, text in ((BEN, "hi"), (ANN, "hello")):
        post_message(caller, "1", text)
    post_message(BEN, "2", "ho")
    bury(BEN.id)
    return _forget_user(BEN.id)


def test_an_account_whose_deletion_was_cut_short_is_forgotten_by_the_next() -> None:
    for calls in crashes(forgetting):
        forget_user(BEN.id)
        said = [fields_of(message) for number in "12" for message in read_history(ANN, number, Page()).messages]
        senders = [message["sender"] for message in said]
        assert senders == [None, "ann", None], f"after {calls} calls"


def test_the_rooms_of_a_deleted_account_stay_without_an_owner_until_an_admin_deletes_them() -> None:
    create(BEN, "Kitchen")
    bury(BEN.id)
    forget_user(BEN.id)
    assert [room["owner"] for room in rooms_of(ANN)] == [None]
    assert rooms_of(BEN, mine=True) == []
    delete_room(BOSS, "1")
    with pytest.raises(RoomNotFound):
        delete_room(BOSS, "1")
    check_index("Kitchen")
