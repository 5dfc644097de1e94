"""Messages that were cut short on their way, or that cross: stored once, delivered once, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.crc import key_slot

from accounts.callers import Caller
from accounts.errors import AccountGone
from accounts.operations import _bury, user_tag
from foyer.errors import Unavailable
from foyer.paging import Page
from foyer.store.steps import Steps, client
from messaging import operations
from messaging.errors import MessageNotFound
from messaging.operations import (
    _delete_direct,
    _edit_direct,
    _forget_user,
    _post_message,
    _read_direct,
    _send_direct,
    delete_direct,
    edit_direct,
    forget_conversations,
)
from messaging.tests.said import conversation, history, inbox, person, post, room_events, send, texts_of, user_events
from rooms.operations import _forget_user as _leave_rooms
from rooms.operations import create_room
from rooms.tests.invariants import create, empty_store
from tests.people import ANN, BEN, EVE
from tests.steps import Run, crashes, in_every_order, in_order
from tests.store import SLOTS, Cluster, store_at, wait_for


def going(caller: Caller) -> Steps[None]:
    """The deletion of an account, less its row."""
    yield from _bury(caller.id)
    yield from _leave_rooms(caller.id)
    yield from _forget_user(caller.id)


def go(caller: Caller) -> None:
    Run(going(caller)).finish()


# Rooms


def posting() -> Steps[bytes]:
    empty_store()
    create(ANN, "Kitchen")
    return _post_message(BEN, "1", "first", "k")


def test_a_first_post_cut_short_is_there_once_after_its_retry() -> None:
    for calls in crashes(posting):
        assert texts_of(history(ANN)) in ([], ["first"]), f"after {calls} calls"
        message = post(BEN, "first", "k")
        assert history(ANN) == [message]
        assert [event["message"] for event in room_events()] == [message]


def test_a_message_that_is_under_way_when_its_sender_goes_is_unsigned() -> None:
    def put_up() -> Sequence[Steps[Any]]:
        empty_store()
        create(ANN, "Kitchen")
        return [going(BEN), _post_message(BEN, "1", "last words")]

    outcomes = set()
    for _, message in in_every_order(put_up):
        outcomes.add(type(message))
        assert isinstance(message, bytes | AccountGone)
        assert [message["sender"] for message in history(ANN)] == [None] * isinstance(message, bytes)
        assert all(event["message"]["sender"] is None for event in room_events())
    assert outcomes == {bytes, AccountGone}


# From one to another


def sending() -> Steps[bytes]:
    empty_store()
    send(ANN, EVE, "to somebody else")
    return _send_direct(ANN, person(BEN), "first", "k")


def look_at_conversation() -> object:
    return conversation(ANN, EVE)


@pytest.mark.parametrize(
    "touch",
    [
        look_at_conversation,
        lambda: inbox(ANN),
        lambda: send(ANN, EVE, "something else"),
        lambda: send(ANN, ANN, "a note"),
    ],
)
def test_a_direct_message_cut_short_is_delivered_once_when_its_sender_is_next_seen(touch: Callable[[], object]) -> None:
    for calls in crashes(sending):
        touch()
        assert texts_of(inbox(BEN)) == ["first"] * (calls > 0)
        touch()
        retried = send(ANN, BEN, "first", "k")
        assert texts_of(inbox(BEN)) == texts_of(conversation(BEN, ANN)) == ["first"]
        assert conversation(ANN, BEN) == [retried]


def test_direct_messages_cut_short_arrive_in_the_order_they_were_sent() -> None:
    for calls in range(4):
        empty_store()
        for number in range(3):
            running = Run(_send_direct(ANN, person(BEN if number != 1 else EVE), f"cut {number}"))
            for _ in range(calls):
                running.step()
        send(ANN, BEN, "whole")
        told = ["cut 0", "cut 2"] * (calls > 0)
        assert texts_of(inbox(BEN)) == texts_of(conversation(ANN, BEN)) == [*told, "whole"]
        assert texts_of(inbox(EVE)) == ["cut 1"] * (calls > 0)
        assert not client().exists(f"{user_tag(ANN.id)}:owed")


def test_two_processes_that_deliver_at_once_deliver_once_and_in_order() -> None:
    def put_up() -> Sequence[Steps[Any]]:
        empty_store()
        Run(_send_direct(ANN, person(BEN), "left behind")).step()
        return [_send_direct(ANN, person(BEN), "second"), _read_direct(ANN, person(EVE), Page())]

    for _ in in_every_order(put_up):
        assert texts_of(inbox(BEN)) == ["left behind", "second"]
        assert len(user_events(BEN)) == 2


@settings(deadline=None)
@given(st.lists(st.integers(0, 11), max_size=30))
def test_many_processes_that_send_at_once_deliver_each_once_in_the_order_of_the_sender(order: list[int]) -> None:
    empty_store()
    sends = [_send_direct(ANN, person(to), f"{number}") for number in range(3) for to in (BEN, EVE)]
    in_order(order, *sends, _read_direct(ANN, None, Page()))
    for reader in (BEN, EVE):
        told = texts_of(inbox(reader))
        assert sorted(told) == ["0", "1", "2"]
        assert told == texts_of(conversation(ANN, reader))


def test_a_direct_message_under_way_when_its_sender_goes_is_unsigned() -> None:
    def put_up() -> Sequence[Steps[Any]]:
        empty_store()
        return [going(ANN), _send_direct(ANN, person(BEN), "last words")]

    outcomes = set()
    for _, message in in_every_order(put_up):
        assert isinstance(message, bytes | AccountGone)
        outcomes.add((type(message), len(inbox(BEN))))
        assert all(message["sender"] is None for message in inbox(BEN))
        assert not isinstance(message, bytes) or len(inbox(BEN)) == 1
    assert {(bytes, 1), (AccountGone, 0)} <= outcomes


def test_a_direct_message_under_way_when_its_recipient_goes_leaves_nothing_in_his_log() -> None:
    def put_up() -> Sequence[Steps[Any]]:
        empty_store()
        return [going(BEN), _send_direct(ANN, person(BEN), "too late")]

    for _ in in_every_order(put_up):
        assert not client().exists(f"{user_tag(BEN.id)}:log")
        assert not client().exists(f"{user_tag(ANN.id)}:owed")


def editing() -> Steps[bytes]:
    empty_store()
    send(ANN, BEN, "first")
    send(ANN, BEN, "second")
    return _edit_direct(ANN, person(BEN), 1, "first, edited")


def deleting() -> Steps[None]:
    empty_store()
    send(ANN, BEN, "first")
    send(ANN, BEN, "second")
    edit_direct(ANN, person(BEN), 1, "first, edited")
    return _delete_direct(ANN, person(BEN), 1)


@pytest.mark.parametrize("touch", [look_at_conversation, lambda: send(ANN, EVE, "something else")])
def test_an_edit_cut_short_reaches_the_recipient_once_when_its_sender_is_next_seen(touch: Callable[[], object]) -> None:
    for calls in crashes(editing):
        touch()
        assert texts_of(conversation(BEN, ANN)) == texts_of(conversation(ANN, BEN)), f"after {calls} calls"
        edit_direct(ANN, person(BEN), 1, "first, edited")
        assert texts_of(inbox(BEN)) == ["first, edited", "second"]
        assert [event["type"] for event in user_events(BEN)].count("message_edited") == 1


@pytest.mark.parametrize("again", [True, False])
def test_a_deletion_cut_short_reaches_the_recipient_once(again: bool) -> None:
    for calls in crashes(deleting):
        if calls == 0:
            continue
        if again:
            with pytest.raises(MessageNotFound):
                delete_direct(ANN, person(BEN), 1)
        else:
            look_at_conversation()
        assert texts_of(inbox(BEN)) == texts_of(conversation(ANN, BEN)) == ["second"], f"after {calls} calls"
        assert [event["type"] for event in user_events(BEN)].count("message_deleted") == 1


def test_what_is_said_edited_and_deleted_at_once_ends_alike_on_both_sides() -> None:
    def put_up() -> Sequence[Steps[Any]]:
        empty_store()
        Run(_send_direct(ANN, person(BEN), "one")).step()
        return [_edit_direct(ANN, person(BEN), 1, "two"), _delete_direct(ANN, person(BEN), 1)]

    for edited, _ in in_every_order(put_up):
        assert isinstance(edited, bytes | MessageNotFound)
        assert conversation(ANN, BEN) == conversation(BEN, ANN) == inbox(BEN) == []
        assert [event["type"] for event in user_events(ANN)] == [event["type"] for event in user_events(BEN)]
        assert not client().exists(f"{user_tag(ANN.id)}:owed")


def test_a_long_outbox_is_emptied_in_portions_and_in_order() -> None:
    for number in range(120):
        Run(_send_direct(ANN, person(BEN), str(number))).step()
    look_at_conversation()
    assert texts_of(inbox(BEN, Page(1000))) == [str(number) for number in range(50)]
    send(ANN, BEN, "last")
    assert texts_of(inbox(BEN, Page(1000))) == [*map(str, range(120)), "last"]
    assert not list(client().scan_iter(match=f"{user_tag(ANN.id)}:o*"))


def test_one_who_can_not_be_reached_holds_nobody_else_back(
    spare_cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, ben, eve = (
        Caller(id=next(number for number in range(1, 1000) if part_of(number) == part), username=name, is_admin=False)
        for part, name in enumerate(("ann", "ben", "eve"))
    )
    for node in spare_cluster.nodes:
        node.client().config_set("cluster-require-full-coverage", "no")
    with store_at(spare_cluster.url, timeout=1):
        send(ann, ben, "one")
        send(ann, eve, "one")
        away = spare_cluster.nodes[1]
        away.kill()
        with pytest.raises(Unavailable):
            send(ann, ben, "two", "k")
        for number in range(20):
            send(ann, eve, str(number))
        assert texts_of(conversation(ann, ben)) == ["one", "two"]
        assert len(inbox(eve)) == 21
        away.start()
        spare_cluster.wait_until_whole()
        monkeypatch.setattr(operations, "unreachable", {})
        wait_for(lambda: send(ann, eve, "and now") and len(inbox(ben)) == 2)
        assert texts_of(inbox(ben)) == ["one", "two"]
        send(ann, ben, "two", "k")
        assert texts_of(inbox(ben)) == ["one", "two"]


def part_of(user_id: int) -> int:
    """Which of three nodes a user's log is on."""
    return int(key_slot(user_tag(user_id).encode())) * 3 // SLOTS


