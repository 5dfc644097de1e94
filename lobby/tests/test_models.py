from __future__ import annotations

from typing import Any

import orjson
import pytest

from foyer.errors import InvalidInput
from foyer.realtime.log import read_log
from lobby.errors import PlaceGone, TableIdTaken, TableNotFound
from lobby.models import Table
from lobby.operations import BEGINNING, TABLES
from tests.steps import round_trips


def make(*names: str) -> list[Table]:
    return [Table.objects.create(name=name, participants=4) for name in names]


def order() -> list[str]:
    return [table.name for table in Table.objects.all()]


def kinds() -> list[str]:
    return [orjson.loads(event.json)["type"] for event in read_log(TABLES, 0, 100).events]


def test_a_table_is_added_at_the_end_the_beginning_or_behind_another() -> None:
    chess = Table.objects.create(name="Chess", participants=2)
    Table.objects.create(name="Go", after=BEGINNING)
    Table.objects.create(name="Bridge", after=chess)
    Table.objects.create(name="Poker", after=chess.pk, id=77)
    assert order() == ["Go", "Chess", "Poker", "Bridge"]
    assert Table.objects.get(pk=77).participants == 0
    assert kinds() == ["table_added"] * 4


def test_tables_know_their_places_in_the_list() -> None:
    make("a", "b", "c")
    assert [(table.position, table.name) for table in Table.objects.all()] == [(1, "a"), (2, "b"), (3, "c")]
    assert [table.name for table in Table.objects.reverse()] == ["c", "b", "a"]
    assert [table.position for table in Table.objects.all()[1:]] == [2, 3]
    assert Table.objects.get(pk=2).position == 0
    assert (Table.objects.count(), Table.objects.all()[1:].count(), Table.objects.filter(pk=9).count()) == (3, 2, 0)


def test_a_table_is_moved_and_subscribers_see_it_leave_and_come() -> None:
    a, _, c = make("a", "b", "c")
    assert c.move(BEGINNING)
    assert c.move(a)
    assert not c.move(a.pk)
    assert order() == ["a", "c", "b"]
    assert kinds()[3:] == ["table_removed", "table_added"] * 2
    with pytest.raises(PlaceGone):
        c.move(99)
    c.delete()
    with pytest.raises(TableNotFound):
        c.move(BEGINNING)


def test_a_table_is_renamed_and_filled_in_its_place() -> None:
    a, _ = make("a", "b")
    a.participants = 7
    a.save()
    a.name = "x"
    a.save()
    assert [(table.name, table.participants) for table in Table.objects.all()] == [("x", 7), ("b", 4)]
    a.delete()
    a.participants = 8
    with pytest.raises(TableNotFound):
        a.save()
    assert kinds()[2:] == ["table_updated", "table_updated", "table_removed"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"), ({"name": "x" * 101}, "name"), ({"name": "a\nb"}, "name"),
        ({"participants": -1}, "participants"), ({"participants": 2**53}, "participants"),
        ({"participants": None}, "participants"), ({"participants": '1,"x":2'}, "participants"),
        ({"id": 0}, "id"), ({"id": 2**53}, "id"), ({"id": "x"}, "id"),
    ],
)  # fmt: skip
def test_what_no_table_has_is_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Table.objects.create(**{"name": "Chess", **given})
    assert list(refused.value.fields) == [field]
    assert order() == []


def test_an_id_and_a_place_that_cannot_be_had_are_refused() -> None:
    make("a")
    with pytest.raises(TableIdTaken):
        Table.objects.create(name="b", id=1)
    with pytest.raises(PlaceGone):
        Table.objects.create(name="b", after=9)
    assert order() == ["a"]


def test_a_retry_key_makes_adding_again_safe() -> None:
    first, again = (Table.objects.create(name="a", retry_key="k") for _ in range(2))
    assert list(Table.objects.all()) == [first] == [again]


async def test_tables_can_be_awaited() -> None:
    table = await Table.objects.acreate(name="a")
    other = await Table.objects.acreate(name="b")
    assert await table.amove(other)
    assert [found.name async for found in Table.objects.all()] == ["b", "a"]


def test_a_table_costs_one_call_whatever_is_done() -> None:
    (table,) = make("a")
    table.name = "b"
    for done in (table.save, lambda: list(Table.objects.all()), lambda: table.move(BEGINNING), table.delete):
        assert round_trips(done) == 1
