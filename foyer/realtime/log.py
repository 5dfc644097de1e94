"""The log of a topic, as a process reads it: where it stands, and what came after an offset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from redis.exceptions import OutOfMemoryError

from foyer.realtime import past
from foyer.realtime.past import Kept, Missing, signers_of
from foyer.realtime.topics import Topic
from foyer.store.functions import primaries
from foyer.store.steps import STORE_ERRORS, Library, Query, Steps, operation

LUA = Path(__file__).parent / "lua"
PRELUDE = LUA / "_prelude.lua"
LIBRARY = Library("realtime", PRELUDE, LUA)
MOST_READ = 128 * 1024
"""Bytes of events that are read from a log at a time, so that a reader who is slow holds no more."""
IN_THE_PAST = 2
"""What `read` answers where the store let go of the events."""


class Head(NamedTuple):
    """Where a log stands: the offset of its last event (0 before the first) and its epoch ('' before the first)."""

    offset: int
    epoch: str


class Event:
    """One thing that happened in a topic, as every process announces and reads it.

    `json` is the frame that clients of the gateway get. `offset` is 0 for what is passed on and not stored.
    """

    __slots__ = ("epoch", "json", "kind", "offset")

    def __init__(self, announcement: bytes) -> None:
        line, _, self.json = announcement.partition(b"\n")
        offset, epoch, kind = line.split(b" ")
        self.offset = int(offset)
        self.epoch = epoch.decode()
        self.kind = kind.decode()


class Stretch(NamedTuple):
    """The events after an offset. `whole` is false if the log no longer has all of them; `head` is where it stands
    now."""

    whole: bool
    head: Head
    events: list[Event]


def _read_head(topic: Topic) -> Steps[Head]:
    offset, epoch = yield LIBRARY.call("head", [topic.tag])
    return Head(offset, epoch.decode())


def _read_log(topic: Topic, after: int, limit: int, epoch: str = "", most: int = MOST_READ) -> Steps[Stretch]:
    """Up to `limit` events after offset `after`, in order, none missing. `epoch` is the one `after` belongs to.

    They are fewer where they have more than `most` bytes, but at least one, unless `most` is 0. Raises
    `Unavailable` also where they lie in the past and that can't be read.
    """
    whole, offset, now, events, *let_go = yield LIBRARY.call(
        "read", [topic.tag], topic.quoted, after, limit, epoch, most
    )
    head = Head(offset, now.decode())
    if whole == IN_THE_PAST:
        return (yield from read_past(topic, after, let_go[0], limit, head, most))
    return Stretch(bool(whole), head, [Event(event) for event in events])


def read_past(topic: Topic, after: int, upto: int, limit: int, head: Head, most: int) -> Steps[Stretch]:
    """The same from what the store let go of, which is up to offset `upto`."""
    if not most:
        limit = 1
    found = yield Query(past.keeper.events, (topic.tag, after, upto, limit))
    kept = [event for number, event in enumerate(found, after + 1) if event.offset == number]
    if not kept:
        return Stretch(False, head, [])
    kept = within(kept, most)
    missing = yield from complete(topic.tag, kept)
    return Stretch(True, head, [Event(missing.announcement(event, topic.quoted, head.epoch)) for event in kept])


def within(events: list[Kept], most: int) -> list[Kept]:
    """The first of some events, of `most` bytes, of which the last may be over; none if `most` is 0."""
    size = 0
    for number, event in enumerate(events):
        if size >= most:
            return events[:number]
        size += len(event.body)
    return events


def complete(tag: str, kept: Sequence[Kept]) -> Steps[Missing]:
    """What the store knows of some events of the past."""
    if not kept:
        return Missing({}, {})
    [missing] = yield from complete_all([(tag, kept)])
    return missing


def complete_all(logs: Sequence[tuple[str, Sequence[Kept]]]) -> Steps[list[Missing]]:
    """The same of events of several logs, each given by its tag."""
    asked = [
        (signers_of(kept), list({event.message for event in kept if event.message is not None})) for _, kept in logs
    ]
    replies = yield [
        LIBRARY.call("complete", [tag], len(signers), *signers, *messages)
        for (tag, _), (signers, messages) in zip(logs, asked, strict=True)
    ]
    return [
        Missing(
            {signer: name for signer, name in zip(signers, names, strict=True) if name},
            {message: b"" if body == b"-" else body for message, body in zip(messages, changes, strict=True) if body},
        )
        for (signers, messages), (names, changes) in zip(asked, replies, strict=True)
    ]


def is_full() -> bool:
    """Whether a node of the store has no memory left, so that it refuses what would take more. Blocking.

    A node that does not answer does not count as full.
    """
    probe = LIBRARY.call("may_grow", []).command()
    for node in primaries():
        try:
            node.execute_command(*probe)
        except OutOfMemoryError:
            return True
        except STORE_ERRORS:
            continue
    return False


read_head, aread_head = operation(_read_head)
read_log, aread_log = operation(_read_log)
