"""The lobby chat, on real servers: frames to the letter, who is there, and what is said."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from foyer.api.wire import fields_of as parsed
from foyer.realtime.tests.talk import let_time_pass
from lobby.chat import GUESTS
from rooms.operations import list_rooms, openness, show_room
from tests.clients import Frame, Person, SignUp, Socket, sign_up_at
from tests.people import ANN
from tests.server import Server

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def said(frame: Frame) -> tuple[str, Any]:
    """A frame's type and `msg`; its shape is looked at on the way."""
    assert list(frame) == ["type", "sent_at", "msg"]
    assert TIME.fullmatch(frame["sent_at"])
    return frame["type"], frame["msg"]


def joined(person: Person) -> tuple[str, Frame]:
    return "user_joined", {"username": person.username}


def left(person: Person) -> tuple[str, Frame]:
    return "user_left", {"username": person.username}


def chat(person: Person, text: str) -> tuple[str, Frame]:
    return "chat_message", {"from_user": person.username, "text": text}


@contextlib.asynccontextmanager
async def joining(person: Person) -> AsyncIterator[tuple[Socket, list[str]]]:
    """A socket in the lobby, after its user's own coming; and the users who were there before."""
    async with person.socket("/join") as socket:
        kind, msg = said(await socket.hear())
        assert kind == "users_online"
        assert list(msg) == ["list"]
        assert person.username not in msg["list"]
        while said(await socket.hear()) != joined(person):
            pass
        yield socket, msg["list"]


async def say(socket: Socket, text: str, **more: Any) -> None:
    await socket.say({"type": "chat_message", "msg": {"text": text}, **more})


async def hear_until(socket: Socket, last: tuple[str, Any]) -> list[tuple[str, Any]]:
    heard = [said(await socket.hear())]
    while heard[-1] != last:
        heard.append(said(await socket.hear()))
    return heard


async def test_the_newcomer_gets_the_list_then_himself_then_all_that_happens(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    ann, ben = await sign_up_at(server, "ann"), await sign_up_at(server, "ben")
    async with ann.socket("/join") as first:
        assert said(await first.hear()) == ("users_online", {"list": []})
        assert said(await first.hear()) == joined(ann)
        async with ben.socket("/join") as second:
            assert said(await second.hear()) == ("users_online", {"list": [ann.username]})
            assert said(await second.hear()) == joined(ben)
            assert said(await first.hear()) == joined(ben)
            await say(second, "hi", from_user="eve", sent_at="yesterday")
            await second.say({"type": "chat_message", "sent_at": "", "msg": {"text": "ho", "from_user": "eve"}})
            for socket in (first, second):
                assert [said(await socket.hear()) for _ in range(2)] == [chat(ben, "hi"), chat(ben, "ho")]
        assert said(await first.hear()) == left(ben)
    for person in (ann, ben):
        await person.rest.aclose()


async def test_a_user_with_several_connections_joins_once_and_leaves_with_the_last(
    ann_there: Person, ben_there: Person
) -> None:
    async with joining(ann_there) as (ann, _):
        async with joining(ben_there) as (one, _), joining(ben_there) as (other, there):
            assert ann_there.username in there
            await say(one, "from one")
            assert await hear_until(other, chat(ben_there, "from one")) == [chat(ben_there, "from one")]
            await one.connection.close()
            await say(other, "from the other")
            assert (await hear_until(ann, chat(ben_there, "from the other"))) == [
                joined(ben_there), chat(ben_there, "from one"), chat(ben_there, "from the other"),
            ]  # fmt: skip
        assert said(await ann.hear()) == left(ben_there)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "bad_frame"), ("[]", "bad_frame"), (b"\x00", "bad_frame"), ("{}", "unknown_command"),
        ({"type": "dance", "msg": {}}, "unknown_command"), ({"type": 7}, "unknown_command"),
        ({"type": ["chat_message"]}, "unknown_command"), ({"type": "chat_message"}, "invalid"),
        ({"type": "chat_message", "msg": "hi"}, "invalid"), ({"type": "chat_message", "msg": {}}, "invalid"),
        ({"type": "chat_message", "msg": {"text": " "}}, "invalid"),
        ({"type": "chat_message", "msg": {"text": 1}}, "invalid"),
        ({"type": "chat_message", "msg": {"text": "a\0b"}}, "invalid"),
        ({"type": "chat_message", "msg": {"text": "x" * 4097}}, "invalid"),
        ({"type": "chat_message", "msg": {"text": "hi"}, "client_id": 7}, "invalid"),
    ],
)  # fmt: skip
async def test_what_cannot_be_understood_is_an_error_and_the_socket_stays(
    ann_there: Person, frame: Any, code: str
) -> None:
    async with joining(ann_there) as (socket, _):
        await socket.say(frame)
        kind, msg = said(await socket.hear())
        assert (kind, msg["code"]) == ("error", code)
        assert msg["detail"]
        await say(socket, "still here")
        assert said(await socket.hear()) == chat(ann_there, "still here")


