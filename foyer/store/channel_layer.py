"""The channel layer: groups of Channels consumers, whichever process they are in. Its messages may be lost.

channels_redis keeps channels and groups and encodes the messages. The connections to the store are ours. They are made
when the layer is first used. On a cluster they use any node. A channel counts as joined once the node confirmed it.
After a break everything is joined again, at another node if necessary. Messages sent meanwhile are lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer

from foyer.errors import FoyerError, Unavailable
from foyer.store.functions import Plain
from foyer.store.loop_client import on_loop
from foyer.store.subscriber import Subscriber

Result = TypeVar("Result")
logger = logging.getLogger(__name__)

CAPACITY = 1000
"""Messages that may wait for a busy consumer; further ones are lost."""


class Handed(NamedTuple):
    """A message that stays in this process. `taken()` is called when the consumer takes it."""

    message: dict[str, Any]
    taken: Callable[[], None]


class ChannelLayer(RedisPubSubChannelLayer):
    """What `CHANNEL_LAYERS` names. For any thread; each event loop has a connection of its own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.endings: dict[str, list[Callable[[], object]]] = {}

    def _get_layer(self) -> RedisPubSubLoopLayer:
        layer = super()._get_layer()
        if not isinstance(layer._shards[0], StoreConnection):
            layer._shards = [StoreConnection(layer)]
        return layer

    async def new_channel(self, prefix: str = "specific.") -> str:
        """A channel that exists until the task that asks for it ends: for a consumer, as long as its connection."""
        layer, task = self._get_layer(), asyncio.current_task()
        assert task is not None
        channel = f"{layer.prefix}{prefix}{uuid4().hex}"
        self.endings[channel] = [partial(layer._shards[0].close_channel, channel)]
        task.add_done_callback(lambda _: self.end(channel))
        await layer._subscribe_to_channel(channel)
        return channel

    def when_closed(self, channel: str, callback: Callable[[], object]) -> Callable[[], None]:
        """Have `callback` called when a channel of `new_channel` is gone. Call what is returned to do so now."""
        callbacks = self.endings[channel]
        callbacks.append(callback)

        def now() -> None:
            if callback in callbacks:
                callbacks.remove(callback)
                callback()

        return now

    def end(self, channel: str) -> None:
        callbacks = self.endings.pop(channel)
        while callbacks:
            callbacks.pop()()

    def hand(self, channel: str, message: dict[str, Any], taken: Callable[[], None]) -> None:
        """Give a message to a consumer of this process. It is not lost, even if many others wait for the consumer."""
        queue = self._get_layer().channels.get(channel)
        if queue is not None:
            queue.put_nowait(Handed(message, taken))

    def deserialize(self, message: bytes | Handed) -> Any:
        if isinstance(message, Handed):
            message.taken()
            return message.message
        return super().deserialize(message)


class StoreConnection:
    """The connection of one loop's layer, in place of those of channels_redis. Runs on the loop."""

    def __init__(self, layer: RedisPubSubLoopLayer) -> None:
        self.layer = layer
        self.loop = asyncio.get_running_loop()
        self.joined: dict[str, asyncio.Task[None]] = {}
        self.opening: asyncio.Task[Subscriber] | None = None
        self.subscriber: Subscriber | None = None
        self.restoring: asyncio.Task[None] | None = None
        self.behind: set[str] = set()

    async def publish(self, channel: str, message: bytes) -> None:
        await on_loop().call(Plain(("PUBLISH", channel, message), channel, anywhere=True))

    async def subscribe(self, channel: str) -> None:
        """Hear a channel; returns when the node has confirmed it. Raises `Unavailable`."""
        if channel not in self.joined:
            self.joined[channel] = self.begin(self.join(channel))
        await asyncio.shield(self.joined[channel])

    async def join(self, channel: str) -> None:
        try:
            await (await self.reach()).subscribe(channel, sharded=False)
        except BaseException:
            if self.joined.get(channel) is asyncio.current_task():
                self.leave(channel)
                self.layer.channels.pop(channel, None)
            raise

    async def unsubscribe(self, channel: str) -> None:
        self.leave(channel)

    def leave(self, channel: str) -> None:
        joining = self.joined.pop(channel, None)
        if joining is None:
            return
        joining.cancel()
        if self.subscriber is not None:
            self.subscriber.unsubscribe(channel, sharded=False)

    def close_channel(self, channel: str) -> None:
        """Remove a channel whose consumer ended without leaving it: by an error, or while a message was handled."""
        self.behind.discard(channel)
        if self.layer.channels.pop(channel, None) is None:
            return
        self.leave(channel)
        for group, members in list(self.layer.groups.items()):
            members.discard(channel)
            if not members:
                del self.layer.groups[group]
                self.leave(group)

    # Hearing

    def heard(self, channel: bytes, message: bytes) -> None:
        name = channel.decode()
        members = (name,) if name in self.layer.channels else self.layer.groups.get(name, ())
        for member in members:
            queue = self.layer.channels.get(member)
            if queue is not None and queue.qsize() < CAPACITY:
                queue.put_nowait(message)
            elif queue is not None and member not in self.behind:
                self.behind.add(member)
                logger.warning("a consumer does not keep up: some of what is said to it is lost")

    async def reach(self) -> Subscriber:
        """The open connection to some node. Raises `Unavailable`."""
        if self.opening is None:
            self.opening = self.begin(self.open())
        return await asyncio.shield(self.opening)

    async def open(self) -> Subscriber:
        try:
            nodes = await on_loop().all_node_options()
            random.shuffle(nodes)
            for options in nodes:
                subscriber = Subscriber(self.heard, self.cut_off)
                with contextlib.suppress(Unavailable):
                    await subscriber.open(options)
                    self.subscriber = subscriber
                    return subscriber
            raise Unavailable
        except BaseException:
            self.opening = None
            raise

    def cut_off(self, subscriber: Subscriber) -> None:
        if subscriber is not self.subscriber:
            return
        self.subscriber = self.opening = None
        if self.joined and self.restoring is None:
            self.restoring = self.begin(self.restore())

    async def restore(self) -> None:
        """Join everything again, at whichever node there is, for as long as it takes."""
        pause = 0.05
        while self.joined:
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads load, guards nothing
            pause = min(2 * pause, 1.0)
            try:
                subscriber = await self.reach()
                await asyncio.gather(*(subscriber.subscribe(channel, sharded=False) for channel in self.joined))
            except FoyerError:
                continue
            except Exception:
                logger.exception("the store could not be reached again; trying on")
                continue
            break
        self.restoring = None

    def begin(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Start a task. Its error is not reported if nobody waits for it any more."""
        task = self.loop.create_task(work)
        task.add_done_callback(lambda task: task.cancelled() or task.exception())
        return task

    async def flush(self) -> None:
        """Let go of the store, until the layer is used again."""
        subscriber, self.subscriber = self.subscriber, None
        under_way = [task for task in (self.opening, self.restoring, *self.joined.values()) if task is not None]
        self.opening = self.restoring = None
        self.joined.clear()
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        if subscriber is not None:
            subscriber.close()
        await on_loop().close()
        await asyncio.sleep(0)  # in which transports close
