from __future__ import annotations

from typing import Any

import orjson
import pytest

from accounts.callers import SERVER, Caller, trusted
from accounts.models import Account
from foyer.errors import InvalidInput, UnknownCursor
from foyer.realtime.log import read_log
from foyer.realtime.topics import room_topic, user_topic
from foyer.store import steps as store
from foyer.store.models import NotInRedis
from messaging.models import Message
from rooms import models
from rooms.errors import PermanentRoom, RoomNameTaken, RoomNotFound
from rooms.models import Room
from rooms.operations import create_room
from tests.steps import round_trips

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ann() -> Account:
    return Account.objects.create_user("ann", None)


@pytest.fixture
def ben() -> Account:
    return Account.objects.create_user("ben", None)


def events(room: Room, after: int = 0) -> list[dict[str, Any]]:
    return [orjson.loads(event.json) for event in read_log(room_topic(room.pk), after, 100).events]


def told(account: Account) -> list[tuple[str, str | None]]:
    """What somebody was told of rooms, and by whom it was done."""
    found = [orjson.loads(event.json) for event in read_log(user_topic(account.pk, account.username), 0, 100).events]
    return [(event["type"], event["by"]) for event in found]


def test_a_room_belongs_to_the_account_it_was_made_for(ann: Account) -> None:
    room = Room.objects.create(owner=ann, name="general", members_only=True)
    assert (room.name, room.members_only, room.owner) == ("general", True, "ann")
    assert [(member.id, member.username) for member in room.members] == [(ann.pk, "ann")]
    assert told(ann) == [("room_added", "ann")]
    assert vars(Room.objects.get(pk=room.pk))["known"] == room.known


def test_rooms_are_listed_by_creation_there_and_back_from_any_of_them(ann: Account) -> None:
    made = [Room.objects.create(owner=ann, name=f"room {number}") for number in range(7)]
    assert list(Room.objects.all()) == list(Room.objects.order_by("id")) == made
    assert list(Room.objects.order_by("-pk")) == list(Room.objects.reverse()) == made[::-1]
    assert list(Room.objects.filter(pk__gt=made[2].pk)[:2]) == made[3:5]
    assert list(Room.objects.filter(pk__lt=made[2].pk)) == made[:2]
    assert list(Room.objects.filter(pk__lt=made[5].pk).reverse()[:2]) == [made[4], made[3]]
    between = Room.objects.filter(pk__gt=made[1].pk, pk__lt=made[5].pk)
    assert list(between) == list(between.reverse())[::-1] == made[2:5]
    assert [room.pk for room in Room.objects.all().iterator(chunk_size=3)] == [room.pk for room in made]
    with pytest.raises(UnknownCursor):
        Room.objects.filter(pk__gt="99").first()


def test_rooms_for_members_only_are_in_the_list_too(ann: Account) -> None:
    hidden = Room.objects.create(owner=ann, name="hidden", members_only=True)
    assert list(Room.objects.all()) == list(Room.objects.filter(name="hidden")) == [hidden]


def test_a_room_is_found_by_its_exact_name_and_by_who_is_in_it(ann: Account, ben: Account) -> None:
    lab, den = (Room.objects.create(owner=ann, name=name) for name in ("Lab", "Den"))
    den.members.add(ben)
    assert Room.objects.get(name="Lab") == lab
    assert not Room.objects.filter(name="lab").exists()
    assert list(Room.objects.filter(member=ann)) == [lab, den]
    assert list(Room.objects.filter(member=ben)) == [den]
    assert list(Room.objects.filter(member=ann, pk__gt=lab.pk)) == [den]


def test_the_lobby_is_found_by_its_id_and_stays_as_it_is(ann: Account) -> None:
    lobby = Room.objects.get(pk="lobby")
    assert (lobby.name, lobby.owner) == ("lobby", None)
    assert list(Room.objects.all()) == []
    lobby.members.add(ann)
    assert ann in lobby.members
    lobby.name = "hall"
    with pytest.raises(PermanentRoom):
        lobby.save()
    with pytest.raises(PermanentRoom):
        lobby.delete()


@pytest.mark.parametrize("named", [True, False])
def test_events_say_who_did_it_or_that_nobody_did(ann: Account, ben: Account, named: bool) -> None:
    by, name = (ben, "ben") if named else (None, None)
    room = Room.objects.create(owner=ann, name="general")
    room.name = "lab"
    room.save(by=by)
    room.members.add(ben, by=by)
    room.members.remove(ben, by=by)
    message = Message.objects.create(room=room, sender=ann, text="hi")
    message.delete(by=by)
    done = [(event["type"], event["by"]) for event in events(room) if event["type"] != "message"]
    assert done == [(kind, name) for kind in ("room_updated", "member_added", "member_removed", "message_deleted")]
    room.delete(by=by)
    assert [(event["type"], event["by"]) for event in events(room, after=5)] == [("room_deleted", name)]
    assert told(ben) == [("room_added", name), ("room_removed", name)]
    assert not store.client().exists("{user:0}:signed")


