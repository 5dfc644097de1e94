"""The subscribers of a hub: one for each node that serves a topic it reads. One of them also hears of ended sessions.

When a subscriber is cut off, no event is lost: the nodes are looked up again, topics are subscribed to again, and
missed events are read from the logs.
"""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING, Any

from foyer.errors import FoyerError
from foyer.realtime.feed import Feed
from foyer.realtime.sessions import SESSIONS_CHANNEL
from foyer.store.subscriber import Subscriber

if TYPE_CHECKING:
    from foyer.realtime.hub import Hub

logger = logging.getLogger(__name__)

ANY_TAG = "{foyer}"
"""A tag of no topic. The end of a session is announced on every node; it is heard from the node that serves this
tag."""


class Subscribers:
    """The open subscribers of a hub, by the node's address. Runs on the hub's loop."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.by_node: dict[str, asyncio.Task[Subscriber]] = {}
        self.control: Subscriber | None = None
        self.listening = asyncio.Event()
        hub.start(self.keep_control())

    async def to(self, tag: str, *, refresh: bool = False) -> Subscriber:
        """The open subscriber at the node that serves `tag`. Raises `Unavailable`."""
        options = await self.hub.store.node_options(tag, refresh=refresh)
        node = options.get("path") or f"{options['host']}:{options['port']}"
        opening = self.by_node.get(node)
        if opening is None:
            opening = self.by_node[node] = self.hub.start(self.open(node, options))
        return await asyncio.shield(opening)

    async def open(self, node: str, options: dict[str, Any]) -> Subscriber:
        link = Subscriber(self.hub.heard, self.cut_off)
        try:
            await link.open(options)
        except BaseException:
            self.by_node.pop(node, None)
            raise
        return link

    def cut_off(self, link: Subscriber) -> None:
        """A subscriber was cut off: have its topics and channels subscribed to again."""
        for node, opening in list(self.by_node.items()):
            if opening.done() and not opening.cancelled() and opening.exception() is None and opening.result() is link:
                del self.by_node[node]
        if self.hub.closing:
            return
        orphans = [feed for feed in self.hub.feeds.values() if feed.subscriber is link and feed.ready.done()]
        if orphans:
            self.hub.start(self.restore(orphans))
        if link is self.control:
            self.hub.start(self.keep_control())

    async def restore(self, feeds: list[Feed]) -> None:
        """Find the nodes of `feeds` anew, subscribe again, and have what was missed read from their logs."""
        pause = 0.05
        while feeds:
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads load, guards nothing
            pause = min(2 * pause, 1.0)
            feeds = [feed for feed in feeds if self.hub.feeds.get(feed.topic.tag.encode()) is feed]
            try:
                await self.to(feeds[0].topic.tag if feeds else ANY_TAG, refresh=True)
                for feed in feeds:
                    feed.subscriber = await self.to(feed.topic.tag)
                await asyncio.gather(*(feed.subscriber.subscribe(feed.topic.tag) for feed in feeds if feed.subscriber))
            except (FoyerError, OSError):
                continue
            except Exception:
                logger.exception("the store could not be reached again; trying on")
                continue
            break
        for feed in feeds:
            if feed.repair is None:
                feed.repair = self.hub.start(self.hub.mend(feed))

    async def keep_control(self) -> None:
        """Hear of sessions that end; after a break, look at all of them, as the news may have been missed."""
        while not self.hub.closing:
            try:
                self.control = await self.to(ANY_TAG, refresh=True)
                await self.control.subscribe(SESSIONS_CHANNEL, sharded=False)
                self.listening.set()
                await self.hub.people.look_at_sessions()
                return
            except Exception:
                await asyncio.sleep(random.uniform(0.2, 1))  # noqa: S311 - spreads load, guards nothing

    def close(self) -> None:
        for opening in self.by_node.values():
            if opening.done() and opening.exception() is None:
                opening.result().close()
