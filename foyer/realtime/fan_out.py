"""Passing events on: which topics have something for their readers, and which is next.

All events that a topic has when its turn comes go out together. So under load a socket is written to once for many
events. A large fan-out takes several turns of the loop, with other work between them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

from foyer.errors import Unavailable
from foyer.realtime.connection import CloseCode, Connection
from foyer.realtime.feed import Feed, actions
from foyer.realtime.log import Event

if TYPE_CHECKING:
    from foyer.realtime.hub import Hub

logger = logging.getLogger(__name__)

WRITES_A_TURN = 200
"""Sockets written to before other work of the loop gets its turn, which a command needs several times."""


class FanOut:
    """The queue of topics with something to pass on. Runs on the hub's loop."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.loop = hub.loop
        self.dirty: deque[Feed] = deque()
        self.flush_planned = False
        self.deliveries = 0

    def plan(self, feed: Feed) -> None:
        """Put a topic into the queue. Its events go out together when its turn comes."""
        if feed.planned or not feed.pending:
            return
        feed.planned = True
        feed.heard_at = self.loop.time()
        self.dirty.append(feed)
        if not self.flush_planned:
            self.flush_planned = True
            self.loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write to `WRITES_A_TURN` sockets, then let the loop do other things before going on."""
        budget = WRITES_A_TURN
        while self.dirty and budget > 0:
            feed = self.dirty[0]
            if feed.pending or feed.current:
                written = self.write_some(feed, budget)
                self.deliveries += written
                budget -= max(written, 1)
            if feed.held is not None:
                self.dirty.popleft()
                self.hub.start(self.act(feed, feed.held))
            elif feed.current is None and not feed.pending:
                feed.planned = False
                self.dirty.popleft()
                feed.wake()
            elif feed.current is None:
                self.dirty.rotate(-1)
        self.flush_planned = bool(self.dirty)
        if self.dirty:
            self.loop.call_soon(self.flush)

    def write_some(self, feed: Feed, most: int) -> int:
        """Write to up to `most` readers. If a fault of ours makes it fail, only this batch is lost."""
        try:
            return feed.fan_out(most)
        except Exception:
            logger.exception("topic %s: events could not be passed on", feed.topic.tag)
            feed.end_lap()
            return 0

    async def act(self, feed: Feed, event: Event) -> None:
        """Do what an event asks of this process; the topic waits, for as long as the store takes to answer."""
        readers = [reader for reader, start in feed.readers.items() if start < event.offset]  # not who came since
        try:
            await self.carry_out(event, readers)
        except Exception:
            logger.exception("what is to be done about %s in %s failed", event.kind, feed.topic.tag)
            self.hub.end(feed, CloseCode.RESTARTING, "the server failed; reconnect")
        feed.held, feed.planned = None, False
        feed.wake()
        if self.hub.feeds.get(feed.topic.tag.encode()) is feed:
            self.plan(feed)

    async def carry_out(self, event: Event, readers: list[Connection]) -> None:
        pause = 0.05
        while True:
            try:
                await actions[event.kind](event, readers)
            except Unavailable:
                await asyncio.sleep(pause)
                pause = min(2 * pause, 1.0)
            else:
                return
