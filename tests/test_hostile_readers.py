"""Clients that ask for much and read nothing, or slowly, neither fill the server nor hold up others."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.clients import PASSWORD, Person, sign_up_at
from tests.hostile import ELSEWHERE, Hostile, crowd, frame, memory, watched
from tests.server import Server, servers
from tests.store import wait_for
from tests.test_hostile_clients import closes, guest

MIB = 1024 * 1024
LONG = "x" * 4000
MESSAGES = 3000


@pytest.fixture(scope="module")
def strict() -> Iterator[Server]:
    with servers() as started:
        yield started.start(READ_TIMEOUT="3", UNREAD_PER_ADDRESS="4", CONNECTIONS_PER_USER="300")


@pytest.fixture
async def ann(strict: Server) -> AsyncIterator[Person]:
    person = await sign_up_at(strict, "ann")
    yield person
    await person.rest.aclose()


@pytest.fixture
async def ben(strict: Server) -> AsyncIterator[Person]:
    person = await sign_up_at(strict, "ben")
    yield person
    await person.rest.aclose()


async def fill(person: Person, room: str, count: int = MESSAGES, text: str = LONG) -> None:
    """Post long messages."""
    async with person.connect(f"/room/{room}/subscribe") as connection:
        for _ in range(count):
            await connection.send(json.dumps({"type": "post", "text": text}))
            while json.loads(await connection.recv())["type"] != "reply":
                pass


def authorization(person: Person) -> str:
    return f"Authorization: Bearer {person.token}"


async def test_many_sockets_that_ask_for_a_whole_room_and_never_read_hold_little(strict: Server, ann: Person) -> None:
    room = await ann.make_room()
    await fill(ann, room)
    before = memory(strict)
    with contextlib.ExitStack() as stack, watched(strict) as others:
        for _ in range(60):
            hostile = stack.enter_context(Hostile(strict, buffer=65536))
            await asyncio.to_thread(hostile.upgrade, f"/room/{room}/subscribe?after=0", authorization(ann))
        await asyncio.sleep(3)
        assert memory(strict) - before < 120 * MIB
    assert others.longest < 1


async def test_a_topic_that_is_resumed_many_times_in_one_frame_is_read_once(strict: Server, ann: Person) -> None:
    room = await ann.make_room()
    await fill(ann, room)
    before = memory(strict)
    async with ann.socket("/ws", max_size=None) as socket:
        place = next(each for each in (await socket.hear())["topics"] if each["topic"] == f"room:{room}")
        asked = [{"topic": f"room:{room}", "offset": 1, "epoch": place["epoch"]}] * 150
        reply = await socket.ask({"id": 1, "type": "resume", "topics": asked})
        assert reply["result"]["topics"] == [{**place, "recovered": True}] * 150
        peak = memory(strict)
        heard = [await socket.hear() for _ in range(place["offset"] - 1)]
        assert [event["offset"] for event in heard] == list(range(2, place["offset"] + 1))
        await ann.post(room, "after that")
        assert (await socket.hear())["offset"] == place["offset"] + 1
    assert peak - before < 40 * MIB


async def test_who_resumes_and_does_not_read_holds_little(strict: Server, ann: Person) -> None:
    room = await ann.make_room()
    await fill(ann, room)
    before = memory(strict)
    asked = json.dumps({"type": "resume", "topics": [{"topic": f"room:{room}", "offset": 0}] * 150}).encode()
    with crowd(strict, 20) as many:
        for each in many:
            await asyncio.to_thread(each.upgrade, "/ws", authorization(ann))
            each.send(frame(asked) * 5)
        await asyncio.sleep(3)
        assert memory(strict) - before < 40 * MIB


async def test_pages_that_nobody_reads_are_given_up(strict: Server, ann: Person) -> None:
    room = await ann.make_room()
    await fill(ann, room)
    before = memory(strict)
    path = f"/room/{room}/messages?limit=1000"
    with crowd(strict, 40) as many, watched(strict) as others:
        for each in many:
            each.ask("GET", path, authorization(ann))
        await asyncio.sleep(2)
        assert memory(strict) - before < 120 * MIB
        for each in many:  # the system may have taken all of the answer, then the connection is idle
            assert await asyncio.to_thread(each.closed_within, 15)
    assert others.longest < 1


async def test_a_client_that_does_not_read_gets_no_second_answer(strict: Server, ann: Person) -> None:
    room = await ann.make_room()
    await fill(ann, room)
    before = memory(strict)
    with Hostile(strict, buffer=4096) as hostile:
        for _ in range(90):
            hostile.ask("GET", f"/room/{room}/messages?limit=1000", authorization(ann))
        await asyncio.sleep(3)
        assert memory(strict) - before < 20 * MIB
        await asyncio.sleep(2)
    wait_for(lambda: "unread" in refusals(strict))


def refusals(server: Server) -> set[str]:
    lines = httpx.get(f"{server.base_url}/metrics").text.splitlines()
    told = [line for line in lines if line.startswith("foyer_refusals_total{")]
    return {line.split('"')[1] for line in told if float(line.split()[-1])}


async def test_a_slow_reader_gets_its_page_whole(strict: Server, ann: Person) -> None:
    """Who reads on, however slowly, is not given up before the time is over."""
    room = await ann.make_room()
    await fill(ann, room)
    with Hostile(strict, buffer=65536) as slow:
        slow.ask("GET", f"/room/{room}/messages?limit=1000", authorization(ann), "Connection: close")
        said = b""
        while part := await asyncio.to_thread(slow.socket.recv, 32768):
            said += part
            await asyncio.sleep(0.02)
    head, _, body = said.partition(b"\r\n\r\n")
    assert b'rel="next"' in head
    page = json.loads(body)
    assert 200 < len(page) < 1000
    assert [message["id"] for message in page] == list(range(MESSAGES - len(page) + 1, MESSAGES + 1))


async def test_history_is_read_whole_page_by_page_however_long_its_messages(strict: Server, ann: Person) -> None:
    room = await ann.make_room()
    await fill(ann, room, 700)
    assert [message["id"] for message in await ann.history(room)] == list(range(1, 701))
    found: list[int] = []
    async with ann.socket("/ws", max_size=None) as socket:
        await socket.hear()
        page = {"more": True, "messages": []}
        while page["more"]:
            before = {"before": found[0]} if found else {}
            page = (await socket.ask({"id": 1, "type": "history", "room": room, "limit": 1000, **before}))["result"]
            assert page["messages"]
            found = [message["id"] for message in page["messages"]] + found
    assert found == list(range(1, 701))


async def test_a_stream_whose_reader_stopped_is_cut_and_its_user_is_offline(
    strict: Server, ann: Person, ben: Person
) -> None:
    room = await ann.make_room()
    before = memory(strict)
    with Hostile(strict, buffer=4096) as hostile:
        hostile.ask("GET", f"/room/{room}/subscribe", authorization(ben), "Accept: text/event-stream")
        assert hostile.status() == 200
        await ann.rest.post(f"/room/{room}/members", json={"username": ben.username})
        assert is_online(ann, room, ben)
        await fill(ann, room)
        await asyncio.to_thread(wait_for, lambda: not is_online(ann, room, ben))
        assert memory(strict) - before < 20 * MIB


def is_online(person: Person, room: str, someone: Person) -> bool:
    members = httpx.get(f"{person.server.base_url}/room/{room}/members", headers=person.headers).json()
    return bool(next(member["online"] for member in members if member["username"] == someone.username))


async def test_a_socket_whose_reader_stopped_is_closed(strict: Server, ann: Person, ben: Person) -> None:
    room = await ann.make_room()
    before, closed = memory(strict), closes(strict, {4408})
    with Hostile(strict, buffer=4096) as hostile:
        await asyncio.to_thread(hostile.upgrade, f"/room/{room}/subscribe", authorization(ben))
        await fill(ann, room)
        await asyncio.to_thread(wait_for, lambda: closes(strict, {4408}) > closed)
    assert memory(strict) - before < 20 * MIB


# Among one's own


async def test_one_slow_device_does_not_hold_up_the_others(strict: Server, ann: Person, ben: Person) -> None:
    """Its user is let into rooms, of whose past it has to be told, while it does not read."""
    noisy = await ann.make_room()
    await ann.rest.post(f"/room/{noisy}/members", json={"username": ben.username})
    with Hostile(strict, buffer=4096) as slow:
        await asyncio.to_thread(slow.upgrade, "/ws", authorization(ben))
        async with ben.socket("/ws") as socket:
            await socket.hear()
            filling = asyncio.create_task(fill(ann, noisy, 1000))
            longest = 0.0
            for _ in range(20):
                room = await ann.make_room()
                begun = time.monotonic()
                await ann.rest.post(f"/room/{room}/members", json={"username": ben.username})
                wanted = {("room_added", f"user:{ben.username}"), ("member_added", f"room:{room}")}
                while wanted:
                    event = await socket.hear()
                    wanted.discard((event["type"], event["topic"]))
                longest = max(longest, time.monotonic() - begun)
            await filling
    assert longest < 3


async def test_a_device_that_is_being_welcomed_does_not_hold_up_the_others(strict: Server, ben: Person) -> None:
    with strict.store() as store:
        key = f"{{user:{ben.account['id']}}}:rooms"
        store.zadd(key, {str(room): room for room in range(10**9, 10**9 + 4_500)})
    async with ben.socket("/ws") as socket:
        while (await socket.hear())["type"] != "welcome_topics":
            pass
        while socket.heard or (await socket.next_frame())["more"]:
            pass
        late = asyncio.create_task(welcomed(ben))
        longest = 0.0
        while not late.done():
            begun = time.monotonic()
            await ben.make_room()
            assert (await socket.hear())["type"] == "room_added"
            longest = max(longest, time.monotonic() - begun)
        rooms = await late
    assert longest < 2
    assert rooms


async def welcomed(person: Person) -> int:
    """How many frames the welcome of another socket took."""
    frames = 1
    async with person.socket("/ws") as socket:
        told = await socket.hear()
        while told["more"]:
            told = await socket.hear()
            frames += 1
            while "more" not in told:
                told = await socket.hear()
    return frames


async def test_connections_of_a_user_are_limited_whatever_their_kind(start_server: Callable[..., Server]) -> None:
    server = start_server(CONNECTIONS_PER_USER="4")
    ann = await sign_up_at(server, "ann")
    room = await ann.make_room()
    async with (
        ann.socket("/ws"),
        ann.socket(f"/room/{room}/subscribe"),
        ann.socket("/join"),
        ann.stream("/messages/subscribe"),
    ):
        answer = await ann.rest.get(f"/room/{room}/subscribe", headers={"Accept": "text/event-stream"})
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert answer.headers["Retry-After"]
    await ann.rest.aclose()


async def test_who_is_in_as_many_rooms_as_one_may_be_in_is_added_to_no_other(
    start_server: Callable[..., Server],
) -> None:
    server = start_server(MEMBERSHIPS_PER_USER="3")
    ann, ben = await sign_up_at(server, "ann"), await sign_up_at(server, "ben")
    rooms = [await ann.make_room() for _ in range(3)]
    for room in rooms:
        await ann.rest.post(f"/room/{room}/members", json={"username": ben.username})
    answer = await ben.rest.post("/rooms", json={"name": "one more"})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_rooms")
    carol = await sign_up_at(server, "carol")
    room = await carol.make_room("one more")
    answer = await carol.rest.post(f"/room/{room}/members", json={"username": ben.username})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_rooms")
    await ben.rest.delete(f"/room/{rooms[0]}/members/{ben.username}")
    answer = await carol.rest.post(f"/room/{room}/members", json={"username": ben.username})
    assert answer.status_code == 201
    for person in (ann, ben, carol):
        await person.rest.aclose()


# By queue


def test_a_crowd_that_signs_in_from_one_address_waits_for_itself(start_server: Callable[..., Server]) -> None:
    server = start_server()
    with guest(server) as client:
        client.post("/user", json={"username": "ann", "password": PASSWORD})

    def sign_in(address: str) -> int:
        with guest(server, address) as client:
            return client.post("/auth", json={"username": "ann", "password": PASSWORD}).status_code

    with ThreadPoolExecutor(280) as clients:
        crowd = [clients.submit(sign_in, ELSEWHERE) for _ in range(260)]
        time.sleep(0.5)
        others = [clients.submit(sign_in, "127.0.0.1") for _ in range(20)]
        assert [future.result() for future in others] == [200] * 20
        assert {future.result() for future in crowd} <= {200, 503}
