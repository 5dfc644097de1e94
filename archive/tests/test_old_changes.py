"""What is edited or deleted after the store let go of it: all are told the new text, and nothing deleted comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from archive.follower import Follower
from archive.models import Copied, Event
from archive.operations import Part, copy_call
from archive.tests.kept import let_go, rows, texts
from archive.topics import number_of
from archive.writing import NEW, Batch
from foyer.store.steps import Steps, client, run
from messaging.errors import MessageNotFound, NotTheSender
from messaging.operations import (
    _delete_direct,
    _delete_message,
    _edit_direct,
    _edit_message,
    delete_direct,
    delete_message,
    edit_message,
)
from messaging.tests.said import (
    conversation,
    edit_direct,
    history,
    inbox,
    person,
    post,
    room_events,
    send,
    texts_of,
    user_events,
)
from rooms.operations import delete_room
from rooms.tests.invariants import create, empty_store
from tests.people import ANN, BEN, BOSS, EVE
from tests.steps import Run, crashes, in_every_order

ROOM, ANNS, BENS = "{room:1}", "{user:1}", "{user:2}"


def talk() -> None:
    """Three messages in a room, and three from one to another; their ids are 1 to 3 everywhere."""
    create(EVE, "Kitchen")
    for number in range(1, 4):
        post(BEN, f"text {number}")
        send(ANN, BEN, f"word {number}")


def begin(follower: Follower) -> None:
    """A room and a conversation of which the store has let go."""
    empty_store()
    Event.objects.all().delete()
    Copied.objects.all().delete()
    talk()
    let_go(follower, 0, ROOM, ANNS, BENS)


@pytest.fixture
def old(follower: Follower) -> None:
    begin(follower)


def told_of(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def test_an_old_message_is_edited_by_its_sender_alone(old: None) -> None:
    with pytest.raises(NotTheSender):
        edit_message(ANN, "1", 2, "not mine")
    edited = orjson.loads(edit_message(BEN, "1", 2, "edited"))
    assert edited["text"] == "edited"
    assert edited["edited_at"]
    assert history(ANN)[1] == edited
    assert texts_of(history(ANN)) == ["text 1", "edited", "text 3"]
    assert room_events()[-1]["message"] == edited


def test_an_old_message_is_deleted_and_gone_from_sql_when_that_is_answered(old: None) -> None:
    edit_message(BEN, "1", 2, "a secret")
    with pytest.raises(NotTheSender):
        delete_message(ANN, "1", 2)
    delete_message(BOSS, "1", 2)
    assert texts_of(history(ANN)) == ["text 1", "text 3"]
    assert texts() == ["text 1", "", "text 3"]
    assert "text 2" not in repr([*rows(), room_events()])
    assert "secret" not in repr([*rows(), room_events()])
    with pytest.raises(MessageNotFound):
        delete_message(BOSS, "1", 2)
    with pytest.raises(MessageNotFound):
        edit_message(BEN, "1", 2, "still mine")


def test_old_direct_messages_change_in_both_logs(old: None, follower: Follower) -> None:
    edit_direct(ANN, BEN, 1, "edited")
    delete_direct(ANN, person(BEN), 2)
    for _ in range(2):
        assert texts_of(conversation(ANN, BEN)) == texts_of(conversation(BEN, ANN)) == ["edited", "word 3"]
        assert texts_of(inbox(BEN)) == ["edited", "word 3"]
        let_go(follower, 0, ANNS, BENS)
        assert texts(ANNS) == texts(BENS) == ["edited", "", "word 3"]
    assert told_of(user_events(BEN)) == ["direct_message"] * 3 + ["message_edited", "message_deleted"]
    with pytest.raises(MessageNotFound):
        delete_direct(ANN, person(BEN), 2)
    with pytest.raises(MessageNotFound):
        edit_direct(ANN, EVE, 1, "not said to this one")
    with pytest.raises(NotTheSender):
        edit_direct(BEN, ANN, 1, "not mine")


OPERATIONS: dict[str, tuple[Callable[[], Steps[Any]], list[str], list[str]]] = {
    "edit": (lambda: _edit_message(BEN, "1", 2, "new"), ["text 1", "new", "text 3"], ["word 1", "word 2", "word 3"]),
    "delete": (lambda: _delete_message(BEN, "1", 2), ["text 1", "text 3"], ["word 1", "word 2", "word 3"]),
    "edit direct": (
        lambda: _edit_direct(ANN, person(BEN), 2, "new"),
        ["text 1", "text 2", "text 3"],
        ["word 1", "new", "word 3"],
    ),
    "delete direct": (
        lambda: _delete_direct(ANN, person(BEN), 2),
        ["text 1", "text 2", "text 3"],
        ["word 1", "word 3"],
    ),
}
each_operation = pytest.mark.parametrize("name", OPERATIONS)


def look(rooms: list[str], words: list[str]) -> None:
    assert texts_of(history(ANN)) == rooms
    assert texts_of(conversation(ANN, BEN)) == texts_of(conversation(BEN, ANN)) == words


@each_operation
def test_a_change_cut_short_anywhere_is_finished_by_its_repeat(name: str, follower: Follower) -> None:
    operation, said, words = OPERATIONS[name]

    def put_up() -> Steps[Any]:
        begin(follower)
        return operation()

    for _ in crashes(put_up):
        shown = texts_of(history(ANN)), texts_of(conversation(ANN, BEN))
        Run(operation()).finish()
        look(said, words)
        let_go(follower, 0, ROOM, ANNS, BENS)
        look(said, words)
        assert {shown[0] == said, shown[1] == words} <= {True, False}
        changes = [kind for kind in told_of(room_events() + user_events(BEN)) if kind.startswith("message_")]
        assert len(changes) == 1


@each_operation
@pytest.mark.parametrize("hot", [0, 1])
def test_a_change_may_cross_the_follower_anywhere(name: str, hot: int, follower: Follower) -> None:
    """The follower copies and lets go of everything, once, before each call of the operation."""
    operation, said, words = OPERATIONS[name]
    calls = 0
    while True:
        begin(follower)
        running = Run(operation())
        for _ in range(calls):
            running.step()
        if running.over:
            break
        let_go(follower, hot, ROOM, ANNS, BENS)
        running.finish()
        look(said, words)
        let_go(follower, hot, ROOM, ANNS, BENS)
        look(said, words)
        calls += 1


@each_operation
def test_a_change_may_come_between_the_followers_reading_and_its_writing(name: str, follower: Follower) -> None:
    """What is changed is in memory, and the follower has read it and not yet written it."""
    operation, said, words = OPERATIONS[name]
    begin(follower)
    empty_store()
    Event.objects.all().delete()
    Copied.objects.all().delete()
    talk()
    batch = Batch()
    for tag in (ROOM, ANNS, BENS):
        batch.add(number_of(tag) or 0, NEW, Part.of(run(copy_call(tag, 0, "", 100))), 0)
    Run(operation()).finish()
    batch.commit()
    look(said, words)
    let_go(follower, 0, ROOM, ANNS, BENS)
    look(said, words)
    if name.startswith("delete"):
        gone = {"delete": "text 2", "delete direct": "word 2"}[name]
        assert gone not in repr([*rows(), *rows(ANNS), *rows(BENS)])


@pytest.mark.parametrize("second", [lambda: _edit_message(BEN, "1", 2, "two"), lambda: _delete_message(EVE, "1", 2)])
def test_two_changes_of_an_old_message_at_once_end_as_if_one_came_first(
    second: Callable[[], Steps[Any]], follower: Follower
) -> None:
    def put_up() -> list[Steps[Any]]:
        begin(follower)
        return [_edit_message(BEN, "1", 2, "one"), second()]

    for _ in in_every_order(put_up):
        shown = texts_of(history(ANN))
        assert shown in (["text 1", "one", "text 3"], ["text 1", "two", "text 3"], ["text 1", "text 3"])
        told = texts_told(room_events())
        assert told[-1:] == shown[1:2] if len(shown) == 3 else not {"one", "text 2"} & set(told)
        let_go(follower, 0)
        assert texts_of(history(ANN)) == shown
        assert texts_told(room_events()) == told
        assert texts() == (shown if len(shown) == 3 else ["text 1", "", "text 3"])


def texts_told(events: list[dict[str, Any]]) -> list[str]:
    return [event["message"].get("text", "") for event in events if "message" in event]


def test_an_edit_that_read_the_archive_long_ago_does_not_bring_a_deleted_text_back(follower: Follower) -> None:
    for calls in range(4):
        begin(follower)
        running = Run(_edit_message(BEN, "1", 2, "late"))
        for _ in range(calls):
            running.step()
        delete_message(EVE, "1", 2)
        let_go(follower, 0)
        result = running.finish()
        if not isinstance(result, MessageNotFound):
            assert calls == 3, "the edit was there before the deletion"
        assert texts_of(history(ANN)) == ["text 1", "text 3"]
        let_go(follower, 0)
        assert texts() == ["text 1", "", "text 3"]
        assert "late" not in repr(rows())


def test_a_room_that_is_deleted_is_gone_from_sql_when_that_is_answered(old: None, follower: Follower) -> None:
    delete_room(EVE, "1")
    assert rows() == []
    assert not Copied.objects.filter(topic=number_of(ROOM) or 0).exists()
    follower.copy([ROOM])
    assert rows() == []


def test_what_a_crash_leaves_of_a_deleted_room_in_sql_the_follower_takes_out(old: None, follower: Follower) -> None:
    client().set(f"{ROOM}:gone", "kitchen")
    follower.copy([ROOM])
    assert rows() == []


def test_a_deleted_account_leaves_nothing_of_its_own_log_in_sql(follower: Follower, django_user_model: Any) -> None:
    account = django_user_model.objects.create_user("walter", "pw", pk=1000)
    tag = f"{{user:{account.pk}}}"
    send(account.caller, BEN, "hello")
    let_go(follower, 0, tag, BENS)
    account.delete()
    assert rows(tag) == []
    assert [message["sender"] for message in inbox(BEN)] == [None]
