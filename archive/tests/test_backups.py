"""Back-ups of different ages: whoever resumes is never told another event by an offset that they know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from archive.follower import Follower
from archive.models import Copied, Event
from archive.tests.kept import let_go
from foyer.realtime.log import read_log
from foyer.realtime.topics import room_topic
from foyer.store.steps import client
from messaging.operations import delete_message, edit_message
from messaging.tests.said import post
from rooms.tests.invariants import create
from tests.people import ANN, BEN

ROOM = "{room:1}"
SAVED, LOST = 40, 46
"""How many events the back-up has, and how many there were when it was put back."""
Heard = list[tuple[int, bytes]]


def store() -> Any:
    return client()


def whole_log() -> tuple[str, Heard]:
    """The epoch of the log, and every event that one who begins now is told."""
    heard: Heard = []
    while True:
        stretch = read_log(room_topic("1"), heard[-1][0] if heard else 0, 1000)
        assert stretch.whole
        heard += [(event.offset, event.json) for event in stretch.events]
        if not stretch.events:
            return stretch.head.epoch, heard


def resume_from_everywhere(epoch: str, before: Heard) -> set[int]:
    """Clients that heard `before`, up to each of its offsets, come back. What they know afterwards is the log.

    Returns the offsets from which that was possible.
    """
    _, now = whole_log()
    possible = set()
    for after in range(len(before) + 1):
        stretch = read_log(room_topic("1"), after, 1000, epoch)
        if stretch.whole:
            possible.add(after)
            missed = [(event.offset, event.json) for event in stretch.events]
            assert [*before[:after], *missed] == now[: after + len(missed)]
    return possible


@pytest.fixture(params=[0, 8, 1000], ids="{} in memory".format)
def saved(follower: Follower, request: pytest.FixtureRequest) -> dict[bytes, bytes]:
    """A room of which the archive has all, and the store the newest events; and a back-up of the store."""
    create(ANN, "Kitchen")
    for number in range(1, SAVED + 1):
        post(BEN, f"text {number}")
    let_go(follower, request.param)
    return {key: store().dump(key) for key in store().scan_iter(f"{ROOM}:*")}


def go_on(follower: Follower) -> None:
    for number in range(SAVED + 1, LOST + 1):
        post(BEN, f"lost by the store {number}")
    follower.copy([ROOM])


def put_back(saved: dict[bytes, bytes]) -> None:
    """As docs/production.md says it: with each log marked as another node's."""
    for key in store().scan_iter(f"{ROOM}:*"):
        store().delete(key)
    for key, value in saved.items():
        store().restore(key, 0, value)
    store().hset(f"{ROOM}:head", "node", "restored")


def nothing() -> None:
    pass


def write() -> None:
    post(BEN, "afterwards")


def change() -> None:
    edit_message(BEN, "1", SAVED, "changed afterwards")
    delete_message(BEN, "1", SAVED - 1)


@pytest.mark.parametrize("meanwhile", [nothing, write, change])
def test_a_store_that_is_older_than_the_archive(
    saved: dict[bytes, bytes], follower: Follower, meanwhile: Callable[[], None]
) -> None:
    go_on(follower)
    epoch, before = whole_log()
    put_back(saved)
    meanwhile()
    if meanwhile is not change:  # an edit is read as the newest of its message, in all that is told of it
        assert resume_from_everywhere(epoch, before) >= set(range(SAVED + 1))
    follower.copy([ROOM])
    follower.copy([ROOM])
    write()
    follower.copy([ROOM])
    if meanwhile is not change:
        possible = resume_from_everywhere(epoch, before)
        assert possible == set(range(LOST + 1 if meanwhile is nothing else SAVED + 1))
    assert not read_log(room_topic("1"), LOST + 1, 10, epoch).whole
    later, all_now = whole_log()
    assert later != epoch
    assert [offset for offset, _ in all_now] == list(range(1, len(all_now) + 1))
    in_sql = Event.objects.filter(topic=1 << 2).order_by("offset").values_list("offset", flat=True)
    assert list(in_sql) == list(range(1, len(all_now) + 1))


def test_an_archive_that_is_older_than_the_store(saved: dict[bytes, bytes], follower: Follower) -> None:
    go_on(follower)
    epoch, before = whole_log()
    Event.objects.filter(offset__gt=SAVED - 20).delete()
    Copied.objects.update(offset=SAVED - 20)
    for _ in range(2):
        write()
        follower.copy([ROOM])
    told = [*before, *((event.offset, event.json) for event in read_log(room_topic("1"), LOST, 10).events)]
    possible = set()
    for after in range(len(told)):
        stretch = read_log(room_topic("1"), after, 1000, epoch)
        if stretch.whole:
            possible.add(after)
            missed = [(event.offset, event.json) for event in stretch.events]
            assert missed == told[after : after + len(missed)] != []
    let_go_of = int(store().hget(f"{ROOM}:head", "let_go") or 0)
    assert possible == set(range(len(told))) - set(range(SAVED - 20, let_go_of))
