"""One topic in one process: who reads it, how far it was heard, and the fan-out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from itertools import islice
from math import inf
from time import perf_counter
from typing import NamedTuple

from foyer.realtime.connection import Batch, Connection
from foyer.realtime.log import Event
from foyer.realtime.topics import Topic
from foyer.store.subscriber import Subscriber
from foyer.tally import fan_outs

MOST_NOTED = 500
"""Events kept for a reader that catches up, while it reads the log; where more come it reads again."""
UNSTORED = inf
"""Stands for an offset where events have none: they are for every reader."""
Action = Callable[[Event, list[Connection]], Awaitable[None]]
actions: dict[str, Action] = {}
endings: set[str] = set()
"""Types of events that are the last of their topic."""


def acts_on(kind: str, *, ends: bool = False) -> Callable[[Action], Action]:
    """Register what a process does about events of a type: `action(event, readers)`, with those who read the topic.

    It runs after the event was passed on, and no later event is passed on before it has returned. By then it has taken
    off the topic, or closed, every reader that may no longer read. It may wait for the store, but never for a client.
    """

    def keep(action: Action) -> Action:
        actions[kind] = action
        if ends:
            endings.add(kind)
        return action

    return keep


class Part(NamedTuple):
    """Some of the events on their way, the offsets of the first and last stored one, and whether others are there."""

    batch: Batch
    first: float
    last: float
    announces: bool


class Feed:
    """The readers of one topic and the events on their way to them. Runs on the loop.

    `offset` and `epoch` say how far the log was heard, `turns` how many events on the way were to be acted on. A reader
    has every event after its own start, in order, once: what was heard before it came is not for it, though it may be
    on its way to others. `held` is an event that is being acted on: nothing is passed on until that is done.

    A lap (`current`) goes once round the readers; it began with `lap` events. `given` says how many of the pending ones
    a reader has, where that is more than the lap began with.
    """

    def __init__(self, topic: Topic, loop: asyncio.AbstractEventLoop) -> None:
        self.topic = topic
        self.readers: dict[Connection, int] = {}
        self.offset = 0
        self.epoch = ""
        self.pending: list[Event] = []
        self.early: list[Event] = []
        self.current: Iterator[Connection] | None = None
        self.lap = 0
        self.lap_begun_at = 0.0
        self.given: dict[Connection, int] = {}
        self.parts: dict[tuple[int, int], Part] = {}
        self.planned = False
        self.held: Event | None = None
        self.turns = 0
        self.subscriber: Subscriber | None = None
        self.ready: asyncio.Future[None] = loop.create_future()
        self.repair: asyncio.Task[None] | None = None
        self.heard_at = loop.time()
        self.waiters: list[asyncio.Future[None]] = []
        self.newest: dict[object, list[Event]] = {}

    @contextlib.contextmanager
    def note_newest(self) -> Iterator[list[Event]]:
        """A list that gets what is heard from now on, up to `MOST_NOTED`, for one who reads the log meanwhile."""
        mark, noted = object(), list[Event]()
        self.newest[mark] = noted
        try:
            yield noted
        finally:
            del self.newest[mark]

    @property
    def settled(self) -> int:
        """The offset up to which everything was passed on, and acted on."""
        under_way = [self.held] if self.held is not None else ()
        first = next((event.offset for event in (*under_way, *self.pending) if event.offset), None)
        return self.offset if first is None else first - 1

    async def wait(self) -> None:
        """Return when something was passed on, or the topic is read no more."""
        self.waiters.append(asyncio.get_running_loop().create_future())
        await self.waiters[-1]

    def wake(self) -> None:
        waiters, self.waiters = self.waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def accept(self, event: Event) -> bool:
        """Take an event if it is the next one. False where something is missing before it, or the log is another."""
        if not event.offset:
            self.pending.append(event)
            return True
        if event.epoch != self.epoch and self.epoch:
            return False
        if event.offset == self.offset + 1:
            self.offset, self.epoch = event.offset, event.epoch
            self.pending.append(event)
            self.turns += event.kind in actions
            for noted in self.newest.values():
                if len(noted) < MOST_NOTED:
                    noted.append(event)
            return True
        return event.offset <= self.offset

    def passable(self) -> int:
        """How many of the pending events may be passed on: up to and with the first that the process itself acts on."""
        for number, event in enumerate(self.pending, 1):
            if event.kind in actions:
                return number
        return len(self.pending)

    def fan_out(self, most: int) -> int:
        """Write what is pending to up to `most` readers; returns how many. `current` is None when a lap is complete.

        What is heard while a lap is under way goes to the readers still to come in it, and to the others in the next:
        nothing waits for longer than one lap takes. `held` is then the last event written, if it is one to act on.
        """
        end, count = self.passable(), 0
        if self.current is None:
            self.current, self.lap, self.lap_begun_at = iter(list(self.readers)), end, perf_counter()
        for reader in islice(self.current, most):
            count += 1
            start, have = self.readers.get(reader), self.given.get(reader, 0)
            if start is None or have == end:
                continue  # it left while the lap was under way, or has everything
            part = self.parts.get((have, end)) or self.part(have, end)
            if end > self.lap:
                self.given[reader] = end
            if start < part.first:
                batch = part.batch
            elif part.announces or start < part.last:
                batch = part.batch.after(start)
            else:
                continue
            if reader.kept_back is None:
                reader.deliver(batch)
            else:
                reader.deliver_later(self.topic.tag, batch)
        if count < most:
            self.end_lap()
        return count

    def part(self, have: int, end: int) -> Part:
        """The pending events from one place to another, encoded once however many readers they are for."""
        events = self.pending[have:end]
        stored: list[float] = [event.offset for event in events if event.offset] or [UNSTORED]
        part = self.parts[have, end] = Part(Batch(events), stored[0], stored[-1], len(stored) < len(events))
        return part

    def end_lap(self) -> None:
        """All readers have what was pending when the lap began; `given` says who has more."""
        fan_outs.note(perf_counter() - self.lap_begun_at)
        done, self.current = self.lap, None
        self.parts.clear()
        last = self.pending[done - 1]
        self.pending = self.pending[done:]
        self.given = {reader: have - done for reader, have in self.given.items() if have > done}
        self.held = last if last.kind in actions else None
