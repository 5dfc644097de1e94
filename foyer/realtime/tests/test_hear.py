"""Channels consumers outside Foyer that hear a topic: all of it, in order, as long as they keep up and are there."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
import pytest
from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer
from channels.generic.websocket import AsyncJsonWebsocketConsumer, AsyncWebsocketConsumer, WebsocketConsumer
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator

from foyer.errors import Forbidden, UnknownCursor
from foyer.realtime import connection as connections
from foyer.realtime.connection import AsgiConnection
from foyer.realtime.gateway import Reading, readings
from foyer.realtime.hear import AHEAD, hear
from foyer.realtime.hub import Hub
from foyer.realtime.tests.talk import Somebody, asay
from foyer.realtime.topics import Topic

pytestmark = pytest.mark.django_db(transaction=True)
"""Channels looks after the database connection of its thread with every message."""
HALL = Topic("hall:1", "{hall:1}")
STRANGER = Somebody(7)


@pytest.fixture(autouse=True)
def hall(monkeypatch: pytest.MonkeyPatch) -> None:
    """A topic that all may read, but for one."""

    def find(caller: Any, rest: str) -> Reading:
        async def check() -> None:
            if caller.id == STRANGER.id:
                raise Forbidden

        return Reading(Topic(f"hall:{rest}", f"{{hall:{rest}}}"), check)

    monkeypatch.setitem(readings, "hall", find)


class Relay(AsyncWebsocketConsumer):
    """Passes on all that it hears."""

    async def connect(self) -> None:
        await hear(self, "hall:1")
        await self.accept()

    async def topic_event(self, message: dict[str, Any]) -> None:
        await self.send(text_data=message["text"])

    async def note(self, message: dict[str, Any]) -> None:
        await self.send(text_data=orjson.dumps(message).decode())


class JsonRelay(AsyncJsonWebsocketConsumer):
    async def connect(self) -> None:
        await hear(self, "hall:1")
        await self.accept()

    async def topic_event(self, message: dict[str, Any]) -> None:
        await self.send_json(message["event"])


class ThreadRelay(WebsocketConsumer):
    def connect(self) -> None:
        async_to_sync(hear)(self, "hall:1")
        self.accept()

    def topic_event(self, message: dict[str, Any]) -> None:
        self.send(text_data=message["text"])


Connect = Callable[..., Awaitable[WebsocketCommunicator]]


@pytest.fixture
async def connect(hub: Hub) -> AsyncIterator[Connect]:
    opened: list[WebsocketCommunicator] = []

    async def open_socket(consumer: type[AsyncConsumer]) -> WebsocketCommunicator:
        socket = WebsocketCommunicator(consumer.as_asgi(), "/")
        opened.append(socket)
        assert (await socket.connect(timeout=10))[0]
        return socket

    yield open_socket
    for socket in opened:
        with contextlib.suppress(ValueError):  # of those that are to fail
            await socket.disconnect()
    await get_channel_layer().flush()


async def texts(socket: WebsocketCommunicator, count: int) -> list[str]:
    return [orjson.loads(await socket.receive_from(timeout=10))["text"] for _ in range(count)]


def queues_of_consumers() -> list[Any]:
    """What waits for each consumer."""
    return [queue for name, queue in get_channel_layer().channels.items() if "specific" in name]


async def until(condition: Callable[[], bool]) -> None:
    """For what announces no event."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def until_nobody_reads(hub: Hub) -> None:
    await until(lambda: not hub.count_readers(HALL))


@pytest.mark.parametrize("consumer", [Relay, JsonRelay, ThreadRelay])
async def test_every_event_reaches_the_consumer_once_and_in_order(
    connect: Connect, hub: Hub, consumer: type[AsyncConsumer]
) -> None:
    await asay(HALL, "before")
    socket = await connect(consumer)
    await asyncio.gather(*(asay(HALL, str(number)) for number in range(300)))
    assert sorted(heard := await texts(socket, 300), key=int) == [str(number) for number in range(300)]
    again = await connect(consumer)
    await asay(HALL, "last")
    assert await texts(socket, 1) == await texts(again, 1) == ["last"]
    assert len(set(heard)) == 300
    await socket.disconnect()
    await again.disconnect()
    await until_nobody_reads(hub)


async def test_a_message_tells_topic_and_place(connect: Connect) -> None:
    told: list[dict[str, Any]] = []
    heard = asyncio.Event()

    class Notes(Relay):
        async def topic_event(self, message: dict[str, Any]) -> None:
            told.append(message)
            heard.set()

    await connect(Notes)
    await asay(HALL, "hi")
    await asyncio.wait_for(heard.wait(), 10)
    message = told[0]
    assert {**message, "epoch": "", "text": ""} == {
        "type": "topic.event",
        "topic": "hall:1",
        "offset": 1,
        "epoch": "",
        "event": {"type": "message", "topic": "hall:1", "offset": 1, "text": "hi"},
        "text": "",
    }
    assert message["epoch"]
    assert orjson.loads(message["text"]) == message["event"]


