"""The list of tables: order, refusals, retries, and what a change costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foyer.api.retry_keys import RetryKey
from foyer.errors import RetryKeyReused
from foyer.realtime.log import read_head, read_log
from foyer.store.steps import client
from lobby.errors import PlaceGone, TableIdTaken, TableNotFound
from lobby.operations import (
    TABLES,
    NewTable,
    add_table,
    list_tables,
    move_table,
    remove_table,
    show_table,
    update_table,
)
from lobby.tests.invariants import check_list, ids, tables

LARGEST = 2**53 - 1
MINE = RetryKey(7, "k-1")


def add(id: int | None = None, after_id: int | None = None, name: str = "a table", participants: int = 0) -> Any:
    """What the event says of a table that is added."""
    return fields(add_table(NewTable(name, participants, id, after_id)))


def fields(body: bytes) -> Any:
    return orjson.loads(b"{" + body + b"}")


def last_event() -> Any:
    (event,) = read_log(TABLES, read_head(TABLES).offset - 1, 1).events
    return orjson.loads(event.json)


def test_a_new_list_is_empty() -> None:
    assert tables() == []
    assert list_tables().head == (0, "")


def test_a_table_comes_after_the_one_that_is_named() -> None:
    for id, after_id in ((1, -1), (2, 1), (3, 1), (4, -1)):
        assert add(id, after_id)["after_id"] == after_id
    assert ids() == [4, 1, 3, 2]
    check_list()


def test_without_a_place_a_table_comes_last_and_is_told_with_the_place_it_got() -> None:
    assert add(5)["after_id"] == -1
    assert add(3)["after_id"] == 5
    assert add(4, -1)["after_id"] == -1
    assert add(1)["after_id"] == 3
    assert ids() == [4, 5, 3, 1]
    check_list()


@pytest.mark.parametrize("after_id", [2, 0, -2, LARGEST])
def test_a_place_that_is_not_in_the_list_is_refused_and_nothing_changes(after_id: int) -> None:
    add(1)
    with pytest.raises(PlaceGone):
        add(3, after_id)
    assert ids() == [1]
    assert read_head(TABLES).offset == 1


def test_the_place_of_a_table_that_was_removed_is_gone() -> None:
    add(1)
    remove_table(1)
    with pytest.raises(PlaceGone):
        add(2, 1)
    with pytest.raises(PlaceGone):
        add(2, 2)


def test_an_id_that_is_taken_is_refused_until_its_table_is_removed() -> None:
    add(1, name="first")
    with pytest.raises(TableIdTaken):
        add(1)
    assert [table["name"] for table in tables()] == ["first"]
    remove_table(1)
    add(1, name="second")
    check_list()


def test_an_update_leaves_a_table_where_it_is() -> None:
    for id in (1, 2, 3):
        add(id, name=f"table {id}", participants=id)
    assert fields(update_table(2, "new", 9)) == {"table": {"id": 2, "name": "new", "participants": 9}}
    assert fields(update_table(2, None, 10)) == {"table": {"id": 2, "name": "new", "participants": 10}}
    assert fields(update_table(2, "newer", None)) == {"table": {"id": 2, "name": "newer", "participants": 10}}
    assert ids() == [1, 2, 3]
    check_list()


@pytest.mark.parametrize(
    "change",
    [
        lambda: update_table(3, "name", 1),
        lambda: move_table(3, 1),
        lambda: remove_table(3),
        lambda: show_table(3),
    ],
)
def test_a_table_that_does_not_exist_is_not_found(change: Callable[[], Any]) -> None:
    add(1)
    with pytest.raises(TableNotFound):
        change()
    assert read_head(TABLES).offset == 1


def test_a_move_is_told_as_a_table_that_went_and_came() -> None:
    for id in (1, 2, 3):
        add(id)
    assert move_table(3, -1)
    assert ids() == [3, 1, 2]
    went, came = read_log(TABLES, 3, 9).events
    assert orjson.loads(went.json) == {"type": "table_removed", "topic": "tables", "offset": 4, "id": 3}
    assert orjson.loads(came.json)["after_id"] == -1
    assert not move_table(3, -1)
    assert not move_table(1, 3)
    assert not move_table(2, 2)
    with pytest.raises(PlaceGone):
        move_table(1, 9)
    assert read_head(TABLES).offset == 5
    check_list()


@pytest.mark.parametrize(
    "name",
    ['","participants":3}', '\\","participants":0', "\\", '"', "Ünïcødé 💬", "%1 %d %s", "a" * 100, "{tables}", "null"],
)
def test_a_name_comes_back_exactly_also_after_a_partial_update(name: str) -> None:
    add(1, name=name, participants=LARGEST)
    update_table(1, None, 5)
    assert tables() == [{"id": 1, "name": name, "participants": 5}]
    update_table(1, name * 2, None)
    assert tables() == [{"id": 1, "name": name * 2, "participants": 5}]


def test_numbers_are_kept_to_the_last_digit() -> None:
    add(LARGEST, participants=LARGEST)
    assert add(LARGEST - 1, LARGEST)["after_id"] == LARGEST
    assert tables()[0] == {"id": LARGEST, "name": "a table", "participants": LARGEST}
    assert ids() == [LARGEST, LARGEST - 1]


# Ids that the server picks


def test_the_server_picks_ids_that_no_table_has_or_had() -> None:
    assert add()["table"]["id"] == 1
    add(5)
    assert add()["table"]["id"] == 6
    remove_table(6)
    assert add()["table"]["id"] == 7
    check_list()


def test_a_very_large_id_of_a_client_leaves_others_to_pick() -> None:
    add(LARGEST)
    assert add()["table"]["id"] == 1
    add(2**52)
    for id in (2**52 + 1, 2**52 + 2):
        add(id)
    assert add()["table"]["id"] == 2**52 + 3
    check_list()


# The log


def test_every_change_is_an_event_in_the_shape_of_the_gateway() -> None:
    table: dict[str, Any] = {"id": 3, "name": "table - Foo Fighters", "participants": 9}
    add(3, -1, table["name"], 9)
    assert last_event() == {"type": "table_added", "topic": "tables", "offset": 1, "after_id": -1, "table": table}
    update_table(3, None, 4)
    updated = {**table, "participants": 4}
    assert last_event() == {"type": "table_updated", "topic": "tables", "offset": 2, "table": updated}
    remove_table(3)
    assert last_event() == {"type": "table_removed", "topic": "tables", "offset": 3, "id": 3}


def test_the_list_says_where_the_log_stands_with_it() -> None:
    add(1)
    add(2)
    listing = list_tables()
    assert listing.head == read_head(TABLES)
    assert listing.head.offset == 2


def test_a_list_that_did_not_change_is_not_read_again() -> None:
    add(1)
    assert list_tables() is list_tables()
    update_table(1, None, 1)
    assert tables()[0]["participants"] == 1


def test_a_list_of_another_store_is_not_taken_for_this_one() -> None:
    add(1, name="before")
    list_tables()
    client().flushall()
    assert tables() == []
    add(1, name="after")
    assert tables()[0]["name"] == "after"


# Retries


def test_with_a_retry_key_a_table_is_added_once() -> None:
    first = add_table(NewTable("once", 1), MINE)
    remove_table(fields(first)["table"]["id"])
    assert add_table(NewTable("once", 1), MINE) == first
    assert tables() == []
    add_table(NewTable("once", 1), RetryKey(8, "k-1"))
    assert len(tables()) == 1


def test_a_retry_key_that_comes_with_another_table_is_refused() -> None:
    add_table(NewTable("one", 1), MINE)
    for other in (NewTable("two", 1), NewTable("one", 2), NewTable("one", 1, 9), NewTable("one", 1, None, -1)):
        with pytest.raises(RetryKeyReused):
            add_table(other, MINE)
    assert len(tables()) == 1


def test_a_refused_addition_may_be_tried_again_with_its_key() -> None:
    with pytest.raises(PlaceGone):
        add_table(NewTable("late", 1, 2, 1), MINE)
    add(1)
    add_table(NewTable("late", 1, 2, 1), MINE)
    assert ids() == [1, 2]


def test_retry_keys_expire() -> None:
    add_table(NewTable("once", 1), MINE)
    store: Any = client()
    (key,) = store.keys("{tables}:retry:*")
    assert 0 < store.ttl(key) <= 24 * 3600


# Any sequence of changes

some_ids = st.integers(1, 6)
places = st.none() | st.just(-1) | some_ids
changes = st.one_of(
    st.tuples(st.just("add"), some_ids, places),
    st.tuples(st.just("update"), some_ids, st.integers(0, 9)),
    st.tuples(st.just("move"), some_ids, st.just(-1) | some_ids),
    st.tuples(st.just("remove"), some_ids, st.none()),
)


class PlainList:
    """The same list, as Python has it."""

    def __init__(self) -> None:
        self.tables: list[dict[str, Any]] = []

    def change(self, kind: str, id: int, value: Any) -> bool:
        """Make a change; whether it could be made."""
        ids = [table["id"] for table in self.tables]
        if kind == "add":
            if id in ids or value not in (None, -1, *ids):
                return False
            before = len(ids) - 1 if value is None else -1 if value == -1 else ids.index(value)
            self.tables.insert(before + 1, {"id": id, "name": "a table", "participants": 0})
        elif id not in ids:
            return False
        elif kind == "update":
            self.tables[ids.index(id)]["participants"] = value
        elif kind == "move":
            if value not in (-1, *ids):
                return False
            if value != id:
                table = self.tables.pop(ids.index(id))
                ids.remove(id)
                self.tables.insert(0 if value == -1 else ids.index(value) + 1, table)
        else:
            del self.tables[ids.index(id)]
        return True


def change(kind: str, id: int, value: Any) -> bool:
    try:
        if kind == "add":
            add(id, value)
        elif kind == "update":
            update_table(id, None, value)
        elif kind == "move":
            move_table(id, value)
        else:
            remove_table(id)
    except (TableIdTaken, PlaceGone, TableNotFound):
        return False
    return True


@settings(max_examples=200, deadline=None)
@given(st.lists(changes, max_size=40))
def test_any_sequence_of_changes_gives_the_order_that_a_plain_list_has(sequence: list[Any]) -> None:
    client().flushall()
    plain = PlainList()
    for step in sequence:
        assert change(*step) == plain.change(*step), step
        assert tables() == plain.tables
    check_list()


# What it costs


def commands_of(operation: Callable[[], Any]) -> dict[str, int]:
    """How often the store carried out which command for an operation."""
    store: Any = client()
    nodes = store.get_primaries() if hasattr(store, "get_primaries") else [None]

    def counts() -> dict[str, int]:
        found: dict[str, int] = {}
        for node in nodes:
            stats = store.info("commandstats", **({"target_nodes": node} if node else {}))
            for name, stat in stats.items():
                found[name] = found.get(name, 0) + stat["calls"]
        return found

    before = counts()
    operation()
    return {
        name: calls - before.get(name, 0)
        for name, calls in counts().items()
        if calls > before.get(name, 0) and name not in ("cmdstat_info", "cmdstat_cluster|slots", "cmdstat_ping")
    }


def test_a_change_costs_the_same_in_a_long_list_as_in_a_short_one() -> None:
    def costs(start: int) -> list[dict[str, int]]:
        return [
            commands_of(lambda: add(start, start // 2)),
            commands_of(lambda: add(None, None)),
            commands_of(lambda: update_table(start // 2, "renamed", None)),
            commands_of(lambda: remove_table(start // 2)),
        ]

    for id in range(1, 10):
        add(id)
    short = costs(10)
    for id in range(20, 1200):
        add(id)
    assert costs(1200) == short


def test_any_number_of_tables_can_be_added_at_the_same_place() -> None:
    add(1)
    add(2)
    for id in range(3, 300):
        add(id, 1)
    assert ids() == [1, *range(299, 2, -1), 2]
    check_list()


def test_a_list_is_longer_than_what_fits_into_one_call() -> None:
    for id in range(1, 5003):
        add(id)
    assert ids() == list(range(1, 5003))
