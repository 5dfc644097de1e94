"""The follower: one process, of all that serve a store, which copies every log to SQL.

Serving processes say which topics they wrote to; the follower copies what is new there, in the order of offsets, many
topics in one transaction. One follower is at work at a time, by a lease in the store; another takes over when it ends.
Should two be at work for a moment, SQL lets one of them on (`writing.py`).

Guarantees: every stored event of a room, a user or the list of tables is archived, once, while the log still has it. A
crash at any moment loses nothing: what was not committed is copied again.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections

from archive.models import StoreName
from archive.operations import (
    Part,
    copy_call,
    hold_lease,
    let_go_call,
    lift_call,
    part_call,
    store_name,
    take_written,
    tell_progress,
)
from archive.reading import forget_portion, rows_after
from archive.retention import Sweep
from archive.router import ALIAS
from archive.rows import body_of
from archive.topics import number_of, tag_of
from archive.walk import every_topic
from archive.writing import NEW, Batch, Cursor, Outrun, cursors_of
from foyer.errors import FoyerError
from foyer.store.steps import run, run_all

logger = logging.getLogger(__name__)

LEASE = 6.0
"""Seconds for which a follower that fell silent keeps others away."""
PAUSE = 0.25
"""Seconds between two looks when there is nothing to copy."""
ROUND = 1.0
"""Seconds from one round to the next, at least. A topic costs about as much for one event as for ten, so none is copied
more often."""
TOPICS = 500
"""Topics that are copied together."""
EVENTS = 10_000
"""Events that are copied together, about."""
WALK_EVERY = 1.0
"""Seconds between two steps of the walk through all topics, once it has been round."""
TELL_EVERY = 1.0
"""Seconds between two words on how far it got."""
LONGEST_PAUSE = 5.0
IDLE = 600.0
"""Seconds without an event after which the store keeps nothing of a log but its head."""


class WrongStore(Exception):
    """The store is not the one that this archive was copied from."""

    def __init__(self) -> None:
        super().__init__(
            "The archive belongs to another store: this one is new, or has another past. Nothing is copied until the "
            "right store is back. If the old one is lost for good, begin anew with an empty archive."
        )


class Follower:
    """Copies logs until `stop` is set. Runs in a thread or a process of its own."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.at_work = False
        self.held_until = 0.0
        self.copied: list[str] = []
        self.began_round = -ROUND
        self.walk: Iterator[list[str]] = iter(())
        self.walked_at = 0.0
        self.been_round = False
        self.sweep = Sweep()
        self.archived = 0
        self.trimmed = 0
        self.told: tuple[int, int] = (0, 0)
        self.told_at = 0.0

    def run(self) -> None:
        pause, complained = PAUSE, False
        while not self.stop.is_set():
            try:
                busy = self.turn()
                pause, complained = PAUSE, False
            except (FoyerError, DatabaseError, WrongStore) as error:
                if not complained:
                    logger.warning("Nothing is archived for now: %s", error)
                    complained = True
                busy, pause = False, min(2 * pause, LONGEST_PAUSE)
                close_old_connections()
            if not busy:
                self.stop.wait(pause)
        self.leave()

    def turn(self) -> bool:
        """Copy some of what is new, if this follower is the one at work. False when there was nothing to do."""
        if not self.hold():
            return False
        self.tell()
        is_sweeping, now = self.sweep.step(), time.monotonic()
        is_time = now >= self.began_round + ROUND
        tags = take_written(TOPICS, self.copied, more=is_time)
        self.copied = []
        if tags:
            self.began_round = now if is_time else self.began_round
            self.copy(tags)
            self.copied = tags
            return True
        return self.walk_on() or is_sweeping

    def hold(self) -> bool:
        """Be, or become, the follower at work."""
        now = time.monotonic()
        if self.at_work and now < self.held_until - LEASE / 2:
            return True
        was, self.at_work = self.at_work, hold_lease(self.name, int(LEASE * 1000))
        self.held_until = now + LEASE
        if self.at_work and not was:
            self.check_store()
            logger.info("This process archives what happens.")
            self.copied, self.walk, self.been_round = [], every_topic(), False
        return self.at_work

    def check_store(self) -> None:
        """See that the store is the one that the archive was copied from. Raises `WrongStore`."""
        known = StoreName.objects.first()
        name = store_name("" if known else secrets.token_hex(16))
        if known is None:
            StoreName.objects.create(name=name)
        elif name != known.name:
            self.at_work = False
            raise WrongStore

    def tell(self) -> None:
        """Tell operators how far it got, now and then."""
        now = time.monotonic()
        if now < self.told_at + TELL_EVERY:
            return
        reached = self.archived, self.trimmed
        before, self.told, self.told_at = self.told, reached, now  # a number is rather lost than told twice
        tell_progress(self.name, reached[0] - before[0], reached[1] - before[1])

    def leave(self) -> None:
        """Let another follower begin at once."""
        try:
            if self.at_work:
                self.told_at = 0.0
                self.tell()
                hold_lease(self.name, 0)
        except FoyerError:
            pass
        connections[ALIAS].close()

    def walk_on(self) -> bool:
        """One step of the walk through all topics, which finds what nobody told of. False when it is not due."""
        now = time.monotonic()
        if self.been_round and now < self.walked_at + WALK_EVERY:
            return False
        self.walked_at = now
        tags = next(self.walk, None)
        if tags is None:
            self.walk, self.been_round = every_topic(), True
            return False
        self.copy(tags)
        return True

    # Copying

    def copy(self, tags: Sequence[str]) -> None:
        """Copy all that is new in some topics."""
        topics = {number: tag for tag in tags if (number := number_of(tag)) is not None}
        while topics and not self.stop.is_set():
            self.hold()
            self.tell()
            topics = self.copy_some(topics)

    def copy_some(self, topics: dict[int, str]) -> dict[int, str]:
        """Copy some events of each topic, in one transaction. Returns the topics that have more."""
        cursors = cursors_of(topics)
        most = max(EVENTS // len(topics), 20)
        calls = [copy_call(tag, *cursors.get(topic, NEW)[:2], most) for topic, tag in topics.items()]
        batch, more, now = Batch(), {}, int(time.time() * 1000)
        idle = dict[int, Cursor]()
        for (topic, tag), reply in zip(topics.items(), run_all(calls), strict=True):
            cursor, part = cursors.get(topic, NEW), Part.of(reply)
            if part.gone:
                if cursor is not NEW and forget_portion(topic):
                    more[topic] = tag
            elif is_other_log(batch, topic, cursor, part):
                more[topic] = tag
            elif part.entries:
                batch.add(topic, cursor, part, now)
                if part.entries[-1].offset < part.last:
                    more[topic] = tag
            elif part.let_go < cursor.offset and cursor.at < now - IDLE * 1000:
                idle[topic] = cursor
        if batch.moves:
            try:
                batch.commit()
            except Outrun:
                return topics
            self.archived += len(batch.rows)
        self.let_go({topic: after for topic, _, after in batch.moves}, settings.HOT_EVENTS)
        self.let_go(idle, 0)
        return more

    def let_go(self, topics: dict[int, Cursor], hot: int) -> None:
        """Have the store let go of what is archived, but for the newest `hot` events of each topic."""
        while topics and not self.stop.is_set():
            self.hold()
            calls = [let_go_call(tag_of(topic), *cursor[:2], hot) for topic, cursor in topics.items()]
            replies = dict(zip(topics, run_all(calls), strict=True))
            self.trimmed += sum(count for count, _ in replies.values())
            topics = {topic: cursor for topic, cursor in topics.items() if replies[topic][1]}


def is_other_log(batch: Batch, topic: int, cursor: Cursor, part: Part) -> bool:
    """Put right what does not fit: a log that began a new epoch, or one that was restored from a back-up.

    True if the topic is to be copied again. What the archive has beyond the last event that both share was lost by the
    store, and its offsets are given to other events, so it goes from the archive too. A log that has simply fallen
    behind, as from a back-up, goes on where the archive ends; nothing is lost then.
    """
    if not part.epoch or not cursor.epoch or (part.epoch == cursor.epoch and part.last >= cursor.offset):
        return False
    tag = tag_of(topic)
    if part.epoch == cursor.epoch:
        shared = shared_with(topic, Part.of(run(copy_call(tag, part.let_go, part.epoch, EVENTS))))
        if shared >= part.last:
            logger.warning("%s: the log was restored; it goes on after event %d.", tag, cursor.offset)
            run(lift_call(tag, part.epoch, part.last, cursor.offset))
        else:
            run(part_call(tag, part.epoch, shared))
        return True
    shared = min(part.shared if cursor.epoch == part.earlier else part.let_go, cursor.offset)
    if shared < cursor.offset:
        logger.warning("%s: the log lost what came after event %d; so does the archive.", tag, shared)
        batch.forget(topic, shared)
    batch.moves.append((topic, cursor, Cursor(shared, part.epoch, cursor.at)))
    return True


def shared_with(topic: int, part: Part) -> int:
    """Up to which offset a log is the same as the archive."""
    archived = {row.offset: body_of(row) for row in rows_after(topic, part.let_go, len(part.entries))}
    shared = part.let_go
    for entry in part.entries:
        if archived.get(entry.offset) != entry.body:
            break
        shared = entry.offset
    return shared
