"""The gateway under other ASGI servers than ours: in this process, where frames go through `send`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
import pytest
from channels.testing import WebsocketCommunicator

from accounts.operations import Standing, astart_session
from foyer.realtime import gateway
from foyer.realtime.hub import get_hub, hubs
from foyer.store.steps import on_loop
from rooms.membership import aadd_member, aremove_member
from rooms.operations import adelete_room
from rooms.tests.invariants import create
from tests.people import ANN, BEN


class AsgiSocket:
    """A socket without a server."""

    def __init__(self, communicator: WebsocketCommunicator) -> None:
        self.communicator = communicator

    async def say(self, **frame: Any) -> None:
        await self.communicator.send_to(text_data=orjson.dumps(frame).decode())

    async def hear(self) -> Any:
        return orjson.loads(await self.communicator.receive_from(timeout=10))

    async def closed(self) -> int:
        closing = await self.communicator.receive_output(timeout=10)
        assert closing["type"] == "websocket.close", closing
        return int(closing["code"])


Connect = Callable[..., Awaitable[AsgiSocket]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Opens sockets of the gateway, as Ann unless told otherwise: `await connect()`."""
    from config.asgi import application

    session = await astart_session(Standing.of(ANN.id, ANN.username, False, True, "no password"))
    opened: list[WebsocketCommunicator] = []

    async def open_socket(*, signed_in: bool = True, subprotocols: list[str] | None = None) -> AsgiSocket:
        headers = [(b"authorization", b"Bearer " + session.token.encode())] if signed_in else []
        communicator = WebsocketCommunicator(application, "/ws", headers, subprotocols)
        opened.append(communicator)
        assert (await communicator.connect(timeout=10))[0]
        return AsgiSocket(communicator)

    yield open_socket
    for communicator in opened:
        await communicator.disconnect()
    await get_hub().close()
    await on_loop().close()
    hubs.clear()


async def test_a_socket_is_welcomed_hears_its_rooms_and_is_answered(connect: Connect) -> None:
    create(ANN, "Kitchen")
    one, other = await connect(), await connect()
    for socket in (one, other):
        assert [place["topic"] for place in (await socket.hear())["topics"]] == ["user:ann", "room:1"]
    await one.say(id=1, type="post", room="1", text="hi")
    frames = [await one.hear(), await one.hear()]
    event = await other.hear()
    assert event in frames
    assert event["message"]["text"] == "hi"
    await adelete_room(ANN, "1")
    assert (await one.hear())["type"] == (await other.hear())["type"] == "room_deleted"
    await one.say(id=2, type="create_room", name="Attic")
    frames = [await one.hear(), await one.hear()]
    assert {frame["type"] for frame in frames} == {"reply", "room_added"}
    assert (await other.hear())["type"] == "room_added"


async def test_who_does_not_sign_in_in_time_is_closed(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "SIGN_IN_WITHIN", 0.2)
    silent, talker = await connect(signed_in=False), await connect(signed_in=False)
    await talker.say(type="post", room="1", text="hi")
    assert (await talker.hear())["code"] == "not_authenticated"
    assert {await silent.closed(), await talker.closed()} == {4401}


async def test_a_bad_token_in_a_subprotocol_closes_with_4401(connect: Connect) -> None:
    socket = await connect(signed_in=False, subprotocols=["foyer.v1", "bearer.x.y.z"])
    assert await socket.closed() == 4401


async def test_a_room_that_is_left_while_others_join_is_heard_as_its_log_says(connect: Connect) -> None:
    from accounts.people import Person

    create(BEN, "Cellar")
    ann = Person(ANN.id, ANN.username)
    socket = await connect()
    await socket.hear()
    for _ in range(20):
        await aadd_member(BEN, "1", ann)
        await aremove_member(BEN, "1", ann)
    await aadd_member(BEN, "1", ann)
    frames = [await socket.hear() for _ in range(41 + 41)]
    assert [frame["offset"] for frame in frames if frame["topic"] == "room:1"] == list(range(1, 42))
    assert [frame["offset"] for frame in frames if frame["topic"] == "user:ann"] == list(range(1, 42))


async def test_who_is_in_very_many_rooms_is_welcomed_in_portions(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "PORTION", 3)
    monkeypatch.setattr(gateway, "JOINED_AT_ONCE", 2)
    for name in ("Attic", "Bath", "Cellar", "Den", "Entrance"):
        create(ANN, name)
    socket = await connect()
    await socket.say(type="ping", seq=1)
    welcome, second, other = [await socket.hear() for _ in range(3)]
    assert [frame["type"] for frame in (welcome, second)] == ["welcome", "welcome_topics"]
    assert [(welcome["more"], second["more"])] == [(True, False)]
    told = [place["topic"] for frame in (welcome, second) for place in frame["topics"]]
    assert told == ["user:ann", *(f"room:{number}" for number in range(1, 6))]
    assert other == {"type": "pong", "seq": 1}
