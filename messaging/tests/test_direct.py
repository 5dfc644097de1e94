"""Direct messages: in two logs, each with ids of its own."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings

from accounts.callers import Caller
from accounts.errors import AccountGone
from accounts.operations import bury
from foyer.api.wire import fields_of
from foyer.errors import RetryKeyReused, UnknownCursor
from foyer.paging import Page
from foyer.realtime.log import read_log
from foyer.realtime.topics import user_topic
from messaging.consumers import received_only
from messaging.errors import MessageNotFound, NotTheSender
from messaging.operations import asend_direct, delete_direct, forget_conversations, read_direct
from messaging.tests.said import conversation, edit_direct, inbox, person, send, texts, texts_of, user_events
from rooms.operations import forget_user
from tests.clients import Person
from tests.people import ANN, BEN, BOSS, EVE


def test_both_ends_see_it_each_with_an_id_of_its_own() -> None:
    send(EVE, BEN, "before")
    message = send(ANN, BEN, "hi")
    assert message | {"sent_at": ""} == {
        "id": 1, "to": "ben", "sender": "ann", "text": "hi", "sent_at": "", "edited_at": None,
    }  # fmt: skip
    assert list(message) == ["id", "to", "sender", "text", "sent_at", "edited_at"]
    assert conversation(ANN, BEN) == [message]
    assert conversation(BEN, ANN) == [message | {"id": 2}]
    assert inbox(BEN)[1:] == [message | {"id": 2}]
    assert inbox(ANN) == []
    assert user_events(BEN)[1] == {
        "type": "direct_message", "topic": "user:ben", "offset": 2, "message": message | {"id": 2},
    }  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(texts)
def test_a_text_arrives_as_it_was_sent(text: str) -> None:
    sent = send(ANN, BEN, text)
    assert sent["text"] == text
    assert texts_of(conversation(ANN, BEN, Page(1))) == texts_of(inbox(BEN, Page(1))) == [text]


def test_a_conversation_holds_what_two_said_to_each_other_and_the_inbox_what_others_sent() -> None:
    for sender, to, text in ((ANN, BEN, "1"), (BEN, ANN, "2"), (ANN, EVE, "3"), (EVE, BEN, "4"), (BEN, ANN, "5")):
        send(sender, to, text)
    assert texts_of(conversation(ANN, BEN)) == texts_of(conversation(BEN, ANN)) == ["1", "2", "5"]
    assert texts_of(conversation(ANN, EVE)) == ["3"]
    assert texts_of(inbox(ANN)) == ["2", "5"]
    assert texts_of(inbox(BEN)) == ["1", "4"]
    assert inbox(BOSS) == conversation(BOSS, BEN) == []


def test_a_message_to_oneself_is_there_once() -> None:
    note = send(ANN, ANN, "buy milk")
    assert conversation(ANN, ANN) == inbox(ANN) == [note]
    assert len(user_events(ANN)) == 1


def test_conversation_and_inbox_are_read_in_pages() -> None:
    for number in range(7):
        send(ANN if number % 2 else BEN, BEN if number % 2 else ANN, str(number))
        send(EVE, ANN, "noise")
    newest = read_direct(ANN, person(BEN), Page(3))
    assert texts_of(list(map(fields_of, newest.messages))) == ["4", "5", "6"]
    assert newest.more
    first = fields_of(newest.messages[0])["id"]
    older = read_direct(ANN, person(BEN), Page(4, before=first))
    assert texts_of(list(map(fields_of, older.messages))) == ["0", "1", "2", "3"]
    assert not older.more
    assert texts_of(conversation(ANN, BEN, Page(after=first))) == ["5", "6"]
    assert texts_of(inbox(ANN, Page(2))) == ["6", "noise"]
    assert texts_of(inbox(ANN, Page(1, after=first))) == ["noise"]
    for asked in (Page(after=100), Page(before=100)):
        with pytest.raises(UnknownCursor):
            inbox(ANN, asked)


def test_a_retry_key_sends_one_message() -> None:
    first = send(ANN, BEN, "once", "k")
    assert send(ANN, BEN, "once", "k") == first
    for to, text in ((BEN, "other"), (EVE, "once")):
        with pytest.raises(RetryKeyReused):
            send(ANN, to, text, "k")
    assert send(BEN, ANN, "mine", "k")["text"] == "mine"
    assert texts_of(inbox(BEN)) == ["once"]
    assert len(user_events(ANN)) == 2


async def test_one_retry_key_many_times_at_once_sends_one_message() -> None:
    found = await asyncio.gather(*(asend_direct(ANN, person(BEN), "once", "k") for _ in range(20)))
    assert len(set(found)) == 1
    assert len(inbox(BEN)) == len(conversation(ANN, BEN)) == 1


async def test_many_messages_at_once_arrive_once_each() -> None:
    people = (ANN, BEN, EVE)
    sends = (asend_direct(one, person(other), f"{n}") for n in range(15) for one in people for other in people)
    await asyncio.gather(*sends)
    for one in people:
        for other in people:
            times = 1 if one == other else 2
            assert Counter(texts_of(conversation(one, other))) == {str(number): times for number in range(15)}


def test_the_inbox_live_is_what_was_received_and_nothing_one_sent() -> None:
    send(ANN, BEN, "out")
    send(BEN, ANN, "in")
    send(ANN, ANN, "note")
    heard = [received_only(event) for event in read_log(user_topic(ANN.id, "ann"), 0, 10).events]
    assert [fields_of(text)["message"]["text"] for text in heard if text] == ["in", "note"]


def test_what_a_deleted_account_sent_stays_with_its_recipients_unsigned() -> None:
    send(ANN, BEN, "old")
    send(BEN, ANN, "answer")
    bury(ANN.id)
    forget_user(ANN.id)
    forget_conversations(ANN.id)
    assert [(message["sender"], message["text"]) for message in inbox(BEN)] == [(None, "old")]
    assert [event["message"]["sender"] for event in user_events(BEN)] == [None, "ben"]
    namesake = Caller(id=56, username="ann", is_admin=False)
    assert inbox(namesake) == conversation(namesake, BEN) == user_events(namesake) == []
    send(namesake, BEN, "new")
    assert texts_of(conversation(BEN, namesake)) == ["new"]
    assert [message["sender"] for message in inbox(BEN)] == [None, "ann"]


@pytest.mark.parametrize("name", ["User Name", 'quo"te', "back\\slash", "Ünïcødé 💬", "a}b{c", '","to":"x', "%0"])
def test_any_name_sends_and_receives(name: str) -> None:
    odd = Caller(id=57, username=name, is_admin=False)
    send(ANN, odd, "there")
    send(odd, ANN, "back")
    send(odd, odd, "note")
    assert [(message["to"], message["sender"]) for message in user_events_of(odd)] == [
        (name, "ann"), ("ann", name), (name, name),
    ]  # fmt: skip
    assert texts_of(inbox(odd)) == ["there", "note"]
    live = [received_only(event) for event in read_log(user_topic(odd.id, name), 0, 10).events]
    assert [bool(event) for event in live] == [True, False, True]


def user_events_of(caller: Caller) -> list[dict[str, str]]:
    return [event["message"] for event in user_events(caller)]


# Edited and deleted


def test_an_edit_is_in_both_logs_under_the_id_that_the_message_has_there() -> None:
    send(EVE, BEN, "before")
    sent = send(ANN, BEN, "hi")
    edited = edit_direct(ANN, BEN, sent["id"], "hi!")
    assert edited | {"edited_at": None} == sent | {"text": "hi!"}
    assert edited["edited_at"] is not None
    assert conversation(ANN, BEN) == [edited]
    assert conversation(BEN, ANN) == [edited | {"id": 2}]
    assert texts_of(inbox(BEN)) == ["before", "hi!"]
    for reader, message_id in ((ANN, 1), (BEN, 2)):
        topic = f"user:{reader.username}"
        event = {
            "type": "message_edited",
            "topic": topic,
            "offset": message_id + 1,
            "message": edited | {"id": message_id},
        }
        assert user_events(reader)[-1] == event
    before = user_events(BEN)
    assert edit_direct(ANN, BEN, sent["id"], "hi!") == edited
    assert user_events(BEN) == before


@settings(max_examples=30, deadline=None)
@given(texts, texts)
def test_any_text_becomes_any_other(text: str, other: str) -> None:
    sent = send(ANN, BEN, text)
    edit_direct(ANN, BEN, sent["id"], other)
    assert texts_of(conversation(BEN, ANN, Page(1))) == texts_of(conversation(ANN, BEN, Page(1))) == [other]


def test_a_deleted_message_is_in_neither_log_nor_are_its_edits() -> None:
    send(EVE, BEN, "before")
    sent = send(ANN, BEN, "secret one")
    edit_direct(ANN, BEN, sent["id"], "secret two")
    send(ANN, BEN, "after")
    delete_direct(ANN, person(BEN), sent["id"])
    assert texts_of(conversation(ANN, BEN)) == texts_of(conversation(BEN, ANN)) == ["after"]
    assert texts_of(inbox(BEN)) == ["before", "after"]
    for reader, message_id in ((ANN, 1), (BEN, 2)):
        told = user_events(reader)
        gone = {"message": {"id": message_id, "to": "ben"}, "by": "ann"}
        assert told[-1] == {"type": "message_deleted", "topic": f"user:{reader.username}", "offset": len(told), **gone}
        assert [event["message"].get("text") for event in told[-4:]] == ["", "", "after", None]
    with pytest.raises(MessageNotFound):
        delete_direct(ANN, person(BEN), sent["id"])
    with pytest.raises(MessageNotFound):
        edit_direct(ANN, BEN, sent["id"], "again")


def test_a_note_to_oneself_is_edited_and_deleted_once() -> None:
    note = send(ANN, ANN, "buy milk")
    assert texts_of([edit_direct(ANN, ANN, note["id"], "buy tea")]) == texts_of(inbox(ANN)) == ["buy tea"]
    delete_direct(ANN, person(ANN), note["id"])
    assert inbox(ANN) == conversation(ANN, ANN) == []
    assert [event["type"] for event in user_events(ANN)] == ["direct_message", "message_edited", "message_deleted"]


def test_only_the_sender_changes_what_he_said_and_only_to_whom_he_said_it() -> None:
    sent = send(ANN, BEN, "hi")
    received = conversation(BEN, ANN)[0]["id"]
    for change in (
        lambda: edit_direct(BEN, ANN, received, "x"),
        lambda: delete_direct(BEN, person(ANN), received),
    ):
        with pytest.raises(NotTheSender):
            change()
    for to, message_id in ((EVE, sent["id"]), (BEN, 99), (BEN, 0)):
        with pytest.raises(MessageNotFound):
            edit_direct(ANN, to, message_id, "x")
        with pytest.raises(MessageNotFound):
            delete_direct(ANN, person(to), message_id)
    edit_direct(ANN, BEN, sent["id"], "hi!")
    with pytest.raises(MessageNotFound):
        edit_direct(ANN, BEN, sent["id"] + 1, "the event of an edit is no message")
    bury(ANN.id)
    with pytest.raises(AccountGone):
        edit_direct(ANN, BEN, 1, "x")
    with pytest.raises(AccountGone):
        delete_direct(ANN, person(BEN), 1)


async def test_edits_and_deletions_go_by_the_gateway_and_are_heard_on_both_sides(
    ann_there: Person, ben_there: Person
) -> None:
    async with ann_there.socket("/ws") as ann, ben_there.socket("/ws") as ben:
        for socket in (ann, ben):
            await socket.hear()
        to_ben = {"user": ben_there.username}
        sent = (await ann.ask({"type": "post", **to_ben, "text": "hi"}))["result"]
        edited = (await ann.ask({"type": "edit", **to_ben, "message": sent["id"], "text": "hi!"}))["result"]
        gone = (await ann.ask({"type": "delete", **to_ben, "message": sent["id"]}))["result"]
        assert (edited["text"], gone) == ("hi!", {"id": sent["id"]})
        for socket in (ann, ben):
            told = await socket.hear_many(3)
            assert [event["type"] for event in told] == ["direct_message", "message_edited", "message_deleted"]
            assert {event["message"]["id"] for event in told} == {sent["id"]}
        both = await ann.ask({"type": "delete", **to_ben, "room": "1", "message": 1})
        assert both["code"] == "invalid"
        nobody = await ann.ask({"type": "edit", "user": "nobody at all", "message": 1, "text": "x"})
        assert nobody["code"] == "user_not_found"
