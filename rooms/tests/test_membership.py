"""Who is in a room: what changes it, who is told of it, and what a change leaves behind that is cut short."""

from __future__ import annotations

import contextlib
from typing import Any

import orjson
import pytest

from accounts.callers import Caller
from accounts.operations import bury
from accounts.people import Person
from accounts.tests.conftest import Api, code
from foyer.realtime.log import read_log
from foyer.realtime.topics import Topic, room_topic, user_topic
from foyer.store.steps import Steps, client
from messaging.operations import post_message
from rooms.errors import NotAMember, NotInRoom, RoomNotFound
from rooms.membership import _add_member, _remove_member, add_member, list_members, remove_member
from rooms.operations import _create_room, _delete_room, _forget_user, delete_room, forget_user
from rooms.tests.invariants import create, empty_store, rooms_of
from tests.people import ANN, BEN, BOSS, EVE
from tests.steps import Run, crashes, in_every_order

BEN_THERE, EVE_THERE = Person(BEN.id, BEN.username), Person(EVE.id, EVE.username)


def events_of(topic: Topic) -> list[dict[str, Any]]:
    stretch = read_log(topic, 0, 1000)
    assert stretch.whole
    return [orjson.loads(event.json) for event in stretch.events]


def said_in_room(room_id: str = "1") -> list[tuple[str, str | None]]:
    return [(event["type"], event["username"]) for event in events_of(room_topic(room_id)) if "username" in event]


def told(caller: Caller) -> list[tuple[str, str]]:
    return [(event["type"], event["room"]["roomId"]) for event in events_of(user_topic(caller.id, caller.username))]


def names_in(room_id: str = "1") -> list[str]:
    return [member.username for member in list_members(BOSS, room_id)]


# Over REST


def test_members_come_and_go_and_the_statuses_say_which(ann: Api, ben: Api) -> None:
    room = ann.post("/rooms", {"name": "Kitchen", "members_only": True}).json()["roomId"]
    members = f"/room/{room}/members"
    added = ann.post(members, {"username": "BEN"})
    assert (added.status_code, added.json()["username"]) == (201, "ben")
    again = ann.post(members, {"username": "ben"})
    assert (again.status_code, again.json()) == (200, added.json())
    listed = ben.get(members).json()
    assert [member["username"] for member in listed] == ["ann", "ben"]
    assert listed[1]["joined_at"] == added.json()["joined_at"]
    assert ben.delete(f"{members}/ann").status_code == 403
    assert ann.delete(f"{members}/ann").status_code == 204
    assert ben.delete(f"{members}/ann").status_code == 404
    assert ben.delete(f"{members}/ann").json()["code"] == "not_in_room"
    assert ben.delete(f"{members}/nobody").json()["code"] == "user_not_found"
    assert ann.get(f"/room/{room}").status_code == 200
    assert ben.get(f"/room/{room}").json()["owner"] == "ann"
    assert ben.delete(f"{members}/ben").status_code == 204
    assert ben.get(members).status_code == 404


def test_an_open_room_is_joined_and_left_by_oneself(ann: Api, ben: Api, eve: Api) -> None:
    room = ann.post("/rooms", {"name": "Kitchen"}).json()["roomId"]
    members = f"/room/{room}/members"
    refused = ben.post(members, {"username": "eve"})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_a_member")
    assert ben.delete(f"{members}/ann").json()["code"] == "not_a_member"
    assert ben.post(members, {"username": "ben"}).status_code == 201
    assert [each["roomId"] for each in ben.get("/rooms?member=me").json()] == [room]
    assert ben.post(members, {"username": "eve"}).status_code == 201
    assert ben.delete(f"{members}/ben").status_code == 204
    assert ben.get("/rooms?member=me").json() == []
    assert [member["username"] for member in eve.get(members).json()] == ["ann", "eve"]


def test_an_owner_who_left_is_owner_still(ann: Api, ben: Api) -> None:
    room = ann.post("/rooms", {"name": "Kitchen"}).json()["roomId"]
    assert ann.delete(f"/room/{room}/members/ann").status_code == 204
    assert ben.delete(f"/room/{room}").status_code == 403
    assert ann.patch(f"/room/{room}", {"name": "Hall"}).status_code == 200
    assert ann.get(f"/room/{room}").json()["owner"] == "ann"
    assert ann.delete(f"/room/{room}").status_code == 204


# Who is told what


@pytest.mark.parametrize("members_only", [False, True])
def test_only_an_admin_takes_the_owner_out(ann: Api, ben: Api, boss: Api, members_only: bool) -> None:
    room = ann.post("/rooms", {"name": "Kitchen", "members_only": members_only}).json()["roomId"]
    members = f"/room/{room}/members"
    ann.post(members, {"username": "ben"})
    assert code(ben.delete(f"{members}/ann")) == (403, "forbidden")
    assert [member["username"] for member in ann.get(members).json()] == ["ann", "ben"]
    assert boss.delete(f"{members}/ann").status_code == 204
    assert boss.delete(f"{members}/ann").status_code == 404
    assert ann.post(members, {"username": "ann"}).status_code == 201
    assert ann.delete(f"{members}/ann").status_code == 204


