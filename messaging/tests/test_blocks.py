"""Blocks: nothing arrives once one is answered, nothing that was acknowledged is lost, and a crash leaves no other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from accounts.models import Account
from accounts.operations import bury, user_tag
from foyer.errors import Forbidden, FoyerError
from foyer.realtime.topics import user_topic
from foyer.store.steps import client
from messaging import blocks
from messaging.blocks import block, list_blocks, unblock
from messaging.errors import Blocked, TooManyBlocks
from messaging.operations import _delete_direct, _edit_direct, _send_direct, delete_direct, forget_conversations
from messaging.reading import tell_typing
from messaging.tests.said import conversation, edit_direct, inbox, person, send, texts_of
from rooms.tests.invariants import empty_store
from tests.clients import Person
from tests.people import ANN, BEN, EVE
from tests.steps import crashes, in_every_order

TO_ANN, TO_BEN = person(ANN), person(BEN)


def blocking() -> Any:
    return blocks._block(BEN, TO_ANN)


def unblocking() -> Any:
    return blocks._unblock(BEN, TO_ANN)


def is_blocked() -> bool:
    """Whether ann is blocked by ben, as ben's end says."""
    return bool(client().hexists(f"{user_tag(BEN.id)}:blocks", str(ANN.id)))


def test_who_is_blocked_sends_and_types_nothing_and_what_was_said_stays() -> None:
    said = send(ANN, BEN, "hi")
    block(BEN, TO_ANN)
    with pytest.raises(Blocked):
        send(ANN, BEN, "more")
    with pytest.raises(Blocked):
        edit_direct(ANN, BEN, said["id"], "other")
    with pytest.raises(Blocked):
        tell_typing(ANN, user_topic(BEN.id, "ben"))
    assert texts_of(inbox(BEN)) == texts_of(conversation(ANN, BEN)) == ["hi"]
    send(BEN, ANN, "bye")
    send(EVE, BEN, "hello")
    tell_typing(BEN, user_topic(ANN.id, "ann"))
    unblock(BEN, TO_ANN)
    edit_direct(ANN, BEN, said["id"], "other")
    send(ANN, BEN, "more")
    tell_typing(ANN, user_topic(BEN.id, "ben"))
    assert texts_of(inbox(BEN)) == ["other", "hello", "more"]


def test_who_is_blocked_may_still_delete_what_they_said() -> None:
    said = send(ANN, BEN, "hi")
    block(BEN, TO_ANN)
    delete_direct(ANN, TO_BEN, said["id"])
    assert inbox(BEN) == []


def test_a_message_that_was_acknowledged_is_acknowledged_again_with_its_retry_key() -> None:
    first = send(ANN, BEN, "hi", "k")
    block(BEN, TO_ANN)
    assert send(ANN, BEN, "hi", "k") == first
    assert len(inbox(BEN)) == 1


def test_nobody_blocks_themselves_and_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Forbidden):
        block(BEN, TO_BEN)
    monkeypatch.setattr(blocks, "MOST_BLOCKS", 1)
    block(BEN, TO_ANN)
    block(BEN, TO_ANN)
    with pytest.raises(TooManyBlocks):
        block(BEN, person(EVE))
    unblock(BEN, TO_ANN)
    block(BEN, person(EVE))


@pytest.mark.parametrize("edits", [False, True])
def test_whatever_happens_at_once_what_is_acknowledged_arrives_before_the_block_is_answered(edits: bool) -> None:
    """A message, or an edit of an older one, and a block, in every order of their steps."""

    def scene() -> Any:
        empty_store()
        send(ANN, BEN, "old")
        say = _edit_direct(ANN, TO_BEN, 1, "new") if edits else _send_direct(ANN, TO_BEN, "new", "k")
        return [say, blocking()]

    seen = set()
    for said, _ in in_every_order(scene):
        expected = ["old"] if isinstance(said, Blocked) else ["new"] if edits else ["old", "new"]
        assert texts_of(inbox(BEN)) == texts_of(conversation(ANN, BEN)) == expected
        assert refused()
        seen.add(isinstance(said, Blocked))
    assert len(seen) == 2


def test_of_a_block_and_its_end_at_once_both_ends_know_the_same() -> None:
    def scene() -> Any:
        empty_store()
        return [blocking(), unblocking()]

    for results in in_every_order(scene):
        assert not any(isinstance(result, FoyerError) for result in results)
        assert refused() == is_blocked()


def refused() -> bool:
    try:
        send(ANN, BEN, "?")
    except Blocked:
        return True
    return False


def test_a_block_that_a_crash_cut_short_is_finished_by_asking_again_or_by_what_is_sent() -> None:
    def begun() -> Any:
        empty_store()
        send(ANN, BEN, "before")
        return blocking()

    for again in (True, False):
        for calls in crashes(begun):
            if again:
                block(BEN, TO_ANN)
            began = is_blocked()
            refused()
            assert refused() == began, calls
            assert texts_of(inbox(BEN))[:1] == ["before"]


def test_an_end_of_a_block_that_a_crash_cut_short_is_finished_by_the_next_message() -> None:
    def begun() -> Any:
        empty_store()
        block(BEN, TO_ANN)
        return unblocking()

    for calls in crashes(begun):
        assert refused() == is_blocked(), calls


