"""Coming back: a client names where it was and has all it missed, once and in order, or is told that it can't."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from foyer.realtime.connection import Batch
from foyer.realtime.hub import PAGE
from foyer.realtime.log import Event, Head, Stretch
from foyer.realtime.resume import Resumption, finish
from foyer.realtime.topics import room_topic
from tests.clients import Frame, Person, SignUp, Socket, sign_up_at
from tests.server import Server
from tests.store import ON_CLUSTER, wait_for


async def welcomed(socket: Socket) -> dict[str, Frame]:
    """Where each topic stands, by the welcome."""
    frame = await socket.hear()
    assert frame["type"] == "welcome", frame
    return {place["topic"]: place for place in frame["topics"]}


async def resume(socket: Socket, *places: Frame) -> list[Frame]:
    answer = await socket.ask({"id": 1, "type": "resume", "topics": list(places)})
    assert answer["type"] == "reply", answer
    topics: list[Frame] = answer["result"]["topics"]
    assert [told["topic"] for told in topics] == [place["topic"] for place in places]
    return topics


@contextlib.asynccontextmanager
async def posting(person: Person, room: str) -> AsyncIterator[None]:
    """Somebody posts to a room, one message after another, for as long as this lasts."""

    async def post() -> None:
        async with person.socket(f"/room/{room}/subscribe") as socket:
            while True:
                assert (await socket.ask({"type": "post", "text": "more"}))["type"] == "reply"

    task = asyncio.create_task(post())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def say(person: Person, room: str, count: int) -> None:
    async with person.socket(f"/room/{room}/subscribe", max_queue=None) as socket:
        for number in range(count):
            await socket.say({"type": "post", "text": str(number)})
        for _ in range(count):
            await socket.ask("")  # answered in order, so everything before is stored


async def hear_until(socket: Socket, topic: str, offset: int) -> list[int]:
    """The offsets heard of a topic, up to `offset` and nothing of it beyond."""
    heard: list[int] = []
    while not heard or heard[-1] < offset:
        frame = await socket.hear()
        if frame.get("topic") == topic:
            heard.append(frame["offset"])
    return heard


async def test_what_was_missed_comes_in_order_and_before_what_comes_later(ann_there: Person, ben_there: Person) -> None:
    room = await ann_there.make_room()
    topic = f"room:{room}"
    await say(ben_there, room, 3)
    async with ann_there.socket("/ws") as socket:
        place = (await welcomed(socket))[topic]
        assert place["offset"] == 3
    async with posting(ben_there, room):
        await say(ben_there, room, 2 * PAGE + 10)  # more than is read from the log at once
        async with ann_there.socket("/ws") as socket:
            begun = (await welcomed(socket))[topic]["offset"]
            [told] = await resume(socket, place)
            assert told == {"topic": topic, "recovered": True, "offset": begun, "epoch": place["epoch"]}
            early = [frame["offset"] for frame in socket.heard]
            socket.heard.clear()
            assert early == list(range(begun + 1, begun + 1 + len(early)))
            missed = await hear_until(socket, topic, begun)
            assert missed == list(range(4, begun + 1))
            later = [(await socket.hear())["offset"] for _ in range(50)]
            first = begun + len(early) + 1
            assert later == list(range(first, first + 50))


async def test_nothing_is_recovered_of_another_log_or_from_beyond_the_end(ann_there: Person) -> None:
    room = await ann_there.make_room()
    topic = f"room:{room}"
    await say(ann_there, room, 5)
    async with ann_there.socket("/ws") as socket:
        place = (await welcomed(socket))[topic]
        for wrong in ({"epoch": "other"}, {"offset": 6}, {"offset": 2, "epoch": "other"}, {"offset": 2**53 - 1}):
            assert await resume(socket, {**place, **wrong}) == [{**place, "recovered": False}]
        assert await resume(socket, place) == [{**place, "recovered": True}]
        assert await resume(socket, {"topic": "kitchen", "offset": 0, "epoch": ""}) == [
            {"topic": "kitchen", "recovered": False, "offset": 0, "epoch": ""}
        ]
        await ann_there.post(room, "last")
        assert (await socket.hear())["offset"] == 6
        assert not socket.heard


async def test_several_topics_are_resumed_at_once_and_those_that_were_lost_are_not(
    ann_there: Person, ben_there: Person, sign_up: SignUp
) -> None:
    kept, lost, gone, open_one = [await ann_there.make_room(members_only=only) for only in (True, True, True, False)]
    for room in (kept, lost, gone):
        await ann_there.rest.post(f"/room/{room}/members", json={"username": ben_there.username})
    name = f"user:{ben_there.username}"
    async with ben_there.socket("/ws") as socket:
        places = await welcomed(socket)
        places[f"room:{open_one}"] = (await socket.ask({"type": "subscribe", "topic": f"room:{open_one}"}))["result"]
    for room in (kept, lost, gone, open_one):
        await say(ann_there, room, 3)
    await ann_there.rest.post(f"/user/{ben_there.username}/messages", json={"text": "psst"})
    await ann_there.rest.delete(f"/room/{lost}/members/{ben_there.username}")
    await ann_there.rest.delete(f"/room/{gone}")
    await say(ann_there, lost, 3)
    async with ben_there.socket("/ws") as socket:
        now = await welcomed(socket)
        assert list(now) == [name, f"room:{kept}"]
        told = {each["topic"]: each for each in await resume(socket, *places.values())}
        recovered = {topic for topic, each in told.items() if each["recovered"]}
        assert recovered == {name, f"room:{kept}", f"room:{open_one}"}
        for topic in (f"room:{lost}", f"room:{gone}"):
            assert told[topic] == {"topic": topic, "recovered": False, "offset": 0, "epoch": ""}
        heard: dict[str, list[int]] = {}
        await socket.say({"type": "ping"})
        while (frame := await socket.hear())["type"] != "pong":
            heard.setdefault(frame["topic"], []).append(frame["offset"])
    assert heard == {topic: list(range(places[topic]["offset"] + 1, told[topic]["offset"] + 1)) for topic in recovered}


async def test_a_subscription_with_an_offset_resumes(ann_there: Person, ben_there: Person) -> None:
    room = await ann_there.make_room()
    topic = f"room:{room}"
    await say(ann_there, room, 5)
    async with ben_there.socket("/ws") as socket:
        await welcomed(socket)
        wrong = await socket.ask({"type": "subscribe", "topic": topic, "offset": "2"})
        assert wrong["code"] == "invalid"
        await ann_there.post(room, "not heard, as the subscription failed")
        async with posting(ann_there, room):
            answer = await socket.ask({"id": 9, "type": "subscribe", "topic": topic, "offset": 2})
            assert (answer["id"], answer["result"]["recovered"]) == (9, True)
            assert not socket.heard
            assert [(await socket.hear())["offset"] for _ in range(40)] == list(range(3, 43))
            await socket.ask({"type": "unsubscribe", "topic": topic})
        socket.heard.clear()
        lost = await socket.ask({"type": "subscribe", "topic": topic, "offset": 2, "epoch": "other"})
        assert lost["result"]["recovered"] is False
        await ann_there.post(room, "heard all the same")
        assert (await socket.hear())["offset"] == lost["result"]["offset"] + 1


async def test_resuming_survives_restarts_other_instances_and_a_killed_store(
    start_server: Callable[..., Server],
) -> None:
    here = start_server()
    there = start_server()
    ann = await sign_up_at(here, "ann")
    room = await ann.make_room()
    topic = f"room:{room}"
    await say(ann, room, 3)
    async with ann.socket("/ws") as socket:
        place = (await welcomed(socket))[topic]
    await say(ann.at(there), room, 4)

    async def comes_back(at: Server, missed: int) -> Frame:
        """Come back at an instance where `missed` events are to be had."""
        async with ann.at(at).socket("/ws") as socket:
            stands = (await welcomed(socket))[topic]
            assert stands == {**place, "offset": place["offset"] + missed}
            assert await resume(socket, place) == [{**stands, "recovered": True}]
            heard = [(await socket.hear())["offset"] for _ in range(missed)]
            assert heard == list(range(place["offset"] + 1, place["offset"] + missed + 1))
            assert not socket.heard
        return stands

    await comes_back(there, 4)
    async with ann.socket("/ws") as socket:
        await welcomed(socket)
        here.stop()
        assert (await socket.closed())[0] in (1012, 1006)
    await say(ann.at(there), room, 2)
    here.begin()
    here.wait_until_it_answers()
    await comes_back(here, 6)
    if not ON_CLUSTER:
        async with ann.socket("/ws") as on_this_side, ann.at(there).socket("/ws") as on_the_other:
            for socket in (on_this_side, on_the_other):
                await welcomed(socket)
            os.kill(int((here.data_dir / "valkey/valkey.pid").read_text()), signal.SIGKILL)
            await asyncio.to_thread(wait_for, lambda: can_post(ann, room))
            last = await ann.post(room, "after the store came back")
            for socket in (on_this_side, on_the_other):  # a socket that stays open misses nothing either
                assert await hear_until(socket, topic, last["id"]) == list(range(10, last["id"] + 1))
        await comes_back(there, last["id"] - 3)
    await ann.rest.aclose()


def can_post(person: Person, room: str) -> bool:
    answer: Any = httpx.post(
        f"{person.server.base_url}/room/{room}/messages", json={"text": "?"}, headers=person.headers, timeout=30
    )
    return bool(answer.status_code == 201)


@pytest.mark.parametrize("again", [False, True])
async def test_who_was_removed_and_let_in_again_hears_what_he_may(
    ann_there: Person, ben_there: Person, again: bool
) -> None:
    room = await ann_there.make_room(members_only=True)
    topic, member = f"room:{room}", f"/room/{room}/members/{ben_there.username}"
    await ann_there.rest.post(f"/room/{room}/members", json={"username": ben_there.username})
    async with ben_there.socket("/ws") as socket:
        place = (await welcomed(socket))[topic]
    await ann_there.rest.delete(member)
    await ann_there.post(room, "while they were out")
    if again:
        await ann_there.rest.post(f"/room/{room}/members", json={"username": ben_there.username})
    async with ben_there.socket("/ws") as socket:
        assert (topic in await welcomed(socket)) == again
        [told] = await resume(socket, place)
        assert told["recovered"] == again
        await socket.say({"type": "ping"})
        kinds = [frame["type"] for frame in await socket.hear_many(4 if again else 1)]
        assert kinds == (["member_removed", "message", "member_added", "pong"] if again else ["pong"])


class SlowReader:
    """Takes one batch; while it takes that, it is taken off the topic."""

    closing = False

    def __init__(self, *topics: str) -> None:
        self.topics = set(topics)
        self.had: list[Batch] = []

    def deliver(self, batch: Batch) -> None:
        self.had.append(batch)

    async def room_to_write(self) -> None:
        self.topics.clear()


async def test_who_is_taken_off_a_topic_has_no_more_of_what_was_missed() -> None:
    topic, head = room_topic("1"), Head(9, "e")
    first = Stretch(True, head, [Event(b"%d e message\n{}" % offset) for offset in (1, 2)])
    reader: Any = SlowReader(topic.tag)
    await finish(reader, Resumption(topic, True, head, 0, first))
    assert [len(batch.events) for batch in reader.had] == [2]
    await finish(reader, Resumption(topic, True, head, 0, first))
    assert len(reader.had) == 1
