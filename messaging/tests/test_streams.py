"""Server-sent events, and going on from where one was, on a real server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest

from tests.clients import PATIENCE, Person, Socket, narrow_connection
from tests.server import Server


async def refusal(person: Person, path: str, **headers: str) -> tuple[int, str]:
    """Status and error code of the answer to a request for a stream that is refused."""
    asked = {"Accept": "text/event-stream"} | {name.replace("_", "-"): value for name, value in headers.items()}
    async with asyncio.timeout(PATIENCE), person.rest.stream("GET", path, headers=asked) as answer:
        assert answer.status_code != 200
        told = orjson.loads(await answer.aread())
        assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401)
    return answer.status_code, told["code"]


@pytest.fixture
async def room(ann_there: Person) -> str:
    return await ann_there.make_room()


async def test_a_stream_tells_each_event_as_one_frame_with_its_place(ann_there: Person, room: str) -> None:
    await ann_there.post(room, "before")
    async with ann_there.stream(f"/room/{room}/subscribe") as stream:
        message = await ann_there.post(room, "line one\nline two\r\n\u2028 💬")
        assert await stream.hear() == {"type": "message", "topic": f"room:{room}", "offset": 2, "message": message}
        offset, _, epoch = stream.last_id.partition("-")
        assert offset == "2"
        assert epoch


async def test_a_stream_goes_on_after_the_last_event_that_was_heard(ann_there: Person, room: str) -> None:
    path = f"/room/{room}/subscribe"
    async with ann_there.stream(path) as stream:
        for number in range(3):
            await ann_there.post(room, str(number))
        await stream.hear_many(2)
    await ann_there.post(room, "meanwhile")
    async with ann_there.stream(path, stream.last_id) as again:
        assert [event and event["message"]["text"] for event in await again.hear_many(2)] == ["2", "meanwhile"]
    async with ann_there.stream(f"{path}?after=1") as again:
        assert [event and event["offset"] for event in await again.hear_many(3)] == [2, 3, 4]


async def test_a_stream_that_heard_nothing_yet_knows_its_place(ann_there: Person, room: str) -> None:
    path = f"/room/{room}/subscribe"
    await ann_there.post(room, "before")
    async with ann_there.stream(path) as stream, asyncio.timeout(PATIENCE):
        place = await anext(line[4:] async for line in stream.lines if line.startswith("id: "))
    await ann_there.post(room, "meanwhile")
    async with ann_there.stream(path, place) as again:
        event = await again.hear()
        assert event
        assert event["message"]["text"] == "meanwhile"


@pytest.mark.parametrize("last_id", ["x", "-", "5x", "9" * 20, "-1", "1.5", "%31"])
async def test_a_place_that_is_none_is_refused_as_rest_would(ann_there: Person, room: str, last_id: str) -> None:
    assert await refusal(ann_there, f"/room/{room}/subscribe", Last_Event_ID=last_id) == (400, "invalid")


async def test_a_place_the_log_does_not_have_is_refused(ann_there: Person, room: str) -> None:
    await ann_there.post(room, "one")
    for place in ("2", "1-other"):
        assert await refusal(ann_there, f"/room/{room}/subscribe", Last_Event_ID=place) == (400, "unknown_cursor")


async def test_a_stream_is_refused_with_an_answer(ann_there: Person, ben_there: Person, room: str) -> None:
    hidden = await ann_there.make_room(members_only=True)
    for path in (
        f"/room/{hidden}/subscribe", "/room/999999/subscribe", "/room/x/subscribe", "/room//subscribe", "/subscribe",
        "/room/%00/subscribe", "/room/a%2Fb/subscribe", "/messages/subscribe/", f"/room/{room}/subscribe/",
    ):  # fmt: skip
        assert (await refusal(ben_there, path))[0] == 404, path
    assert await refusal(ben_there, f"/room/{room}/subscribe", Authorization="") == (401, "not_authenticated")


async def test_a_stream_ends_when_its_session_does(ann_there: Person, ben_there: Person, room: str) -> None:
    async with ben_there.stream(f"/room/{room}/subscribe") as one, ben_there.stream("/messages/subscribe") as other:
        await ben_there.rest.delete("/auth")
        assert await one.hear() is None
        assert await other.hear() is None


async def test_a_stream_ends_with_its_room(ann_there: Person, ben_there: Person, room: str) -> None:
    async with ben_there.stream(f"/room/{room}/subscribe") as stream:
        await ann_there.rest.delete(f"/room/{room}")
        event = await stream.hear()
        assert event
        assert event["type"] == "room_deleted"
        assert await stream.hear() is None


async def test_the_inbox_streams_what_was_received(ann_there: Person, ben_there: Person) -> None:
    async with ann_there.stream("/messages/subscribe") as stream:
        for sender, to, text in (
            (ann_there, ben_there, "out"),
            (ben_there, ann_there, "in"),
            (ann_there, ann_there, "note"),
        ):
            await sender.rest.post(f"/user/{to.username}/messages", json={"text": text})
        assert [event and event["message"]["text"] for event in await stream.hear_many(2)] == ["in", "note"]
    async with ann_there.stream("/messages/subscribe?after=0") as stream:
        assert [event and event["offset"] for event in await stream.hear_many(2)] == [2, 3]


# Going on, while others post

Hear = Callable[[], Any]


@contextlib.asynccontextmanager
async def by_socket(person: Person, room: str, after: int) -> AsyncIterator[Hear]:
    async with person.socket(f"/room/{room}/subscribe?after={after}") as socket:
        yield socket.hear


@contextlib.asynccontextmanager
async def by_stream(person: Person, room: str, after: int) -> AsyncIterator[Hear]:
    async with person.stream(f"/room/{room}/subscribe?after={after}") as stream:
        yield stream.hear


@pytest.mark.parametrize("how", [by_socket, by_stream])
async def test_who_comes_and_goes_while_others_post_misses_nothing_and_hears_nothing_twice(
    ann_there: Person, ben_there: Person, room: str, how: Any
) -> None:
    async def write() -> None:
        async with ben_there.socket(f"/room/{room}/subscribe") as socket:
            for number in range(400):
                await socket.ask({"type": "post", "text": str(number)})

    writing = asyncio.create_task(write())
    heard: list[int] = []
    while len(heard) < 400:
        async with how(ann_there, room, len(heard)) as hear:
            heard += [(await hear())["offset"] for _ in range(min(7 + len(heard) % 31, 400 - len(heard)))]
    await writing
    assert heard == list(range(1, 401))


async def test_a_long_absence_is_made_up_for_in_one_go(ann_there: Person, ben_there: Person, room: str) -> None:
    text = "💬" * 1000
    async with ben_there.socket(f"/room/{room}/subscribe") as socket:
        for _ in range(1200):
            await socket.ask({"type": "post", "text": text})
    async with ann_there.socket(f"/room/{room}/subscribe?after=0") as socket:
        heard = await socket.hear_many(1200)
    assert [event["offset"] for event in heard] == list(range(1, 1201))
    assert all(event["message"]["text"] == text for event in heard)
    async with ann_there.stream(f"/room/{room}/subscribe?after=600") as stream:
        told = await stream.hear_many(600)
    assert [event and event["offset"] for event in told] == list(range(601, 1201))


# A client that does not read


async def test_a_client_that_does_not_read_is_closed_and_holds_up_nobody(
    server: Server, ann_there: Person, ben_there: Person, room: str
) -> None:
    path = f"/room/{room}/subscribe"
    text = "💬" * 4096
    closed_before = server.output().count("(4408)")
    async with narrow_connection(ann_there, path) as connection, ben_there.socket(path) as quick:
        slow = Socket(connection)
        posted = 0
        while posted < 1200 and (posted % 20 or server.output().count("(4408)") == closed_before):
            answer = await quick.ask({"type": "post", "text": text})
            posted += 1
            assert answer["type"] == "reply"
            assert (await quick.hear())["offset"] == posted
        code, _ = await slow.closed()
        heard = [event["offset"] for event in slow.heard]
        assert code == 4408
        assert heard == list(range(1, len(heard) + 1))
        assert len(heard) < posted
    async with ann_there.socket(f"{path}?after={len(heard)}") as again:
        rest = await again.hear_many(posted - len(heard))
        assert [event["offset"] for event in rest] == list(range(len(heard) + 1, posted + 1))
