"""The door to Redis: stored functions, called from threads and from event loops.

An app declares its functions as a `Library` and its operations as generators that yield `Call`s; `operation` makes of
one such generator a blocking function and an awaitable one. So a step is written once, runs on both sides, and a test
can stop between any two.

Guarantees: no call is sent twice by this module. When the connection breaks under a call, `Unavailable` is raised and
whether it was carried out is unknown; what may not happen twice takes a retry key.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import threading
from collections.abc import Awaitable, Callable, Generator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
import redis.asyncio.cluster
import redis.cluster
from django.conf import settings
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AskError,
    ClusterDownError,
    ConnectionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TimeoutError,
    TryAgainError,
)
from redis.retry import Retry

from config import embedded
from config.errors import FoyerError, Unavailable
from config.pipelines import confirmed, queue

P = ParamSpec("P")
R = TypeVar("R")
Argument = str | bytes | int | float

BATCH = 512
"""Calls in one pipeline, at most: bounds how long a reply waits for those before it."""
BATCHES_UNDER_WAY = 2
"""While these are on their way, further calls gather; at load a batch is what one round trip gathers."""


class Call(NamedTuple):
    """One stored function, its keys (all of one hash tag) and its arguments."""

    function: str
    keys: tuple[str, ...]
    args: tuple[Argument, ...]

    def command(self) -> tuple[Argument, ...]:
        return ("FCALL", self.function, len(self.keys), *self.keys, *self.args)


class Library:
    """The stored functions of one app, versioned by their own text.

    `name` is the app's; `sources` are folders or files of Lua, joined once each in the order given. Every
    function's name carries the hash of the text, so that two releases can use one store at once during an upgrade.
    """

    every: dict[str, Library] = {}

    def __init__(self, name: str, *sources: Path) -> None:
        listed = [
            file for source in sources for file in (sorted(source.glob("*.lua")) if source.is_dir() else [source])
        ]
        text = "\n".join(file.read_text(encoding="utf-8") for file in dict.fromkeys(listed))
        self.version = hashlib.sha256(text.encode()).hexdigest()[:10]
        self.name = f"foyer_{name}_{self.version}"
        self.code = f"#!lua name={self.name}\nlocal LIBRARY = '{self.name}'\n{text}"
        Library.every[self.name] = self

    def call(self, function: str, keys: Sequence[str], *args: Argument) -> Call:
        """The call of `function` (its file's name) on `keys`."""
        return Call(f"{self.name}_{function}", tuple(keys), args)


def url() -> str:
    """Where the store is: `REDIS_URL`, or the embedded server, started if nobody has."""
    return settings.REDIS_URL or embedded.ensure_running()


def connection_options() -> dict[str, Any]:
    return {
        "socket_timeout": settings.REDIS_TIMEOUT,
        "socket_connect_timeout": settings.REDIS_TIMEOUT,
        "health_check_interval": 0,
    }


def seeds() -> list[str]:
    """The addresses in `REDIS_URL`: one, or several nodes of a cluster, separated by commas."""
    return [part.strip() for part in url().split(",")]


@functools.cache
def is_cluster() -> bool:
    """Whether the store is a cluster, asked of the first seed that answers; remembered for the process."""
    for seed in seeds():
        probe = redis.Redis.from_url(seed, **connection_options(), retry=Retry(NoBackoff(), 0))
        with contextlib.closing(probe), contextlib.suppress(ConnectionError, TimeoutError):
            return bool(probe.info("cluster").get("cluster_enabled"))
    raise Unavailable


def startup_nodes() -> list[tuple[str, int]]:
    parsed = [redis.connection.parse_url(seed) for seed in seeds()]
    return [(str(options["host"]), int(options.get("port", 6379))) for options in parsed]


def cluster_options() -> dict[str, Any]:
    parsed = dict(redis.connection.parse_url(seeds()[0]))
    for key in ("host", "port", "db"):
        parsed.pop(key, None)
    if parsed.pop("connection_class", None) is not None:
        parsed["ssl"] = True
    return {**connection_options(), **parsed, "require_full_coverage": False}


@functools.cache
def client() -> redis.Redis | redis.cluster.RedisCluster:
    """The blocking client of this process, shared by its threads."""
    if is_cluster():
        nodes = [redis.cluster.ClusterNode(host, port) for host, port in startup_nodes()]
        return redis.cluster.RedisCluster(startup_nodes=nodes, retry=Retry(NoBackoff(), 0), **cluster_options())
    return redis.Redis.from_url(seeds()[0], **connection_options(), retry=Retry(NoBackoff(), 0))


def forget_clients() -> None:
    """Start anew: after a fork, or when a test moves to another store."""
    client.cache_clear()
    is_cluster.cache_clear()
    loop_clients.clear()


def refuse(error: Exception) -> NoReturn:
    """Raise what a client is told for an error reply of a stored function, or for a store that is away."""
    if isinstance(error, FoyerError):
        raise error
    text = str(error)
    if isinstance(error, ResponseError) and text.startswith("FOYER "):
        code, _, detail = text[6:].partition(" ")
        raise FoyerError.by_code[code](detail) from None
    if isinstance(error, ResponseError) and not isinstance(error, AWAY) and not text.startswith(AWAY_REPLIES):
        raise error
    raise Unavailable from error


STORE_ERRORS = (RedisError, RedisClusterException)
AWAY = (AskError, ClusterDownError, OutOfMemoryError, ReadOnlyError, TryAgainError)
AWAY_REPLIES = ("MISCONF", "NOREPLICAS", "BUSY")
"""Those for which redis-py has no class of its own."""


def is_unknown_function(error: object) -> bool:
    return isinstance(error, ResponseError) and "Function not found" in str(error)


def load_functions() -> None:
    """Load every library on every primary. May be repeated; needed again after a node joins or comes back empty."""
    store = client()
    nodes: list[Any] = [store]
    if isinstance(store, redis.cluster.RedisCluster):
        store.nodes_manager.initialize()
        nodes = [store.get_redis_connection(node) for node in store.get_primaries()]
    for node in nodes:
        for library in Library.every.values():
            node.function_load(library.code, replace=True)


load_lock = threading.Lock()


def execute(call: Call) -> Any:
    store: Any = client()
    return store.execute_command(*call.command())


def run(call: Call) -> Any:
    """Make `call`, blocking. Raises the `FoyerError` that the function answers, `Unavailable` if the store is away."""
    if settings.REDIS_WAIT:
        return run_all([call])[0]
    try:
        try:
            return execute(call)
        except ResponseError as error:
            if not is_unknown_function(error):
                raise
        with load_lock:
            load_functions()
        return execute(call)
    except STORE_ERRORS as error:
        refuse(error)


def run_all(calls: Sequence[Call]) -> list[Any]:
    """Make `calls`, of any slots, in one pipeline, blocking. Raises as `run` does, for the first that failed."""
    try:
        replies = send_together(calls)
        if any(is_unknown_function(reply) for reply in replies):
            with load_lock:
                load_functions()
            again = [number for number, reply in enumerate(replies) if is_unknown_function(reply)]
            for number, reply in zip(again, send_together([calls[number] for number in again]), strict=True):
                replies[number] = reply
    except STORE_ERRORS as error:
        refuse(error)
    for reply in replies:
        if isinstance(reply, Exception):
            refuse(reply)
    return replies


def send_together(calls: Sequence[Call]) -> list[Any]:
    store = client()
    pipeline = store.pipeline(transaction=False)
    groups = queue(pipeline, store, calls)
    return confirmed(pipeline.execute(raise_on_error=False), groups)


class LoopClient:
    """The store as one event loop sees it. Calls made in one tick share a pipeline.

    Runs on the loop only. Calls of one awaiting task keep their order; calls of different tasks have none.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.waiting: list[tuple[Call, asyncio.Future[Any]]] = []
        self.under_way = 0
        self.tasks: set[asyncio.Task[None]] = set()
        self.connecting: asyncio.Future[Any] | None = None
        self.store: Any = None
        self.flush_planned = False

    def call(self, call: Call) -> asyncio.Future[Any]:
        """Make `call`; the future holds its reply, or raises as `run` does."""
        future: asyncio.Future[Any] = self.loop.create_future()
        self.waiting.append((call, future))
        if not self.flush_planned and self.under_way < BATCHES_UNDER_WAY:
            self.flush_planned = True
            self.loop.call_soon(self.flush)
        return future

    def flush(self) -> None:
        self.flush_planned = False
        batch, self.waiting = self.waiting[:BATCH], self.waiting[BATCH:]
        if not batch:
            return
        self.under_way += 1
        task = self.loop.create_task(self.carry(batch))
        self.tasks.add(task)
        task.add_done_callback(self.landed)

    def landed(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        self.under_way -= 1
        if self.waiting and not self.flush_planned:
            self.flush()

    async def carry(self, batch: list[tuple[Call, asyncio.Future[Any]]]) -> None:
        """Send a batch and hand out its replies. Every future is settled, whatever happens."""
        try:
            replies = await self.send(batch)
            unknown = [pair for pair, reply in zip(batch, replies, strict=True) if is_unknown_function(reply)]
            if unknown:
                await self.loop.run_in_executor(None, load_functions)
                second = iter(await self.send(unknown))
                replies = [next(second) if is_unknown_function(reply) else reply for reply in replies]
        except Exception as error:  # a store that is away fails every call of the batch
            replies = [error] * len(batch)
        except asyncio.CancelledError:
            replies = [ConnectionError("the server is stopping")] * len(batch)
        for (_, future), reply in zip(batch, replies, strict=True):
            if not future.done():
                settle(future, reply)

    async def send(self, batch: list[tuple[Call, asyncio.Future[Any]]]) -> list[Any]:
        store = self.store or await self.connect()
        pipeline = store.pipeline(transaction=False)
        groups = queue(pipeline, store, [call for call, _ in batch])
        return confirmed(await pipeline.execute(raise_on_error=False), groups)

    async def connect(self) -> Any:
        """The asynchronous client of this loop, made once."""
        if await self.loop.run_in_executor(None, is_cluster):
            nodes = [redis.asyncio.cluster.ClusterNode(host, port) for host, port in startup_nodes()]
            store: Any = redis.asyncio.cluster.RedisCluster(
                startup_nodes=nodes, retry=AsyncRetry(NoBackoff(), 0), **cluster_options()
            )
            await store.initialize()
        else:
            store = redis.asyncio.Redis.from_url(seeds()[0], **connection_options(), retry=AsyncRetry(NoBackoff(), 0))
        self.store = self.store or store
        return self.store

    async def node_options(self, key: str, *, refresh: bool = False) -> dict[str, Any]:
        """How to connect to the node that serves `key`, as redis-py's options. `refresh` asks the cluster anew."""
        store = self.store or await self.connect()
        if not isinstance(store, redis.asyncio.cluster.RedisCluster):
            return dict(redis.connection.parse_url(seeds()[0]))
        if refresh:
            await store.nodes_manager.initialize()
        node = store.get_node_from_key(key)
        if node is None:
            raise Unavailable
        return {**cluster_options(), "host": node.host, "port": node.port}

    async def close(self) -> None:
        """Finish what is under way and let go of the connections."""
        while self.tasks:
            await asyncio.wait(self.tasks)
        if self.store is not None:
            await self.store.aclose()
            self.store = None


def settle(future: asyncio.Future[Any], reply: Any) -> None:
    if not isinstance(reply, Exception):
        future.set_result(reply)
        return
    try:
        if isinstance(reply, (*STORE_ERRORS, OSError, FoyerError)):
            refuse(reply)
        raise reply
    except Exception as error:
        future.set_exception(error)


loop_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, LoopClient] = WeakKeyDictionary()


