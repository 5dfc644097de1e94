"""What holds for the list of tables, whatever happened: looked at from outside, as clients can."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from foyer.realtime.log import read_log
from foyer.store.steps import client
from lobby.operations import BEGINNING, TABLES, list_tables, show_table

Tables = list[dict[str, Any]]
MOST_EVENTS = 100_000


def tables() -> Tables:
    """The list as it is."""
    found: Tables = orjson.loads(list_tables().json)
    return found


def ids() -> list[int]:
    return [table["id"] for table in tables()]


def replay(listed: Tables, events: Iterable[dict[str, Any]]) -> Tables:
    """What a client has that keeps its list by what it hears; for frames of either face. Fails on what can't be."""
    found = list(listed)
    for event in events:
        match event.get("$type") or event.get("type"):
            case "table_added":
                assert event["table"]["id"] not in [table["id"] for table in found], event
                after = event["after_id"]
                place = 0 if after == BEGINNING else [table["id"] for table in found].index(after) + 1
                found.insert(place, event["table"])
            case "table_updated":
                place = [table["id"] for table in found].index(event["table"]["id"])
                found[place] = event["table"]
            case "table_removed":
                del found[[table["id"] for table in found].index(event["id"])]
            case other:
                raise AssertionError(f"{other} does not change a list")
    return found


def check_list() -> None:
    """The log tells how the list came about, each table is found by its id, and both directions of the list agree."""
    stretch = read_log(TABLES, 0, MOST_EVENTS)
    assert stretch.whole
    listed = tables()
    assert replay([], [orjson.loads(event.json) for event in stretch.events]) == listed
    assert [orjson.loads(show_table(table["id"])) for table in listed] == listed
    assert backwards() == [str(table["id"]) for table in reversed(listed)]


def backwards() -> list[str]:
    before: Any = client().hgetall("{tables}:prev")
    found = []
    at = before.get(b"-1", b"-1")
    while at != b"-1":
        found.append(at.decode())
        at = before[at]
    return found
