"""What was acknowledged stays, once, whichever process is killed while many post; and who listens misses nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import psutil
import pytest
from redis.crc import key_slot
from websockets.exceptions import InvalidHandshake, WebSocketException

from clients.terminal.gateway_client import GatewayClient
from clients.terminal.rest_client import sign_in
from tests.clients import PASSWORD, Frame, Person, Socket, sign_up_at
from tests.server import Server
from tests.store import SLOTS, Cluster
from tests.test_serve import valkey_of, workers_of

StartServer = Callable[..., Server]
EMBEDDED = {"REDIS_URL": ""}
"""For tests that kill the embedded Valkey, also when the suite runs on a cluster."""
AWAY = (OSError, httpx.TransportError, WebSocketException, TimeoutError)
"""How a client sees that a server is gone, or not yet back."""
PAUSE = 0.05
BACK_WITHIN = 5.0
"""Seconds after which a Valkey that was killed serves again."""


class Room:
    """A room that several clients post to until `stop`; each posts a text again until it is acknowledged."""

    def __init__(self, room: str) -> None:
        self.id = room
        self.acknowledged: dict[str, Frame] = {}
        self.progress = asyncio.Condition()
        self.stopping = False
        self.tasks: list[asyncio.Task[None]] = []

    def begin(self, work: Awaitable[None]) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    async def note(self, message: Frame) -> None:
        async with self.progress:
            assert message["text"] not in self.acknowledged
            self.acknowledged[message["text"]] = message
            self.progress.notify_all()

    async def after(self, count: int, seconds: float = 30) -> None:
        """Return when `count` more messages were acknowledged."""
        wanted = len(self.acknowledged) + count
        async with asyncio.timeout(seconds), self.progress:
            await self.progress.wait_for(
                lambda: len(self.acknowledged) >= wanted or any(task.done() for task in self.tasks)
            )
        assert len(self.acknowledged) >= wanted

    async def stop(self) -> None:
        self.stopping = True
        await asyncio.gather(*self.tasks)

    # Posting

    async def post_by_rest(self, person: Person, name: str) -> None:
        number, tried = 0, False
        while tried or not self.stopping:
            text, tried = f"{name} {number}", True
            try:
                answer = await person.rest.post(
                    f"/room/{self.id}/messages", json={"text": text}, headers={"Idempotency-Key": text}
                )
            except AWAY:
                await asyncio.sleep(PAUSE)
                continue
            if answer.status_code == 503:
                assert int(answer.headers["Retry-After"]) > 0
                await asyncio.sleep(PAUSE)
                continue
            assert answer.status_code == 201, answer.text
            await self.note(answer.json())
            number, tried = number + 1, False

    async def post_by_socket(self, person: Person, name: str) -> None:
        number, tried = 0, False
        while tried or not self.stopping:
            try:
                async with person.socket(f"/room/{self.id}/subscribe", open_timeout=5) as socket:
                    while tried or not self.stopping:
                        text, tried = f"{name} {number}", True
                        answer = await socket.ask({"type": "post", "text": text, "client_id": text})
                        if answer["type"] == "error":
                            assert answer["code"] == "unavailable", answer
                            await asyncio.sleep(PAUSE)
                            continue
                        await self.note(answer["result"])
                        number, tried = number + 1, False
            except (*AWAY, InvalidHandshake):
                await asyncio.sleep(PAUSE)

    async def post_by_gateway(self, person: Person, name: str) -> None:
        url, number = person.server.base_url, 0
        async with GatewayClient(url, lambda: sign_in(url, person.username, PASSWORD)) as client:
            while not self.stopping:
                await self.note(await client.post(f"{name} {number}", room=self.id))
                number += 1

    # Afterwards

    async def check_history(self, person: Person) -> None:
        """Every acknowledged message is there once, as it was acknowledged, and each client's in its order."""
        history = await person.history(self.id)
        texts = [message["text"] for message in history]
        assert len(set(texts)) == len(texts), "a message is stored twice"
        assert {message["text"]: message for message in history} == self.acknowledged
        for name in {text.rpartition(" ")[0] for text in texts}:
            numbers = [int(text.rpartition(" ")[2]) for text in texts if text.rpartition(" ")[0] == name]
            assert numbers == list(range(len(numbers)))
        assert [message["id"] for message in history] == list(range(1, len(history) + 1))

    async def check_heard(self, socket: Socket) -> None:
        """A socket that was open all the time hears every message once, in order, and no other event."""
        heard = [(await socket.hear())["message"] for _ in range(len(self.acknowledged))]
        assert [message["id"] for message in heard] == list(range(1, len(heard) + 1))
        assert {message["text"]: message for message in heard} == self.acknowledged


