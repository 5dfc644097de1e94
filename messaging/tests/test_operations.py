"""The messages of rooms: stored, numbered, paged, edited, deleted, and sent once."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.callers import Caller
from accounts.operations import bury
from foyer.api.wire import fields_of
from foyer.errors import RetryKeyReused, UnknownCursor
from foyer.paging import Page
from foyer.realtime.log import read_log
from foyer.realtime.topics import room_topic
from messaging.errors import MessageNotFound, NotTheSender
from messaging.operations import (
    apost_message,
    delete_message,
    edit_message,
    post_message,
    read_history,
    show_message,
)
from messaging.tests.said import history, post, room_events, texts, texts_of
from rooms.errors import RoomNotFound
from rooms.operations import delete_room, forget_user, update_room
from rooms.tests.invariants import create
from tests.people import ANN, BEN, BOSS, EVE

ROOM = room_topic("1")


@pytest.fixture(autouse=True)
def kitchen() -> None:
    """Room 1 is Ann's and open."""
    create(ANN, "Kitchen")


@settings(max_examples=150, deadline=None)
@given(texts, texts)
def test_a_text_comes_out_as_it_went_in(text: str, other: str) -> None:
    message = post(BEN, text)
    assert message["text"] == text
    assert history(ANN, Page(limit=1)) == [message]
    assert room_event(message["id"]) == {
        "type": "message", "topic": "room:1", "offset": message["id"], "message": message,
    }  # fmt: skip
    edited = fields_of(edit_message(BEN, "1", message["id"], other))
    assert edited == message | {"text": other, "edited_at": edited["edited_at"]}
    assert history(ANN, Page(limit=1)) == [edited]
    assert fields_of(show_message(ANN, "1", message["id"])) == edited
    if other != text:
        assert edited["edited_at"]
        assert room_event(message["id"] + 1)["message"] == edited
    delete_message(BEN, "1", message["id"])
    left = "".join(event.json.decode() for event in read_log(ROOM, message["id"] - 1, 10).events)
    assert '"text":""' in left
    assert other not in left or len(other) < 20  # a short text may be part of anything


def room_event(offset: int) -> dict[str, object]:
    return fields_of(read_log(ROOM, offset - 1, 1).events[0].json)


def test_a_message_says_where_who_what_and_when() -> None:
    message = post(BEN, "hi")
    assert list(message) == ["id", "roomId", "sender", "text", "sent_at", "edited_at"]
    assert message | {"sent_at": ""} == {
        "id": 1, "roomId": "1", "sender": "ben", "text": "hi", "sent_at": "", "edited_at": None,
    }  # fmt: skip


def test_an_id_is_the_offset_in_the_rooms_log() -> None:
    first = post(BEN, "one")
    edit_message(BEN, "1", first["id"], "one, better")
    update_room(ANN, "1", "Cellar", None)
    second = post(ANN, "two")
    assert (first["id"], second["id"]) == (1, 4)
    assert [event["type"] for event in room_events()] == ["message", "message_edited", "room_updated", "message"]


def test_a_message_in_no_room_is_refused() -> None:
    for room_id in ("2", "0", "", "x", "01", "1\n", "٣", "-1", "9" * 17, "{room:1}"):
        with pytest.raises(RoomNotFound):
            post(BEN, "hi", room_id=room_id)


# Pages


def test_history_is_read_in_pages_either_way() -> None:
    sent = [post(BEN, str(number)) for number in range(10)]
    for number in (2, 5, 9):
        delete_message(BEN, "1", sent[number]["id"])
    left = [message for number, message in enumerate(sent) if number not in (2, 5, 9)]
    for limit in range(1, 9):
        assert history(ANN, Page(limit)) == left[-limit:]
        found: list[Any] = []
        page = read_history(ANN, "1", Page(limit))
        while True:
            assert len(page.messages) == limit or not page.more
            found[:0] = map(fields_of, page.messages)
            if not page.more:
                break
            page = read_history(ANN, "1", Page(limit, before=found[0]["id"]))
        assert found == left
        found, position = [], 0
        while (page := read_history(ANN, "1", Page(limit, after=position))).messages:
            found += map(fields_of, page.messages)
            position = found[-1]["id"]
            assert page.more == (len(found) < len(left))
        assert found == left


