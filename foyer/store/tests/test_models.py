"""What every model in Redis can do, and what none can. What is special about one is in the tests of its app."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.db.models import Exists, Q, QuerySet, Subquery
from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework import serializers

from accounts.models import Account, Session
from foyer.errors import InvalidInput
from foyer.store.models import NotInRedis
from lobby.models import Table
from messaging.models import Message
from rooms.models import Room
from tests.steps import round_trips

WORKS = {
    *("all", "filter", "none", "reverse", "order_by"),
    *("get", "aget", "first", "afirst", "last", "alast", "exists", "aexists"),
    *("count", "acount", "iterator", "aiterator", "create", "acreate"),
}
"""Of the public methods of a QuerySet."""


@pytest.fixture
def ann(transactional_db: None) -> Account:
    return Account.objects.create_user("ann", None)


def tables(count: int) -> list[Table]:
    return [Table.objects.create(name=f"table {number}", participants=number) for number in range(1, count + 1)]


def rooms(owner: Account, count: int) -> list[Room]:
    return [Room.objects.create(owner=owner, name=f"room {number}") for number in range(1, count + 1)]


# Finding


def test_one_is_found_by_its_id_or_there_is_none(ann: Account) -> None:
    room = Room.objects.create(owner=ann, name="general")
    assert Room.objects.get(pk=room.pk).name == Room.objects.get(id=int(room.pk)).name == "general"
    assert Room.objects.filter(pk=room.pk).exists()
    for nothing in ("99", 99, "x", "", None, "1-1", "9" * 40):
        with pytest.raises(Room.DoesNotExist):
            Room.objects.get(pk=nothing)
        assert not Room.objects.filter(pk=nothing).exists()


def test_of_several_get_gives_none() -> None:
    tables(2)
    with pytest.raises(Table.MultipleObjectsReturned):
        Table.objects.get()


def test_several_are_found_by_their_ids_in_the_order_that_was_asked_for() -> None:
    tables(4)
    found = Table.objects.filter(pk__in=[3, 99, 1, "4"])
    assert [table.pk for table in found] == [3, 1, 4]
    assert (len(found), found.count(), found[1].pk, bool(found)) == (3, 3, 1, True)
    assert [table.pk for table in found.reverse()] == [4, 1, 3]
    assert list(Table.objects.filter(pk__in=[])) == list(Table.objects.none()) == []


def test_a_loop_reads_one_page_after_another(ann: Account) -> None:
    room = Room.objects.create(owner=ann, name="general")
    for number in range(250):
        Message.objects.create(room=room, sender=ann, text=str(number))
    messages = Message.objects.filter(room=room)
    reading = iter(messages)
    assert round_trips(lambda: next(reading)) == 1
    assert round_trips(lambda: [next(reading) for _ in range(99)]) == 0
    assert round_trips(lambda: next(reading)) == 1
    assert round_trips(lambda: list(reading)) == 1
    assert [message.text for message in messages] == [str(number) for number in reversed(range(250))]
    assert round_trips(lambda: list(messages.iterator(chunk_size=25))) == 10


def test_a_part_is_read_once_and_a_whole_list_by_each_loop() -> None:
    tables(5)
    part, whole = Table.objects.all()[:3], Table.objects.all()
    assert round_trips(lambda: (list(part), len(part), list(part), part[2], bool(part))) == 1
    assert round_trips(lambda: (list(whole), list(whole))) == 2
    assert [table.pk for table in part] == [1, 2, 3]


@pytest.mark.parametrize(
    ("part", "found"),
    [
        (slice(2), [1, 2]), (slice(0), []), (slice(9), [1, 2, 3, 4, 5]), (slice(None), [1, 2, 3, 4, 5]),
        (slice(1, 3), [2, 3]), (slice(3, None), [4, 5]), (slice(3, 2), []),
    ],
)  # fmt: skip
def test_a_slice_is_that_part_of_the_list(part: slice, found: list[int]) -> None:
    tables(5)
    assert [table.pk for table in Table.objects.all()[part]] == found


def test_a_part_of_a_part_a_place_and_both_ends(ann: Account) -> None:
    made = rooms(ann, 5)
    every = Room.objects.all()
    assert list(every[:4][:2]) == made[:2]
    assert (every[0], every[3], every[:4][3]) == (made[0], made[3], made[3])
    assert (every.first(), every.last(), every[:3].first()) == (made[0], made[4], made[0])
    assert made[2] in every
    with pytest.raises(IndexError):
        every[5]


def test_an_empty_list_has_no_first_and_no_last(ann: Account) -> None:
    assert (Room.objects.first(), Room.objects.last(), Room.objects.exists()) == (None, None, False)
    assert list(Room.objects.all()) == list(Room.objects.all()[:5]) == []
    assert not Room.objects.all()


def test_a_list_is_shown_as_others_are(ann: Account) -> None:
    rooms(ann, 25)
    shown = repr(Room.objects.all())
    assert shown.startswith("<RoomQuerySet [<Room: room 1>, <Room: room 2>, ")
    assert shown.endswith("<Room: room 20>, '...(remaining elements truncated)...']>")


# Making, changing, taking away


def test_save_writes_what_was_changed_and_nothing_else(ann: Account) -> None:
    table = Table.objects.create(name="Chess", participants=2)
    mine, others = Table.objects.get(pk=table.pk), Table.objects.get(pk=table.pk)
    others.participants = 5
    others.save()
    mine.name = "Go"
    mine.save()
    assert (mine.name, mine.participants) == ("Go", 5)
    assert round_trips(mine.save) == 0
    mine.name, mine.participants = "Bridge", 4
    mine.save(update_fields=["participants"])
    found = Table.objects.get(pk=table.pk)
    assert (found.name, found.participants) == ("Go", 4)
    assert mine.name == "Bridge"
    mine.save()
    assert Table.objects.get(pk=table.pk).name == "Bridge"


def test_one_is_made_by_saving_it_too(ann: Account) -> None:
    table = Table(name="Chess")
    table.save(after=-1)
    assert Table.objects.get(pk=table.pk).participants == 0
    table.participants = 3
    table.save()
    assert Table.objects.get(pk=table.pk).participants == 3


def test_what_is_taken_away_is_gone_and_is_not_taken_away_again() -> None:
    (table,) = tables(1)
    assert table.delete() == (1, {"lobby.Table": 1})
    assert table.delete() == (0, {})
    with pytest.raises(Table.DoesNotExist):
        table.refresh_from_db()


def test_refreshing_reads_it_anew() -> None:
    (table,) = tables(1)
    stale = Table.objects.get(pk=table.pk)
    table.name = "renamed"
    table.save()
    stale.name, stale.participants = "forgotten", 9
    stale.refresh_from_db(fields=["name"])
    assert (stale.name, stale.participants) == ("renamed", 9)
    stale.refresh_from_db()
    assert stale.participants == 1


def test_what_cannot_be_stored_is_refused_by_field() -> None:
    with pytest.raises(InvalidInput) as refused:
        Table.objects.create(name="x" * 101, participants=-1)
    assert set(refused.value.fields) == {"name", "participants"}
    (table,) = tables(1)
    table.participants = "many"
    with pytest.raises(InvalidInput):
        table.save()
    table.participants = "7"
    table.save()
    assert Table.objects.get(pk=1).participants == 7


async def test_everything_can_be_awaited(ann: Account) -> None:
    table = await Table.objects.acreate(name="Chess")
    other = await Table.objects.acreate(name="Go", after=-1)
    assert [one async for one in Table.objects.all()] == [other, table]
    assert [one async for one in Table.objects.all()[:1]] == [other]
    assert [one.pk async for one in Table.objects.filter(pk__in=[1, 9])] == [1]
    table.name = "Draughts"
    await table.asave()
    assert (await Table.objects.aget(pk=table.pk)).name == "Draughts"
    await other.arefresh_from_db()
    assert await Table.objects.afirst() == await Table.objects.order_by().afirst() == other
    assert (await Table.objects.alast(), await Table.objects.acount()) == (table, 2)
    assert await other.adelete() == (1, {"lobby.Table": 1})
    assert not await Table.objects.filter(pk=other.pk).aexists()
    with pytest.raises(Table.DoesNotExist):
        await Table.objects.aget(pk=other.pk)


async def test_on_an_event_loop_nothing_blocks() -> None:
    table = await Table.objects.acreate(name="Chess")
    for blocking in (
        lambda: Table.objects.get(pk=1),
        lambda: list(Table.objects.all()),
        lambda: Table.objects.create(name="Go"),
        table.delete,
        table.refresh_from_db,
    ):
        with pytest.raises(SynchronousOnlyOperation, match="aget, asave"):
            blocking()
    assert await Table.objects.acount() == 1


# What others build on


class RoomSerializer(serializers.ModelSerializer[Room]):
    class Meta:
        model = Room
        fields = ("id", "name", "members_only", "owner")


def test_a_serializer_of_the_model_reads_makes_and_changes(ann: Account) -> None:
    made = RoomSerializer(data={"name": "general", "members_only": True})
    made.is_valid(raise_exception=True)
    room = made.save(owner=ann)
    assert made.data == {"id": room.pk, "name": "general", "members_only": True, "owner": "ann"}
    changed = RoomSerializer(room, data={"name": "lab"}, partial=True)
    changed.is_valid(raise_exception=True)
    changed.save()
    listed: Any = RoomSerializer(Room.objects.all(), many=True).data
    assert listed == [{**made.data, "name": "lab"}]
    blank = RoomSerializer(data={"name": "  "})
    assert not blank.is_valid()
    assert set(blank.errors) == {"name"}


def test_what_is_not_there_is_not_found(ann: Account) -> None:
    room = Room.objects.create(owner=ann, name="general")
    assert get_object_or_404(Room, pk=room.pk) == room
    with pytest.raises(Http404):
        get_object_or_404(Room, pk="99")


# What can't be done


def public_methods() -> list[str]:
    return [name for name, _ in inspect.getmembers(QuerySet, inspect.isfunction) if not name.startswith("_")]


@pytest.mark.parametrize("name", [name for name in public_methods() if name not in WORKS])
def test_what_takes_sql_is_refused_and_told_what_works_instead(name: str) -> None:
    for asked in (Room.objects.all(), Room.objects):
        with pytest.raises(NotInRedis, match=rf"Room: {name}\(\) is not possible, as rooms are kept in Redis. \w.*\."):
            getattr(asked, name, getattr(Room.objects.all(), name))("x")


@pytest.mark.parametrize(
    "lookups",
    [
        {"name__contains": "x"}, {"owner": "ann"}, {"pk__gte": 1}, {"pk": 1, "name": "x"}, {"name": "x", "pk__gt": 1},
        {"members__id": 1}, {"nothing": 1},
    ],
)  # fmt: skip
def test_a_lookup_that_the_store_cannot_answer_is_refused(lookups: dict[str, Any]) -> None:
    with pytest.raises(NotInRedis, match=r"What works: get\(pk=…\), filter\(name=…\)"):
        Room.objects.filter(**lookups)
    with pytest.raises(NotInRedis):
        Room.objects.get(**lookups)


def test_what_else_takes_sql_is_refused(ann: Account) -> None:
    every = Room.objects.all()
    for asked in (
        lambda: every.filter(Q(name="x")),
        lambda: every.get(Q(name="x")),
        lambda: Room.objects.filter(name="x").filter(name="y"),
        lambda: Room.objects.order_by("name"),
        lambda: Room.objects.order_by("pk", "name"),
        lambda: Table.objects.order_by("name"),
        lambda: every.count(),
        lambda: len(every),
        lambda: every[2:4],
        lambda: every[::2],
        lambda: every[-1],
        lambda: every[:5].filter(name="x"),
        lambda: every[:5].reverse(),
        lambda: every[:5].order_by("pk"),
        lambda: every | every,
        lambda: every & every,
        lambda: every ^ every,
        lambda: pickle.dumps(every),
        lambda: Message.objects.first(),
        lambda: list(Session.objects.all()),
        lambda: Account.objects.filter(pk__in=Room.objects.all()).exists(),
        lambda: Account.objects.filter(Exists(Room.objects.all())).exists(),
        lambda: Account.objects.annotate(room=Subquery(Room.objects.all())).first(),
        lambda: Room(name="x").save_base(raw=True),
    ):
        with pytest.raises(NotInRedis, match="kept in Redis"):
            asked()


def test_what_is_not_for_save_to_change_stays_and_the_rest_with_it(ann: Account) -> None:
    room = Room.objects.create(owner=ann, name="general")
    for name, value in {"pk": "12", "owner": "ben", "created_at": None}.items():
        changed = Room.objects.get(pk=room.pk)
        setattr(changed, name, value)
        changed.name = "lab"
        with pytest.raises(
            NotInRedis, match=r"to set (id|owner|created_at) .*What can be set: members_only and name\."
        ):
            changed.save()
    assert Room.objects.get(pk=room.pk).name == "general"


def test_what_the_store_gives_by_itself_is_not_given_to_it(ann: Account) -> None:
    for given in ({"pk": "5"}, {"created_at": "2020-01-01"}):
        with pytest.raises(NotInRedis, match="What can be set: members_only and name and owner"):
            Room.objects.create(owner=ann, name="general", **given)
    with pytest.raises(TypeError, match="nmae"):
        Room.objects.create(owner=ann, nmae="general")
    assert not Room.objects.exists()