def test_an_owner_who_left_a_members_only_room_sees_it_comes_back_and_deletes_it(ann: Api, ben: Api, eve: Api) -> None:
    room = ann.post("/rooms", {"name": "Kitchen", "members_only": True}).json()
    address = f"/room/{room['roomId']}"
    ann.post(f"{address}/members", {"username": "ben"})
    assert ann.delete(f"{address}/members/ann").status_code == 204
    assert ann.get(address).json() == room
    assert ann.get("/rooms").json() == ann.get("/rooms?name=Kitchen").json() == [room]
    assert ann.get("/rooms?member=me").json() == []
    assert eve.get(address).status_code == 404
    assert eve.get("/rooms").json() == []
    assert code(ann.post(f"{address}/messages", {"text": "hi"})) == (403, "not_a_member")
    assert code(ann.post(f"{address}/members", {"username": "eve"})) == (403, "not_a_member")
    assert ann.post(f"{address}/members", {"username": "ann"}).status_code == 201
    assert ann.post(f"{address}/messages", {"text": "hi"}).status_code == 201
    assert [listed["roomId"] for listed in ann.get("/rooms?member=me").json()] == [room["roomId"]]
    assert ann.delete(f"{address}/members/ann").status_code == 204
    assert ann.delete(address).status_code == 204
    assert ann.get("/rooms").json() == ben.get("/rooms").json() == []
    kept: Any = client()
    assert not list(kept.scan_iter(match="{user:*}:rooms"))


def test_a_change_is_told_once_to_the_room_and_to_the_one_concerned() -> None:
    create(ANN, "Kitchen")
    for _ in range(2):
        add_member(ANN, "1", BEN_THERE)
    assert said_in_room() == [("member_added", "ben")]
    assert told(BEN) == [("room_added", "1")]
    remove_member(BEN, "1", BEN_THERE)
    with pytest.raises(NotInRoom):
        remove_member(BEN, "1", BEN_THERE)
    assert said_in_room() == [("member_added", "ben"), ("member_removed", "ben")]
    assert told(BEN) == [("room_added", "1"), ("room_removed", "1")]
    assert told(ANN) == [("room_added", "1")]
    assert [event["by"] for event in events_of(room_topic("1"))] == ["ann", "ben"]


def test_a_notice_says_from_where_the_room_is_heard() -> None:
    create(ANN, "Kitchen")
    for text in ("one", "two"):
        post_message(ANN, "1", text)
    add_member(ANN, "1", BEN_THERE)
    [event] = events_of(user_topic(BEN.id, "ben"))
    assert event["at"] == {"topic": "room:1", "offset": 2, "epoch": read_log(room_topic("1"), 0, 1).head.epoch}
    assert event["room"]["name"] == "Kitchen"


def adding() -> Steps[Any]:
    empty_store()
    create(ANN, "Kitchen")
    return _add_member(ANN, "1", BEN_THERE)


def removing() -> Steps[Any]:
    empty_store()
    create(ANN, "Kitchen")
    add_member(ANN, "1", BEN_THERE)
    return _remove_member(ANN, "1", BEN_THERE)


def remove_nobody() -> None:
    with pytest.raises(NotInRoom):
        remove_member(ANN, "1", EVE_THERE)


TOUCHES = [
    lambda: add_member(ANN, "1", EVE_THERE),
    lambda: list_members(EVE, "1"),
    lambda: add_member(ANN, "1", Person(ANN.id, ANN.username)),
    remove_nobody,
]


@pytest.mark.parametrize("touch", TOUCHES)
@pytest.mark.parametrize("scene", [adding, removing])
def test_a_change_cut_short_is_told_by_the_next_touch(scene: Any, touch: Any) -> None:
    for calls in crashes(scene):
        touch()
        said = [kind for kind, name in said_in_room() if name == "ben"]
        assert [kind.replace("member", "room") for kind in said] == [kind for kind, _ in told(BEN)], f"{calls} calls"
        assert ("ben" in names_in()) == (said[-1:] == ["member_added"])
        assert [room["roomId"] for room in rooms_of(BEN, mine=True)] == (["1"] if "ben" in names_in() else [])


@pytest.mark.parametrize("scene", [adding, removing])
def test_a_change_cut_short_and_asked_for_again_is_told_once(scene: Any) -> None:
    for calls in crashes(scene):
        if scene is adding:
            add_member(ANN, "1", BEN_THERE)
            assert told(BEN) == [("room_added", "1")], f"after {calls} calls"
        else:
            with contextlib.suppress(NotInRoom):
                remove_member(ANN, "1", BEN_THERE)
            assert told(BEN) == [("room_added", "1"), ("room_removed", "1")], f"after {calls} calls"


