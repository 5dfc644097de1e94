"""What is left of an account that was deleted: what it said and did in rooms, and no name."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from accounts.callers import Caller
from accounts.operations import bury
from accounts.people import Person
from foyer.realtime.log import read_log
from foyer.realtime.topics import room_topic
from foyer.store.steps import client
from messaging.operations import delete_message, post_message
from rooms.membership import add_member, remove_member
from rooms.operations import create_room, forget_user, update_room

OWNER = Caller(id=1, username="olive", is_admin=False)
MEMBER = Caller(id=2, username="mabel", is_admin=False)
GUEST = Caller(id=3, username="gwendolyn", is_admin=False)
ADMIN = Caller(id=4, username="adelaide", is_admin=True)
EVERYONE = (OWNER, MEMBER, GUEST, ADMIN)


def everything_in(tag: str) -> str:
    """All that the store has under a tag, as text."""
    store: Any = client()
    read = {b"hash": store.hgetall, b"stream": store.xrange, b"string": store.get}
    kept = {key: store.type(key) for key in store.scan_iter(match=f"{tag}*")}
    assert kept
    return repr({key: read[kind](key) if kind in read else kind for key, kind in kept.items()})


def person(caller: Caller) -> Person:
    return Person(caller.id, caller.username)


def a_busy_room() -> list[dict[str, Any]]:
    """A user does each thing that puts their name into the log. Returns the events."""
    create_room(OWNER, "Kitchen", False, None)
    add_member(OWNER, "1", person(MEMBER))
    add_member(ADMIN, "1", person(GUEST))
    for caller in EVERYONE:
        post_message(caller, "1", "hello")
    delete_message(ADMIN, "1", 4)
    delete_message(GUEST, "1", 5)
    update_room(ADMIN, "1", "Cellar", None)
    update_room(OWNER, "1", "Attic", None)
    remove_member(MEMBER, "1", person(GUEST))
    return events()


def events() -> list[dict[str, Any]]:
    stretch = read_log(room_topic("1"), 0, 100)
    assert stretch.whole
    return [orjson.loads(event.json) for event in stretch.events]


def without(name: str, value: Any) -> Any:
    """A value of JSON with null wherever it names somebody."""
    if isinstance(value, dict):
        return {key: without(name, item) for key, item in value.items()}
    if isinstance(value, list):
        return [without(name, item) for item in value]
    return None if value == name else value


@pytest.mark.parametrize("gone", EVERYONE, ids=lambda caller: caller.username)
def test_a_rooms_log_and_all_that_is_kept_with_it_no_longer_name_a_deleted_account(gone: Caller) -> None:
    before = a_busy_room()
    kinds = {"member_added", "member_removed", "message", "message_deleted", "room_updated"}
    assert {event["type"] for event in before} == kinds
    assert gone.username in everything_in("{room:1}")
    bury(gone.id)
    forget_user(gone.id)
    assert gone.username not in everything_in("{room:1}")
    assert events()[: len(before)] == without(gone.username, before)
    for other in EVERYONE:
        assert other is gone or other.username in everything_in("{room:1}")


def test_what_an_account_does_while_it_is_deleted_has_no_name() -> None:
    a_busy_room()
    forget_user(ADMIN.id)
    update_room(ADMIN, "1", "Pantry", None)
    told = events()[-1]
    assert (told["type"], told["room"]["name"], told["by"]) == ("room_updated", "Pantry", None)
    assert ADMIN.username not in everything_in("{room:1}")
