"""Connections that are over leave nothing behind: no growth of the server, and no cycle for a collection to find."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import psutil
import pytest
import uvicorn
import uvloop
from websockets.asyncio.client import connect

from accounts.operations import Standing, astart_session
from foyer.realtime.connection import Connection
from foyer.realtime.consumer import EventStream, SocketConsumer
from foyer.realtime.hub import get_hub, hubs
from foyer.server.http_protocol import HttpProtocol
from foyer.server.processes import config as serving
from foyer.server.socket_protocol import SocketProtocol
from foyer.store.steps import on_loop
from rooms.tests.invariants import create
from tests.clients import Person, sign_up_at
from tests.people import ANN
from tests.server import Server
from tests.store import free_port, wait_for

SOCKETS = 2000
AT_ONCE = 100
ROUNDS = 4
GROWTH = 6 * 1024 * 1024
"""Bytes that a server may grow from one round to the last: less than 1 KiB for each socket that came and went."""


@contextlib.asynccontextmanager
async def crowd(person: Person, path: str, count: int) -> AsyncIterator[None]:
    """`count` sockets, open all at once. They are raw, so that this process can bear them."""
    handshake = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Authorization: Bearer {person.token}\r\n\r\n"
    ).encode()
    turns = asyncio.Semaphore(AT_ONCE)

    async def come_in() -> asyncio.StreamWriter:
        async with turns:
            reader, writer = await asyncio.open_connection("127.0.0.1", person.server.port, limit=4096)
            writer.write(handshake)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 101"), answer
            return writer

    writers = await asyncio.gather(*(come_in() for _ in range(count)))
    yield
    for number, writer in enumerate(writers):
        if number % 2:
            writer.write(b"\x88\x80\0\0\0\0")  # half of them say goodbye
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


@pytest.fixture
def lone_server(start_server: Callable[..., Server]) -> Server:
    return start_server(CONNECTIONS_PER_USER=str(SOCKETS))


async def test_sockets_that_come_and_go_do_not_make_the_server_grow(lone_server: Server) -> None:
    ann = await sign_up_at(lone_server, "ann")
    room = await ann.make_room()
    process = psutil.Process(lone_server.pid)
    sizes = []
    for _ in range(ROUNDS):
        async with crowd(ann, f"/room/{room}/subscribe", SOCKETS):
            await ann.post(room, "hello, everyone")
        await asyncio.to_thread(wait_for, lambda: len(process.net_connections("tcp")) < 20)
        sizes.append(process.memory_info().rss)
    await ann.rest.aclose()
    assert sizes[-1] - sizes[0] < GROWTH, [f"{size / 2**20:.1f} MiB" for size in sizes]


# In this process, with the collector off


@contextlib.asynccontextmanager
async def serving_here() -> AsyncIterator[int]:
    """The application under our server's protocols, on a port of this process."""
    port = free_port()
    settings = serving(1)
    settings.port, settings.lifespan = port, "off"
    uvicorn.Config.load(settings)
    server = uvicorn.Server(settings)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    running = asyncio.create_task(server.serve())
    await asyncio.to_thread(wait_for, lambda: server.started)
    try:
        yield port
    finally:
        server.should_exit = True
        await running
        await get_hub().close()
        await on_loop().close()
        hubs.clear()


@pytest.fixture
def collector_off() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


OURS = (SocketProtocol, HttpProtocol, Connection, SocketConsumer, EventStream)


def alive() -> list[Any]:
    return [found for found in gc.get_objects() if issubclass(type(found), OURS)]


async def come_and_go(port: int, headers: dict[str, str]) -> None:
    """Every way in which a connection can end."""
    room = f"ws://127.0.0.1:{port}/room/1/subscribe"
    for path, leave in (
        (room, lambda socket: socket.close()),
        (room, lambda socket: socket.send(b"binary")),
        (room, lambda socket: socket.send("x" * 70_000)),
        (f"{room}?after=0", lambda socket: socket.close()),
        (f"ws://127.0.0.1:{port}/messages/subscribe", cut),
    ):
        async with connect(path, additional_headers=headers, proxy=None) as socket:
            await socket.send('{"type": "post", "text": "hi"}')
            await socket.recv()
            await leave(socket)
            await socket.wait_closed()
    for path in ("/room/2/subscribe", "/nowhere"):
        with contextlib.suppress(Exception):
            await connect(f"ws://127.0.0.1:{port}{path}", additional_headers=headers, proxy=None)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"{name}: {value}" for name, value in headers.items()]
    request = ["GET /room/1/subscribe HTTP/1.1", "Host: 127.0.0.1", "Accept: text/event-stream", *lines, "", ""]
    writer.write("\r\n".join(request).encode())
    assert b"200 OK" in await reader.readuntil(b"retry")
    writer.close()
    await writer.wait_closed()


async def cut(socket: Any) -> None:
    socket.transport.abort()


@pytest.mark.usefixtures("collector_off")
def test_a_connection_that_is_over_is_gone_without_a_collection() -> None:
    async def scene() -> tuple[list[Any], list[Any]]:
        session = await astart_session(Standing.of(ANN.id, ANN.username, False, True, "no password"))
        headers = {"Authorization": f"Bearer {session.token}"}
        async with serving_here() as port:
            async with connect(f"ws://127.0.0.1:{port}/room/1/subscribe", additional_headers=headers, proxy=None):
                watched = [weakref.ref(found) for found in alive() if not isinstance(found, HttpProtocol)]
                assert watched
            await come_and_go(port, headers)
            with contextlib.suppress(pytest.fail.Exception):
                await asyncio.to_thread(wait_for, lambda: not alive(), 10)
            left = [type(found).__name__ for found in alive()]
            return left, [ref() for ref in watched if ref() is not None]

    create(ANN, "Kitchen")
    left, watched = uvloop.run(scene())
    assert left == []
    assert watched == []
