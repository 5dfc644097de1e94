"""Rooms with many members: read by pages, deleted in portions; and those that a release before this one wrote."""

from __future__ import annotations

import pytest

from accounts.callers import Caller
from accounts.operations import user_tag
from accounts.people import Person
from foyer.errors import UnknownCursor
from foyer.realtime.log import read_log
from foyer.realtime.topics import room_topic, user_topic
from foyer.store.steps import Steps, client
from rooms.errors import RoomNotFound
from rooms.membership import add_member, list_members, members_among, page_of_members, remove_member
from rooms.operations import _delete_room, create_room, delete_room, list_rooms, own_rooms
from rooms.tests.invariants import check_index, create, empty_store
from tests.clients import SignUp
from tests.people import ANN, BEN, BOSS, EVE
from tests.steps import crashes

MANY = 1203
TAG = room_topic("1").tag


def fill(count: int, *, in_order: bool = True) -> list[int]:
    """Put members into room 1; with `in_order` false as a release before this one did. Returns them by joining."""
    pipeline = client().pipeline(transaction=False)
    users = list(range(1000, 1000 + count))
    for number, user in enumerate(users):
        time = f"2030-01-01T00:00:{number // 1000:02}.{number % 1000:03}Z"
        pipeline.hset(f"{TAG}:members", str(user), time)
        pipeline.hset(f"{TAG}:signers", str(user), f'"user {user}"')
        pipeline.zadd(f"{user_tag(user)}:rooms", {"1": 1})
        if in_order:
            pipeline.zadd(f"{TAG}:order", {f"{time}-{user}": 0})
    pipeline.execute()
    return users


def walk(limit: int) -> list[int]:
    found, after = list[int](), ""
    while True:
        page = page_of_members(BOSS, "1", after, limit)
        assert len(page.members) <= limit
        found += [member.id for member in page.members]
        if page.after is None:
            return found
        after = page.after


@pytest.mark.parametrize("in_order", [True, False], ids=["of this release", "of the release before"])
def test_pages_have_every_member_once_in_the_order_of_joining(in_order: bool) -> None:
    create(ANN, "Kitchen")
    users = fill(MANY, in_order=in_order)
    assert walk(500) == [ANN.id, *users] == [member.id for member in list_members(BOSS, "1")]
    assert page_of_members(BOSS, "1", limit=1).total == MANY + 1


def test_a_place_stays_one_when_the_member_who_stood_there_leaves() -> None:
    create(ANN, "Kitchen")
    users = fill(10)
    page = page_of_members(BOSS, "1", limit=4)
    remove_member(BOSS, "1", Person(page.members[-1].id, "user"))
    remove_member(BOSS, "1", Person(users[5], "user"))
    assert page.after
    rest = page_of_members(BOSS, "1", page.after)
    assert [member.id for member in rest.members] == [user for user in users[3:] if user != users[5]]
    assert rest.after is None


def test_what_the_release_before_changes_meanwhile_is_seen() -> None:
    create(ANN, "Kitchen")
    users = fill(5)
    assert walk(2) == [ANN.id, *users]
    client().hdel(f"{TAG}:members", str(users[1]))
    client().hset(f"{TAG}:members", "77", "2031-01-01T00:00:00.000Z")
    client().hset(f"{TAG}:signers", "77", '"late"')
    client().hset(f"{TAG}:members", str(users[2]), "2032-01-01T00:00:00.000Z")
    assert walk(100) == [ANN.id, users[0], users[3], users[4], 77, users[2]]


def test_what_is_no_place_is_refused() -> None:
    create(ANN, "Kitchen")
    for wrong in ("17", "2030-01-01T00:00:00.000Z", "x" * 24 + "-1"):
        with pytest.raises(UnknownCursor):
            page_of_members(ANN, "1", wrong)


def test_members_are_found_among_many_without_reading_all() -> None:
    create(ANN, "Kitchen")
    users = fill(MANY)
    assert members_among("1", [*users, 5, ANN.id]) == {*users, ANN.id}