async def test_who_is_not_signed_in_does_not_join(ann_there: Person) -> None:
    for headers in ({}, {"Authorization": "Bearer x.y.z"}):
        with pytest.raises(InvalidStatus) as refused:
            await ann_there.connect("/join", additional_headers=headers)
        assert refused.value.response.status_code == 401


async def test_browsers_join_by_subprotocol(ann_there: Person) -> None:
    protocols = ["foyer.v1", f"bearer.{ann_there.token}"]
    async with ann_there.socket("/join", additional_headers={}, subprotocols=protocols) as socket:
        assert socket.connection.subprotocol == "foyer.v1"
        assert said(await socket.hear())[0] == "users_online"


async def test_one_who_signs_out_leaves(ann_there: Person, ben_there: Person) -> None:
    async with joining(ann_there) as (ann, _), joining(ben_there) as (ben, _):
        assert (await ben_there.rest.delete("/auth")).status_code == 204
        assert (await ben.closed())[0] == 4401
        assert await hear_until(ann, left(ben_there)) == [joined(ben_there), left(ben_there)]


async def test_a_message_that_is_sent_twice_with_its_client_id_is_said_once(ann_there: Person) -> None:
    async with joining(ann_there) as (socket, _):
        for text in ("once", "once", "other"):
            await say(socket, text, **({"client_id": "c-1"} if text == "once" else {}))
        assert [said(await socket.hear()) for _ in range(2)] == [chat(ann_there, "once"), chat(ann_there, "other")]


# The room


async def test_what_is_said_on_any_face_is_heard_on_every_other(ann_there: Person, ben_there: Person) -> None:
    async with joining(ann_there) as (socket, _), ben_there.socket("/ws") as gateway:
        assert (await gateway.hear())["type"] == "welcome"
        answer = await gateway.ask({"type": "subscribe", "topic": "lobby"})
        assert answer["result"]["topic"] == "room:lobby"
        async with ben_there.socket("/room/lobby/subscribe") as own:
            by_rest = await ben_there.post("lobby", "by REST")
            await gateway.ask({"type": "post", "room": "lobby", "text": "by the gateway"})
            await own.ask({"type": "post", "text": "by the room's socket"})
            await say(socket, "by the chat")
            texts = ["by REST", "by the gateway", "by the room's socket", "by the chat"]
            assert [said(await socket.hear())[1]["text"] for _ in texts] == texts
            for other in (gateway, own):
                heard = await other.hear_many(4)
                assert [frame["message"]["text"] for frame in heard] == texts
                assert {frame["topic"] for frame in heard} == {"room:lobby"}
            offsets = [frame["offset"] for frame in heard]
            assert offsets == list(range(by_rest["id"], by_rest["id"] + 4))
        messages = (await ann_there.rest.get("/room/lobby/messages?limit=4")).json()
    assert [(message["text"], message["roomId"]) for message in messages] == [(text, "lobby") for text in texts]
    assert messages[-1]["sender"] == ann_there.username


async def test_an_edit_or_a_deletion_is_no_frame_of_the_chat(ann_there: Person) -> None:
    async with joining(ann_there) as (socket, _):
        await say(socket, "tpyo")
        assert said(await socket.hear()) == chat(ann_there, "tpyo")
        newest = (await ann_there.rest.get("/room/lobby/messages?limit=1")).json()[0]
        address = f"/room/lobby/messages/{newest['id']}"
        assert (await ann_there.rest.patch(address, json={"text": "typo"})).status_code == 200
        assert (await ann_there.rest.delete(address)).status_code == 204
        await say(socket, "next")
        assert said(await socket.hear()) == chat(ann_there, "next")