# An account that goes


def leaving() -> Steps[None]:
    empty_store()
    create(BEN, "Kitchen")
    create(ANN, "Cellar")
    post(BEN, "in the kitchen")
    post(BEN, "in the cellar", room_id="2")
    send(BEN, ANN, "to ann")
    send(ANN, BEN, "to ben")
    return going(BEN)


def test_after_a_deletion_cut_short_the_next_attempt_leaves_nothing_signed() -> None:
    for calls in crashes(leaving):
        go(BEN)
        said = [*history(ANN), *history(ANN, room_id="2"), *inbox(ANN), *conversation(ANN, BEN)[:1]]
        assert [message["sender"] for message in said] == [None] * 4, f"after {calls} calls"
        told = [*room_events("1"), *room_events("2"), *user_events(ANN)]
        received = [event["message"] for event in told if "message" in event and event["message"].get("to") != "ben"]
        assert [message["sender"] for message in received] == [None] * 3
        left = [
            f"{user_tag(BEN.id)}:{part}" for part in ("log", "head", "messages", "rooms", "signed", "owed", "peers")
        ]
        assert [key for key in left if client().exists(key)] == []
        with pytest.raises(AccountGone):
            send(BEN, ANN, "still here")
        with pytest.raises(AccountGone):
            create_room(BEN, "Attic", False, None)


def test_an_account_that_has_nothing_is_deleted_too() -> None:
    go(EVE)
    go(EVE)
    forget_conversations(EVE.id)
    send(ANN, BEN, "hi")
    assert texts_of(inbox(BEN)) == ["hi"]
