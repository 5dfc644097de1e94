"""The socket of `/lobby_api` on real servers: many clients at once, several instances, restarts."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from lobby.tests.invariants import replay
from tests.clients import Frame, SignUp, Socket
from tests.server import Server

ADMIN = {"$type": "login", "username": "admin", "password": "admin"}
SUBSCRIBE = {"$type": "subscribe_tables"}
WRITERS, CHANGES, SUBSCRIBERS = 20, 25, 50


@asynccontextmanager
async def lobby(server: Server) -> AsyncIterator[Socket]:
    async with connect(f"{server.ws_url}/lobby_api", proxy=None, compression=None, max_size=None) as connection:
        yield Socket(connection)


async def admin_at(stack: AsyncExitStack, server: Server) -> Socket:
    socket = await stack.enter_async_context(lobby(server))
    await socket.say(ADMIN)
    assert (await socket.next_frame())["$type"] == "login_successful"
    return socket


async def carried_out(socket: Socket) -> list[Frame]:
    """What was heard until all that was said has been carried out."""
    await socket.say({"$type": "ping", "seq": 1})
    found = []
    while (frame := await socket.next_frame())["$type"] != "pong":
        found.append(frame)
    return found


def add(after_id: int | None = None, **fields: Any) -> Frame:
    place = {} if after_id is None else {"after_id": after_id}
    return {"$type": "add_table", **place, "table": {"name": "a table", "participants": 1, **fields}}


def tables(server: Server) -> list[Frame]:
    answer = httpx.get(f"{server.base_url}/lobby_api/tables", auth=("admin", "admin"), timeout=30)
    found: list[Frame] = answer.json()["tables"]
    return found


def clear(server: Server) -> None:
    with httpx.Client(base_url=f"{server.base_url}/lobby_api", auth=("admin", "admin"), timeout=30) as admin:
        for table in admin.get("/tables").json()["tables"]:
            admin.delete(f"/tables/{table['id']}")


async def write(socket: Socket, dice: random.Random) -> None:
    """Change the list at random, with ids that others use too, so that some changes are refused."""
    for number in range(CHANGES):
        id = dice.randint(1, 60)
        await socket.say(
            dice.choice(
                [
                    add(dice.choice([None, -1, dice.randint(1, 60)]), id=id),
                    add(dice.choice([None, -1])),
                    {"$type": "update_table", "table": {"id": id, "name": f"{number}", "participants": number}},
                    {"$type": "remove_table", "id": id},
                ]
            )
        )
        if dice.random() < 0.3:
            await carried_out(socket)
    for answer in await carried_out(socket):
        assert answer["$type"] in ("add_failed", "update_failed", "removal_failed")


async def follow(socket: Socket, last: int, dice: random.Random) -> list[Frame]:
    """The list as a client has it that came and went, subscribed again, and heard of table `last`."""
    await asyncio.sleep(dice.random() * 0.3)
    for _ in range(dice.randint(0, 3)):
        await socket.say(SUBSCRIBE)
        listed = await until(socket, "table_list")
        replay(listed["tables"], await carried_out(socket))
        if dice.random() < 0.5:
            await socket.say({"$type": "unsubscribe_tables"})
            await carried_out(socket)
            assert await carried_out(socket) == []
    await socket.say(SUBSCRIBE)
    found: list[Frame] = (await until(socket, "table_list"))["tables"]
    while last not in [table["id"] for table in found]:
        found = replay(found, [await socket.next_frame()])
    return found


async def until(socket: Socket, kind: str) -> Frame:
    while (frame := await socket.next_frame())["$type"] != kind:
        pass
    return frame


async def test_however_busy_the_writers_every_reader_has_the_list_that_the_store_has(server: Server) -> None:
    clear(server)
    last, seed = 10**9 + secrets.randbelow(10**9), secrets.randbits(32)
    print("seed", seed)
    async with AsyncExitStack() as stack:
        writers = [await admin_at(stack, server) for _ in range(WRITERS)]
        readers = [await stack.enter_async_context(lobby(server)) for _ in range(SUBSCRIBERS)]
        following = [
            asyncio.ensure_future(follow(reader, last, random.Random(f"{seed} {number}")))
            for number, reader in enumerate(readers)
        ]
        dice = random.Random(seed)
        await asyncio.gather(*(write(writer, random.Random(dice.random())) for writer in writers))
        await writers[0].say(add(-1, id=last))
        kept = await asyncio.gather(*following)
    found = await asyncio.to_thread(tables, server)
    assert found[0]["id"] == last
    for number, list_of_reader in enumerate(kept):
        assert list_of_reader == found, f"reader {number} has another list"


async def test_after_unsubscribing_in_a_storm_nothing_more_comes(server: Server) -> None:
    clear(server)
    async with AsyncExitStack() as stack:
        writer = await admin_at(stack, server)
        readers = [await stack.enter_async_context(lobby(server)) for _ in range(20)]
        for reader in readers:
            await reader.say(SUBSCRIBE)
            await reader.next_frame()
        await writer.say(add(id=1))
        for number in range(300):
            await writer.say({"$type": "update_table", "table": {"id": 1, "name": "x", "participants": number}})
            if number % 15 == 7:
                reader = readers[number // 15]
                await reader.say({"$type": "unsubscribe_tables"})
                heard = await carried_out(reader)
                counts = [frame["table"]["participants"] for frame in heard[1:]]
                assert counts == list(range(len(counts)))
        await carried_out(writer)
        assert [await carried_out(reader) for reader in readers] == [[]] * 20


async def test_the_gateway_hears_the_same_changes_with_their_offsets(server: Server, sign_up: SignUp) -> None:
    clear(server)
    ann = await sign_up("ann")
    async with AsyncExitStack() as stack:
        writer = await admin_at(stack, server)
        gateway = await stack.enter_async_context(ann.socket("/ws"))
        assert (await gateway.next_frame())["type"] == "welcome"
        head = (await gateway.ask({"id": 1, "type": "subscribe", "topic": "tables"}))["result"]
        assert (await gateway.ask({"id": 2, "type": "subscribe", "topic": "tables:1"}))["type"] == "error"
        reader = await stack.enter_async_context(lobby(server))
        await reader.say(SUBSCRIBE)
        assert await reader.next_frame() == {"$type": "table_list", "tables": []}
        await writer.say(add(id=3))
        await writer.say({"$type": "remove_table", "id": 3})
        theirs = await gateway.hear_many(2)
        ours = [await reader.next_frame() for _ in range(2)]
    assert [event.pop("topic") for event in theirs] == ["tables"] * 2
    assert [event.pop("offset") for event in theirs] == [head["offset"] + 1, head["offset"] + 2]
    assert [{"$type": event.pop("type"), **event} for event in theirs] == ours


async def test_two_instances_serve_one_list(start_server: Callable[..., Server]) -> None:
    first = await asyncio.to_thread(start_server)
    second = await asyncio.to_thread(start_server)
    async with AsyncExitStack() as stack:
        writers = [await admin_at(stack, server) for server in (first, second)]
        readers = [await stack.enter_async_context(lobby(server)) for server in (first, second)]
        for reader in readers:
            await reader.say(SUBSCRIBE)
            assert (await reader.next_frame())["tables"] == []
        for number in range(1, 51):
            await writers[number % 2].say(add(-1, id=number))
        heard = [[await reader.next_frame() for _ in range(50)] for reader in readers]
    assert heard[0] == heard[1]
    found = await asyncio.to_thread(tables, second)
    assert replay([], heard[0]) == found
    assert len(found) == 50


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_the_order_outlives_a_restart(start_server: Callable[..., Server], how: str) -> None:
    server = await asyncio.to_thread(start_server)
    async with AsyncExitStack() as stack:
        writer = await admin_at(stack, server)
        for id, after_id in ((5, -1), (1, 5), (9, 5), (7, -1)):
            await writer.say(add(after_id, id=id))
        await writer.say({"$type": "remove_table", "id": 5})
        await writer.say({"$type": "update_table", "table": {"id": 9, "name": "kept", "participants": 2}})
        assert await carried_out(writer) == []
    before = await asyncio.to_thread(tables, server)
    assert [table["id"] for table in before] == [7, 9, 1]
    await asyncio.to_thread(getattr(server, how))
    server.begin()
    await asyncio.to_thread(server.wait_until_it_answers)
    assert await asyncio.to_thread(tables, server) == before
    async with AsyncExitStack() as stack:
        writer = await admin_at(stack, server)
        await writer.say(SUBSCRIBE)
        assert (await writer.next_frame())["tables"] == before
        await writer.say(add())
        assert (await writer.next_frame())["after_id"] == 1


async def test_a_flood_of_logins_holds_up_nobody_else(start_server: Callable[..., Server]) -> None:
    many = "100000"
    server = await asyncio.to_thread(start_server, SIGN_IN_FAILURES=many, SIGN_IN_FAILURES_WIDE=many)
    async with AsyncExitStack() as stack:
        writer = await admin_at(stack, server)
        await writer.say(SUBSCRIBE)
        await writer.next_frame()
        flooding = [await stack.enter_async_context(lobby(server)) for _ in range(40)]
        for number in range(10):
            for socket in flooding:
                await socket.say({"$type": "login", "username": f"guess {number}", "password": "wrong"})
        slowest = 0.0
        for number in range(20):
            begin = time.monotonic()
            await writer.say(add(id=number + 1))
            assert (await writer.next_frame())["table"]["id"] == number + 1
            slowest = max(slowest, time.monotonic() - begin)
        assert slowest < 2.0
        answers = [await socket.next_frame() for socket in flooding for _ in range(10)]
        assert answers == [{"$type": "login_failed"}] * 400


async def test_a_frame_may_have_64_kib(server: Server) -> None:
    for size, understood in ((64 * 1024, True), (64 * 1024 + 1, False)):
        async with lobby(server) as socket:
            frame = json.dumps({"$type": "ping", "seq": 7})
            await socket.say(frame + " " * (size - len(frame)))
            if understood:
                assert await socket.next_frame() == {"$type": "pong", "seq": 7}
            else:
                assert (await socket.closed())[0] == 1009


async def test_a_binary_frame_is_refused_and_the_socket_stays_open(server: Server) -> None:
    async with lobby(server) as socket:
        await socket.say(b'{"$type":"ping","seq":7}')
        assert (await socket.next_frame())["code"] == "bad_frame"
        assert await carried_out(socket) == []


async def test_text_that_is_not_utf_8_ends_the_connection(server: Server) -> None:
    async with lobby(server) as socket:
        await socket.connection.send(b'{"$type":"\xff"}', text=True)
        assert (await socket.closed())[0] == 1007


async def test_a_page_of_any_site_may_read(server: Server) -> None:
    address = f"{server.ws_url}/lobby_api"
    async with connect(address, origin="https://elsewhere.example", proxy=None) as connection:  # type: ignore[arg-type]
        socket = Socket(connection)
        await socket.say(SUBSCRIBE)
        assert (await socket.next_frame())["$type"] == "table_list"


def test_without_an_upgrade_it_says_what_is_where(server: Server) -> None:
    answer = httpx.get(f"{server.base_url}/lobby_api")
    assert answer.json() == {
        "websocket": f"{server.ws_url}/lobby_api",
        "tables": f"{server.base_url}/lobby_api/tables",
        "health": f"{server.base_url}/lobby_api/health",
    }
