"""Operations on rooms at the same time, in every order that their calls to the store can have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.operations import _bury
from foyer.api.wire import fields_of
from foyer.errors import FoyerError
from foyer.store.steps import Steps
from rooms.errors import RoomChanged, RoomNameTaken, RoomNotFound
from rooms.operations import _create_room, _delete_room, _forget_user, _update_room, find_room, update_room
from rooms.tests.invariants import check_index, create, empty_store, names_of, rooms_of
from tests.people import ANN, BEN, BOSS
from tests.steps import in_every_order, in_order

A, B, C = "A room", "B room", "C room"


def made(result: Any) -> str:
    """The name of the room that came back, or the code of the error."""
    return result.code if isinstance(result, FoyerError) else "" if result is None else fields_of(result)["name"]


def scene(*operations: Callable[[], Steps[Any]]) -> Callable[[], Sequence[Steps[Any]]]:
    """An empty store where room 1, Ann's, is called A; and what then happens at once."""

    def put_up() -> Sequence[Steps[Any]]:
        empty_store()
        create(ANN, A)
        return [operation() for operation in operations]

    return put_up


def test_of_two_who_make_a_room_of_one_name_one_does() -> None:
    for results in in_every_order(
        scene(lambda: _create_room(ANN, B, False, None), lambda: _create_room(BEN, B, True, None))
    ):
        assert sorted(map(made, results)) == [B, "room_name_taken"]
        winner = "ann" if made(results[0]) == B else "ben"
        assert [room["owner"] for room in rooms_of(BOSS)] == ["ann", winner]
        assert len(rooms_of(BEN, mine=True)) == (winner == "ben")
        check_index(A, B)


@settings(deadline=None)
@given(st.lists(st.integers(0, 1), max_size=12))
def test_one_retry_key_twice_at_once_makes_one_room_and_gives_it_twice(order: list[int]) -> None:
    empty_store()
    first, second = in_order(order, _create_room(BEN, B, False, "k"), _create_room(BEN, B, False, "k"))
    assert first == second == find_room(BEN, B)
    assert names_of(BOSS) == [B]
    check_index(A, B)


def creating_and_renaming() -> Steps[Any]:
    """Make a room with a retry key, and give it another name at once."""
    room = fields_of((yield from _create_room(BEN, B, False, "k")))
    return (yield from _update_room(BEN, room["roomId"], C, None))


@settings(deadline=None)
@given(st.lists(st.integers(0, 1), max_size=20))
def test_one_retry_key_twice_at_once_makes_one_room_also_if_that_is_renamed_meanwhile(order: list[int]) -> None:
    empty_store()
    in_order(order, creating_and_renaming(), _create_room(BEN, B, False, "k"))
    assert names_of(BOSS) == [C]
    check_index(B, C)


def test_who_makes_a_room_while_the_one_of_that_name_goes_gets_the_name_or_is_refused() -> None:
    both = scene(lambda: _delete_room(ANN, "1"), lambda: _create_room(BEN, A, False, None))
    outcomes = set()
    for deleted, created in in_every_order(both):
        assert deleted is None
        assert names_of(BOSS) == ([A] if made(created) == A else [])
        outcomes.add(made(created))
        check_index(A)
    assert outcomes == {A, "room_name_taken"}


def test_of_two_who_delete_a_room_one_does() -> None:
    for results in in_every_order(scene(lambda: _delete_room(ANN, "1"), lambda: _delete_room(BOSS, "1"))):
        assert sorted(map(made, results)) == ["", "room_not_found"]
        check_index(A)


def test_two_renames_of_a_room_leave_it_one_name_and_the_others_free() -> None:
    for first, second in ((B, C), (B, A), (A, A), (B, B), (B, B.upper()), (A.upper(), B)):
        both = scene(lambda: _update_room(ANN, "1", first, None), lambda: _update_room(BOSS, "1", second, None))  # noqa: B023
        for results in in_every_order(both):
            succeeded = {made(result) for result in results if not isinstance(result, FoyerError)}
            assert all(isinstance(result, bytes | RoomChanged) for result in results), results
            assert succeeded
            (name,) = names_of(BOSS)
            assert name in succeeded
            check_index(A, B, C)