async def test_the_lobby_is_a_room_that_stays_as_it_is(ann_there: Person, sign_up: SignUp) -> None:
    room = (await ann_there.rest.get("/room/lobby")).json()
    assert {key: room[key] for key in ("roomId", "name", "members_only", "owner")} == {
        "roomId": "lobby", "name": "lobby", "members_only": False, "owner": None,
    }  # fmt: skip
    for answer in (
        await ann_there.rest.delete("/room/lobby"),
        await ann_there.rest.patch("/room/lobby", json={"name": "mine"}),
        await ann_there.rest.patch("/room/lobby", json={"members_only": True}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "permanent_room")
    mine = await ann_there.make_room()
    for answer in (
        await ann_there.rest.post("/rooms", json={"name": "Lobby"}),
        await ann_there.rest.patch(f"/room/{mine}", json={"name": "LOBBY"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "room_name_taken")
    assert (await ann_there.rest.get("/rooms?name=lobby")).json() == []
    assert (await ann_there.rest.get("/room/lobby")).json() == room


async def test_a_member_of_the_lobby_hears_it_on_his_gateway_socket(ann_there: Person) -> None:
    answer = await ann_there.rest.post("/room/lobby/members", json={"username": ann_there.username})
    assert answer.status_code == 201
    other = await ann_there.make_room()
    async with ann_there.socket("/ws") as socket:
        topics = [place["topic"] for place in (await socket.hear())["topics"]]
        assert {"room:lobby", f"room:{other}"} <= set(topics)
    for query in ("", "?member=me"):
        listed = [room["roomId"] for room in (await ann_there.rest.get(f"/rooms{query}")).json()]
        assert "lobby" not in listed
        assert other in listed
    members = (await ann_there.rest.get("/room/lobby/members")).json()
    assert ann_there.username in [member["username"] for member in members]
    assert (await ann_there.rest.delete(f"/room/lobby/members/{ann_there.username}")).status_code == 204


def test_the_lobby_is_there_before_anything_is_stored() -> None:
    assert parsed(show_room(ANN, "lobby"))["name"] == "lobby"
    assert openness("lobby") == "open"
    assert list_rooms(ANN, 0, 10) == []


# Two instances


async def test_everyone_sees_everyone_on_whichever_instance_he_is(start_server: Callable[..., Server]) -> None:
    one, other = start_server(), start_server()
    ann, ben = await sign_up_at(one, "ann"), (await sign_up_at(one, "ben")).at(other)
    async with joining(ann) as (here, _):
        async with joining(ben) as (there, present):
            assert present == [ann.username]
            assert said(await here.hear()) == joined(ben)
            await say(here, "hello over there")
            assert said(await there.hear()) == chat(ann, "hello over there")
            assert said(await here.hear()) == chat(ann, "hello over there")
            async with joining(ann.at(other)):
                await say(there, "twice here?")
                assert said(await here.hear()) == chat(ben, "twice here?")
            await asyncio.to_thread(other.stop, signal.SIGTERM)
            await there.closed()
        other.begin()
        await asyncio.to_thread(other.wait_until_it_answers)
        async with joining(ben) as (there, present):
            assert present == [ann.username]
            await say(there, "back")
            assert said(await here.hear()) == chat(ben, "back"), "nobody was told of the restart"
            other.kill()
            await asyncio.to_thread(let_time_pass, one, GUESTS)
            async with asyncio.timeout(30):
                assert said(json.loads(await here.connection.recv())) == left(ben)
        await say(here, "anyone?")
        assert said(await here.hear()) == chat(ann, "anyone?")
    for person in (ann, ben):
        await person.rest.aclose()


async def test_many_who_come_talk_and_go_are_each_seen_once_and_in_order(start_server: Callable[..., Server]) -> None:
    servers = [start_server(), start_server()]
    watcher = await sign_up_at(servers[0], "watcher")
    guests = await asyncio.gather(*(sign_up_at(servers[number % 2], f"guest{number}") for number in range(12)))

    async def visit(guest: Person) -> None:
        async with joining(guest) as (socket, _):
            for number in range(3):
                await say(socket, f"{number}")
                await hear_until(socket, chat(guest, f"{number}"))

    async with joining(watcher) as (socket, there):
        assert there == []
        await asyncio.gather(*map(visit, guests))
        heard = [said(await socket.hear()) for _ in range(5 * len(guests))]
        for guest in guests:
            mine = [frame for frame in heard if guest.username in frame[1].values()]
            assert mine == [joined(guest), *(chat(guest, f"{number}") for number in range(3)), left(guest)]
    for person in (watcher, *guests):
        await person.rest.aclose()