def test_a_room_is_changed_and_deleted_by_the_server_whoever_owns_it(ann: Account) -> None:
    room = Room.objects.create(owner=ann, name="general", members_only=True)
    room.name, room.members_only = "Lab", False
    room.save()
    found = Room.objects.get(pk=room.pk)
    assert (found.name, found.members_only, found.owner) == ("Lab", False, "ann")
    assert room.delete() == (1, {"rooms.Room": 1})
    assert not Room.objects.exists()
    assert list(Room.objects.filter(member=ann)) == []


def test_what_the_operation_refuses_is_raised_as_it_is(ann: Account) -> None:
    Room.objects.create(owner=ann, name="general")
    other = Room.objects.create(owner=ann, name="other")
    with pytest.raises(RoomNameTaken):
        Room.objects.create(owner=ann, name="GENERAL")
    other.name = "General"
    with pytest.raises(RoomNameTaken):
        other.save()
    other.refresh_from_db()
    assert other.name == "other"
    other.delete()
    other.name = "new"
    with pytest.raises(RoomNotFound):
        other.save()
    for name in ("", "  ", "a\x07b", "x" * 101):
        with pytest.raises(InvalidInput) as refused:
            Room.objects.create(owner=ann, name=name)
        assert list(refused.value.fields) == ["name"]


@pytest.mark.parametrize("owner", [None, "ann", 1, Account(username="new"), SERVER])
def test_only_a_stored_account_owns_a_room(owner: Any) -> None:
    with pytest.raises(TypeError, match="A stored account is expected, not"):
        Room.objects.create(owner=owner, name="general")
    assert not Room.objects.exists()


def test_a_retry_key_makes_asking_again_safe(ann: Account) -> None:
    first, again = (Room.objects.create(owner=ann, name="general", retry_key="import-1") for _ in range(2))
    assert first == again == Room.objects.get()


def test_members_are_let_in_and_taken_out(ann: Account, ben: Account) -> None:
    room = Room.objects.create(owner=ann, name="general", members_only=True)
    room.members.add(ann, ben)
    room.members.add(ben)
    assert ben in room.members
    assert [member.username for member in room.members.all()] == ["ann", "ben"]
    assert room.members.count() == 2
    room.members.remove(ben)
    room.members.remove(ben)
    assert ben not in room.members
    assert [event["type"] for event in events(room)] == ["member_added", "member_removed"]
    with pytest.raises(TypeError):
        room.members.add("ben")  # type: ignore[arg-type]


def test_a_loop_over_members_reads_one_portion_after_another(ann: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room.objects.create(owner=ann, name="general")
    names = [f"user-{number}" for number in range(6)]
    room.members.add(*(Account.objects.create_user(name, None) for name in names))
    monkeypatch.setattr(models, "MEMBERS_AT_ONCE", 3)
    assert round_trips(lambda: next(iter(room.members))) == 1
    assert [member.username for member in room.members] == ["ann", *names]
    assert round_trips(lambda: list(room.members)) == 3


async def test_members_can_be_awaited(ann: Account, ben: Account) -> None:
    room = await Room.objects.acreate(owner=ann, name="general")
    await room.members.aadd(ben, by=ann)
    assert [member.username async for member in room.members] == ["ann", "ben"]
    assert await room.members.acontains(ben)
    assert await room.members.acount() == 2
    await room.members.aremove(ann)
    assert not await room.members.acontains(ann)
    assert [found async for found in Room.objects.filter(member=ben)] == [room]


def test_a_caller_stands_for_an_account(ann: Account) -> None:
    room = Room.objects.create(owner=ann.caller, name="general")
    assert ann.caller in room.members
    assert trusted(ann) == Caller(ann.pk, "ann", is_admin=True)


def test_a_room_costs_what_its_operations_cost(ann: Account) -> None:
    room = Room.objects.create(owner=ann, name="general")
    assert round_trips(lambda: Room.objects.get(pk=room.pk)) == 1
    room.members_only = True
    assert round_trips(room.save) == 1


def test_a_room_answers_with_json_that_was_never_parsed_for_the_wire(ann: Account) -> None:
    json = create_room(ann.caller, "general", False, None)
    room = Room.of(json)
    assert orjson.loads(json) == {
        "roomId": room.pk,
        "name": room.name,
        "members_only": room.members_only,
        "owner": room.owner,
        "created_at": orjson.loads(json)["created_at"],
    }


def test_another_owner_is_no_matter_of_saving(ann: Account, ben: Account) -> None:
    room = Room.objects.create(owner=ann, name="general")
    room.owner = ben.username
    with pytest.raises(NotInRedis, match="to set owner"):
        room.save()
