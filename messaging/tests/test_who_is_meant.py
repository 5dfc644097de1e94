"""A name on a socket means the account that has it now, however lately it was another's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from accounts.errors import UserNotFound
from accounts.operations import _bury, bury
from foyer.api.wire import fields_of
from foyer.store.steps import Steps, client
from messaging.operations import _send_direct, send_direct
from messaging.tests.said import conversation, person, send, texts_of, user_events
from rooms.tests.invariants import empty_store
from tests.clients import PASSWORD, Frame, SignUp, Socket, sign_in, sign_up_at
from tests.clients import Person as Client
from tests.people import ANN, BEN, EVE
from tests.server import Server
from tests.steps import crashes, in_every_order


async def anew(server: Server, username: str) -> Client:
    """Somebody else who signs up under a name."""
    async with httpx.AsyncClient(base_url=server.base_url, trust_env=False) as guest:
        answer = await guest.post("/user", json={"username": username, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
    return await sign_in(server, username)


async def test_a_message_to_a_name_that_was_given_anew_reaches_who_has_it_now(
    start_server: Callable[..., Server],
) -> None:
    one, other = start_server(), start_server()
    ann, ben = await sign_up_at(one, "ann"), await sign_up_at(one, "ben")
    async with ann.socket("/ws") as here, ann.at(other).socket("/ws") as there:
        sockets: list[Socket] = [here, there]
        for number, socket in enumerate(sockets):
            assert (await socket.next_frame())["type"] == "welcome"
            answer = await socket.ask({"id": 1, "type": "post", "user": ben.username, "text": f"to the first {number}"})
            assert answer["type"] == "reply"
        assert (await ben.at(other).rest.delete(f"/user/{ben.username}")).status_code == 204
        successor = await anew(one, ben.username)
        for number, socket in enumerate(sockets):
            post = {"id": 2, "type": "post", "user": ben.username, "text": f"hi {number}", "client_id": f"c-{number}"}
            assert (await socket.ask(post))["type"] == "reply"
        received = (await successor.rest.get("/messages")).json()
        assert [message["text"] for message in received] == ["hi 0", "hi 1"]
        said = await there.ask({"id": 3, "type": "history", "user": ben.username})
        assert [message["text"] for message in said["result"]["messages"]] == ["hi 0", "hi 1"]


async def test_the_account_that_a_name_once_meant_is_not_found(sign_up: SignUp) -> None:
    ann, ben = await sign_up("ann"), await sign_up("ben")
    room = await ann.make_room(members_only=True)
    await ann.rest.post(f"/room/{room}/members", json={"username": ben.username})
    about: Frame = {"user": ben.username}
    async with ann.socket("/ws") as socket:
        await socket.next_frame()
        assert (await socket.ask({"id": 0, "type": "post", "text": "hi", **about}))["type"] == "reply"
        assert (await ben.rest.delete(f"/user/{ben.username}")).status_code == 204
        for command in (
            {"type": "post", "text": "are you there?", **about},
            {"type": "history", **about},
            {"type": "edit", "message": 1, "text": "x", **about},
            {"type": "delete", "message": 1, **about},
            {"type": "typing", **about},
            {"type": "read", "offset": 1, **about},
            {"type": "add_member", "room": room, "username": ben.username},
            {"type": "remove_member", "room": room, "username": ben.username},
        ):
            answer = await socket.ask({"id": 1, **command})
            assert (answer["type"], answer.get("code")) == ("error", "user_not_found"), command


# While somebody is deleted


def test_a_message_to_an_account_that_goes_at_that_moment_is_refused_and_leaves_nothing() -> None:
    send(ANN, EVE, "to somebody else")
    bury(BEN.id)
    for _ in range(2):
        with pytest.raises(UserNotFound):
            send_direct(ANN, person(BEN), "hi", "k-1")
    assert conversation(ANN, BEN) == []
    assert [event["type"] for event in user_events(ANN)][1:] == ["direct_message", "message_deleted"] * 2
    assert all(event["message"].get("text", "") == "" for event in user_events(ANN)[1:])
    store: Any = client()
    assert not list(store.scan_iter(match="{user:*}:outbox:*")) + list(store.scan_iter(match="{user:*}:owed"))
    successor = person(BEN)._replace(id=99)
    assert fields_of(send_direct(ANN, successor, "hi", "k-1"))["text"] == "hi"


def test_after_a_refusal_that_was_cut_short_the_next_message_is_refused_too() -> None:
    def sending() -> Steps[bytes]:
        empty_store()
        bury(BEN.id)
        return _send_direct(ANN, person(BEN), "hi", "k-1")

    for calls in crashes(sending):
        with pytest.raises(UserNotFound):
            send_direct(ANN, person(BEN), "again", "k-2")
        assert "again" not in texts_of(conversation(ANN, BEN)), f"after {calls} calls"


def test_a_message_and_a_deletion_at_once_end_in_delivery_or_in_a_refusal() -> None:
    def scene() -> list[Steps[Any]]:
        empty_store()
        return [_send_direct(ANN, person(BEN), "hi"), _send_direct(EVE, person(BEN), "ho"), _bury(BEN.id)]

    outcomes = set()
    for to_ben, too, _ in in_every_order(scene):
        for outcome, sender in ((to_ben, ANN), (too, EVE)):
            outcomes.add(type(outcome))
            assert isinstance(outcome, bytes | UserNotFound)
            assert len(conversation(sender, BEN)) == isinstance(outcome, bytes)
    assert outcomes == {bytes, UserNotFound}
