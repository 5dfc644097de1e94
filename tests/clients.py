"""Clients of a real server: people with accounts, their REST requests, their sockets and streams of events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket as sockets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.frames import Dialogue
from tests.server import Server

PASSWORD = "correct horse"
PATIENCE = 15
"""Seconds to wait for what should come at once; more on a machine that is busy."""
Frame = dict[str, Any]


class Socket:
    """A WebSocket that speaks JSON. What was heard and not asked for waits in `heard`, in order.

    All that is said and heard is held against the document of `/schema/events`.
    """

    def __init__(self, connection: ClientConnection) -> None:
        assert connection.request
        self.connection = connection
        self.dialogue = Dialogue(connection.request.path)
        self.heard: list[Frame] = []

    async def say(self, frame: Any) -> None:
        """Send `frame` as JSON; text and bytes go as they are."""
        self.dialogue.said(frame)
        await self.connection.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def next_frame(self) -> Frame:
        async with asyncio.timeout(PATIENCE):
            frame: Frame = json.loads(await self.connection.recv())
        self.dialogue.heard(frame)
        return frame

    async def hear(self) -> Frame:
        """The next frame that nobody asked for."""
        return self.heard.pop(0) if self.heard else await self.next_frame()

    async def hear_many(self, count: int) -> list[Frame]:
        return [await self.hear() for _ in range(count)]

    async def ask(self, frame: Any) -> Frame:
        """Send a command and return its answer, a reply or an error; events that come before it are kept."""
        await self.say(frame)
        while (answer := await self.next_frame())["type"] not in ("reply", "error"):
            self.heard.append(answer)
        return answer

    async def closed(self) -> tuple[int, str]:
        """The code and reason of the server's close, once it comes; frames before it are kept."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                self.heard.append(await self.next_frame())
        assert self.connection.close_code is not None
        return self.connection.close_code, self.connection.close_reason or ""


class Stream:
    """Server-sent events."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.dialogue = Dialogue(response.request.url.path)
        self.lines = self.read_lines()
        self.last_id = ""

    async def read_lines(self) -> AsyncGenerator[str]:
        """The lines, which only a line feed ends: httpx would end one at any character that Unicode calls a break."""
        rest = b""
        async for part in self.response.aiter_bytes():
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                yield line.decode()

    async def hear(self) -> Frame | None:
        """The data of the next event; None once the stream has ended."""
        data: list[str] = []
        async with asyncio.timeout(PATIENCE):
            async for line in self.lines:
                name, _, value = line.partition(": ")
                if name == "id":
                    self.last_id = value
                elif name == "data":
                    data.append(value)
                elif not line and data:
                    frame: Frame = json.loads("\n".join(data))
                    self.dialogue.heard(frame)
                    return frame
        return None

    async def hear_many(self, count: int) -> list[Frame | None]:
        return [await self.hear() for _ in range(count)]


class Person:
    """Somebody with an account and a session on a server, or several servers that share their data."""

    def __init__(self, server: Server, username: str, token: str, account: Frame) -> None:
        self.server = server
        self.username = username
        self.token = token
        self.account = account
        self.headers = {"Authorization": f"Bearer {token}"}
        self.rest = httpx.AsyncClient(base_url=server.base_url, headers=self.headers, timeout=30, trust_env=False)

    def at(self, server: Server) -> Person:
        """The same session on another server."""
        return Person(server, self.username, self.token, self.account)

    async def make_room(self, name: str = "", **more: Any) -> str:
        """The id of a new room, by default of a name that nobody else has."""
        answer = await self.rest.post("/rooms", json={"name": name or secrets.token_hex(8), **more})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["roomId"])

    async def post(self, room: str, text: str, **headers: str) -> Frame:
        answer = await self.rest.post(f"/room/{room}/messages", json={"text": text}, headers=headers)
        assert answer.status_code == 201, answer.text
        message: Frame = answer.json()
        return message

    async def history(self, room: str) -> list[Frame]:
        """All messages of a room, page by page."""
        found: list[Frame] = []
        while page := (
            await self.rest.get(f"/room/{room}/messages?limit=1000&after={found[-1]['id'] if found else 0}")
        ):
            assert page.status_code == 200, page.text
            found += page.json()
            if "Link" not in page.headers:
                break
        return found

    def connect(self, path: str, **options: Any) -> connect:
        """The handshake of a socket, for use with `await` or `async with`."""
        headers = options.pop("additional_headers", self.headers)
        address = self.server.ws_url + path
        return connect(address, additional_headers=headers, proxy=None, compression=None, **options)

    @contextlib.asynccontextmanager
    async def socket(self, path: str, **options: Any) -> AsyncIterator[Socket]:
        async with self.connect(path, **options) as connection:
            yield Socket(connection)

    @contextlib.asynccontextmanager
    async def stream(self, path: str, last_id: str = "") -> AsyncIterator[Stream]:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
        async with self.rest.stream("GET", path, headers=headers, timeout=None) as response:
            assert response.status_code == 200
            assert response.headers["Content-Type"] == "text/event-stream"
            yield Stream(response)


@contextlib.asynccontextmanager
async def narrow_connection(person: Person, path: str) -> AsyncIterator[ClientConnection]:
    """A WebSocket that takes little unless it is read from."""
    narrow = sockets.socket()
    narrow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    narrow.setblocking(False)
    await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", person.server.port))
    async with person.connect(path, sock=narrow, max_queue=1, ping_interval=None, close_timeout=1) as connection:
        yield connection


SignUp = Callable[..., Awaitable[Person]]


async def sign_in(server: Server, username: str, password: str = PASSWORD) -> Person:
    """A new session."""
    async with httpx.AsyncClient(base_url=server.base_url, timeout=30, trust_env=False) as guest:
        answer = await guest.post("/auth", json={"username": username, "password": password})
        assert answer.status_code == 200, answer.text
        token = answer.json()["token"]
        account = await guest.get(f"/user/{username}", headers={"Authorization": f"Bearer {token}"})
    return Person(server, username, token, account.json())


async def sign_up_at(server: Server, name: str) -> Person:
    """A new account whose name begins with `name`, signed in."""
    username = f"{name}-{secrets.token_hex(4)}"
    async with httpx.AsyncClient(base_url=server.base_url, timeout=30, trust_env=False) as guest:
        answer = await guest.post("/user", json={"username": username, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
    return await sign_in(server, username)


@pytest.fixture
async def sign_up(server: Server) -> AsyncIterator[SignUp]:
    """Makes people on the shared server: `await sign_up("ann")`."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(name: str) -> Person:
            person = await sign_up_at(server, name)
            stack.push_async_callback(person.rest.aclose)
            return person

        yield make


@pytest.fixture
async def ann_there(sign_up: SignUp) -> Person:
    return await sign_up("ann")


@pytest.fixture
async def ben_there(sign_up: SignUp) -> Person:
    return await sign_up("ben")
