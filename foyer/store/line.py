"""The connection on which an event loop calls one store node: commands are written in batches, replies read as they
come.

Every post goes through here, so this speaks the Redis protocol itself. In redis-py's asynchronous pipeline a call waits
for nine turns of the loop, and a large fan-out makes each turn long. Here it waits for three, and takes a third of the
loop's time.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, NamedTuple, Protocol, TypeVar, cast

import hiredis
import redis.connection
from redis.exceptions import ConnectionError, RedisError, ResponseError, TimeoutError

from foyer.tally import note_trip

BATCH = 512
"""Calls in one batch, at most: bounds how long a reply waits for those before it."""
BATCHES_UNDER_WAY = 2
"""While so many are on their way, further calls wait. So under load a batch has all calls of one round trip."""


class NotReached(ConnectionError):
    """Nothing was sent: there is no way to the node."""


BROKEN = ConnectionError("the connection to the store broke")
Command = tuple[str | bytes | int | float, ...]
Spoken = TypeVar("Spoken", bound=asyncio.Protocol)


class Request(Protocol):
    """What is sent over a line. It says how it is written."""

    def command(self) -> Command: ...


class Batch(NamedTuple):
    """Requests that were written together, how many replies are to come, those that came, and when it was sent."""

    requests: Sequence[Any]
    expected: int
    replies: list[Any]
    sent_at: float


def pack(commands: Sequence[Command]) -> bytes:
    return b"".join(hiredis.pack_command(cast(Any, command)) for command in commands)


def encryption(options: dict[str, Any]) -> ssl.SSLContext | None:
    """TLS as redis-py's options ask for it: by the flag, or by the class that a `rediss://` address chooses."""
    if not (options.get("ssl") or options.get("connection_class") is redis.connection.SSLConnection):
        return None
    context = ssl.create_default_context(cafile=options.get("ssl_ca_certs"))
    if options.get("ssl_certfile"):
        context.load_cert_chain(options["ssl_certfile"], options.get("ssl_keyfile"))
    if options.get("ssl_cert_reqs") in ("none", ssl.CERT_NONE):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def greeting(options: dict[str, Any]) -> list[Command]:
    """What a connection says first: who it is, and which database it wants."""
    commands: list[Command] = []
    if password := options.get("password"):
        commands.append(("AUTH", *filter(None, (options.get("username"), password))))
    if database := options.get("db"):
        commands.append(("SELECT", int(database)))
    return commands


async def connect(make: Callable[[], Spoken], options: dict[str, Any], within: float) -> Spoken:
    """Open a connection as `options` of redis-py say (host, port or path; ssl). Raises `OSError`, `TimeoutError`."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(within):
        if path := options.get("path"):
            return (await loop.create_unix_connection(make, path))[1]
        host, port = options.get("host", "localhost"), options.get("port", 6379)
        return (await loop.create_connection(make, host, port, ssl=encryption(options)))[1]


class StoreLine(asyncio.Protocol):
    """One connection to one node, opened by the first request. Runs on the loop.

    `after` are commands that follow the requests of each batch on the same connection. For each batch that was answered
    `answered(batch)` is called, with a reply for each request and each of `after`, errors among them; for requests
    that were not answered `failed(requests, error)`, also where they may have been carried out. Every request comes to
    one of the two, once, and is sent at most once.
    """

    def __init__(
        self,
        options: dict[str, Any],
        timeout: float,
        after: Sequence[Command],
        answered: Callable[[Batch], None],
        failed: Callable[[Sequence[Any], RedisError], None],
    ) -> None:
        self.options = options
        self.timeout = timeout
        self.after = after
        self.answered = answered
        self.failed = failed
        self.loop = asyncio.get_running_loop()
        self.reader = hiredis.Reader(replyError=ResponseError)
        self.waiting: list[Any] = []
        self.under_way: deque[Batch] = deque()
        self.transport: asyncio.Transport | None = None
        self.opening: asyncio.Task[None] | None = None
        self.watch: asyncio.TimerHandle | None = None
        self.welcome = False
        self.problem: RedisError = BROKEN

    def send(self) -> None:
        """Write what waits, unless enough is under way already. Nothing is written before the node has accepted us."""
        if self.transport is None:
            if self.opening is None and self.waiting:
                self.opening = self.loop.create_task(self.open())
            return
        if not self.welcome:
            return
        while self.waiting and len(self.under_way) < BATCHES_UNDER_WAY:
            requests, self.waiting = self.waiting[:BATCH], self.waiting[BATCH:]
            self.write(requests, [*(request.command() for request in requests), *self.after])

    def write(self, requests: Sequence[Any], commands: Sequence[Command]) -> None:
        assert self.transport is not None
        self.under_way.append(Batch(requests, len(commands), [], monotonic()))
        if self.watch is None:
            self.watch = self.loop.call_later(self.timeout, self.look)
        self.transport.write(pack(commands))

    async def open(self) -> None:
        try:
            await connect(lambda: self, self.options, self.timeout)
        except Exception as error:
            self.problem = NotReached(f"the store can't be reached: {error}")
            self.fail_all()
        finally:
            self.opening = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.problem = cast(asyncio.Transport, transport), BROKEN
        words = greeting(self.options)
        self.welcome = not words
        if words:
            self.write([], words)
        self.send()

    def data_received(self, data: bytes) -> None:
        self.reader.feed(data)
        while self.under_way and (reply := self.reader.gets()) is not False:
            batch = self.under_way[0]
            batch.replies.append(reply)
            if len(batch.replies) == batch.expected:
                self.under_way.popleft()
                self.take(batch)
        self.send()

    def take(self, batch: Batch) -> None:
        if batch.requests:
            note_trip(monotonic() - batch.sent_at, len(batch.requests))
            self.answered(batch)
            return
        refusal = next((reply for reply in batch.replies if isinstance(reply, ResponseError)), None)
        if refusal is None:
            self.welcome = True
        else:
            self.give_up(ConnectionError(f"the store refused us: {refusal}"))

    def look(self) -> None:
        """Give up on a node that does not answer in time."""
        self.watch = None
        if not self.under_way:
            return
        left = self.under_way[0].sent_at + self.timeout - monotonic()
        if left > 0:
            self.watch = self.loop.call_later(left, self.look)
        else:
            self.give_up(TimeoutError("the store did not answer in time"))

    def give_up(self, problem: RedisError) -> None:
        self.problem = problem
        if self.transport is not None:
            self.transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        self.reader = hiredis.Reader(replyError=ResponseError)
        self.fail_all()

    def fail_all(self) -> None:
        if self.watch is not None:
            self.watch.cancel()
            self.watch = None
        lost = self.outstanding()
        self.under_way.clear()
        self.waiting = []
        self.failed(lost, self.problem)

    def outstanding(self) -> list[Any]:
        """The requests that have no reply yet."""
        return [request for batch in self.under_way for request in batch.requests] + self.waiting

    def close(self) -> None:
        """Let go of the connection; what is under way fails."""
        if self.opening is not None:
            self.opening.cancel()
        self.give_up(ConnectionError("the server is stopping"))
