"""The follower copies every event, once and in order, whatever happens to it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from archive import follower as following
from archive.follower import Follower, WrongStore
from archive.models import Copied, StoreName
from archive.operations import Part, copy_call, note_written, take_written
from archive.rows import body_of
from archive.tests.kept import follow, rows, texts
from archive.topics import number_of
from archive.writing import NEW, Batch, Outrun, cursors_of
from foyer.store.steps import client, run
from messaging.operations import delete_direct, delete_message, edit_direct, edit_message
from messaging.tests.said import person, post, send
from rooms.operations import delete_room
from rooms.tests.invariants import create
from tests.people import ANN, BEN

ROOM, ANNS, BENS = "{room:1}", "{user:1}", "{user:2}"


def store() -> Any:
    return client()


def in_the_log(tag: str = ROOM) -> list[tuple[int, bytes]]:
    part = Part.of(run(copy_call(tag, 0, "", 100_000)))
    return [(entry.offset, entry.body) for entry in part.entries]


def in_sql(tag: str = ROOM) -> list[tuple[int, bytes]]:
    return [(row.offset, body_of(row)) for row in rows(tag)]


@pytest.fixture
def kitchen() -> None:
    create(ANN, "Kitchen")
    for number in range(1, 6):
        post(BEN, f"text {number}")


def test_every_event_is_copied_as_the_log_has_it(kitchen: None, follower: Follower) -> None:
    send(ANN, BEN, "hello")
    note_written([ROOM, ANNS, BENS])
    follow(follower)
    for tag in (ROOM, ANNS, BENS):
        assert in_sql(tag) == in_the_log(tag) != []
    assert texts() == [f"text {number}" for number in range(1, 6)]
    (sent,) = (row for row in rows(ANNS) if row.is_message)
    (got,) = (row for row in rows(BENS) if row.is_message)
    assert (sent.peer, sent.signer, got.peer, got.signer) == (BEN.id, ANN.id, ANN.id, ANN.id)


def test_many_events_are_copied_a_portion_at_a_time(
    kitchen: None, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "EVENTS", 20)
    for number in range(50):
        post(BEN, f"more {number}")
    delete_message(BEN, "1", 30)
    follower.copy([ROOM])
    assert in_sql() == in_the_log()
    assert len(in_sql()) == 56


def test_copying_again_changes_nothing(kitchen: None, follower: Follower) -> None:
    follower.copy([ROOM, ROOM])
    before = rows()
    follower.copy([ROOM])
    follow(Follower(threading.Event()))
    assert rows() == before


def test_of_two_followers_at_once_one_writes(kitchen: None, follower: Follower) -> None:
    number = number_of(ROOM) or 0
    for _ in range(2):
        cursor = cursors_of([number]).get(number, NEW)
        part = Part.of(run(copy_call(ROOM, *cursor[:2], 100)))
        late = Batch()
        late.add(number, cursor, part, 0)
        follower.copy([ROOM])
        before = rows()
        with pytest.raises(Outrun):
            late.commit()
        assert rows() == before
        post(BEN, "one more")


def test_an_edit_is_copied_with_the_message_it_is_about(kitchen: None, follower: Follower) -> None:
    edit_message(BEN, "1", 2, "edited at once")
    follower.copy([ROOM])
    edit_message(BEN, "1", 3, "edited later")
    edit_message(BEN, "1", 3, "and again")
    follower.copy([ROOM])
    assert texts() == ["text 1", "edited at once", "and again", "text 4", "text 5"]
    assert in_sql() == in_the_log()


def test_a_deletion_takes_text_and_edits_out_of_sql(kitchen: None, follower: Follower) -> None:
    edit_message(BEN, "1", 2, "a secret")
    follower.copy([ROOM])
    edit_message(BEN, "1", 2, "another secret")
    edit_message(BEN, "1", 3, "a secret")
    delete_message(BEN, "1", 2)
    follower.copy([ROOM])
    delete_message(BEN, "1", 3)
    follower.copy([ROOM])
    assert texts() == ["text 1", "", "", "text 4", "text 5"]
    assert "secret" not in repr(rows())
    assert in_sql() == in_the_log()


def test_direct_messages_are_edited_and_deleted_in_both_logs(follower: Follower) -> None:
    for number in (1, 2):
        send(ANN, BEN, f"text {number}")
    follower.copy([ANNS, BENS])
    edit_direct(ANN, person(BEN), 1, "edited")
    delete_direct(ANN, person(BEN), 2)
    follower.copy([ANNS, BENS])
    assert texts(ANNS) == texts(BENS) == ["edited", ""]


def test_the_other_one_is_found_for_messages_of_the_release_before(follower: Follower) -> None:
    send(ANN, BEN, "hello")
    for tag, peer in ((ANNS, BEN), (BENS, ANN)):
        offset, fields = store().xrevrange(f"{tag}:log", count=1)[0]
        store().delete(f"{tag}:log")
        store().xadd(f"{tag}:log", {name: fields[name.encode()] for name in ("type", "by", "body")}, id=offset)
        store().xadd(f"{tag}:with:{peer.id}", {"": ""}, id=offset)
    follower.copy([ANNS, BENS])
    assert [row.peer for row in rows(ANNS)] == [BEN.id]
    assert [(row.peer, row.origin) for row in rows(BENS)] == [(ANN.id, 1)]


def test_what_was_taken_by_a_follower_that_died_is_taken_by_the_next(kitchen: None, follower: Follower) -> None:
    note_written([ROOM])
    assert take_written(10) == [ROOM]
    note_written([ANNS])
    assert take_written(10) == [ROOM]
    assert take_written(10, [ROOM]) == [ANNS]
    assert take_written(10, [ANNS]) == []


def test_what_nobody_told_of_is_found_by_the_walk(kitchen: None, follower: Follower, django_user_model: Any) -> None:
    account = django_user_model.objects.create_user("walter", "pw", pk=1000)
    caller = account.caller
    send(caller, BEN, "hello")
    store().delete("{archive}:dirty")
    follow(follower)
    assert texts() == [f"text {number}" for number in range(1, 6)]
    assert texts(f"{{user:{account.pk}}}") == ["hello"]


def test_one_follower_is_at_work_and_another_takes_over(kitchen: None, follower: Follower) -> None:
    other = Follower(threading.Event())
    assert follower.hold()
    assert not other.hold()
    follower.leave()
    assert other.hold()
    assert 0 < store().pttl("{archive}:lease") <= 10_000  # so long another waits after a kill
    store().delete("{archive}:lease")
    third = Follower(threading.Event())
    assert third.hold()


def test_a_log_that_went_another_way_is_archived_as_it_went(kitchen: None, follower: Follower) -> None:
    follower.copy([ROOM])
    store().delete(f"{ROOM}:log", f"{ROOM}:messages")
    for number in range(1, 4):
        store().xadd(
            f"{ROOM}:log", {"type": "message", "by": "2", "body": body_of(rows()[number - 1])}, id=f"{number}-0"
        )
    store().hset(f"{ROOM}:head", mapping={"offset": 3, "node": "the one before"})
    post(BEN, "after the promotion")
    follower.copy([ROOM])
    assert texts() == ["text 1", "text 2", "text 3", "after the promotion"]
    epoch = store().hget(f"{ROOM}:head", "epoch").decode()
    assert Copied.objects.get(topic=number_of(ROOM) or 0).epoch == epoch


def test_an_archive_is_not_mixed_with_another_store(kitchen: None, follower: Follower) -> None:
    follow(follower)
    follower.leave()
    assert StoreName.objects.count() == 1
    store().flushall()
    with pytest.raises(WrongStore):
        Follower(threading.Event()).hold()
    assert len(rows()) == 5


def test_a_room_that_is_deleted_is_not_copied(kitchen: None, follower: Follower) -> None:
    delete_room(ANN, "1")
    follower.copy([ROOM])
    assert rows() == []
