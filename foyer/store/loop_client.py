"""The store as an event loop sees it: calls that do not block, gathered, and sent to the node that has their keys."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import redis.asyncio.cluster
import redis.connection
from django.conf import settings
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError

from foyer.errors import FoyerError, Unavailable
from foyer.store.client import STORE_ERRORS, cluster_options, is_cluster, seeds, startup_nodes
from foyer.store.functions import Call, Plain, load_functions
from foyer.store.line import Batch, Command, NotReached, StoreLine
from foyer.store.pipelines import confirmed, wait_for_replicas
from foyer.store.replies import is_unknown_function, refuse
from foyer.store.writes import writes

MOST_SENT_ON = 5
"""Times that a call which was not carried out is sent to another node, or again once the functions are there."""


class Request:
    """A call of this loop, where its reply goes, and how often it was sent on without having been carried out."""

    __slots__ = ("call", "future", "sent_on")

    def __init__(self, call: Call | Plain, future: asyncio.Future[Any]) -> None:
        self.call = call
        self.future = future
        self.sent_on = 0

    @property
    def anywhere(self) -> bool:
        """Whether any other node may carry it out."""
        return isinstance(self.call, Plain) and self.call.anywhere

    def command(self) -> Command:
        return self.call.command()


class LoopClient:
    """The store as one event loop sees it. Calls made in one tick go to a node in one write.

    Runs on the loop only. Calls of one awaiting task keep their order; calls of different tasks have none.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.waiting: list[Request] = []
        self.lines: dict[str, StoreLine] = {}
        self.cluster: redis.asyncio.cluster.RedisCluster | None = None
        self.lone: StoreLine | None = None
        self.knows_nodes = False
        self.finding: asyncio.Task[bool] | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self.flush_planned = False

    def call(self, call: Call | Plain) -> asyncio.Future[Any]:
        """Make `call`; the future holds its reply, or raises as `run` does."""
        future: asyncio.Future[Any] = self.loop.create_future()
        self.send(Request(call, future))
        return future

    def send(self, request: Request) -> None:
        self.waiting.append(request)
        if not self.flush_planned:
            self.flush_planned = True
            self.loop.call_soon(self.flush)

    def flush(self) -> None:
        self.flush_planned = False
        if self.waiting and not self.knows_nodes:
            self.find()
            return
        waiting, self.waiting = self.waiting, []
        for request in waiting:
            line = self.lone or self.line_for(request)
            if line is None:
                fail(request, ConnectionError("no node of the cluster serves this slot"))
            else:
                line.waiting.append(request)
        for line in list(self.lines.values()):
            line.send()

    def find(self) -> asyncio.Task[bool]:
        """Look up where the nodes are; if a look-up is under way, wait for that one. True when they were found."""
        if self.finding is None:
            self.finding = self.loop.create_task(self.find_nodes())
        return self.finding

    async def find_nodes(self) -> bool:
        try:
            await self.connect()
            self.knows_nodes = True
        except Exception as error:
            waiting, self.waiting = self.waiting, []
            fail_all(waiting, error)
            return False
        finally:
            self.finding = None
        self.flush()
        return True

    async def connect(self) -> None:
        """See whether the store is a cluster, and which node has which slots."""
        if self.cluster is not None:
            await self.cluster.nodes_manager.initialize()
        elif await self.loop.run_in_executor(None, is_cluster):
            nodes = [redis.asyncio.cluster.ClusterNode(host, port) for host, port in startup_nodes()]
            self.cluster = redis.asyncio.cluster.RedisCluster(
                startup_nodes=nodes, retry=Retry(NoBackoff(), 0), **cluster_options()
            )
            await self.cluster.initialize()
        else:
            address, *_ = await self.loop.run_in_executor(None, seeds)  # which starts an embedded store that died
            self.lone = self.lone or self.line("", dict(redis.connection.parse_url(address)))

    def line(self, name: str, options: dict[str, Any]) -> StoreLine:
        after: list[Command] = []
        if settings.REDIS_WAIT:
            after.append(wait_for_replicas())
        self.lines[name] = StoreLine(options, settings.REDIS_TIMEOUT, after, self.answered, self.failed)
        return self.lines[name]

    def line_for(self, request: Request) -> StoreLine | None:
        """The line to the node of a cluster that a request is for."""
        assert self.cluster is not None
        if request.sent_on and request.anywhere:
            return self.line_to(random.choice(self.cluster.get_nodes()))  # noqa: S311 - spreads load, guards nothing
        return self.line_of(request.call.keys[0])

    def line_of(self, key: str) -> StoreLine | None:
        """The line to the node of a cluster that serves `key`."""
        assert self.cluster is not None
        node = self.cluster.get_node_from_key(key)
        if node is None:
            self.knows_nodes = False
            return None
        return self.line_to(node)

    def line_to(self, node: redis.asyncio.cluster.ClusterNode) -> StoreLine:
        return self.lines.get(node.name) or self.line(node.name, options_of(node))

    def answered(self, batch: Batch) -> None:
        """Give the replies of a batch to their calls. Calls that failed because functions are missing, or because this
        is the wrong node, were not carried out and are sent again."""
        replies = confirmed(batch.replies, [list(range(len(batch.requests)))] if settings.REDIS_WAIT else [])
        unknown: list[Request] = []
        for request, reply in zip(batch.requests, replies, strict=True):
            writes.note(request.call)
            if not isinstance(reply, Exception):
                if not request.future.done():
                    request.future.set_result(reply)
            elif request.sent_on < MOST_SENT_ON and is_unknown_function(reply):
                unknown.append(request)
            elif request.sent_on < MOST_SENT_ON and str(reply).startswith("MOVED "):
                self.knows_nodes = False
                request.sent_on += 1
                self.send(request)
            else:
                fail(request, reply)
        if unknown:
            task = self.loop.create_task(self.load_and_send(unknown))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def load_and_send(self, requests: list[Request]) -> None:
        try:
            await self.loop.run_in_executor(None, load_functions)
        except Exception as error:
            fail_all(requests, error)
            return
        for request in requests:
            request.sent_on += 1
            self.send(request)

    def failed(self, requests: Sequence[Request], error: Exception) -> None:
        """A node is gone, or was never there: perhaps another has its slots by now."""
        if self.cluster is not None:
            self.knows_nodes = False
        for request in requests:
            writes.note(request.call)
            unsent = isinstance(error, NotReached) and request.anywhere and self.cluster is not None
            if unsent and request.sent_on < MOST_SENT_ON:
                request.sent_on += 1
                self.send(request)
            else:
                fail(request, error)

    async def node_options(self, key: str, *, refresh: bool = False) -> dict[str, Any]:
        """How to connect to the node that serves `key`, as redis-py's options. `refresh` asks the cluster anew.

        Raises `Unavailable`.
        """
        if (refresh or not self.knows_nodes) and not await asyncio.shield(self.find()):
            raise Unavailable
        line = self.lone or self.line_of(key)
        if line is None:
            raise Unavailable
        return dict(line.options)

    async def all_node_options(self) -> list[dict[str, Any]]:
        """How to connect to each node there is, looked up anew, as redis-py's options. Raises `Unavailable`."""
        if not await asyncio.shield(self.find()):
            raise Unavailable
        if self.cluster is not None:
            return [options_of(node) for node in self.cluster.get_nodes()]
        assert self.lone is not None
        return [dict(self.lone.options)]

    def outstanding(self) -> list[asyncio.Future[Any]]:
        requests = [*self.waiting, *(request for line in self.lines.values() for request in line.outstanding())]
        return [request.future for request in requests if not request.future.done()]

    async def close(self) -> None:
        """Finish what is under way and let go of the connections."""
        while busy := [*self.tasks, *filter(None, [self.finding]), *self.outstanding()]:
            await asyncio.wait(busy)
        for line in self.lines.values():
            line.close()
        self.lines, self.lone, self.knows_nodes = {}, None, False
        if self.cluster is not None:
            await self.cluster.aclose()
            self.cluster = None


def options_of(node: redis.asyncio.cluster.ClusterNode) -> dict[str, Any]:
    """How to connect to a node of a cluster, as redis-py's options."""
    return {**cluster_options(), "host": node.host, "port": node.port}


def fail_all(requests: Sequence[Request], problem: Exception) -> None:
    for request in requests:
        fail(request, problem)


def fail(request: Request, problem: Exception) -> None:
    """Give the waiting caller the error that a client gets for this problem.

    It goes without its traceback, which leads by this frame to the request and its future, and so back to the error.
    """
    if request.future.done():
        return
    try:
        if isinstance(problem, (*STORE_ERRORS, OSError, FoyerError)):
            refuse(problem, request.call if isinstance(request.call, Call) else None)
        raise problem
    except Exception as error:
        request.future.set_exception(error.with_traceback(None))


loop_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, LoopClient] = WeakKeyDictionary()


def on_loop() -> LoopClient:
    """The client of the running event loop."""
    loop = asyncio.get_running_loop()
    found = loop_clients.get(loop)
    if found is None:
        found = loop_clients[loop] = LoopClient()
    return found