def test_a_room_of_many_goes_from_every_list() -> None:
    create(ANN, "Kitchen")
    users = fill(MANY, in_order=False)
    delete_room(ANN, "1")
    assert [user for user in users if own_rooms(user)] == []
    assert [key for key in client().scan_iter(f"{TAG}:*") if key not in remains()] == []
    check_index("Kitchen")


def remains() -> set[bytes]:
    """What is left of a deleted room, for a while."""
    return {f"{TAG}:{part}".encode() for part in ("gone", "head", "log")}


def deleting() -> Steps[None]:
    empty_store()
    create(ANN, "Kitchen")
    for someone in (BEN, EVE):
        add_member(ANN, "1", Person(someone.id, someone.username))
    return _delete_room(ANN, "1")


def test_a_deletion_cut_short_anywhere_is_finished_by_its_retry() -> None:
    for calls in crashes(deleting):
        try:
            delete_room(ANN, "1")
        except RoomNotFound:
            assert calls
        assert [own_rooms(caller.id) for caller in (ANN, BEN, EVE)] == [[], [], []], f"after {calls} calls"
        assert not client().exists(f"{TAG}:leaving")
        check_index("Kitchen")


def test_a_deletion_cut_short_anywhere_is_finished_by_who_wants_the_name() -> None:
    for calls in crashes(deleting):
        if not calls:
            continue
        room = create(EVE, "kitchen")
        assert [own_rooms(caller.id) for caller in (ANN, BEN, EVE)] == [[], [], [room["roomId"]]], (
            f"after {calls} calls"
        )
        check_index("Kitchen")


@pytest.mark.parametrize("of_the_release_before", [False, True])
def test_ten_thousand_notices_are_said_in_order(of_the_release_before: bool) -> None:
    create(ANN, "Kitchen")
    count, pipeline = 10_000, client().pipeline(transaction=False)
    pipeline.hset(f"{TAG}:signers", str(BEN.id), '"ben"')
    for offset in range(1, count + 1):
        said = f"{BEN.id} room_{'added' if offset % 2 else 'removed'} {ANN.id}"
        if of_the_release_before:
            pipeline.hset(f"{TAG}:notices", str(offset), said)
        else:
            pipeline.zadd(f"{TAG}:news", {f"{offset} {said}": offset})
    pipeline.execute()
    list_members(ANN, "1")
    bens = user_topic(BEN.id, "ben")
    assert read_log(bens, 0, 1).head.offset == count
    assert [event.kind for event in read_log(bens, count - 2, 2).events] == ["room_added", "room_removed"]
    assert not client().exists(f"{TAG}:notices", f"{TAG}:news")


def test_a_long_list_of_rooms_is_whole_and_in_order() -> None:
    owner = Caller(id=50, username="owner", is_admin=False)
    for number in range(250):
        create_room(owner, f"room {number}", number % 3 == 0, None)
    listed = list_rooms(BOSS, 0, 1000)
    assert [b'"room %d"' % number in room for number, room in enumerate(listed)] == [True] * 250
    assert len(list_rooms(ANN, 0, 1000)) == 250 - 84
    assert len(list_rooms(owner, 0, 1000, mine=True)) == 250


async def test_pages_of_members_link_to_the_next(sign_up: SignUp) -> None:
    ann, ben, eve = await sign_up("ann"), await sign_up("ben"), await sign_up("eve")
    room = await ann.make_room()
    for person in (ben, eve):
        await ann.rest.post(f"/room/{room}/members", json={"username": person.username})
    first = await ann.rest.get(f"/room/{room}/members?limit=2")
    second = await ann.rest.get(first.links["next"]["url"])
    found = [member["username"] for page in (first, second) for member in page.json()]
    assert found == [ann.username, ben.username, eve.username]
    assert "next" not in second.links
    assert (await ann.rest.get(f"/room/{room}/members?after=nowhere")).json()["code"] == "unknown_cursor"
    assert (await ann.rest.get(f"/room/{room}/members?limit=0")).status_code == 400
