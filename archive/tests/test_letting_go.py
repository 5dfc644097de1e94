"""The store keeps the newest of what the archive has, and never lets go of more; a store from a back-up goes on."""

from __future__ import annotations

from typing import Any

import pytest

from archive import follower as following
from archive.follower import Follower
from archive.models import Copied, Event
from archive.tests.kept import let_go, rows, texts
from archive.writing import Cursor
from foyer.realtime.log import read_log
from foyer.realtime.topics import room_topic
from foyer.store.steps import client
from messaging.tests.said import history, post, room_events, texts_of
from rooms.tests.invariants import create
from tests.people import ANN, BEN

ROOM = "{room:1}"


def store() -> Any:
    return client()


@pytest.fixture
def kitchen() -> None:
    create(ANN, "Kitchen")
    for number in range(1, 41):
        post(BEN, f"text {number}")


def test_the_newest_events_stay_in_memory(kitchen: None, follower: Follower, settings: Any) -> None:
    settings.HOT_EVENTS = 8
    follower.copy([ROOM])
    assert store().xlen(f"{ROOM}:log") == 8
    post(BEN, "one more")
    follower.copy([ROOM])
    assert store().xlen(f"{ROOM}:log") == 9, "an eighth more may be there"
    post(BEN, "and another")
    follower.copy([ROOM])
    assert store().xlen(f"{ROOM}:log") == 8
    assert len(room_events()) == 42


def test_what_is_not_in_sql_stays(kitchen: None, follower: Follower, settings: Any) -> None:
    settings.HOT_EVENTS = 0
    follower.copy([ROOM])
    for number in range(3):
        post(BEN, f"later {number}")
    let_go_again = Copied.objects.get()
    follower.let_go({let_go_again.topic: Cursor(40, let_go_again.epoch)}, 0)
    assert store().xlen(f"{ROOM}:log") == 3
    follower.let_go({let_go_again.topic: Cursor(43, "another")}, 0)
    follower.let_go({let_go_again.topic: Cursor(1000, let_go_again.epoch)}, 0)
    assert store().xlen(f"{ROOM}:log") == 3


def test_of_an_idle_topic_the_head_alone_stays(
    kitchen: None, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower.copy([ROOM])
    follower.copy([ROOM])
    assert store().xlen(f"{ROOM}:log") == 40
    monkeypatch.setattr(following, "IDLE", -1)
    follower.copy([ROOM])
    parts = {key.decode().rpartition(":")[2] for key in store().scan_iter(f"{ROOM}:*")}
    assert parts == {"head", "room", "members", "order", "signers"}
    assert len(history(ANN)) == 40


def test_a_log_from_a_back_up_goes_on_where_the_archive_ends(kitchen: None, follower: Follower) -> None:
    head, log = store().dump(f"{ROOM}:head"), store().dump(f"{ROOM}:log")
    for number in range(41, 46):
        post(BEN, f"text {number}")
    follower.copy([ROOM])
    before = room_events()
    store().restore(f"{ROOM}:head", 0, head, replace=True)
    store().restore(f"{ROOM}:log", 0, log, replace=True)
    follower.copy([ROOM])
    assert room_events() == before
    assert post(BEN, "the next")["id"] == 46
    follower.copy([ROOM])
    assert texts() == [*(f"text {number}" for number in range(1, 46)), "the next"]


def test_a_log_from_a_back_up_that_was_written_to_begins_a_new_epoch(kitchen: None, follower: Follower) -> None:
    head, log = store().dump(f"{ROOM}:head"), store().dump(f"{ROOM}:log")
    for number in range(41, 46):
        post(BEN, f"lost {number}")
    follower.copy([ROOM])
    epoch = read_log(room_topic("1"), 0, 1).head.epoch
    store().restore(f"{ROOM}:head", 0, head, replace=True)
    store().restore(f"{ROOM}:log", 0, log, replace=True)
    post(BEN, "another way")
    follower.copy([ROOM])
    assert texts() == [*(f"text {number}" for number in range(1, 41)), "another way"]
    assert texts_of(history(ANN))[-1] == "another way"
    assert not read_log(room_topic("1"), 44, 10, epoch).whole
    assert not read_log(room_topic("1"), 41, 10, epoch).whole
    assert read_log(room_topic("1"), 40, 10, epoch).whole


def test_an_archive_from_a_back_up_tells_where_it_has_a_hole(kitchen: None, follower: Follower) -> None:
    let_go(follower, 5)
    Event.objects.filter(offset__gt=20).delete()
    Copied.objects.update(offset=20)
    follower.copy([ROOM])
    assert [row.offset for row in rows()] == [*range(1, 21), *range(36, 41)]
    assert not read_log(room_topic("1"), 20, 10).whole
    assert read_log(room_topic("1"), 35, 10).whole
    assert texts_of(history(ANN)) == [f"text {number}" for number in [*range(1, 21), *range(36, 41)]]