async def test_one_that_comes_back_hears_what_it_missed(connect: Connect) -> None:
    for number in range(1200):
        await asay(HALL, str(number))

    class Back(Relay):
        async def connect(self) -> None:
            assert (await hear(self, "hall:1", after=100)).offset == 100
            await self.accept()

    socket = await connect(Back)
    await asay(HALL, "1200")
    assert await texts(socket, 1101) == [str(number) for number in range(100, 1201)]


async def test_one_that_names_a_place_that_the_log_does_not_know_is_told_so(connect: Connect) -> None:
    await asay(HALL, "hi")

    class Lost(Relay):
        async def connect(self) -> None:
            with pytest.raises(UnknownCursor):
                await hear(self, "hall:1", after=7)
            await self.accept()

    await connect(Lost)


async def test_what_others_say_to_a_consumer_gets_its_turn_in_a_loud_topic(connect: Connect) -> None:
    go_on = asyncio.Event()

    class Member(Relay):
        groups = ["members"]

        async def topic_event(self, message: dict[str, Any]) -> None:
            await go_on.wait()
            await super().topic_event(message)

    socket, other = await connect(Member), await connect(Member)
    await asyncio.gather(*(asay(HALL, str(number)) for number in range(1000)))
    await get_channel_layer().group_send("members", {"type": "note", "text": "here"})
    await until(lambda: [waiting.qsize() for waiting in queues_of_consumers()] == 2 * [AHEAD + 1])
    go_on.set()
    for one in (socket, other):
        heard = await texts(one, 1001)
        assert heard.index("here") <= 2 * AHEAD
        assert len(set(heard)) == 1001


async def test_a_consumer_that_does_not_keep_up_is_closed_and_others_are_not(
    connect: Connect, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_WAITING", 20_000)
    go_on = asyncio.Event()

    class Busy(Relay):
        async def topic_event(self, message: dict[str, Any]) -> None:
            await go_on.wait()

    busy, ready = await connect(Busy), await connect(Relay)
    for number in range(60):
        await asay(HALL, str(number) + " " * 1000)
        assert await texts(ready, 1)
    closed = await busy.receive_output(timeout=10)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4408)
    go_on.set()


async def test_who_may_not_read_is_refused_and_who_may_no_longer_is_closed(connect: Connect, hub: Hub) -> None:
    refused: list[Exception] = []
    ann = Somebody(5, session="s")

    class Door(Relay):
        async def connect(self) -> None:
            for _ in range(3):
                try:
                    await hear(self, "hall:1", caller=STRANGER)
                except Forbidden as error:
                    refused.append(error)
            await hear(self, "hall:1", caller=ann)
            await self.accept()

    socket = await connect(Door)
    await asay(HALL, "hi")
    assert await texts(socket, 1) == ["hi"]
    assert len(refused) == 3
    assert hub.people.count(STRANGER.id) == 0
    hub.people.session_ended(b'{"user":5,"session":"s"}')
    closed = await socket.receive_output(timeout=10)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4401)


@pytest.mark.parametrize("consumer", [Relay, ThreadRelay])
async def test_a_consumer_that_fails_hears_nothing_more_and_nothing_of_it_stays(
    connect: Connect, hub: Hub, consumer: type[AsyncConsumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, message: dict[str, Any]) -> None:
        raise ValueError

    monkeypatch.setattr(consumer, "topic_event", fail)
    socket = await connect(consumer)
    assert hub.count_readers(HALL) == 1
    await asay(HALL, "hi")
    await until_nobody_reads(hub)
    with pytest.raises(ValueError):
        await socket.wait()
    assert queues_of_consumers() == []


async def test_the_connection_of_a_consumer_goes_without_the_garbage_collector(hub: Hub, connect: Connect) -> None:
    socket = await connect(Relay)
    (reader,) = hub.feeds[HALL.tag.encode()].readers
    gone = weakref.ref(reader)
    assert isinstance(reader, AsgiConnection)
    del reader
    gc.disable()
    try:
        await socket.disconnect()
        await until_nobody_reads(hub)
        await asyncio.sleep(0)
        assert gone() is None
    finally:
        gc.enable()


async def test_another_layer_is_refused_by_name(hub: Hub) -> None:
    consumer = Relay()
    consumer.channel_layer = None
    with pytest.raises(TypeError, match="needs a consumer on Foyer's channel layer"):
        await hear(consumer, "hall:1")
