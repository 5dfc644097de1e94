"""Bans, mutes and roles on sockets and streams, and on two instances at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.clients import Person, SignUp, Socket, sign_in, sign_up_at
from tests.server import Server


async def a_room(ann: Person, *members: Person, **more: Any) -> str:
    room = await ann.make_room(**more)
    for member in members:
        answer = await ann.rest.post(f"/room/{room}/members", json={"username": member.username})
        assert answer.status_code == 201
    return room


async def ban(by: Person, room: str, whom: Person) -> None:
    answer = await by.rest.put(f"/room/{room}/bans/{whom.username}", json={"reason": "Ads"})
    assert answer.status_code == 200, answer.text


async def until(socket: Socket, kind: str) -> list[str]:
    """The types of what is heard, up to and with the first of a type."""
    heard = [(await socket.hear())["type"]]
    while heard[-1] != kind:
        heard.append((await socket.hear())["type"])
    return heard


@pytest.mark.parametrize("members_only", [False, True])
async def test_a_ban_closes_sockets_and_streams_after_its_event_and_before_any_later_one(
    sign_up: SignUp, members_only: bool
) -> None:
    ann, eve = await sign_up("ann"), await sign_up("eve")
    room = await a_room(ann, eve, members_only=members_only)
    address = f"/room/{room}/subscribe"
    async with eve.socket(address) as socket, eve.stream(address) as stream, eve.socket("/ws") as gateway:
        assert (await gateway.hear())["type"] == "welcome"
        await ban(ann, room, eve)
        await ann.post(room, "she is out")
        assert await socket.closed() == (4403, "you are banned from the room")
        assert [frame["type"] for frame in socket.heard] == ["member_banned"]
        told = await stream.hear()
        assert told
        assert (told["type"], told["reason"]) == ("member_banned", "Ads")
        assert await stream.hear() is None
        heard = [(await gateway.hear())["type"] for _ in range(2)]  # of two topics, which keep no order between them
        assert sorted(heard) == ["member_banned", "room_removed"]
        assert await until_quiet(gateway) == ["pong"]


async def until_quiet(gateway: Socket) -> list[str]:
    await gateway.say({"type": "ping", "seq": 1})
    return await until(gateway, "pong")


async def test_a_stranger_who_reads_an_open_room_is_shut_out_too(sign_up: SignUp) -> None:
    ann, eve = await sign_up("ann"), await sign_up("eve")
    room = await a_room(ann)
    async with eve.socket("/ws") as gateway:
        await gateway.hear()
        assert (await gateway.ask({"id": 1, "type": "subscribe", "topic": f"room:{room}"}))["type"] == "reply"
        await ban(ann, room, eve)
        assert await until(gateway, "member_banned") == ["member_banned"]
        await ann.post(room, "she is out")
        assert await until_quiet(gateway) == ["pong"]


async def test_every_command_about_a_room_is_refused_to_who_is_banned_and_a_resume_is_not_recovered(
    sign_up: SignUp,
) -> None:
    ann, eve = await sign_up("ann"), await sign_up("eve")
    room = await a_room(ann, eve)
    await eve.post(room, "mine")
    await ban(ann, room, eve)
    someone = {"room": room, "username": ann.username}
    topic = {"topic": f"room:{room}", "offset": 0, "epoch": ""}
    async with eve.socket("/ws") as gateway:
        assert [place["topic"] for place in (await gateway.hear())["topics"]] == [f"user:{eve.username}"]
        for command in (
            {"type": "post", "room": room, "text": "hi"}, {"type": "history", "room": room},
            {"type": "edit", "room": room, "message": 2, "text": "x"}, {"type": "delete", "room": room, "message": 2},
            {"type": "typing", "room": room}, {"type": "read", "room": room, "offset": 1},
            {"type": "subscribe", **topic}, {"type": "delete_room", "room": room},
            {"type": "add_member", "room": room, "username": eve.username}, {"type": "remove_member", **someone},
            {"type": "ban", **someone}, {"type": "unban", "room": room, "username": eve.username},
            {"type": "mute", **someone}, {"type": "unmute", **someone},
            {"type": "set_role", "role": "member", **someone},
        ):  # fmt: skip
            assert (await gateway.ask({"id": 1, **command}))["code"] == "banned", command
        answer = await gateway.ask({"id": 2, "type": "resume", "topics": [topic]})
        assert answer["result"]["topics"] == [{**topic, "recovered": False}]
    with pytest.raises(InvalidStatus) as refused:
        await eve.connect(f"/room/{room}/subscribe")
    assert refused.value.response.status_code == 403
    stream = await eve.rest.get(f"/room/{room}/subscribe", headers={"Accept": "text/event-stream"})
    assert (stream.status_code, stream.json()["code"]) == (403, "banned")


async def test_who_is_muted_hears_on_and_may_not_say_that_they_type(sign_up: SignUp) -> None:
    ann, eve = await sign_up("ann"), await sign_up("eve")
    room = await a_room(ann, eve)
    async with eve.socket("/ws") as gateway, eve.socket(f"/room/{room}/subscribe") as socket:
        assert (await gateway.hear())["type"] == "welcome"
        await ann.rest.put(f"/room/{room}/mutes/{eve.username}", json={})
        assert await until(gateway, "member_muted")
        for command in ("post", "typing"):
            assert (await gateway.ask({"id": 1, "type": command, "room": room, "text": "hi"}))["code"] == "muted"
        assert (await socket.ask({"id": 1, "type": "post", "text": "hi"}))["code"] == "muted"
        await ann.post(room, "hush")
        assert (await until(gateway, "message"))[-1] == (await until(socket, "message"))[-1]


async def test_slow_mode_is_told_on_sockets_with_the_seconds_that_are_left(sign_up: SignUp) -> None:
    ann, eve = await sign_up("ann"), await sign_up("eve")
    room = await a_room(ann)
    await ann.rest.patch(f"/room/{room}", json={"slow_mode": 30})
    async with eve.socket(f"/room/{room}/subscribe") as socket:
        assert (await socket.ask({"id": 1, "type": "post", "text": "hi"}))["type"] == "reply"
        refused = await socket.ask({"id": 2, "type": "post", "text": "hi"})
        assert refused["code"] == "slow_mode"
        assert "again in" in refused["detail"]


async def test_who_is_banned_from_the_lobby_leaves_the_lobby_chat(start_server: Callable[..., Server]) -> None:

    server = start_server()
    boss, eve = await sign_in(server, "admin", "admin"), await sign_up_at(server, "eve")
    async with eve.socket("/join") as chat, boss.socket("/join") as others:
        assert await until(chat, "user_joined")
        await boss.rest.put(f"/room/lobby/bans/{eve.username}", json={})
        assert (await chat.closed())[0] == 4403
        while (frame := await others.hear())["type"] != "user_left":
            pass
        assert frame["msg"] == {"username": eve.username}
    with pytest.raises(InvalidStatus) as refused:
        await eve.connect("/join")
    assert refused.value.response.status_code == 403
    async with eve.socket("/ws") as gateway:
        assert (await gateway.ask({"id": 1, "type": "subscribe", "topic": "lobby"}))["code"] == "banned"
    for person in (boss, eve):
        await person.rest.aclose()


async def test_no_message_comes_after_a_ban_through_another_instance(start_server: Callable[..., Server]) -> None:

    one, two = start_server(), start_server()
    ann, eve = await sign_up_at(one, "ann"), await sign_up_at(one, "eve")
    room = await a_room(ann, eve)
    async with eve.at(two).socket("/ws") as gateway, eve.at(two).socket(f"/room/{room}/subscribe") as socket:

        async def flood() -> list[str]:
            return [
                (await gateway.ask({"id": n, "type": "post", "room": room, "text": "!"}))["type"] for n in range(300)
            ]

        flooding = asyncio.create_task(flood())
        while len(await ann.history(room)) < 20:
            pass
        await ban(ann, room, eve)
        answers = await flooding
        stored = answers.count("reply")
        assert answers == ["reply"] * stored + ["error"] * (300 - stored)
        assert len(await ann.history(room)) == stored
        assert (await socket.closed())[0] == 4403
        assert socket.heard[-1]["type"] == "member_banned"
    for person in (ann, eve):
        await person.rest.aclose()
