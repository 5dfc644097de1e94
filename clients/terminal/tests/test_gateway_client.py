"""The client of the gateway: every event once and in order, every post stored once, however often it is cut off."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from clients.terminal import gateway_client
from clients.terminal.gateway_client import (
    Connected,
    Disconnected,
    Frame,
    GatewayClient,
    Happening,
    Interrupted,
    NotRecovered,
)
from clients.terminal.rest_client import Refused, sign_in
from tests.clients import PASSWORD, PATIENCE, Person, sign_up_at
from tests.server import Server


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_client, "LONGEST_PAUSE", 0.1)


def client_of(person: Person) -> GatewayClient:
    return GatewayClient(person.server.base_url, lambda: sign_in(person.server.base_url, person.username, PASSWORD))


async def until(client: GatewayClient, wanted: Callable[[Happening], bool]) -> list[Happening]:
    """What happens, up to and with the first that is wanted."""
    seen: list[Happening] = []
    async with asyncio.timeout(PATIENCE):
        async for happening in client:
            seen.append(happening)
            if wanted(happening):
                break
    return seen


def is_event(kind: str, text: str = "") -> Callable[[Happening], bool]:
    def wanted(happening: Happening) -> bool:
        return isinstance(happening, dict) and happening["type"] == kind and text in json.dumps(happening)

    return wanted


def cut_off(client: GatewayClient) -> None:
    """Break the connection, as a network does: without a word."""
    assert client.socket is not None
    client.socket.transport.abort()


async def until_sent(client: GatewayClient) -> None:
    """Return as soon as a command is on its way; the answer is not there yet."""
    while not any(command.sent for command in client.unanswered.values()):  # noqa: ASYNC110 - in that turn
        await asyncio.sleep(0)


def offsets(seen: list[Happening], topic: str) -> list[int]:
    return [event["offset"] for event in seen if isinstance(event, dict) and event.get("topic") == topic]


async def test_every_event_comes_once_and_in_order_however_often_it_is_cut_off(
    ann_there: Person, ben_there: Person
) -> None:
    room = await ann_there.make_room()
    seen: list[Happening] = []
    async with client_of(ann_there) as client:
        await until(client, lambda happening: happening == Connected(again=False))
        for _ in range(5):
            posting = asyncio.create_task(say(ben_there, room, 20))
            seen += await until(client, is_event("message"))
            cut_off(client)
            seen += await until(client, lambda happening: happening == Connected(again=True))
            await posting
        await ben_there.post(room, "the end")
        seen += await until(client, is_event("message", "the end"))
    assert offsets(seen, f"room:{room}") == list(range(1, 102))
    assert not any(isinstance(happening, NotRecovered) for happening in seen)


async def say(person: Person, room: str, count: int) -> None:
    for number in range(count):
        await person.post(room, str(number))


async def test_what_is_posted_is_stored_once_and_in_order_though_the_reply_is_lost(ann_there: Person) -> None:
    room = await ann_there.make_room()
    async with client_of(ann_there) as client:
        await until(client, lambda happening: happening == Connected(again=False))
        for number in range(12):
            posting = asyncio.create_task(client.post(str(number), room=room))
            await until_sent(client)
            for _ in range(number):  # cut off now before the server has it, now before the answer is here
                await asyncio.sleep(0)
            if client.socket is not None:  # else the cut before came after its answer, and met this one
                cut_off(client)
            assert (await posting)["id"] == number + 1
    assert [message["text"] for message in await ann_there.history(room)] == [str(number) for number in range(12)]


async def test_a_command_that_may_not_be_sent_twice_is_not(ann_there: Person) -> None:
    async with client_of(ann_there) as client:
        await until(client, lambda happening: happening == Connected(again=False))
        asking = asyncio.create_task(client.ask("create_room", name="Attic"))
        await until_sent(client)
        cut_off(client)
        with pytest.raises(Interrupted):
            await asking
        asking = asyncio.create_task(client.ask("ping"))  # while there is no connection, it waits for one
        await until(client, lambda happening: happening == Connected(again=True))
        await asking


async def test_a_lost_log_is_told_and_heard_from_where_it_stands(ann_there: Person) -> None:
    room = await ann_there.make_room()
    await say(ann_there, room, 3)
    async with client_of(ann_there) as client:
        await until(client, lambda happening: happening == Connected(again=False))
        client.places[f"room:{room}"].epoch = "another"
        cut_off(client)
        await until(client, lambda happening: happening == NotRecovered(f"room:{room}"))
        await ann_there.post(room, "after")
        assert offsets(await until(client, is_event("message")), f"room:{room}") == [4]


async def test_rooms_that_are_joined_left_and_joined_again_are_heard_while_one_is_in(
    ann_there: Person, ben_there: Person
) -> None:
    room = await ben_there.make_room()
    members = f"/room/{room}/members"
    async with client_of(ann_there) as client:
        await until(client, lambda happening: happening == Connected(again=False))
        for number in range(3):
            await ben_there.post(room, f"before {number}")
            await client.ask("add_member", room=room, username=ann_there.username)
            await ben_there.post(room, f"in {number}")
            seen = await until(client, is_event("message"))
            assert is_event("message", f"in {number}")(seen[-1])
            await ben_there.rest.delete(f"{members}/{ann_there.username}")
            seen = await until(client, is_event("room_removed"))
            assert not any(isinstance(happening, Disconnected) for happening in seen)


async def test_an_open_room_that_was_subscribed_to_is_resumed(ann_there: Person, ben_there: Person) -> None:
    room = await ben_there.make_room()
    async with client_of(ann_there) as client:
        await client.subscribe(f"room:{room}")
        await ben_there.post(room, "one")
        await until(client, is_event("message", "one"))
        cut_off(client)
        await ben_there.post(room, "two")
        seen = await until(client, is_event("message", "two"))
        assert offsets(seen, f"room:{room}") == [2]


async def test_what_is_refused_is_raised_where_it_was_asked(ann_there: Person) -> None:
    async with client_of(ann_there) as client:
        for text, where, code in (("", {"room": "1"}, "invalid"), ("hi", {"room": "999999"}, "room_not_found")):
            with pytest.raises(Refused) as refused:
                await client.post(text, **where)
            assert refused.value.code == code
        with pytest.raises(Refused, match="text: A message is not blank"):
            await client.post(" ", room="1")


async def test_a_client_that_was_signed_out_signs_in_again_if_it_can(ann_there: Person) -> None:
    async with client_of(ann_there) as client:
        await until(client, lambda happening: happening == Connected(again=False))
        await ann_there.rest.delete("/auth?all=true")
        await until(client, lambda happening: happening == Connected(again=True))
        password = {"current": PASSWORD, "new": "another one"}
        token = await sign_in(ann_there.server.base_url, ann_there.username, PASSWORD)
        ann_there.rest.headers["Authorization"] = f"Bearer {token}"
        answer = await ann_there.rest.put(f"/user/{ann_there.username}/password", json=password)
        assert answer.status_code == 204
        with pytest.raises(Refused) as refused:
            await until(client, is_event("never"))
        assert refused.value.code == "bad_credentials"
        with pytest.raises(Refused):
            await client.ask("ping")


async def test_a_restarted_server_is_found_again(start_server: Callable[..., Server]) -> None:
    server = start_server()
    ann = await sign_up_at(server, "ann")
    room = await ann.make_room()
    async with client_of(ann) as client:
        await until(client, lambda happening: happening == Connected(again=False))
        server.stop()
        posting = asyncio.create_task(client.post("while it was away", room=room))
        server.begin()
        seen = await until(client, is_event("message"))
        assert offsets(seen, f"room:{room}") == [1]
        assert (await posting)["id"] == 1
    await ann.rest.aclose()


@pytest.mark.parametrize(
    ("code", "again"), [(1001, True), (1012, True), (4408, True), (4429, True), (4400, False), (1009, False)]
)
def test_close_codes_say_whether_to_come_back(code: int, again: bool) -> None:
    _, pause = GatewayClient("http://127.0.0.1", no_token).what_now(ConnectionClosedError(Close(code, ""), None), 1)
    assert (pause is not None) == again


async def no_token() -> str:
    return "none"


# A server that does what a test tells it to: what a real one does only now and then, or never

Script = Callable[[ServerConnection, int], Awaitable[None]]


@contextlib.asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[GatewayClient]:
    """A client of a server that plays `script(socket, number)` on each connection, counted from 0."""
    connections = iter(range(100))

    async def play(socket: ServerConnection) -> None:
        await script(socket, next(connections))

    async with serve(play, "127.0.0.1", 0, subprotocols=["foyer.v1"]) as server:  # type: ignore[list-item]
        port = next(iter(server.sockets)).getsockname()[1]
        async with GatewayClient(f"http://127.0.0.1:{port}", no_token) as client:
            yield client


async def welcome(socket: ServerConnection, offset: int) -> None:
    await tell(socket, type="welcome", username="ann", topics=[{"topic": "room:1", "offset": offset, "epoch": "e"}])


async def tell(socket: ServerConnection, **frame: Any) -> None:
    await socket.send(json.dumps(frame))


async def message(socket: ServerConnection, *numbers: int) -> None:
    for number in numbers:
        await tell(socket, type="message", topic="room:1", offset=number)


async def asked(socket: ServerConnection) -> Frame:
    frame: Frame = json.loads(await socket.recv())
    return frame


@pytest.mark.parametrize("recovered", [True, False])
async def test_what_comes_between_welcome_and_the_reply_to_resume_is_told_in_its_place(recovered: bool) -> None:
    async def script(socket: ServerConnection, number: int) -> None:
        await welcome(socket, (3, 6)[number])
        if number == 0:
            await message(socket, 4)
            return
        await message(socket, 7, 8)
        resume = await asked(socket)
        assert resume["topics"] == [{"topic": "room:1", "offset": 4, "epoch": "e"}]
        told = {"topic": "room:1", "recovered": recovered, "offset": 6, "epoch": "e"}
        await tell(socket, id=resume["id"], type="reply", result={"topics": [told]})
        await message(socket, *((5, 6) if recovered else ()), 9)
        await socket.wait_closed()

    async with scripted(script) as client:
        seen = await until(client, lambda happening: isinstance(happening, dict) and happening["offset"] == 9)
    assert offsets(seen, "room:1") == ([4, 5, 6, 7, 8, 9] if recovered else [4, 7, 8, 9])
    assert (NotRecovered("room:1") in seen) != recovered


async def test_a_gap_is_noticed_and_filled_by_coming_back() -> None:
    async def script(socket: ServerConnection, number: int) -> None:
        await welcome(socket, (0, 3)[number])
        if number == 0:
            await message(socket, 1, 3)
            await socket.wait_closed()
            return
        resume = await asked(socket)
        told = {"topic": "room:1", "recovered": True, "offset": 3, "epoch": "e"}
        await tell(socket, id=resume["id"], type="reply", result={"topics": [told]})
        await message(socket, 2, 3)
        await socket.wait_closed()

    async with scripted(script) as client:
        seen = await until(client, lambda happening: isinstance(happening, dict) and happening["offset"] == 3)
    assert offsets(seen, "room:1") == [1, 2, 3]
    assert any(isinstance(happening, Disconnected) for happening in seen)


async def test_a_post_that_the_store_could_not_take_is_tried_again_with_the_same_key() -> None:
    keys: list[str] = []

    async def script(socket: ServerConnection, number: int) -> None:
        await welcome(socket, 0)
        while len(keys) < 3:
            post = await asked(socket)
            keys.append(post["client_id"])
            if len(keys) == 1:
                await tell(socket, id=post["id"], type="error", code="unavailable", detail="The store is away.")
            if len(keys) == 2:
                return  # closed before it is answered
            if len(keys) == 3:
                await tell(socket, id=post["id"], type="reply", result={"id": 1})
        await socket.wait_closed()

    async def run(socket: ServerConnection, number: int) -> None:
        if number == 1:
            await welcome(socket, 0)
            resume = await asked(socket)
            told = {"topic": "room:1", "recovered": True, "offset": 0, "epoch": "e"}
            await tell(socket, id=resume["id"], type="reply", result={"topics": [told]})
            post = await asked(socket)
            keys.append(post["client_id"])
            await tell(socket, id=post["id"], type="reply", result={"id": 1})
            await socket.wait_closed()
        else:
            await script(socket, number)

    async with scripted(run) as client:
        assert await client.post("hi", room="1") == {"id": 1}
    assert len(keys) == 3
    assert len(set(keys)) == 1