def on_loop() -> LoopClient:
    """The client of the running event loop."""
    loop = asyncio.get_running_loop()
    found = loop_clients.get(loop)
    if found is None:
        found = loop_clients[loop] = LoopClient()
    return found


Steps = Generator[Call | list[Call], Any, R]
"""What an operation is made of: it yields a call, or a list of calls to make together, and gets their replies."""


def operation(steps: Callable[P, Steps[R]]) -> tuple[Callable[P, R], Callable[P, Awaitable[R]]]:
    """Make `steps` callable: `(blocking, awaitable)`. Errors of a call are raised where it was yielded."""

    @functools.wraps(steps)
    def blocking(*args: P.args, **kwargs: P.kwargs) -> R:
        running = steps(*args, **kwargs)
        try:
            call = next(running)
            while True:
                try:
                    answer = run_all(call) if isinstance(call, list) else run(call)
                except FoyerError as error:
                    call = running.throw(error)
                else:
                    call = running.send(answer)
        except StopIteration as end:
            return cast(R, end.value)

    @functools.wraps(steps)
    async def awaitable(*args: P.args, **kwargs: P.kwargs) -> R:
        running = steps(*args, **kwargs)
        store = on_loop()
        try:
            call = next(running)
            while True:
                try:
                    answer = await (
                        asyncio.gather(*map(store.call, call)) if isinstance(call, list) else store.call(call)
                    )
                except FoyerError as error:
                    call = running.throw(error)
                else:
                    call = running.send(answer)
        except StopIteration as end:
            return cast(R, end.value)

    return blocking, awaitable
