"""Coming back: a connection that already reads topics gets the events that it missed before.

New events of these topics are kept back meanwhile. So a client gets first the answer, then every missed event of each
topic in order, then later events, and nothing twice.
"""

from __future__ import annotations

from typing import NamedTuple

from foyer.errors import BadRequest
from foyer.realtime.connection import Batch, CloseCode, Connection
from foyer.realtime.hub import PAGE, Hub
from foyer.realtime.log import MOST_READ, Head, Stretch, aread_log
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

    @property
    def size(self) -> int:
        """Bytes of the events that were read already."""
        return sum(len(event.json) for event in self.first.events)


async def resume(
    hub: Hub, reader: Connection, topic: Topic, after: int, epoch: str, most: int = MOST_READ
) -> Resumption:
    """Look whether what was missed since `after` can be given whole, and keep back what happens from now on.

    Up to `most` bytes of it are read already. Raises `NotSubscribed`, `Unavailable`.
    """
    feed = hub.feeds.get(topic.tag.encode())
    start = feed.readers.get(reader) if feed is not None else None
    if feed is None or start is None:
        raise NotSubscribed(f"This connection does not read {topic.name}.")
    reader.keep_back(topic.tag)
    stretch = await aread_log(topic, after, PAGE, epoch, most)
    return Resumption(topic, stretch.whole, Head(start, feed.epoch), after, stretch)


async def finish(reader: Connection, resumption: Resumption) -> None:
    """Write what was missed, in order, and no faster than the client takes it.

    A reader that is taken off the topic meanwhile gets no more of it.
    """
    topic, recovered, head, position, stretch = resumption

    def wants_more() -> bool:
        return recovered and position < head.offset and topic.tag in reader.topics and not reader.closing

    while wants_more():
        events = [event for event in stretch.events if event.offset <= head.offset]
        if events:
            reader.deliver(Batch(events))
            position = events[-1].offset
            await reader.room_to_write()
        elif stretch is not resumption.first:
            break
        if wants_more():
            stretch = await aread_log(topic, position, PAGE, stretch.head.epoch)
            if not stretch.whole:
                reader.close(CloseCode.RESTARTING, "the log was lost; start afresh")