def test_of_two_rooms_that_are_given_one_name_one_gets_it() -> None:
    def put_up() -> Sequence[Steps[Any]]:
        empty_store()
        create(ANN, A)
        create(BEN, B)
        return [_update_room(ANN, "1", C, None), _update_room(BEN, "2", C, None)]

    for results in in_every_order(put_up):
        assert sorted(map(made, results)) == [C, "room_name_taken"]
        assert sorted(names_of(BOSS)) == sorted([C, B if made(results[0]) == C else A])
        check_index(A, B, C)


def test_a_name_goes_to_the_room_that_is_renamed_or_to_the_new_one() -> None:
    for name in (A, B):
        both = scene(lambda: _update_room(ANN, "1", B, None), lambda: _create_room(BEN, name, False, None))  # noqa: B023
        for renamed, created in in_every_order(both):
            assert made(renamed) in (B, "room_name_taken")
            assert made(created) in (name, "room_name_taken")
            check_index(A, B)


def test_a_room_that_is_renamed_while_it_is_deleted_is_gone_and_leaves_no_name() -> None:
    for renamed, deleted in in_every_order(
        scene(lambda: _update_room(ANN, "1", B, None), lambda: _delete_room(ANN, "1"))
    ):
        assert isinstance(renamed, bytes | RoomNotFound)
        assert deleted is None
        assert rooms_of(BOSS) == []
        check_index(A, B)


def test_a_room_is_listed_to_everyone_when_it_is_open_in_the_end() -> None:
    for before in (False, True):

        def put_up() -> Sequence[Steps[Any]]:
            empty_store()
            create(ANN, A, members_only=before)  # noqa: B023
            return [_update_room(ANN, "1", None, False), _update_room(BOSS, "1", None, True)]

        for _ in in_every_order(put_up):
            check_index(A)


def test_an_account_that_goes_while_it_makes_a_room_leaves_none_that_is_signed_by_it() -> None:
    def going() -> Steps[None]:
        yield from _bury(BEN.id)
        yield from _forget_user(BEN.id)

    for _, created in in_every_order(scene(going, lambda: _create_room(BEN, B, False, "k"))):
        assert isinstance(created, bytes) or created.code == "account_gone"
        assert all(room["owner"] != "ben" for room in rooms_of(BOSS)), created
        assert rooms_of(BEN, mine=True) == []
        check_index(A, B)


callers = st.sampled_from([ANN, BEN, BOSS])
names = st.sampled_from([A, B, C, A.upper()])
room_ids = st.sampled_from(["1", "2"])
choices = st.booleans() | st.none()
happenings = st.one_of(
    st.tuples(st.just(_create_room), callers, names, st.booleans(), st.sampled_from(["k-1", None])),
    st.tuples(st.just(_update_room), st.just(BOSS), room_ids, names, choices),
    st.tuples(st.just(_update_room), st.just(BOSS), room_ids, st.none(), st.booleans()),
    st.tuples(st.just(_delete_room), st.just(BOSS), room_ids),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(happenings, min_size=2, max_size=5), st.lists(st.integers(0, 11), max_size=30))
def test_whatever_happens_at_once_a_name_is_held_by_one_room(happening: list[Any], order: list[int]) -> None:
    empty_store()
    create(ANN, A)
    create(BEN, B)
    results = in_order(order, *(operation(caller, *rest) for operation, caller, *rest in happening))
    for result in results:
        assert isinstance(result, bytes | RoomNameTaken | RoomChanged | RoomNotFound | FoyerError | None)
    for room in rooms_of(BOSS):  # what was left half way by a rename that was refused is put right by the next
        update_room(BOSS, room["roomId"], room["name"], None)
    check_index(A, B, C)