def test_history_between_two_ids_is_what_lies_between() -> None:
    sent = [post(BEN, str(number)) for number in range(6)]
    assert history(ANN, Page(50, before=6, after=2)) == sent[2:5]
    assert history(ANN, Page(50, before=2, after=5)) == []


def test_the_ends_of_a_room_are_places_too() -> None:
    assert history(ANN, Page(after=0)) == history(ANN, Page(before=1)) == history(ANN, Page(before=0)) == []
    sent = [post(BEN, str(number)) for number in range(3)]
    assert history(ANN, Page(before=4)) == sent
    assert history(ANN, Page(after=0)) == sent
    assert history(ANN, Page(after=3)) == history(ANN, Page(before=0)) == history(ANN, Page(before=1)) == []


@pytest.mark.parametrize("asked", [Page(before=3), Page(after=2), Page(after=2**63 - 1), Page(before=2**63 - 1)])
def test_a_place_that_a_room_has_not_reached_is_refused(asked: Page) -> None:
    post(BEN, "only")
    with pytest.raises(UnknownCursor):
        history(ANN, asked)


def test_a_page_reaches_across_many_other_events() -> None:
    first = post(BEN, "first")
    for number in range(50):
        edit_message(BEN, "1", first["id"], str(number))
    second = post(BEN, "second")
    assert texts_of(history(ANN)) == ["49", "second"]
    assert second["id"] == 52


# Editing and deleting


def test_only_its_sender_edits_a_message() -> None:
    message = post(BEN, "mine")
    for other in (ANN, BOSS, EVE):
        with pytest.raises(NotTheSender):
            edit_message(other, "1", message["id"], "yours")
    assert history(ANN) == [message]


def test_an_edit_that_changes_nothing_is_told_to_nobody() -> None:
    message = post(BEN, "same")
    assert fields_of(edit_message(BEN, "1", message["id"], "same")) == message
    assert len(room_events()) == 1


def test_the_sender_the_rooms_owner_and_admins_delete_a_message() -> None:
    with pytest.raises(NotTheSender):
        delete_message(EVE, "1", post(BEN, "x")["id"])
    for caller in (BEN, ANN, BOSS):
        message = post(BEN, "x")
        delete_message(caller, "1", message["id"])
        assert room_events()[-1] == {
            "type": "message_deleted",
            "topic": "room:1",
            "offset": message["id"] + 1,
            "message": {"id": message["id"], "roomId": "1"},
            "by": caller.username,
        }
        with pytest.raises(MessageNotFound):
            delete_message(caller, "1", message["id"])
        with pytest.raises(MessageNotFound):
            edit_message(BEN, "1", message["id"], "y")
        with pytest.raises(MessageNotFound):
            show_message(BEN, "1", message["id"])


def test_a_deleted_text_is_nowhere_and_leaves_no_hole() -> None:
    kept = post(BEN, "kept")
    message = post(BEN, "secret 1")
    for number in range(2, 5):
        edit_message(BEN, "1", message["id"], f"secret {number}")
    edit_message(BEN, "1", kept["id"], "kept, edited")
    delete_message(BEN, "1", message["id"])
    told = room_events()
    assert "secret" not in str(told)
    assert [event["type"] for event in told] == [
        "message", "message", "message_edited", "message_edited", "message_edited", "message_edited", "message_deleted",
    ]  # fmt: skip
    assert [event["message"].get("text") for event in told] == ["kept", "", "", "", "", "kept, edited", None]
    assert texts_of(history(ANN)) == ["kept, edited"]
    assert read_log(ROOM, 3, 2).whole


def test_other_events_are_no_messages() -> None:
    post(BEN, "one")
    edit_message(BEN, "1", 1, "two")
    for offset in (2, 0, 3, 10**14):
        with pytest.raises(MessageNotFound):
            show_message(BEN, "1", offset)
        with pytest.raises(MessageNotFound):
            edit_message(BEN, "1", offset, "three")
        with pytest.raises(MessageNotFound):
            delete_message(BEN, "1", offset)


# Once


