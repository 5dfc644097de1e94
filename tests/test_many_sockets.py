"""Many sockets on two instances at once: whatever goes on, each hears its rooms whole, in order, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator

import pytest
from websockets.exceptions import ConnectionClosed

from tests.clients import Frame, Person, Socket, sign_up_at
from tests.server import Server, servers

PEOPLE = 10
SOCKETS_EACH = 10
"""On each of the two instances."""


@pytest.fixture(scope="module")
def two_instances() -> Iterator[tuple[Server, Server]]:
    with servers() as started:
        yield started.start(), started.start()


class Log:
    """What one socket hears, checked as it comes: of every topic each offset once and in order."""

    def __init__(self, person: Person, socket: Socket) -> None:
        self.person = person
        self.socket = socket
        self.at: dict[str, int] = {}
        self.events: dict[str, list[Frame]] = defaultdict(list)
        self.out: set[str] = set()
        self.moved = asyncio.Event()
        self.task = asyncio.create_task(self.listen())

    async def listen(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                self.take(await self.socket.next_frame())
                self.moved.set()

    def take(self, frame: Frame) -> None:
        if frame["type"] == "welcome":
            self.at = {place["topic"]: place["offset"] for place in frame["topics"]}
        elif "topic" in frame:
            topic = frame["topic"]
            assert topic in self.at, f"nobody told {self.person.username} of {topic}: {frame}"
            assert frame["offset"] == self.at[topic] + 1, f"{self.person.username} stands at {self.at}: {frame}"
            self.at[topic] += 1
            self.events[topic].append(frame)
            self.follow(topic, frame)

    def follow(self, topic: str, frame: Frame) -> None:
        if frame["type"] == "room_added":
            self.at.setdefault(frame["at"]["topic"], frame["at"]["offset"])
        elif frame["type"] == "room_deleted" or (
            frame["type"] == "member_removed" and frame["username"] == self.person.username
        ):
            del self.at[topic]

    async def until(self, topic: str, offset: int | None) -> None:
        """Return once a topic was heard up to `offset`, or, for None, is not heard any more."""
        async with asyncio.timeout(90):
            while self.at.get(topic) != offset:
                if self.task.done():
                    self.task.result()
                    raise AssertionError(f"{self.person.username}'s socket ended")
                self.moved.clear()
                await self.moved.wait()


@contextlib.asynccontextmanager
async def listening(person: Person, *instances: Server, each: int = 1) -> AsyncIterator[list[Log]]:
    async with contextlib.AsyncExitStack() as stack:
        logs = []
        for server in instances:
            for _ in range(each):
                log = Log(person, await stack.enter_async_context(person.at(server).socket("/ws")))
                stack.callback(log.task.cancel)
                logs.append(log)
        for log in logs:
            await log.until(f"user:{person.username}", 0)
        yield logs


async def post_many(person: Person, room: str, count: int) -> None:
    async with person.socket(f"/room/{room}/subscribe") as socket:
        for number in range(count):
            assert (await socket.ask({"type": "post", "text": str(number)}))["type"] == "reply"
            socket.heard.clear()


async def head_of(person: Person, room: str) -> int:
    async with person.socket("/ws") as socket:
        welcome = await socket.hear()
    return next(int(place["offset"]) for place in welcome["topics"] if place["topic"] == f"room:{room}")


async def test_two_hundred_sockets_hear_their_rooms_while_people_come_and_go(
    two_instances: tuple[Server, Server],
) -> None:
    here, there = two_instances
    owner = await sign_up_at(here, "owner")
    owners = [owner, owner.at(there)]
    people = [await sign_up_at(here, f"p{number}") for number in range(PEOPLE)]
    logs: list[Log] = []
    async with contextlib.AsyncExitStack() as stack:
        for person in people:
            logs += await stack.enter_async_context(listening(person, here, there, each=SOCKETS_EACH))
        assert len(logs) == 200
        rooms = [await owner.make_room(members_only=only) for only in (True, True, False)]

        async def wander(person: Person, seed: int) -> None:
            """Be let into rooms and out of them again, at one instance and the other; end up in all."""
            dice = random.Random(seed)
            for _ in range(6):
                members = f"/room/{dice.choice(rooms)}/members"
                answer = await dice.choice(owners).rest.post(members, json={"username": person.username})
                assert answer.status_code in (200, 201)
                answer = await dice.choice(owners).rest.delete(f"{members}/{person.username}")
                assert answer.status_code == 204
            for room in rooms:
                await owner.rest.post(f"/room/{room}/members", json={"username": person.username})

        posters = [post_many(poster, room, 60) for room in rooms for poster in owners]
        await asyncio.gather(*posters, *(wander(person, seed) for seed, person in enumerate(people)))
        for room in rooms:
            last = await head_of(owner, room)
            await asyncio.gather(*(log.until(f"room:{room}", last) for log in logs))
        for first, *others in (logs[start : start + 2 * SOCKETS_EACH] for start in range(0, 200, 2 * SOCKETS_EACH)):
            for other in others:  # each socket of somebody heard the same, to the byte
                assert other.events == first.events
        for room in rooms:
            assert (await owner.rest.delete(f"/room/{room}")).status_code == 204
            await asyncio.gather(*(log.until(f"room:{room}", None) for log in logs))
            assert {log.events[f"room:{room}"][-1]["type"] for log in logs} == {"room_deleted"}


async def test_sockets_that_open_while_their_user_is_let_in_and_out_miss_nothing(
    two_instances: tuple[Server, Server],
) -> None:
    here, there = two_instances
    owner, ben = await sign_up_at(here, "owner"), await sign_up_at(there, "ben")
    owners = [owner, owner.at(there)]
    rooms = [await owner.make_room(members_only=True) for _ in range(3)]
    done = asyncio.Event()

    async def change_one(room: str, seed: int) -> None:
        dice = random.Random(seed)
        while not done.is_set():
            await dice.choice(owners).rest.post(f"/room/{room}/members", json={"username": ben.username})
            await dice.choice(owners).post(room, "while they are in")
            await dice.choice(owners).rest.delete(f"/room/{room}/members/{ben.username}")
            if dice.random() < 0.5:
                await dice.choice(owners).post(room, "while they are out")
        await owner.rest.post(f"/room/{room}/members", json={"username": ben.username})

    async with contextlib.AsyncExitStack() as stack:
        changes = [asyncio.create_task(change_one(room, seed)) for seed, room in enumerate(rooms)]
        logs: list[Log] = []
        for number in range(60):
            log = Log(ben, await stack.enter_async_context(ben.at(two_instances[number % 2]).socket("/ws")))
            stack.callback(log.task.cancel)
            logs.append(log)
        done.set()
        await asyncio.gather(*changes)
        for room in rooms:
            last = await owner.post(room, "at last")
            await asyncio.gather(*(log.until(f"room:{room}", last["id"]) for log in logs))
    for log in logs:
        out = [event for events in log.events.values() for event in events if event.get("message")]
        assert not [event for event in out if event["message"]["text"] == "while they are out"]