def test_a_creation_cut_short_tells_its_owner_once() -> None:
    def creating() -> Steps[bytes]:
        empty_store()
        return _create_room(ANN, "Kitchen", False, "k")

    for calls in crashes(creating):
        create(ANN, "Kitchen", False, "k")
        assert told(ANN) == [("room_added", "1")], f"after {calls} calls"


def test_the_deletion_of_a_room_tells_what_a_crash_left_untold() -> None:
    for _ in crashes(adding):
        was_in = "ben" in [member.username for member in list_members(EVE, "1")]
        delete_room(ANN, "1")
        assert told(BEN) == ([("room_added", "1")] if was_in else [])


def test_changes_at_once_are_told_in_their_order_whatever_it_is() -> None:
    def scene() -> list[Steps[Any]]:
        empty_store()
        create(ANN, "Kitchen")
        add_member(ANN, "1", EVE_THERE)
        return [_add_member(ANN, "1", BEN_THERE), _remove_member(EVE, "1", BEN_THERE)]

    endings = set()
    for _ in in_every_order(scene):
        changes = [kind for kind, name in said_in_room() if name == "ben"]
        assert [kind for kind, _ in told(BEN)] == [kind.replace("member", "room") for kind in changes]
        assert [room["roomId"] for room in rooms_of(BEN, mine=True)] == (["1"] if "ben" in names_in() else [])
        endings.add(tuple(changes))
    assert endings == {("member_added",), ("member_added", "member_removed")}


def test_a_departure_that_is_told_late_does_not_hide_the_room_from_one_who_is_in_again() -> None:
    create(ANN, "Kitchen")
    add_member(ANN, "1", BEN_THERE)
    departure = Run(_remove_member(ANN, "1", BEN_THERE))
    departure.step()  # the user is out, and the process that removed them is slow to tell
    coming_back = Run(_add_member(ANN, "1", BEN_THERE))
    while not client().hexists("{room:1}:members", BEN.id):
        coming_back.step()  # and crashes
    departure.finish()
    assert [room["roomId"] for room in rooms_of(BEN, mine=True)] == ["1"]
    list_members(ANN, "1")
    remove_member(ANN, "1", BEN_THERE)
    assert client().zscore("{user:2}:rooms", "1") is None
    assert [kind for kind, _ in told(BEN)] == ["room_added", "room_removed"] * 2


def test_a_room_that_goes_while_a_member_is_added_leaves_sound_logs() -> None:
    def scene() -> list[Steps[Any]]:
        empty_store()
        create(ANN, "Kitchen")
        return [_add_member(ANN, "1", BEN_THERE), _delete_room(ANN, "1")]

    for results in in_every_order(scene):
        assert told(BEN) == ([] if isinstance(results[0], RoomNotFound) else [("room_added", "1")])
        assert rooms_of(BEN, mine=True) == []


def test_who_may_not_add_leaves_nothing_with_the_one_concerned() -> None:
    create(ANN, "Kitchen")
    create(ANN, "Cellar", members_only=True)
    for room, error in (("1", NotAMember), ("2", RoomNotFound), ("77", RoomNotFound)):
        with pytest.raises(error):
            add_member(EVE, room, BEN_THERE)
    assert not client().exists(f"{{user:{BEN.id}}}:rooms", f"{{user:{BEN.id}}}:signed")


# Accounts that go


def test_a_deleted_account_leaves_its_rooms_which_are_told() -> None:
    def forgetting() -> Steps[None]:
        empty_store()
        create(ANN, "Kitchen")
        create(BEN, "Cellar", members_only=True)
        add_member(ANN, "1", BEN_THERE)
        add_member(BEN, "2", EVE_THERE)
        post_message(BEN, "1", "hi")
        bury(BEN.id)
        return _forget_user(BEN.id)

    for calls in crashes(forgetting):
        forget_user(BEN.id)
        assert names_in("1") == ["ann"], f"after {calls} calls"
        assert names_in("2") == ["eve"]
        for room in "12":
            gone = events_of(room_topic(room))[-1]
            assert (gone["type"], gone["username"], gone["by"]) == ("member_removed", None, None)
        assert said_in_room("1") == [("member_added", None), ("member_removed", None)]
        assert said_in_room("2") == [("member_added", "eve"), ("member_removed", None)]


def test_an_account_that_goes_while_it_is_added_is_in_no_room() -> None:
    def scene() -> list[Steps[Any]]:
        empty_store()
        create(ANN, "Kitchen")
        bury(BEN.id)
        return [_add_member(ANN, "1", BEN_THERE), _forget_user(BEN.id)]

    for _ in in_every_order(scene):
        assert names_in() == ["ann"]


def test_a_stranger_who_wrote_in_a_room_leaves_no_removal_behind() -> None:
    create(ANN, "Kitchen")
    post_message(BEN, "1", "hi")
    bury(BEN.id)
    forget_user(BEN.id)
    assert said_in_room() == []