@contextlib.asynccontextmanager
async def busy_room(*servers: Server) -> AsyncIterator[tuple[Room, Person]]:
    """A room that people on each server post to by REST and by socket, and its owner, who is on the last one."""
    people = [await sign_up_at(server, "p") for server in servers]
    room = Room(await people[-1].make_room())
    for number, person in enumerate(people):
        for copy in range(2):
            room.begin(room.post_by_rest(person, f"rest {number} {copy}"))
            room.begin(room.post_by_socket(person, f"socket {number} {copy}"))
    try:
        yield room, people[-1]
    finally:
        for task in room.tasks:
            task.cancel()
        await asyncio.gather(*room.tasks, return_exceptions=True)
        await asyncio.gather(*(person.rest.aclose() for person in people))


@pytest.fixture
def two_servers(start_server: StartServer) -> tuple[Server, Server]:
    """Two servers on one store and database."""
    return start_server(), start_server()


async def test_what_is_posted_through_one_server_is_heard_on_another(two_servers: tuple[Server, Server]) -> None:
    ann = await sign_up_at(two_servers[0], "ann")
    there = ann.at(two_servers[1])
    room = await ann.make_room()
    async with ann.socket(f"/room/{room}/subscribe") as one, there.socket(f"/room/{room}/subscribe") as other:
        first = (await one.ask({"type": "post", "text": "from here"}))["result"]
        assert (await other.hear())["message"] == first
        second = (await other.ask({"type": "post", "text": "from there"}))["result"]
        third = await there.post(room, "and again")
        assert [event["message"] for event in await one.hear_many(3)] == [first, second, third]
        assert [event["message"] for event in await other.hear_many(2)] == [second, third]
        await there.rest.delete(f"/room/{room}")
        for socket in (one, other):
            assert (await socket.closed())[0] == 4404
    await asyncio.gather(ann.rest.aclose(), there.rest.aclose())


async def test_a_killed_server_loses_nothing_and_another_goes_on(two_servers: tuple[Server, Server]) -> None:
    first, second = two_servers
    async with (
        busy_room(first, second) as (room, owner),
        owner.socket(f"/room/{room.id}/subscribe?after=0") as listener,
    ):
        for _ in range(2):
            await room.after(60)
            await asyncio.to_thread(first.kill)
            await room.after(20)
            first.begin()
            await asyncio.to_thread(first.wait_until_it_answers)
        await room.after(60)
        await room.stop()
        await room.check_heard(listener)
        await room.check_history(owner)


@pytest.fixture
def worker_pair(start_server: StartServer) -> Server:
    return start_server(WORKERS="2")


async def test_a_killed_worker_loses_nothing(worker_pair: Server) -> None:
    async with busy_room(worker_pair, worker_pair) as (room, owner):
        await room.after(60)
        workers_of(worker_pair)[0].kill()
        await room.after(100)
        await room.stop()
        await room.check_history(owner)
        async with owner.socket(f"/room/{room.id}/subscribe?after=0") as socket:
            await room.check_heard(socket)


@pytest.fixture
def own_store(start_server: StartServer) -> Server:
    """A server with a Valkey of its own, which a test may kill, and little patience with it."""
    return start_server(REDIS_TIMEOUT="1", **EMBEDDED)


