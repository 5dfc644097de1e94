"""Coming back: a connection that reads a topic already is given what it missed before.

What happens in the topic meanwhile is kept back, so that a client has first the answer, then every missed event in
order, then what came later, nothing twice.
"""

from __future__ import annotations

from typing import NamedTuple

from foyer.errors import BadRequest
from foyer.realtime.connection import Batch, CloseCode, Connection
from foyer.realtime.hub import PAGE, Hub
from foyer.realtime.log import Head, Stretch, aread_log
from foyer.realtime.topics import Topic


class NotSubscribed(BadRequest):
    code = "not_subscribed"
    detail = "Subscribe to the topic first."


class Resumption(NamedTuple):
    """A reader on its way back into a topic: where it was, and `head`, where its subscription began."""

    topic: Topic
    recovered: bool
    head: Head
    after: int
    first: Stretch


async def resume(hub: Hub, reader: Connection, topic: Topic, after: int, epoch: str) -> Resumption:
    """Look whether what was missed since `after` can be given whole, and keep back what happens until `finish`.

    Raises `NotSubscribed`, `Unavailable`.
    """
    feed = hub.feeds.get(topic.tag.encode())
    start = feed.readers.get(reader) if feed is not None else None
    if feed is None or start is None:
        raise NotSubscribed(f"This connection does not read {topic.name}.")
    keep_back(reader, topic)
    stretch = await aread_log(topic, after, PAGE, epoch)
    return Resumption(topic, stretch.whole, Head(start, feed.epoch), after, stretch)


async def finish(reader: Connection, resumption: Resumption) -> None:
    """Write what was missed, in order, then what was kept back meanwhile."""
    topic, recovered, head, position, stretch = resumption
    while recovered and position < head.offset and not reader.closing:
        events = [event for event in stretch.events if event.offset <= head.offset]
        if not events:
            break
        reader.deliver(Batch(events))
        position = events[-1].offset
        await reader.room_to_write()
        if position < head.offset:
            stretch = await aread_log(topic, position, PAGE, stretch.head.epoch)
            if not stretch.whole:
                reader.close(CloseCode.RESTARTING, "the log was lost; start afresh")
    hand_out(reader, topic)


def keep_back(reader: Connection, topic: Topic) -> None:
    """From here on, what happens in the topic waits for `hand_out`."""
    if reader.kept_back is None:
        reader.kept_back = {}
    reader.kept_back.setdefault(topic.tag, [])


def hand_out(reader: Connection, topic: Topic) -> None:
    """Write what was kept back of a topic."""
    for batch in (reader.kept_back or {}).pop(topic.tag, ()):
        reader.deliver(batch)
    if not reader.kept_back:
        reader.kept_back = None


def hand_out_all(reader: Connection) -> None:
    kept, reader.kept_back = reader.kept_back or {}, None
    for batches in kept.values():
        for batch in batches:
            reader.deliver(batch)
