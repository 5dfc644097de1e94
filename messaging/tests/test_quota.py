"""`POSTS_PER_MINUTE` on real servers: one count for all instances, sockets and ways to say something."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

from tests.clients import Person, Socket, sign_up_at
from tests.server import Server

QUOTA = {"POSTS_PER_MINUTE": "6"}
"""Of 6, 6 may come at once; the next after 10 s."""
START = Callable[..., Server]


def refused(answer: dict[str, Any]) -> bool:
    if answer["type"] == "error":
        assert answer["code"] == "rate_limited", answer
    return bool(answer["type"] == "error")


async def test_every_way_to_say_something_counts(start_server: START) -> None:
    server = start_server(**QUOTA)
    ann, ben = await sign_up_at(server, "ann"), await sign_up_at(server, "ben")
    room = await ann.make_room()
    message = await ann.post(room, "one")
    assert (await ann.rest.patch(f"/room/{room}/messages/{message['id']}", json={"text": "two"})).status_code == 200
    assert (await ann.rest.post(f"/user/{ben.username}/messages", json={"text": "three"})).status_code == 201
    async with (
        ann.socket("/ws") as gateway,
        ann.socket(f"/room/{room}/subscribe") as socket,
        ann.socket("/join") as join,
    ):
        await gateway.hear()
        said = {"type": "post", "room": room, "text": "again"}
        answers = [await gateway.ask({"id": number, **said}) for number in range(9)]
        assert 1 <= sum(not refused(answer) for answer in answers) <= 4
        edit = {"id": 9, "type": "edit", "room": room, "message": message["id"], "text": "three"}
        assert refused(await gateway.ask(edit))
        assert refused(await socket.ask({"id": 1, "type": "post", "text": "again"}))
        await join.hear_many(2)
        await join.say({"type": "chat_message", "msg": {"text": "again"}})
        assert (await join.hear())["msg"]["code"] == "rate_limited"
    for _ in range(6):
        last = await ann.rest.post(f"/room/{room}/messages", json={"text": "again"})
    assert (last.status_code, last.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(last.headers["Retry-After"]) <= 10
    assert len(await ann.history(room)) <= 6
    assert (await ann.rest.delete(f"/room/{room}/messages/{message['id']}")).status_code == 204


async def test_two_instances_count_together(start_server: START) -> None:
    one = start_server(POSTS_PER_MINUTE="60")
    two = start_server(POSTS_PER_MINUTE="60")
    ann = await sign_up_at(one, "ann")
    room, begun_at = await ann.make_room(), time.monotonic()

    async def post(person: Person) -> int:
        answer = await person.rest.post(f"/room/{room}/messages", json={"text": "x"})
        return answer.status_code

    statuses = await asyncio.gather(*(post(person) for _ in range(75) for person in (ann, ann.at(two))))
    seconds = time.monotonic() - begun_at
    assert set(statuses) == {201, 429}
    assert 60 <= statuses.count(201) <= 60 + seconds + 1
    assert len(await ann.history(room)) == statuses.count(201)


async def test_a_flood_from_a_hundred_sockets_of_one_user_leaves_the_others_alone(start_server: START) -> None:
    one, two = start_server(POSTS_PER_MINUTE="600"), start_server(POSTS_PER_MINUTE="600")
    eve, ann, ben = [await sign_up_at(server, name) for server, name in ((one, "eve"), (one, "ann"), (two, "ben"))]
    flooded, room = await eve.make_room(), await ann.make_room()
    over = asyncio.Event()
    passed: list[int] = []

    async def flood(socket: Socket) -> None:
        while not over.is_set():
            passed.append(not refused(await socket.ask({"id": 1, "type": "post", "text": "flood"})))

    async with contextlib.AsyncExitStack() as stack:
        places = [eve if number % 2 else eve.at(two) for number in range(100)]
        path = f"/room/{flooded}/subscribe"
        sockets = [await stack.enter_async_context(person.socket(path)) for person in places]
        talk = [await stack.enter_async_context(person.socket(f"/room/{room}/subscribe")) for person in (ann, ben)]
        begun_at = time.monotonic()
        floods = [asyncio.create_task(flood(socket)) for socket in sockets]
        for number in range(20):
            answer = await talk[number % 2].ask({"id": 1, "type": "post", "text": str(number)})
            assert answer["type"] == "reply"
            await asyncio.sleep(0.1)
        over.set()
        await asyncio.gather(*floods)
        seconds = time.monotonic() - begun_at
    assert 100 <= sum(passed) <= 100 + 10 * seconds + 1
    assert len(passed) > 2 * sum(passed), "it was no flood"
    assert len(await eve.history(flooded)) == sum(passed)