async def test_a_killed_store_comes_back_and_has_lost_nothing(own_store: Server) -> None:
    async with (
        busy_room(own_store) as (room, owner),
        owner.socket(f"/room/{room.id}/subscribe?after=0") as listener,
        owner.stream(f"/room/{room.id}/subscribe?after=0") as stream,
    ):
        for _ in range(2):
            await room.after(40)
            valkey_of(own_store).kill()
            await room.after(1, seconds=BACK_WITHIN)
        await room.after(40)
        await room.stop()
        await room.check_heard(listener)
        told: list[Any] = await stream.hear_many(len(room.acknowledged))
        assert [event["offset"] for event in told] == list(range(1, len(told) + 1))
        await room.check_history(owner)


@contextlib.asynccontextmanager
async def suspended(process: psutil.Process) -> AsyncIterator[None]:
    process.suspend()
    try:
        yield
    finally:
        process.resume()


async def test_while_the_store_is_away_clients_are_told_and_sockets_stay(own_store: Server) -> None:
    ann = await sign_up_at(own_store, "ann")
    room = await ann.make_room()
    path = f"/room/{room}/subscribe"
    first = await ann.post(room, "before")
    async with ann.socket(f"{path}?after=0") as socket, ann.socket(path) as listener:
        assert (await socket.hear())["message"] == first
        async with suspended(valkey_of(own_store)):
            answers = await asyncio.gather(
                ann.rest.post(f"/room/{room}/messages", json={"text": "rest"}, headers={"Idempotency-Key": "k-1"}),
                ann.rest.get(f"/room/{room}/messages"),
                ann.rest.get("/rooms"),
                ann.rest.post("/rooms", json={"name": "x"}),
                ann.rest.get(path),
                ann.rest.get(path, headers={"Accept": "text/event-stream"}),
            )
            for answer in answers:
                assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
                assert int(answer.headers["Retry-After"]) > 0
            refused = await socket.ask({"id": 1, "type": "post", "text": "socket", "client_id": "k-2"})
            assert (refused["type"], refused["id"], refused["code"]) == ("error", 1, "unavailable")
            with pytest.raises(InvalidHandshake):
                await ann.connect(path, open_timeout=20)
        by_rest = await ann.post(room, "rest", **{"Idempotency-Key": "k-1"})
        by_socket = (await socket.ask({"type": "post", "text": "socket", "client_id": "k-2"}))["result"]
        told = sorted([by_rest, by_socket], key=lambda message: message["id"])
        assert await ann.history(room) == [first, *told]
        for reader in (socket, listener):
            assert [event["message"] for event in await reader.hear_many(2)] == told
    await ann.rest.aclose()


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A cluster that nobody else uses, whatever the suite runs on."""
    with contextlib.closing(Cluster()) as cluster:
        yield cluster


async def test_a_killed_node_of_a_cluster_comes_back_and_every_gateway_socket_has_heard_everything(
    start_server: StartServer, own_cluster: Cluster
) -> None:
    here, there = (start_server(REDIS_URL=own_cluster.url, REDIS_TIMEOUT="1") for _ in range(2))
    people = [await sign_up_at(server, "p") for server in (here, there)]
    room = Room(await people[0].make_room())
    node = own_cluster.nodes[key_slot(f"room:{room.id}".encode()) * 3 // SLOTS]
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(person.socket("/ws", max_queue=None)) for person in people * 2]
        for socket in sockets:
            assert (await socket.hear())["type"] == "welcome"
            assert (await socket.ask({"type": "subscribe", "topic": f"room:{room.id}"}))["type"] == "reply"
        for number, person in enumerate(people * 2):
            room.begin(room.post_by_gateway(person, f"gateway {number}"))
        await room.after(60)
        await asyncio.to_thread(node.kill)
        refused = await sockets[0].ask({"type": "post", "room": room.id, "text": "not stored"})
        assert refused["code"] == "unavailable"
        node.start()
        await asyncio.to_thread(own_cluster.wait_until_whole)
        await room.after(60)
        await room.stop()
        for socket in sockets:
            await room.check_heard(socket)
        await room.check_history(people[0])
    await asyncio.gather(*(person.rest.aclose() for person in people))
