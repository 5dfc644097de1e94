"""Topics for Channels consumers outside Foyer: `await hear(self, "room:12")`. `docs/extending.md` shows one.

The consumer is one more reader of the hub. Each event comes to it as a Channels message, handled by its `topic_event`:

    {"type": "topic.event", "topic": "room:12", "offset": 17, "epoch": "k3", "event": {…}, "text": "{…}"}

`event` is what clients hear, `text` the same as JSON; `offset` is 0 for what is not stored.

Guarantees, from the moment `hear` returned: every stored event of the topic once, in order, among the consumer's other
messages, one at a time. A consumer that lags behind by more than `MOST_WAITING` is closed with 4408.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import orjson
from channels.consumer import AsyncConsumer

from foyer.errors import FoyerError
from foyer.logs import connection_done
from foyer.realtime.connection import AsgiConnection, CloseCode, Dialect, FrameWriter, Identity, Nobody
from foyer.realtime.consumer import CLOSES
from foyer.realtime.gateway import Reading, find_reading
from foyer.realtime.hub import Hub, get_hub
from foyer.realtime.log import Event, Head
from foyer.store.channel_layer import ChannelLayer
from foyer.tally import closes

AHEAD = 2
"""Events that are put before a consumer at a time, so that what others say to it gets its turn between them."""


class Server(Nobody):
    """The reader where no caller is named: the server itself, which may read everything."""

    is_admin = True


def with_epoch(event: Event) -> bytes:
    return event.epoch.encode() + b"\n" + event.json


HEARD = Dialect("heard", with_epoch)


async def hear(
    consumer: AsyncConsumer, topic: str, *, caller: Identity | None = None, after: int | None = None, epoch: str = ""
) -> Head:
    """Have every later event of `topic` come to `consumer`, until it ends; with `after`, all since that offset.

    `topic` is a name as clients of the gateway know it. With `caller` (an account's `caller`), what they may not read
    is refused, and the consumer is closed when they may no longer read it (4403, 4404) or their session ends (4401).
    Without, who may hear is for the consumer to decide. A `SyncConsumer` calls `async_to_sync(hear)(self, …)`.

    Returns where the consumer stands in the log. Raises `NotFound`, `Forbidden`, `UnknownCursor`, `Unavailable`, and
    `TooManyRequests` for a caller with too many connections. Raised in `connect`, it is what the handshake is answered
    with.
    """
    layer = consumer.channel_layer
    if not isinstance(layer, ChannelLayer):
        raise TypeError(f"hear() needs a consumer on Foyer's channel layer, this one's is {layer!r}.")
    reader = caller or Server()
    reading = find_reading(reader, topic)
    hub = get_hub()
    if caller is not None:
        hub.people.limit(caller, "")
    connection = AsgiConnection(courier(layer, consumer.channel_name), HEARD, reader, closer(consumer, hub, reader))
    stop = layer.when_closed(consumer.channel_name, partial(hub.people.disconnected, connection))
    if caller is not None:
        hub.people.connected(connection)
    try:
        if after is None:
            return await hub.subscribe(reading.topic, connection, check=reading.check)
        if reading.check is not None:
            await reading.check()
        await hub.check(reading.topic, after, epoch)
    except BaseException:
        stop()
        raise
    hub.start(catch_up(reading, connection, after, epoch))  # the consumer takes nothing before its `connect` returns
    return Head(after, epoch)


async def catch_up(reading: Reading, connection: AsgiConnection, after: int, epoch: str) -> None:
    """Give a consumer what it missed and all that comes; what prevents that by now closes it."""
    try:
        await get_hub().subscribe(reading.topic, connection, after, epoch, reading.check)
    except FoyerError as error:
        connection.close(CLOSES.get(error.status, CloseCode.RESTARTING), error.code)


def courier(layer: ChannelLayer, channel: str) -> Callable[[bytes], Awaitable[None]]:
    """What puts one event after another before a consumer, as it takes them."""
    free = asyncio.Semaphore(AHEAD)

    async def put(told: bytes) -> None:
        await free.acquire()
        layer.hand(channel, as_message(told), free.release)

    return put


def as_message(told: bytes) -> dict[str, Any]:
    """An event as a Channels message. It is read anew for each consumer, so that it is the consumer's own."""
    epoch, _, text = told.decode().partition("\n")
    event = orjson.loads(text)
    place = {"topic": event["topic"], "offset": event.get("offset", 0), "epoch": epoch}
    return {"type": "topic.event", **place, "event": event, "text": text}


def closer(consumer: AsyncConsumer, hub: Hub, caller: Identity) -> Callable[[int, str], None]:
    """What closes a consumer's socket: at once, whether its client reads or not, where the server is ours."""
    writer: FrameWriter | None = consumer.scope.get("extensions", {}).get("foyer.frames")
    send = getattr(consumer.base_send, "awaitable", consumer.base_send)  # a SyncConsumer has it wrapped
    begun_at = hub.loop.time()

    def close(code: int, reason: str) -> None:
        closes[str(code)] += 1
        connection_done("consumer", str(code), hub.loop.time() - begun_at, caller.id)
        if writer is not None and writer.handshake_complete:
            writer.end(code, reason)
        else:
            hub.start(send({"type": "websocket.close", "code": code, "reason": reason}))

    return close
