"""Sockets under other ASGI servers than ours, where frames go through `send`: daphne, and none at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest
from channels.testing import WebsocketCommunicator

from accounts.operations import Standing, astart_session
from foyer.realtime.hub import get_hub, hubs
from foyer.store.steps import on_loop
from messaging.operations import apost_message
from messaging.tests.said import history
from rooms.operations import adelete_room
from rooms.tests.invariants import create
from tests.clients import sign_up_at
from tests.people import ANN, BEN
from tests.server import DevelopmentServer, Server


@pytest.fixture
async def connect() -> AsyncIterator[Callable[..., Any]]:
    """Opens sockets to the application in this process, as Ann: `await connect("/room/1/subscribe")`."""
    from config.asgi import application

    session = await astart_session(Standing.of(ANN.id, ANN.username, False, True, "no password"))
    opened: list[WebsocketCommunicator] = []

    async def open_socket(path: str, token: str = session.token) -> WebsocketCommunicator:
        socket = WebsocketCommunicator(application, path, [(b"authorization", b"Bearer " + token.encode())])
        socket.said = await socket.connect(timeout=10)
        opened.append(socket)
        return socket

    yield open_socket
    for socket in opened:
        await socket.disconnect()
    await get_hub().close()
    await on_loop().close()
    hubs.clear()


async def hear(socket: WebsocketCommunicator) -> Any:
    return orjson.loads(await socket.receive_from(timeout=10))


async def test_posts_are_answered_and_heard(connect: Callable[..., Any]) -> None:
    create(ANN, "Kitchen")
    one, other = await connect("/room/1/subscribe"), await connect("/room/1/subscribe")
    await one.send_to(text_data='{"id": 1, "type": "post", "text": "hi"}')
    frames = [await hear(one), await hear(one)]
    reply = next(frame for frame in frames if frame["type"] == "reply")
    event = {"type": "message", "topic": "room:1", "offset": 1, "message": reply["result"]}
    assert event in frames
    assert await hear(other) == event
    await one.send_to(text_data="{")
    assert (await hear(one))["code"] == "bad_frame"
    assert history(BEN) == [reply["result"]]


async def test_a_socket_goes_on_from_where_it_was(connect: Callable[..., Any]) -> None:
    create(ANN, "Kitchen")
    for number in range(700):
        await apost_message(BEN, "1", str(number))
    socket = await connect("/room/1/subscribe?after=10")
    assert [(await hear(socket))["offset"] for _ in range(690)] == list(range(11, 701))


async def test_who_may_not_is_closed_with_the_code_of_the_error(connect: Callable[..., Any]) -> None:
    create(BEN, "Secret", members_only=True)
    for path in ("/room/1/subscribe", "/room/2/subscribe", "/nowhere"):
        assert (await connect(path)).said == (False, 4404)
    assert (await connect("/room/1/subscribe", "x.y.z")).said == (False, 4401)


async def test_a_room_that_goes_says_so_before_it_closes_its_sockets(connect: Callable[..., Any]) -> None:
    create(ANN, "Kitchen")
    socket = await connect("/room/1/subscribe")
    await adelete_room(ANN, "1")
    assert (await hear(socket))["type"] == "room_deleted"
    closed = await socket.receive_output(timeout=10)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4404)


async def test_a_binary_frame_closes_the_socket(connect: Callable[..., Any]) -> None:
    create(ANN, "Kitchen")
    socket = await connect("/room/1/subscribe")
    await socket.send_to(bytes_data=b"x")
    closed = await socket.receive_output(timeout=10)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4400)


@pytest.fixture
def ours_and_theirs(start_server: Callable[..., Server]) -> tuple[Server, Server]:
    """Our server and the development server, on one store and database."""
    return start_server(), start_server(kind=DevelopmentServer)


async def test_the_development_server_of_channels_serves_the_same_chat(ours_and_theirs: tuple[Server, Server]) -> None:
    ours, theirs = ours_and_theirs
    ann = await sign_up_at(ours, "ann")
    path = f"/room/{await ann.make_room()}/subscribe"
    async with ann.socket(path) as here, ann.at(theirs).socket(path) as there:
        first = (await there.ask({"type": "post", "text": "from daphne"}))["result"]
        second = (await here.ask({"type": "post", "text": "from uvicorn"}))["result"]
        for socket in (here, there):
            assert [event["message"] for event in await socket.hear_many(2)] == [first, second]
        await ann.rest.delete("/auth")
        assert (await here.closed())[0] == (await there.closed())[0] == 4401
    await ann.rest.aclose()
