"""What is older than its topic keeps it goes, from the store and from SQL, without an event.

A room says for how many days it keeps what happens there; `RETENTION_DAYS` is for those that don't, and for direct
messages. The follower goes round all topics that keep things for some time alone, and looks at the first event of each.

Guarantees: first the store is told up to which offset all is gone, and from then on nobody is told of it; then it goes
from SQL, a portion at a time. A crash in between is made good by the next round. No offset is given twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connections, transaction

from archive.operations import expire_call, terms_call
from archive.router import ALIAS
from archive.topics import OTHER, number_of
from archive.walk import every_topic, timed_rooms
from archive.writing import forget_rows, redact_rows
from foyer.store.steps import run, run_all

DAY = 86_400_000
"""Milliseconds."""
ROUND_EVERY = 30.0
"""Seconds from the beginning of one round to that of the next, where a round takes no longer."""
SHARE = 0.2
"""Of the follower's time, at most, that looking takes."""
PORTION = 5_000
"""Events that go from SQL together."""

FIRST = """
    SELECT topic, epoch, (SELECT at FROM archive_event
                          WHERE archive_event.topic = archive_copied.topic ORDER BY "offset" LIMIT 1)
    FROM archive_copied WHERE topic IN ({})
"""


class Late(NamedTuple):
    """A topic that has something to lose: what is older than `cutoff` (ms)."""

    topic: int
    tag: str
    epoch: str
    cutoff: int


class Sweep:
    """The rounds of one follower. `expired` counts the events that went."""

    def __init__(self) -> None:
        self.round: Iterator[list[str]] = iter(())
        self.begun_at = -ROUND_EVERY
        self.next_at = 0.0
        self.late: list[Late] = []
        self.expired = 0

    def step(self) -> bool:
        """Do a portion of the work, if some is due. True if more is due at once."""
        now = time.monotonic()
        if now < self.next_at:
            return False
        if not self.late and not self.look(now):
            return False
        if self.late:
            late = self.late.pop()
            if self.take(late):
                self.late.append(late)
        self.next_at = time.monotonic() + (0 if self.late else (time.monotonic() - now) * (1 / SHARE - 1))
        return bool(self.late)

    def look(self, now: float) -> bool:
        """Look at the next topics of a round. False where none is due."""
        tags = next(self.round, None)
        if tags is None:
            if now < self.begun_at + ROUND_EVERY:
                return False
            self.begun_at, self.round = now, every_topic() if settings.RETENTION_DAYS else timed_rooms()
            tags = next(self.round, None)
        if tags is None:
            return False
        self.late = late_among(tags, int(time.time() * 1000))
        return True

    def take(self, late: Late) -> bool:
        """Take a portion of what is too old. True if there is more."""
        upto = last_before(late.topic, late.cutoff)
        if upto is None:
            return False
        reached = 0
        while 0 <= reached < upto:
            reached = run(expire_call(late.tag, upto, late.epoch))
        if reached < 0:
            return False
        gone = take_rows(late.topic, upto)
        self.expired += gone
        return gone == PORTION


def late_among(tags: Sequence[str], now: int) -> list[Late]:
    """Which of some topics have an event that is too old. `now` is in milliseconds since 1970."""
    cutoffs: dict[int, Late] = {}
    for tag, (days, epoch) in zip(tags, run_all([terms_call(tag) for tag in tags]), strict=True):
        kept = settings.RETENTION_DAYS if not days else 0 if days == b"null" else int(days)
        topic = number_of(tag)
        if kept and epoch and topic is not None and topic & 3 != OTHER:
            cutoffs[topic] = Late(topic, tag, epoch.decode(), now - kept * DAY)
    if not cutoffs:
        return []
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(FIRST.format(", ".join(["%s"] * len(cutoffs))), list(cutoffs))
        found = [(cutoffs[topic], epoch, at) for topic, epoch, at in cursor.fetchall()]
    return [late for late, epoch, at in found if at is not None and at < late.cutoff and epoch == late.epoch]


def last_before(topic: int, cutoff: int) -> int | None:
    """The offset of the last event of a topic that is older than `cutoff` (ms); None if there is none.

    Times rise with offsets, all but a few seconds, so it is found by halving.
    """
    with connections[ALIAS].cursor() as cursor:

        def event(condition: str, *values: int) -> Any:
            cursor.execute(
                f'SELECT "offset", at FROM archive_event WHERE topic = %s {condition} LIMIT 1',  # noqa: S608
                [topic, *values],
            )
            return cursor.fetchone()

        first, last = event('ORDER BY "offset"'), event('ORDER BY "offset" DESC')
        if first is None or first[1] >= cutoff:
            return None
        if last[1] < cutoff:
            return int(last[0])
        low, high = first[0], last[0]  # too old, and not
        while low + 1 < high:
            found = event('AND "offset" <= %s ORDER BY "offset" DESC', (low + high) // 2)
            if found[1] < cutoff:
                low = (low + high) // 2
            else:
                high = found[0]
        return int(event('AND "offset" <= %s ORDER BY "offset" DESC', low)[0])


def take_rows(topic: int, upto: int) -> int:
    """Take some of the events up to an offset out of SQL, the first ones, and the texts of their later edits."""
    with transaction.atomic(using=ALIAS), connections[ALIAS].cursor() as cursor:
        cursor.execute(
            'SELECT "offset" FROM archive_event WHERE topic = %s AND "offset" <= %s ORDER BY "offset" LIMIT %s',
            [topic, upto, PORTION],
        )
        offsets = [offset for (offset,) in cursor.fetchall()]
        if not offsets:
            return 0
        cursor.execute(
            "SELECT DISTINCT message FROM archive_event"
            " WHERE topic = %s AND message >= %s AND message <= %s AND \"offset\" > %s AND kind = 'message_edited'",
            [topic, offsets[0], offsets[-1], offsets[-1]],
        )
        for (message,) in cursor.fetchall():
            redact_rows(cursor, topic, message)
        return forget_rows(cursor, 'topic = %s AND "offset" <= %s', [topic, offsets[-1]])
