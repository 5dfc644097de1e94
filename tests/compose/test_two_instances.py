"""Two instances behind nginx are one server: what happens on one is heard on the other, and either may die."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.exceptions import InvalidHandshake

from tests.clients import Frame, Person, Socket, sign_up_at
from tests.compose.stack import Stack
from tests.store import wait_for
from tests.test_durability import AWAY, PAUSE, busy_room

pytestmark = pytest.mark.compose


async def test_what_is_posted_through_one_is_heard_on_the_other(stack: Stack) -> None:
    ann = await sign_up_at(stack.nginx, "ann")
    here, there = (ann.at(instance) for instance in stack.instances)
    room = await ann.make_room()
    path = f"/room/{room}/subscribe"
    async with here.socket(path) as one, there.socket("/ws") as other, there.stream(path) as stream:
        await other.hear()
        message = (await one.ask({"type": "post", "text": "hello over there"}))["result"]
        readers: list[Any] = [one, other, stream]
        for reader in readers:
            assert (await reader.hear())["message"] == message
    for person in (ann, here, there):
        await person.rest.aclose()


async def test_who_is_online_on_one_is_seen_on_the_other(stack: Stack) -> None:
    ann, ben = [await sign_up_at(stack.nginx, name) for name in ("ann", "ben")]
    here, there = ann.at(stack.instances[0]), ben.at(stack.instances[1])
    room = await ann.make_room()
    assert (await ann.rest.post(f"/room/{room}/members", json={"username": ben.username})).status_code == 201

    async def online() -> dict[str, bool]:
        return {member["username"]: member["online"] for member in (await ann.rest.get(f"/room/{room}/members")).json()}

    async with here.socket("/ws") as watch:
        await watch.hear()
        await watch.ask({"type": "subscribe", "topic": "online"})
        async with there.socket("/ws") as socket:
            await socket.hear()
            await until_told(watch, "user_joined", ben.username)
            assert await online() == {ann.username: True, ben.username: True}
        await until_told(watch, "user_left", ben.username)
        assert await online() == {ann.username: True, ben.username: False}
    for person in (ann, ben, here, there):
        await person.rest.aclose()


async def until_told(socket: Socket, kind: str, username: str) -> None:
    """Return when a socket has heard that somebody came or went, alone or with others."""
    while True:
        event = await socket.hear()
        if event["type"] == kind and username in event.get("usernames", [event.get("username")]):
            return


class Follower:
    """A client that stays with a room whatever breaks: it comes back through nginx to where it was.

    `offsets` are those of the events it heard, in order; `breaks` counts how often it had to come back.
    """

    def __init__(self, person: Person, room: str) -> None:
        self.person = person
        self.room = room
        self.offsets: list[int] = []
        self.breaks = 0
        self.open = asyncio.Event()
        self.progress = asyncio.Condition()

    @property
    def last(self) -> int:
        return self.offsets[-1] if self.offsets else 0

    async def follow(self) -> None:
        while True:
            with contextlib.suppress(*AWAY, InvalidHandshake):
                await self.listen()
            self.breaks += 1
            await asyncio.sleep(PAUSE)

    async def listen(self) -> None:
        """Open a connection, resume after `last`, and note events until it breaks."""
        raise NotImplementedError

    async def note(self, event: Frame | None) -> None:
        """Take an event of the room; None is the end of a stream."""
        if event is None:
            raise ConnectionResetError
        if event["topic"] == f"room:{self.room}":
            async with self.progress:
                self.offsets.append(event["offset"])
                self.progress.notify_all()

    async def heard_all(self, count: int) -> None:
        """Return when every event up to `count` was heard; they came once each and in order."""
        async with asyncio.timeout(30), self.progress:
            await self.progress.wait_for(lambda: self.last >= count)
        assert self.offsets == list(range(1, count + 1))


class SocketFollower(Follower):
    async def listen(self) -> None:
        path = f"/room/{self.room}/subscribe?after={self.last}"
        async with self.person.socket(path, open_timeout=5) as socket:
            self.open.set()
            while True:
                await self.note(await socket.hear())


class StreamFollower(Follower):
    last_id = "0"

    async def listen(self) -> None:
        async with self.person.stream(f"/room/{self.room}/subscribe", self.last_id) as stream:
            self.open.set()
            while True:
                event = await stream.hear()
                await self.note(event)
                self.last_id = stream.last_id


class GatewayFollower(Follower):
    epoch = ""

    async def listen(self) -> None:
        """What is live and comes before the missed events is held back until those are there, as the protocol says."""
        name = f"room:{self.room}"
        async with self.person.socket("/ws", open_timeout=5) as socket:
            welcome = await socket.next_frame()
            self.epoch = next(topic["epoch"] for topic in welcome["topics"] if topic["topic"] == name)
            position = {"topic": name, "offset": self.last, "epoch": self.epoch}
            answer = await socket.ask({"id": 1, "type": "resume", "topics": [position]})
            self.open.set()
            (told,) = answer["result"]["topics"]
            assert told["recovered"], answer
            live, socket.heard = socket.heard, []
            while self.last < told["offset"]:
                await self.note(await socket.next_frame())
            for event in live:
                await self.note(event)
            while True:
                await self.note(await socket.next_frame())


@contextlib.asynccontextmanager
async def followed(person: Person, room: str) -> AsyncIterator[list[Follower]]:
    """Four clients of each kind that follow a room, all of them there already."""
    kinds: list[type[Follower]] = [SocketFollower, StreamFollower, GatewayFollower]
    followers = [kind(person, room) for kind in kinds for _ in range(4)]
    tasks = [asyncio.ensure_future(follower.follow()) for follower in followers]
    try:
        async with asyncio.timeout(30):
            await asyncio.gather(*(follower.open.wait() for follower in followers))
        yield followers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_either_instance_may_be_killed_and_comes_back_and_nobody_misses_anything(stack: Stack) -> None:
    async with (
        busy_room(stack.nginx, stack.nginx) as (room, owner),
        followed(owner, room.id) as followers,
    ):
        for instance in stack.instances:
            breaks = [follower.breaks for follower in followers]
            await room.after(60)
            await asyncio.to_thread(instance.kill)
            await room.after(60)
            broken = [now.breaks > before for now, before in zip(followers, breaks, strict=True)]
            assert any(broken)
            instance.begin()
            await asyncio.to_thread(instance.wait_until_it_answers)
            await asyncio.to_thread(wait_for, lambda instance=instance: stack.is_used(instance))
        await room.after(60)
        await room.stop()
        await room.check_history(owner)
        for follower in followers:
            await follower.heard_all(len(room.acknowledged))
        breaks = [follower.breaks for follower in followers]
        assert min(breaks) < max(breaks)  # some were on the instance that went on when the first was killed


async def test_an_instance_that_is_stopped_in_good_order_sends_its_sockets_to_the_other(stack: Stack) -> None:
    ann = await sign_up_at(stack.nginx, "ann")
    leaving, staying = stack.instances
    async with ann.at(leaving).socket("/ws") as socket:
        await socket.hear()
        assert await asyncio.to_thread(leaving.stop) == 0
        assert (await socket.closed())[0] == 1012
        async with ann.socket("/ws") as again:
            assert (await again.hear())["type"] == "welcome"
        leaving.begin()
        await asyncio.to_thread(leaving.wait_until_it_answers)
    assert staying.process.poll() is None
    await ann.rest.aclose()
