"""Clients of a server whose store keeps nothing that is archived: they have the whole history, on every face."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tests.clients import Person, sign_up_at
from tests.server import Server
from tests.store import wait_for

StartServer = Callable[..., Server]


def wait_until_let_go(server: Server, *tags: str) -> None:
    """Return when the store has nothing of these logs."""
    with server.store() as store:
        wait_for(lambda: not any(store.exists(f"{tag}:log") for tag in tags), 20)


async def talk(server: Server, count: int) -> tuple[Person, Person, str]:
    """A room with so many messages, of which the store has let go."""
    ann, ben = await sign_up_at(server, "ann"), await sign_up_at(server, "ben")
    room = await ann.make_room()
    for number in range(1, count + 1):
        await ben.post(room, f"text {number}")
    wait_until_let_go(server, f"{{room:{room}}}")
    return ann, ben, room


def texts(messages: list[Any]) -> list[str]:
    return [message["text"] for message in messages]


async def test_pages_and_single_messages_by_rest(start_server: StartServer) -> None:
    server = start_server(HOT_EVENTS="0")
    ann, ben, room = await talk(server, 60)
    newest = await ann.rest.get(f"/room/{room}/messages")
    assert texts(newest.json()) == [f"text {number}" for number in range(11, 61)]
    assert 'rel="next"' in newest.headers["Link"]
    older = await ann.rest.get(f"/room/{room}/messages?before=11&limit=20")
    assert texts(older.json()) == [f"text {number}" for number in range(1, 11)]
    assert "Link" not in older.headers
    assert len(await ann.history(room)) == 60
    assert (await ann.rest.get(f"/room/{room}/messages/7")).json() == (await ann.history(room))[6]
    edited = await ben.rest.patch(f"/room/{room}/messages/7", json={"text": "edited"})
    assert edited.status_code == 200, edited.text
    assert (await ann.rest.delete(f"/room/{room}/messages/8")).status_code == 204
    for _ in range(2):
        assert texts((await ann.history(room))[5:8]) == ["text 6", "edited", "text 9"]
        assert (await ann.rest.get(f"/room/{room}/messages/8")).status_code == 404
        wait_until_let_go(server, f"{{room:{room}}}")
    assert (await ann.rest.delete(f"/room/{room}")).status_code == 204
    assert (await ann.rest.get(f"/room/{room}/messages")).status_code == 404
    await asyncio.gather(ann.rest.aclose(), ben.rest.aclose())


async def test_sockets_and_streams_go_on_from_any_place(start_server: StartServer) -> None:
    server = start_server(HOT_EVENTS="0")
    ann, ben, room = await talk(server, 40)
    async with ann.stream(f"/room/{room}/subscribe", last_id="10") as stream:
        heard = [await stream.hear() for _ in range(30)]
        assert [frame["offset"] for frame in heard if frame] == list(range(11, 41))
        await ben.post(room, "live")
        frame = await stream.hear()
        assert frame is not None
        assert frame["message"]["text"] == "live"
    async with ann.socket(f"/room/{room}/subscribe?after=0") as socket:
        assert [(await socket.hear())["offset"] for _ in range(41)] == list(range(1, 42))
    async with ann.socket("/ws") as gateway:
        welcome = await gateway.hear()
        place = next(topic for topic in welcome["topics"] if topic["topic"] == f"room:{room}")
        wanted = {**place, "offset": 5}
        answer = await gateway.ask({"id": 1, "type": "resume", "topics": [wanted]})
        assert answer["result"]["topics"][0]["recovered"]
        heard = [await gateway.hear() for _ in range(36)]
        assert [frame["offset"] for frame in heard if frame] == list(range(6, 42))
        page = await gateway.ask({"id": 2, "type": "history", "room": room, "after": 3, "limit": 4})
        assert texts(page["result"]["messages"]) == [f"text {number}" for number in range(4, 8)]
        assert page["result"]["more"]
    await asyncio.gather(ann.rest.aclose(), ben.rest.aclose())


async def test_direct_messages_and_what_is_unread(start_server: StartServer) -> None:
    server = start_server(HOT_EVENTS="0")
    ann, ben = await sign_up_at(server, "ann"), await sign_up_at(server, "ben")
    for number in range(5):
        sent = await ben.rest.post(f"/user/{ann.username}/messages", json={"text": f"word {number}"})
        assert sent.status_code == 201
    wait_until_let_go(server, f"{{user:{ann.account['id']}}}", f"{{user:{ben.account['id']}}}")
    for person, other in ((ann, ben), (ben, ann)):
        page = await person.rest.get(f"/user/{other.username}/messages?limit=3")
        assert texts(page.json()) == ["word 2", "word 3", "word 4"]
    assert texts((await ann.rest.get("/messages")).json()) == [f"word {number}" for number in range(5)]
    assert (await ben.rest.get("/messages")).json() == []
    async with ann.socket("/ws") as gateway:
        await gateway.hear()
        read = await gateway.ask({"id": 1, "type": "read", "user": ben.username, "offset": 2})
        assert read["result"]["unread"] == 3
    await asyncio.gather(ann.rest.aclose(), ben.rest.aclose())
