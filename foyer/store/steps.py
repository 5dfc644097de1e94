"""Calls of stored functions, from threads and from event loops. All access of the apps to Redis goes through here.

An app declares its functions as a `Library` and its operations as generators that yield `Call`s. `operation` makes two
functions from such a generator: one that blocks and one that is awaited. So a step is written once and works in threads
and on event loops, and a test can stop between any two.

Guarantees: this module sends no call twice. When the connection breaks during a call, `Unavailable` is raised, and it
is not known whether the call was carried out. An operation that must not happen twice takes a retry key.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any, NamedTuple, ParamSpec, Protocol, TypeVar, cast

from django.conf import settings
from redis.exceptions import ResponseError

from foyer.errors import FoyerError
from foyer.store.client import STORE_ERRORS as STORE_ERRORS
from foyer.store.client import client as client
from foyer.store.client import is_cluster as is_cluster
from foyer.store.functions import Call as Call
from foyer.store.functions import Library as Library
from foyer.store.functions import load_functions as load_functions
from foyer.store.loop_client import LoopClient as LoopClient
from foyer.store.loop_client import loop_clients
from foyer.store.loop_client import on_loop as on_loop
from foyer.store.pipelines import confirmed, queue
from foyer.store.replies import is_unknown_function, refuse
from foyer.store.writes import writes
from foyer.tally import note_trip

P = ParamSpec("P")
R = TypeVar("R")


def forget_clients() -> None:
    """Start anew: after a fork, or when a test moves to another store."""
    client.cache_clear()
    is_cluster.cache_clear()
    loop_clients.clear()


def execute(call: Call) -> Any:
    store: Any = client()
    begun_at = monotonic()
    try:
        return store.execute_command(*call.command())
    finally:
        note_trip(monotonic() - begun_at, 1)
        writes.note(call)


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
        load_functions()
        return execute(call)
    except STORE_ERRORS as error:
        refuse(error, call)


def run_all(calls: Sequence[Call]) -> list[Any]:
    """Make `calls`, of any slots, in one pipeline, blocking. Raises as `run` does, for the first that failed."""
    try:
        replies = send_together(calls)
        if any(is_unknown_function(reply) for reply in replies):
            load_functions()
            again = [number for number, reply in enumerate(replies) if is_unknown_function(reply)]
            for number, reply in zip(again, send_together([calls[number] for number in again]), strict=True):
                replies[number] = reply
    except STORE_ERRORS as error:
        refuse(error)
    for call, reply in zip(calls, replies, strict=True):
        if isinstance(reply, Exception):
            refuse(reply, call)
    return replies


def send_together(calls: Sequence[Call]) -> list[Any]:
    store = client()
    pipeline = store.pipeline(transaction=False)
    groups = queue(pipeline, store, calls)
    begun_at = monotonic()
    try:
        return confirmed(pipeline.execute(raise_on_error=False), groups)
    finally:
        note_trip(monotonic() - begun_at, len(calls))
        for call in calls:
            writes.note(call)


class Query(NamedTuple):
    """Another blocking call, such as a query of SQL: `ask(*args)`. It raises only `FoyerError`s."""

    ask: Callable[..., Any]
    args: tuple[Any, ...] = ()


queries = ThreadPoolExecutor(4, thread_name_prefix="query")
"""Threads that answer the queries of event loops."""

Steps = Generator[Call | list[Call] | Query, Any, R]
"""The steps of an operation: it yields a call, a list of calls to make together, or a query, and gets the replies."""


def reply_to(step: Call | list[Call] | Query) -> Any:
    """The reply to one step of an operation, blocking."""
    if isinstance(step, Query):
        return step.ask(*step.args)
    return run_all(step) if isinstance(step, list) else run(step)


async def areply_to(store: LoopClient, step: Call | list[Call] | Query) -> Any:
    if isinstance(step, Query):
        return await store.loop.run_in_executor(queries, step.ask, *step.args)
    return await (asyncio.gather(*map(store.call, step)) if isinstance(step, list) else store.call(step))


def carry_out(steps: Steps[R]) -> R:
    """Make the calls of `steps`, blocking. Errors of a call are raised where it was yielded."""
    try:
        call = next(steps)
        while True:
            try:
                answer = reply_to(call)
            except FoyerError as error:
                call = steps.throw(error)
            else:
                call = steps.send(answer)
    except StopIteration as end:
        return cast(R, end.value)


async def acarry_out(steps: Steps[R]) -> R:
    """As `carry_out`, on the event loop."""
    store = on_loop()
    try:
        call = next(steps)
        while True:
            try:
                answer = await areply_to(store, call)
            except FoyerError as error:
                call = steps.throw(error)
            else:
                call = steps.send(answer)
    except StopIteration as end:
        return cast(R, end.value)


class Operation(Protocol[P, R]):
    """An operation that blocks. `steps` is its generator, for `yield from` in others."""

    steps: Callable[P, Steps[R]]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...


def operation(steps: Callable[P, Steps[R]]) -> tuple[Operation[P, R], Callable[P, Awaitable[R]]]:
    """Make `steps` callable: `(blocking, awaitable)`."""

    @functools.wraps(steps)
    def blocking(*args: P.args, **kwargs: P.kwargs) -> R:
        return carry_out(steps(*args, **kwargs))

    @functools.wraps(steps)
    def awaitable(*args: P.args, **kwargs: P.kwargs) -> Awaitable[R]:
        return acarry_out(steps(*args, **kwargs))

    found = cast(Operation[P, R], blocking)
    found.steps = steps
    return found, awaitable
