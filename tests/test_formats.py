"""What a newer release stored: this one refuses it, and leaves it as it is, before it takes it apart wrongly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.operations import user_tag
from accounts.people import Person
from foyer.errors import NewerFormat
from foyer.paging import Page
from foyer.realtime.log import PRELUDE, read_log
from foyer.realtime.topics import room_topic
from foyer.store.steps import client
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
from messaging.operations import (
    delete_direct,
    delete_message,
    edit_direct,
    edit_message,
    post_message,
    read_direct,
    read_history,
    send_direct,
    show_message,
)
from rooms.membership import add_member, remove_member
from rooms.operations import create_room, delete_room, update_room
from tests.people import ANN, BEN

ROOM = room_topic("1")
TO_BEN = Person(BEN.id, BEN.username)

IN_ROOM: list[Callable[[], Any]] = [
    lambda: post_message(ANN, "1", "more"),
    lambda: edit_message(ANN, "1", 1, "other"),
    lambda: delete_message(ANN, "1", 1),
    lambda: read_history(ANN, "1", Page(50, None, None)),
    lambda: show_message(ANN, "1", 1),
    lambda: read_log(ROOM, 0, 10),
    lambda: add_member(ANN, "1", TO_BEN),
    lambda: remove_member(ANN, "1", Person(ANN.id, "ann")),
    lambda: update_room(ANN, "1", "Cellar", None),
    lambda: delete_room(ANN, "1"),
]
IN_OWN_LOG: list[Callable[[], Any]] = [
    lambda: send_direct(ANN, TO_BEN, "more"),
    lambda: edit_direct(ANN, TO_BEN, 2, "other"),
    lambda: delete_direct(ANN, TO_BEN, 2),
    lambda: read_direct(ANN, TO_BEN, Page(50, None, None)),
]
OF_TABLES: list[Callable[[], Any]] = [
    lambda: add_table(NewTable("second", 1)),
    lambda: update_table(1, "other", None),
    lambda: move_table(1, -1),
    lambda: remove_table(1),
    lambda: show_table(1),
    list_tables,
]


@pytest.fixture(autouse=True)
def stored() -> None:
    create_room(ANN, "Kitchen", False, None)
    post_message(ANN, "1", "hello")
    send_direct(ANN, TO_BEN, "hello ben")
    add_table(NewTable("first", 1))


def contents(tag: str) -> dict[bytes, Any]:
    """What is stored under a tag, but for an intention to rename, which takes no body apart."""
    kept = [key for key in client().scan_iter(f"{tag}:*") if not key.endswith(b":room")]
    return {key: client().dump(key) for key in kept}


@pytest.mark.parametrize(
    ("tag", "act"),
    [(ROOM.tag, act) for act in IN_ROOM]
    + [(user_tag(ANN.id), act) for act in IN_OWN_LOG]
    + [(TABLES.tag, act) for act in OF_TABLES],
)
def test_a_log_of_a_newer_release_is_refused_and_left_as_it_is(tag: str, act: Callable[[], Any]) -> None:
    client().hset(f"{tag}:head", "format", 99)
    before = contents(tag)
    with pytest.raises(NewerFormat):
        act()
    assert contents(tag) == before
    client().hset(f"{tag}:head", "format", 1)
    act()


def test_what_says_no_format_has_the_first() -> None:
    client().hdel(f"{ROOM.tag}:head", "format")
    assert b'"hello"' in read_history(ANN, "1", Page(50, None, None)).messages[0]
    assert b'"other"' in edit_message(ANN, "1", 1, "other")


def test_a_log_says_its_format_unless_it_is_the_first() -> None:
    known = next(line for line in PRELUDE.read_text().splitlines() if line.startswith("local FORMAT"))
    for tag in (ROOM.tag, user_tag(ANN.id), user_tag(BEN.id), TABLES.tag):
        assert known.endswith(f" {int(client().hget(f'{tag}:head', 'format') or 1)}"), tag
