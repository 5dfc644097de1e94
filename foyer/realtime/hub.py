"""The hub of a process: one subscription for each topic that any of its connections reads.

Guarantees, for a connection from the moment `subscribe` returned: every stored event of the topic once, in the order
of offsets. Announcements may be lost on the way (a reconnect, a failover); the hub sees the gap in the offsets, or
finds it when it looks at topics that went quiet, and reads what is missing from the log before it passes on the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from foyer.errors import FoyerError, Unavailable, UnknownCursor
from foyer.realtime.connection import Batch, CloseCode, Connection
from foyer.realtime.control import hear_operators
from foyer.realtime.fan_out import FanOut
from foyer.realtime.feed import Feed, endings
from foyer.realtime.log import Event, Head, Stretch, aread_head, aread_log
from foyer.realtime.sessions import SESSIONS_CHANNEL, SESSIONS_EVERY, People
from foyer.realtime.subscribers import Subscribers
from foyer.realtime.topics import Topic
from foyer.store.steps import on_loop

logger = logging.getLogger(__name__)

PAGE = 500
"""Events read from a log at a time."""
IDLE = 5.0
"""Seconds for which a topic that nobody reads any more stays subscribed: people come back."""
LOOK_EVERY = 10.0
"""Seconds after which a quiet topic is compared with its log."""
ANSWER_WITHIN = 5.0
"""Seconds that a subscriber waits for the store."""
MOST_EARLY = 500
"""Events kept while a topic is mended: what came before them is read from the log anyway."""
MENDED_WITHIN = 5.0
"""Seconds between two attempts to mend a topic, at most."""
LOST_TRACK = "The log can't tell what came after that event. Load the history and subscribe afresh."

Check = Callable[[], Awaitable[object]]
Ending = Callable[[Event], bool]


@dataclass
class CatchingUp:
    """A reader on its way into a topic from an earlier place in its log; the rest is as `Hub.subscribe` has it."""

    feed: Feed
    reader: Connection
    epoch: str
    check: Check | None
    until: Ending | None
    patient: bool

    def part_of(self, events: list[Event]) -> tuple[list[Event], bool]:
        """Those up to the one that is to be the last, and whether it is among them."""
        if self.until is not None:
            for number, event in enumerate(events, 1):
                if self.until(event):
                    return events[:number], True
        return events, False


class Hub:
    """The topics that the connections of one event loop read. Runs on that loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.context = contextvars.copy_context()
        self.store = on_loop()
        self.feeds: dict[bytes, Feed] = {}
        self.tasks: set[asyncio.Task[Any]] = set()
        self.people = People(self.forget, self.start, self.count_readers)
        self.closing = False
        self.fan_out = FanOut(self)
        self.subscribers = Subscribers(self)
        self.gaps_repaired = 0
        self.start(supervised("tending the topics", self.tend))
        self.start(supervised("hearing operators", partial(hear_operators, self.people)))

    def start(self, work: Any) -> asyncio.Task[Any]:
        """Run `work` beside everything else, and hold on to it until it ends. It is no part of the caller's request."""
        task: asyncio.Task[Any] = self.loop.create_task(work, context=self.context.copy())
        self.tasks.add(task)
        task.add_done_callback(self.ended)
        return task

    def ended(self, task: asyncio.Task[Any]) -> None:
        """Nothing ends by a fault unseen. Errors that a client is told are told by whoever awaits the task."""
        self.tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, FoyerError):
            logger.error("a task of the hub failed", exc_info=error)

    # Reading a topic

    async def subscribe(
        self,
        topic: Topic,
        reader: Connection,
        after: int | None = None,
        epoch: str = "",
        check: Check | None = None,
        until: Ending | None = None,
        patient: bool = True,
    ) -> Head:
        """Let `reader` have every later event of `topic`; with `after`, first all that came after that offset.

        `check` raises for a reader that may not; whatever happens to the topic after it was asked is acted on with
        this reader among the others. Returns where the reader stands; without `after` nothing was written to it yet.
        With `until`, it has nothing that came after the first event in the log for which that holds. The log is read
        on as the client takes it; with `patient` false as fast as it goes, for whoever must not wait for a client.
        Raises `UnknownCursor` when the log can't tell what came after `after` (of `epoch`, if given), `Unavailable`
        when the store is away.
        """
        while True:
            feed = self.feeds.get(topic.tag.encode()) or self.open(topic)
            try:
                async with asyncio.timeout(ANSWER_WITHIN):
                    await asyncio.shield(feed.ready)
            except TimeoutError:
                raise Unavailable from None
            turns, stands_at = feed.turns, 0
            if check is not None and after is None:
                # Events up to this offset may arrive late; the check already reflects them.
                stands_at = (await aread_head(topic)).offset
                await check()
            if feed.turns == turns and self.feeds.get(topic.tag.encode()) is feed:
                break
        if after is not None:
            catching_up = CatchingUp(feed, reader, epoch, check, until, patient)
            return await self.catch_up(catching_up, after)
        return self.join(feed, reader, max(feed.offset, stands_at))

    def join(self, feed: Feed, reader: Connection, start: int) -> Head:
        if not reader.closing and reader not in feed.readers:
            feed.readers[reader] = start
            reader.topics.add(feed.topic.tag)
        return Head(start, feed.epoch)

    async def catch_up(self, way: CatchingUp, position: int) -> Head:
        """Write what came after `position` from the log, then what was heard while that was read, and join."""
        feed, reader = way.feed, way.reader
        with feed.note_newest() as noted:
            while True:
                turns = feed.turns
                noted.clear()  # what was heard before this is in the log
                stretch = await aread_log(feed.topic, position, PAGE, way.epoch)
                if not stretch.whole:
                    raise UnknownCursor(LOST_TRACK)
                way.epoch = stretch.head.epoch
                if way.check is not None:
                    await way.check()  # after all that is about to be written had happened
                if feed.turns != turns:
                    continue  # who may read may have changed; ask again before anything is written
                if reader in feed.readers:
                    return Head(feed.readers[reader], way.epoch)  # it came to read the topic another way meanwhile
                (events, last), head = way.part_of(stretch.events), stretch.head.offset
                if events and not reader.closing:
                    reader.deliver(Batch(events))
                    position = events[-1].offset
                    del stretch, events  # a client that is slow to read holds what was written, and no copy
                    if way.patient:
                        await reader.room_to_write()
                if last or reader.closing:
                    return Head(position, way.epoch)
                if position < head or feed.turns != turns or reader in feed.readers:
                    continue
                rest = [event for event in noted if event.offset > position]
                if (rest[-1].offset if rest else position) >= feed.offset:
                    if rest:
                        reader.deliver(Batch(rest))
                    return self.join(feed, reader, max(position, feed.offset))

    async def check(self, topic: Topic, after: int, epoch: str) -> None:
        """Raise `UnknownCursor` where the log can't tell what came after `after`, before a client is let in."""
        if not (await aread_log(topic, after, 1, epoch)).whole:
            raise UnknownCursor(LOST_TRACK)

    async def settle(self, topic: Topic, offset: int) -> None:
        """Return once what happened in a topic up to `offset` was passed on here, and acted on."""
        feed = self.feeds.get(topic.tag.encode())
        while feed is not None and self.feeds.get(topic.tag.encode()) is feed and feed.settled < offset:
            await feed.wait()

    def unsubscribe(self, topic_tag: str, reader: Connection) -> None:
        """From here on, nothing more of the topic goes to `reader`."""
        reader.topics.discard(topic_tag)
        feed = self.feeds.get(topic_tag.encode())
        if feed is not None and feed.readers.pop(reader, None) is not None and not feed.readers:
            feed.heard_at = self.loop.time()

    def forget(self, reader: Connection) -> None:
        """Take `reader` off every topic."""
        for tag in list(reader.topics):
            self.unsubscribe(tag, reader)

    def count_readers(self, topic: Topic) -> int:
        feed = self.feeds.get(topic.tag.encode())
        return len(feed.readers) if feed is not None else 0

    # Topics

    def open(self, topic: Topic) -> Feed:
        feed = self.feeds[topic.tag.encode()] = Feed(topic, self.loop)
        self.start(self.listen(feed))
        return feed

    async def listen(self, feed: Feed) -> None:
        """Subscribe first, then see where the log stands, then pass on what came after that."""
        try:
            feed.subscriber = await self.subscribers.to(feed.topic.tag)
            await feed.subscriber.subscribe(feed.topic.tag)
            head = await aread_head(feed.topic)
        except Exception as error:
            self.discard(feed)
            feed.ready.set_exception(error if isinstance(error, FoyerError) else Unavailable())
            feed.ready.exception()
            return
        feed.offset, feed.epoch = head
        feed.ready.set_result(None)
        self.take_early(feed)

    def discard(self, feed: Feed) -> None:
        if self.feeds.get(feed.topic.tag.encode()) is feed:
            del self.feeds[feed.topic.tag.encode()]
        feed.wake()
        if feed.subscriber is not None:
            feed.subscriber.unsubscribe(feed.topic.tag)
        if feed.repair is not None:
            feed.repair.cancel()

    def end(self, feed: Feed, code: int, reason: str) -> None:
        """Stop reading a topic that is no more; its readers are told so by their `close`.

        One that reads others too is to come back and see which are left.
        """
        self.discard(feed)
        for reader in list(feed.readers):
            reader.close(CloseCode.RESTARTING if reader.many_topics else code, reason)
        feed.readers.clear()

    # Hearing

    def heard(self, channel: bytes, message: bytes) -> None:
        feed = self.feeds.get(channel)
        if feed is not None:
            self.take(feed, Event(message))
        elif channel == SESSIONS_CHANNEL.encode():
            self.people.session_ended(message)

    def take(self, feed: Feed, event: Event) -> None:
        if not feed.ready.done() or feed.repair is not None:
            feed.early.append(event)
            if len(feed.early) > MOST_EARLY:
                del feed.early[0]
        elif not feed.accept(event):
            feed.early.append(event)
            feed.repair = self.start(self.mend(feed))
        elif feed.pending:
            self.fan_out.plan(feed)

    def take_early(self, feed: Feed) -> None:
        early, feed.early = feed.early, []
        for event in early:
            self.take(feed, event)

    async def mend(self, feed: Feed) -> None:
        """Read what was missed from the log, for as long as it takes the store to answer, and pass it on."""
        pause, faults = 0.05, 0
        while True:
            try:
                if await self.read_missed(feed):
                    break
            except FoyerError:
                pause = await longer(pause, 1.0)
            except Exception:
                faults += 1
                if faults == 1:
                    logger.exception("topic %s can't be read; trying on", feed.topic.tag)
                pause = await longer(pause, MENDED_WITHIN)
        if faults:
            logger.warning("topic %s is read again, after %d faults", feed.topic.tag, faults)
        feed.repair = None
        if self.feeds.get(feed.topic.tag.encode()) is feed:
            feed.heard_at = self.loop.time()
            self.take_early(feed)

    async def read_missed(self, feed: Feed) -> bool:
        """Read a page of what was missed, and pass it on. True when that was all, or the topic is read no more."""
        stretch = await aread_log(feed.topic, feed.offset, PAGE, feed.epoch)
        if not stretch.whole:
            last = await self.last_event(feed, stretch.head)
            if last is None:
                self.lost(feed, stretch.head)
                return True
            feed.offset = last.offset - 1
            stretch = Stretch(True, stretch.head, [last])
        feed.epoch = stretch.head.epoch or feed.epoch
        for event in stretch.events:
            feed.accept(event)
        self.gaps_repaired += bool(stretch.events)
        self.fan_out.plan(feed)
        return feed.offset >= stretch.head.offset

    async def last_event(self, feed: Feed, head: Head) -> Event | None:
        """The event by which a topic ended meanwhile, which is all that is left of its log."""
        with contextlib.suppress(FoyerError):
            if head.epoch == feed.epoch and head.offset > feed.offset:
                events = (await aread_log(feed.topic, head.offset - 1, 1, head.epoch)).events
                return events[0] if events and events[0].kind in endings else None
        return None

    def lost(self, feed: Feed, head: Head) -> None:
        """The log is not the one that was heard so far: its readers must start afresh."""
        feed.repair = None
        if head.epoch:
            logger.warning("topic %s: the log was lost; its readers start afresh", feed.topic.tag)
            self.end(feed, CloseCode.RESTARTING, "the log was lost; start afresh")
        else:
            self.end(feed, CloseCode.GONE, "gone")

    # Tending

    async def tend(self) -> None:
        """Every second: let go of topics nobody reads, look at quiet ones, and now and then at the sessions."""
        sessions_at = collected_at = self.loop.time()
        delivered = 0
        while not self.closing:
            await asyncio.sleep(1)
            now = self.loop.time()
            try:
                self.let_go(now)
                await self.look_at_quiet(now)
                if now - sessions_at > SESSIONS_EVERY:
                    sessions_at = now
                    await self.people.look_at_sessions()
            except FoyerError:
                continue  # the store is away; links say when it is back
            if self.fan_out.deliveries == delivered and now - collected_at > 600:
                collected_at = now
                gc.collect()  # a full collection stops the loop, so it waits for a quiet second
            delivered = self.fan_out.deliveries

    def let_go(self, now: float) -> None:
        for feed in [feed for feed in self.feeds.values() if not feed.readers and feed.ready.done()]:
            if now - feed.heard_at > IDLE:
                self.discard(feed)

    async def look_at_quiet(self, now: float) -> None:
        quiet = [feed for feed in self.feeds.values() if feed.readers and now - feed.heard_at > LOOK_EVERY]
        for start in range(0, len(quiet), PAGE):
            some = quiet[start : start + PAGE]
            heads = await asyncio.gather(*(aread_head(feed.topic) for feed in some), return_exceptions=True)
            for feed, head in zip(some, heads, strict=True):
                if isinstance(head, FoyerError):
                    raise head
                feed.heard_at = now
                if isinstance(head, BaseException):
                    logger.warning("topic %s can't be compared with its log: %s", feed.topic.tag, head)
                    continue
                behind = head.offset > feed.offset or head.epoch != feed.epoch
                if behind and feed.repair is None and feed.ready.done():
                    feed.repair = self.start(self.mend(feed))

    async def close(self) -> None:
        """Let go of the store. Readers are closed by the server."""
        self.closing = True
        self.subscribers.close()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def longer(pause: float, most: float) -> float:
    """Wait for about `pause` seconds; returns how long to wait the next time."""
    await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads load, guards nothing
    return min(2 * pause, most)


async def supervised(name: str, work: Callable[[], Awaitable[object]]) -> None:
    """Do `work()`, and again, after a while, whenever a fault ends it."""
    pause = 1.0
    while True:
        began = asyncio.get_running_loop().time()
        try:
            await work()
            return
        except Exception:
            logger.exception("%s failed; it begins again", name)
            pause = await longer(pause if asyncio.get_running_loop().time() - began < 60 else 1.0, 30.0)


hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def get_hub() -> Hub:
    """The hub of the running loop."""
    loop = asyncio.get_running_loop()
    hub = hubs.get(loop)
    if hub is None:
        hub = hubs[loop] = Hub()
    return hub