@pytest.mark.parametrize("work", ["send", "edit", "delete"])
def test_what_a_crash_left_on_its_way_arrives_before_the_block_is_answered(work: str) -> None:
    def begun() -> Any:
        empty_store()
        send(ANN, BEN, "old")
        if work == "send":
            return _send_direct(ANN, TO_BEN, "new", "k")
        return _edit_direct(ANN, TO_BEN, 1, "new") if work == "edit" else _delete_direct(ANN, TO_BEN, 1)

    for calls in crashes(begun):
        block(BEN, TO_ANN)
        at_the_answer = texts_of(inbox(BEN))
        assert at_the_answer == texts_of(conversation(ANN, BEN)), calls
        if work == "send" and len(at_the_answer) == 2:
            assert send(ANN, BEN, "new", "k")["text"] == "new"
        elif work == "send":
            with pytest.raises(Blocked):
                send(ANN, BEN, "new", "k")
        assert texts_of(inbox(BEN)) == at_the_answer


def test_blocks_go_with_either_account() -> None:
    for gone, stays in ((ANN, BEN), (BEN, ANN)):
        empty_store()
        block(BEN, TO_ANN)
        block(ANN, TO_BEN)
        block(BEN, person(EVE))
        bury(gone.id)
        forget_conversations(gone.id)
        for part in ("blocks", "blocked_by"):
            assert not client().hexists(f"{user_tag(stays.id)}:{part}", str(gone.id))
            assert not client().exists(f"{user_tag(gone.id)}:{part}")


def test_a_deletion_that_a_crash_cut_short_is_finished() -> None:
    from messaging.operations import _forget_user

    def going() -> Any:
        empty_store()
        block(BEN, TO_ANN)
        block(EVE, TO_ANN)
        block(ANN, person(EVE))
        bury(ANN.id)
        return _forget_user(ANN.id)

    for _ in crashes(going):
        forget_conversations(ANN.id)
        for other in (BEN, EVE):
            assert not client().hexists(f"{user_tag(other.id)}:blocks", str(ANN.id))
            assert not client().hexists(f"{user_tag(other.id)}:blocked_by", str(ANN.id))


def test_who_blocks_an_account_that_goes_at_that_moment_has_no_block() -> None:
    def scene() -> Any:
        from accounts.operations import _bury
        from messaging.operations import _forget_user

        def going() -> Any:
            yield from _bury(ANN.id)
            yield from _forget_user(ANN.id)

        empty_store()
        return [blocking(), going()]

    for _ in in_every_order(scene):
        assert not is_blocked()


@pytest.mark.django_db(transaction=True)
def test_the_list_has_those_who_are_there() -> None:
    ann, ben, eve = [Account.objects.create_user(name) for name in ("ann", "ben", "eve")]
    for other in (ann, eve):
        block(ben.caller, person(other.caller))
    assert [one.username for one in list_blocks(ben.caller)] == ["ann", "eve"]
    unblock(ben.caller, person(ann.caller))
    assert [one.username for one in list_blocks(ben.caller)] == ["eve"]
    eve.delete()
    assert list_blocks(ben.caller) == []


async def test_over_rest_and_on_sockets(ann_there: Person, ben_there: Person) -> None:
    ann, ben = ann_there, ben_there
    path = f"/blocks/{ann.username}"
    blocked = await ben.rest.put(path)
    assert blocked.status_code == 200
    assert blocked.json().keys() == {"username", "at"}
    assert (await ben.rest.put(path)).json() == blocked.json()
    assert (await ben.rest.get("/blocks")).json() == [blocked.json()]
    assert (await ann.rest.get("/blocks")).json() == []
    answer = await ann.rest.post(f"/user/{ben.username}/messages", json={"text": "hi"})
    assert (answer.status_code, answer.json()["code"]) == (403, "blocked")
    assert (await ben.rest.put(f"/blocks/{ben.username}")).json()["code"] == "forbidden"
    assert (await ben.rest.put("/blocks/nobody-at-all")).json()["code"] == "user_not_found"
    async with ann.socket("/ws") as anns, ben.socket("/ws") as bens:
        await asyncio.gather(anns.hear(), bens.hear())
        post = {"id": 1, "type": "post", "user": ben.username, "text": "hi"}
        assert (await anns.ask(post))["code"] == "blocked"
        typing = {"id": 2, "type": "typing", "user": ben.username}
        assert (await anns.ask(typing))["code"] == "blocked"
        told = await bens.ask({"id": 1, "type": "unblock", "username": ann.username.upper()})
        assert told["result"] == {"username": ann.username}
        assert (await anns.ask(post))["type"] == "reply"
        assert (await bens.hear())["message"]["text"] == "hi"
        assert (await bens.ask({"id": 2, "type": "block", "username": ann.username}))["result"][
            "username"
        ] == ann.username
        assert (await anns.ask(post))["code"] == "blocked"
    assert (await ben.rest.delete(path)).status_code == 204
    assert (await ben.rest.delete(path)).status_code == 204
    assert (await ann.rest.post(f"/user/{ben.username}/messages", json={"text": "hi"})).status_code == 201
