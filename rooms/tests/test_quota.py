"""`ROOMS_PER_USER`: rooms that a user owns, whoever else is in them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from accounts.people import Person
from foyer.api.wire import fields_of
from foyer.errors import TooManyRequests
from foyer.store.steps import client
from rooms.errors import RoomNameTaken, RoomNotFound
from rooms.membership import add_member, remove_member
from rooms.operations import create_room, delete_room, forget_user
from tests.people import ANN, BEN, BOSS
from tests.steps import crashes, in_every_order


@pytest.fixture(autouse=True)
def few() -> Iterator[None]:
    with override_settings(ROOMS_PER_USER=2):
        yield


def owned(user_id: int) -> set[str]:
    store: Any = client()
    return {room.decode() for room in store.smembers(f"{{user:{user_id}}}:owned")}


def make(name: str, retry_key: str | None = None) -> str:
    return str(fields_of(create_room(ANN, name, False, retry_key))["roomId"])


def test_who_owns_as_many_rooms_as_one_may_makes_no_other() -> None:
    make("one")
    make("two")
    with pytest.raises(TooManyRequests) as refusal:
        make("three")
    assert refusal.value.retry_after
    assert fields_of(create_room(BEN, "three", False, None))["owner"] == "ben"


def test_who_leaves_a_room_still_owns_it_and_who_deletes_it_does_not() -> None:
    one, _ = make("one"), make("two")
    remove_member(BOSS, one, Person(ANN.id, "ann"))
    with pytest.raises(TooManyRequests):
        make("three")
    delete_room(BOSS, one)
    assert make("three")


def test_rooms_of_others_do_not_count() -> None:
    for name in ("one", "two"):
        room = fields_of(create_room(BEN, name, False, None))["roomId"]
        add_member(BEN, room, Person(ANN.id, "ann"))
    assert make("three")
    with pytest.raises(RoomNameTaken):
        make("one")
    assert len(owned(ANN.id)) == 1


def test_a_creation_that_is_repeated_counts_once() -> None:
    for calls in crashes(lambda: create_room.steps(ANN, "one", False, "key")):
        make("one", "key")
        assert len(owned(ANN.id)) == 1, calls
        client().flushall()


def test_of_two_who_make_a_room_at_once_one_owns_it() -> None:
    for _ in in_every_order(lambda: [create_room.steps(who, "one", False, None) for who in (ANN, BEN)]):
        assert sorted(map(len, (owned(ANN.id), owned(BEN.id)))) == [0, 1]
        client().flushall()


def test_a_deletion_that_a_crash_cut_short_is_finished_by_the_next_attempt() -> None:
    for calls in crashes(lambda: delete_room.steps(ANN, make("one"))):
        with contextlib.suppress(RoomNotFound):
            delete_room(ANN, "1")
        assert owned(ANN.id) == set(), calls
        client().flushall()


def test_an_account_that_is_deleted_owns_nothing() -> None:
    make("one")
    forget_user(ANN.id)
    assert owned(ANN.id) == set()