def test_a_retry_key_gives_the_first_answer_again() -> None:
    message = post(BEN, "once", "k")
    post(BEN, "between")
    assert post(BEN, "once", "k") == message
    with pytest.raises(RetryKeyReused):
        post(BEN, "something else", "k")
    assert post(ANN, "once", "k")["id"] == 3, "the keys of two users are separate"
    assert len(room_events()) == 3


async def test_one_retry_key_many_times_at_once_stores_one_message() -> None:
    with ThreadPoolExecutor(4) as pool:
        loop = asyncio.get_running_loop()
        threads = [loop.run_in_executor(pool, post_message, BEN, "1", "once", "k") for _ in range(10)]
        found = await asyncio.gather(*threads, *(apost_message(BEN, "1", "once", "k") for _ in range(20)))
    assert len(set(found)) == 1
    assert len(room_events()) == 1


async def test_many_posts_at_once_are_numbered_without_a_hole() -> None:
    messages = await asyncio.gather(*(apost_message(caller, "1", "x") for caller in (ANN, BEN, EVE) for _ in range(50)))
    assert sorted(fields_of(message)["id"] for message in messages) == list(range(1, 151))
    assert len(history(ANN, Page(limit=1000))) == len(room_events()) == 150


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(["post", "edit", "delete"]), max_size=25), st.randoms(use_true_random=False))
def test_history_and_the_log_tell_the_same_story(happening: list[str], random: object) -> None:
    room = create(ANN, secrets.token_hex(), members_only=True)["roomId"]
    known: dict[int, str] = {}
    for number, what in enumerate(happening):
        if what == "post" or not known:
            known[post(ANN, str(number), room_id=room)["id"]] = str(number)
            continue
        chosen = random.choice(list(known))  # type: ignore[attr-defined]
        if what == "edit":
            edit_message(ANN, room, chosen, str(number))
            known[chosen] = str(number)
        else:
            delete_message(ANN, room, chosen)
            del known[chosen]
    retold: dict[int, str] = {}
    for event in room_events(room):
        message = event["message"]
        if event["type"] == "message_deleted":
            del retold[message["id"]]
        else:
            retold[message["id"]] = message["text"]
    assert retold == known == {message["id"]: message["text"] for message in history(ANN, Page(), room)}
    delete_room(ANN, room)


# Who may


def test_a_members_only_room_is_there_for_members_and_admins_alone() -> None:
    room = create(ANN, "Secret", members_only=True)["roomId"]
    message = post(ANN, "hush", room_id=room)
    assert history(BOSS, room_id=room) == [message]
    attempts: list[Callable[[], object]] = [
        lambda: post(EVE, "hi", room_id=room),
        lambda: history(EVE, room_id=room),
        lambda: show_message(EVE, room, 1),
        lambda: edit_message(EVE, room, 1, "x"),
        lambda: delete_message(EVE, room, 1),
    ]
    for attempt in attempts:
        with pytest.raises(RoomNotFound):
            attempt()


def test_a_deleted_rooms_messages_are_gone_with_it() -> None:
    post(BEN, "hi", "k")
    delete_room(ANN, "1")
    with pytest.raises(RoomNotFound):
        history(BEN)
    with pytest.raises(RoomNotFound):
        post(BEN, "hi", "k")
    with pytest.raises(RoomNotFound):
        show_message(BOSS, "1", 1)
    assert read_log(ROOM, 0, 10).events == []
    assert [event.kind for event in read_log(ROOM, 1, 10).events] == ["room_deleted"]


def test_what_a_deleted_account_wrote_is_unsigned_and_nobody_elses() -> None:
    message = post(BEN, "old")
    edit_message(BEN, "1", message["id"], "edited")
    bury(BEN.id)
    forget_user(BEN.id)
    assert [told["sender"] for told in history(ANN)] == [None]
    assert [event["message"]["sender"] for event in room_events()] == [None, None]
    namesake = Caller(id=55, username="ben", is_admin=False)
    with pytest.raises(NotTheSender):
        edit_message(namesake, "1", message["id"], "mine now")
    with pytest.raises(NotTheSender):
        delete_message(namesake, "1", message["id"])
    assert [told["sender"] for told in [post(namesake, "new"), *history(ANN)]] == ["ben", None, "ben"]
