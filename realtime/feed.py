"""One topic in one process: who reads it, how far it was heard, and the fan-out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from itertools import islice

from realtime.connection import Batch, Connection
from realtime.link import Link
from realtime.log import Event
from realtime.topics import Topic

MOST_NOTED = 500
"""Events kept for a reader that catches up, while it reads the log; where more come it reads again."""
Action = Callable[[Event, list[Connection]], Awaitable[None]]
actions: dict[str, Action] = {}
endings: set[str] = set()
"""Types of events that are the last of their topic."""


def acts_on(kind: str, *, ends: bool = False) -> Callable[[Action], Action]:
    """Register what a process does about events of a type: `action(event, readers)`, with those who read the topic.

    It runs after the event was passed on, and nothing that came later is passed on before it has returned. Who may not
    read on is taken off the topic, or closed, by then.
    """

    def keep(action: Action) -> Action:
        actions[kind] = action
        if ends:
            endings.add(kind)
        return action

    return keep


class Feed:
    """The readers of one topic and the events on their way to them. Runs on the loop.

    `offset` and `epoch` say how far the log was heard, `turns` how many events on the way were to be acted on. A reader
    has every event after its own start, in order, once: what was heard before it came is not for it, though it may be
    on its way to others. `held` is an event that is being acted on: nothing is passed on until that is done.
    """

    def __init__(self, topic: Topic, loop: asyncio.AbstractEventLoop) -> None:
        self.topic = topic
        self.readers: dict[Connection, int] = {}
        self.offset = 0
        self.epoch = ""
        self.pending: list[Event] = []
        self.early: list[Event] = []
        self.current: tuple[Batch, Iterator[Connection]] | None = None
        self.planned = False
        self.held: Event | None = None
        self.turns = 0
        self.link: Link | None = None
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
        under_way = [self.held] if self.held is not None else self.current[0].events if self.current else ()
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

    def next_batch(self) -> Batch:
        """All that is pending, up to and with the first event that the process itself acts on."""
        for number, event in enumerate(self.pending, 1):
            if event.kind in actions:
                events, self.pending = self.pending[:number], self.pending[number:]
                return Batch(events)
        events, self.pending = self.pending, []
        return Batch(events)

    def fan_out(self, most: int) -> int:
        """Write what is pending to up to `most` readers; returns how many. `current` is None when all were reached.

        `held` is then the last event written, if it is one to act on.
        """
        if self.current is None:
            batch = self.next_batch()
            self.current = batch, iter(list(self.readers))
        batch, remaining = self.current
        stored = [event.offset for event in batch.events if event.offset]
        passed_on = len(stored) < len(batch.events)
        starts = self.readers
        count = 0
        for reader in islice(remaining, most):
            count += 1
            start = starts.get(reader)
            if start is None:
                continue  # it left while the fan-out was under way
            if not stored or start < stored[0]:
                part = batch
            elif passed_on or start < stored[-1]:
                part = batch.after(start)
            else:
                continue
            if reader.kept_back is None:
                reader.deliver(part)
            else:
                reader.keep_back(self.topic.tag, part)
        if count < most:
            self.current = None
            last = batch.events[-1]
            self.held = last if last.kind in actions else None
        return count
