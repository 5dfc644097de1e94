"""The load client, held against a server that does what a test tells it to: an instrument has to be checked too."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bench.client import Client, Request, Sockets, Window
from bench.servers import find_cores

MARK = re.compile(rb"~\d{18}")
Spoil = Callable[[int, bytes], list[bytes]]
"""What becomes of the frame with that offset on its way to the first socket."""


def frame(content: dict[str, Any]) -> bytes:
    """A text frame as a server sends it: with no mask, and a long head from 126 bytes on."""
    text = json.dumps(content, separators=(",", ":")).encode()
    head = bytes([0x81, len(text)]) if len(text) < 126 else bytes([0x81, 126]) + len(text).to_bytes(2, "big")
    return head + text


async def read_text(reader: asyncio.StreamReader) -> bytes:
    """The next frame of a client that masks with zeros."""
    head = await reader.readexactly(2)
    length = head[1] & 127
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2), "big")
    assert await reader.readexactly(4) == bytes(4)
    return await reader.readexactly(length)


class Room:
    """A chat room in which the first socket gets what `spoil` makes of each frame."""

    def __init__(self, spoil: Spoil) -> None:
        self.spoil = spoil
        self.offset = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if b"Bearer wrong" in request:
            writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 6\r\n\r\nreason")
            return
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        self.writers.append(writer)
        try:
            while True:
                self.post(writer, await read_text(reader))
        except (asyncio.IncompleteReadError, ConnectionError):
            self.writers.remove(writer)
        finally:
            writer.close()

    def post(self, sender: asyncio.StreamWriter, text: bytes) -> None:
        found = MARK.search(text)
        assert found
        self.offset += 1
        message = {"id": self.offset, "text": found[0].decode(), "padding": "." * 60}
        self.write(sender, frame({"id": 1, "type": "reply", "result": message}))
        event = frame({"type": "message", "topic": "room:1", "offset": self.offset, "message": message})
        for number, writer in enumerate(self.writers):
            for piece in self.spoil(self.offset, event) if number == 0 else [event]:
                self.write(writer, piece)

    def write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(data)


@asynccontextmanager
async def serving(handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]) -> AsyncIterator[int]:
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(tmp_path_factory.mktemp("load"), find_cores().others)


@pytest.fixture
def one_line(tmp_path: Path) -> Path:
    path = tmp_path / "line"
    path.write_text("1\n")
    return path


def untouched(offset: int, event: bytes) -> list[bytes]:
    return [event]


def post_20(client: Client, port: int, rooms: Path, count: int) -> Window:
    """Twenty posts in 0.2 s, by `count` sockets in turn."""
    with Sockets(client, port, "/room/<room>", count, rooms=rooms, frame='{"text":"<mark>"}') as sockets:
        return sockets.post(100, 0.2)


async def post_to_room(client: Client, rooms: Path, spoil: Spoil) -> Window:
    async with serving(Room(spoil).serve) as port:
        return await asyncio.to_thread(post_20, client, port, rooms, 3)


async def test_every_delivery_and_acknowledgement_is_counted(client: Client, one_line: Path) -> None:
    window = await post_to_room(client, one_line, untouched)
    assert window.sent == 20
    assert (window.deliveries.expected, window.deliveries.received) == (60, 60)
    assert (window.acks.expected, window.acks.received) == (20, 20)
    assert window.problem == ""
    assert 0 < window.deliveries.latency.p50 <= window.deliveries.latency.p99 <= window.deliveries.latency.worst < 1000


async def test_a_lost_delivery_is_a_gap(client: Client, one_line: Path) -> None:
    window = await post_to_room(client, one_line, lambda offset, event: [] if offset == 7 else [event])
    assert window.gaps == 1
    assert window.problem == "1 missing, 1 gaps"


async def test_a_delivery_that_comes_twice_is_a_repeat(client: Client, one_line: Path) -> None:
    window = await post_to_room(client, one_line, lambda offset, event: [event, event] if offset == 7 else [event])
    assert (window.gaps, window.repeats) == (0, 1)
    assert window.problem


async def test_frames_that_come_joined_and_in_pieces_are_read(client: Client, one_line: Path) -> None:
    class Chopped(Room):
        """Keeps back the end of what it writes and sends it with the next frame, up to the last one."""

        kept = b""

        def write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
            data = self.kept + data
            end = len(data) if self.offset == 20 else len(data) - 70
            super().write(writer, data[:end])
            self.kept = data[end:]

    async with serving(Chopped(untouched).serve) as port:
        window = await asyncio.to_thread(post_20, client, port, one_line, 1)
    assert window.deliveries.received == window.acks.received == 20
    assert window.problem == ""


async def test_an_error_frame_and_a_close_frame_are_told(client: Client, one_line: Path) -> None:
    error = frame({"type": "error", "code": "rate_limited", "detail": "Too many."})
    window = await post_to_room(client, one_line, lambda offset, event: [event, error] if offset == 3 else [event])
    assert window.errors == 1
    assert "rate_limited" in window.problem
    close = b"\x88\x02" + (4408).to_bytes(2, "big")
    window = await post_to_room(client, one_line, lambda offset, event: [close] if offset == 3 else [event])
    assert window.closed == 1
    assert "closed with 4408" in window.problem


async def test_a_late_server_is_charged_from_when_a_post_was_due(client: Client, one_line: Path) -> None:
    """The posts of the 200 ms that a server sleeps are 100 ms late in the middle, however fast it is once awake."""

    class Sleepy(Room):
        def post(self, sender: asyncio.StreamWriter, text: bytes) -> None:
            super().post(sender, text)
            if self.offset == 1:
                time.sleep(0.2)

    async with serving(Sleepy(untouched).serve) as port:
        window = await asyncio.to_thread(post_20, client, port, one_line, 1)
    assert 80 < window.deliveries.latency.p50 < 150


async def test_a_refused_socket_is_reported_with_the_answer(client: Client, one_line: Path, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("wrong\n")

    def connect(port: int) -> None:
        Sockets(client, port, "/", 2, rooms=one_line, tokens=tokens, frame="")

    async with serving(Room(untouched).serve) as port:
        with pytest.raises(Exception, match=r"0 of 2 sockets .* 401 Unauthorized reason"):
            await asyncio.to_thread(connect, port)


async def test_answers_over_http_are_counted_by_their_status(client: Client, one_line: Path) -> None:
    asked = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"POST /room/1/messages HTTP/1.1\r\n")
                assert b"Authorization: Bearer 1\r\n" in head
                assert await reader.readexactly(13) == b'{"text":"hi"}'
                asked += 1
                if asked % 2:
                    writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}")
                else:
                    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    request = Request("POST", "/room/<room>/messages", tokens=one_line, rooms=one_line, body='{"text":"hi"}')
    async with serving(answer) as port:
        answers = await asyncio.to_thread(lambda: client.ask(port, request, connections=2, seconds=0.2))
    assert answers.answered > 10
    assert answers.problem == ""


async def test_every_socket_says_hello_and_the_first_of_them_post(
    client: Client, one_line: Path, tmp_path: Path
) -> None:
    class Polite(Room):
        """Notes who says what, and who posts."""

        def __init__(self, spoil: Spoil) -> None:
            super().__init__(spoil)
            self.greetings: dict[asyncio.StreamWriter, list[bytes]] = {}
            self.posters: set[asyncio.StreamWriter] = set()

        def post(self, sender: asyncio.StreamWriter, text: bytes) -> None:
            if MARK.search(text):
                self.posters.add(sender)
                super().post(sender, text)
            else:
                self.greetings.setdefault(sender, []).append(text)

    def post(port: int) -> Window:
        hello = tmp_path / "hello"
        hello.write_text("login\tsubscribe\nsubscribe\n")
        options: dict[str, Any] = {"rooms": one_line, "frame": '{"text":"<mark>"}', "hello": hello, "posters": 1}
        with Sockets(client, port, "/", 3, **options) as sockets:
            return sockets.post(100, 0.2)

    room = Polite(untouched)
    async with serving(room.serve) as port:
        window = await asyncio.to_thread(post, port)
    assert (window.sent, window.deliveries.received, window.problem) == (20, 60, "")
    said = sorted(room.greetings.values(), key=len)
    assert said == [[b"subscribe"], [b"subscribe"], [b"login", b"subscribe"]]
    assert [room.greetings[poster] for poster in room.posters] == [said[-1]]


async def test_a_socket_counts_as_open_once_it_was_answered(client: Client, one_line: Path, tmp_path: Path) -> None:
    class Slow(Room):
        """Lets a socket into the room when it has asked for it by name, and then says so."""

        async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            writer.write(frame({"type": "welcome"}))
            try:
                assert await read_text(reader) == b"let me into 1"
                await asyncio.sleep(0.05 * len(self.writers))
                self.writers.append(writer)
                writer.write(frame({"type": "reply"}))
                while True:
                    self.post(writer, await read_text(reader))
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

    def post(port: int) -> Window:
        hello = tmp_path / "hello"
        hello.write_text("let me into <room>\n")
        options: dict[str, Any] = {"rooms": one_line, "frame": '{"text":"<mark>"}', "hello": hello, "answers": 2}
        with Sockets(client, port, "/", 3, **options) as sockets:
            return sockets.post(100, 0.2)

    async with serving(Slow(untouched).serve) as port:
        window = await asyncio.to_thread(post, port)
    assert (window.sent, window.deliveries.received, window.problem) == (20, 60, "")
