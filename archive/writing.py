"""Events on their way into SQL: many topics at once, all of it or nothing.

Guarantees: a batch carries on exactly where the archive stood when it was begun. If another follower has been there
meanwhile, nothing is written and `Outrun` is raised, so no event is archived twice and none is left out. An edit or a
deletion changes the message that it is about in the transaction that archives it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import IntegrityError, connections, transaction

from archive.index import is_postgresql, last_id, messages_among, note_latest, put_back, put_in, take_out, words_of
from archive.models import Copied
from archive.operations import Part
from archive.router import ALIAS
from archive.rows import COLUMNS, Edit, Row, edit_of, redacted, row_of

QUOTED = ", ".join(f'"{name}"' for name in COLUMNS)
PLACE = 'topic = %s AND "offset" = %s'


class Cursor(NamedTuple):
    """How far a topic's log was copied: the last event's offset and epoch, and its time in milliseconds."""

    offset: int = 0
    epoch: str = ""
    at: int = 0


NEW = Cursor()


class Outrun(Exception):
    """Another follower has copied some of this already."""


def cursors_of(topics: Iterable[int]) -> dict[int, Cursor]:
    """How far the logs of some topics were copied."""
    found = Copied.objects.filter(topic__in=list(topics)).values_list("topic", "offset", "epoch", "at")
    return {topic: Cursor(offset, epoch, at) for topic, offset, epoch, at in found}


class Batch:
    """What is to be written together. Each topic may be added once."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.places: dict[tuple[int, int], int] = {}
        self.about: dict[tuple[int, int], list[int]] = {}
        self.edits: list[tuple[Row, Edit]] = []
        self.deletions: list[tuple[int, int]] = []
        self.forgotten: list[tuple[int, int]] = []
        self.moves: list[tuple[int, Cursor, Cursor]] = []

    def add(self, topic: int, cursor: Cursor, part: Part, now: int) -> None:
        """Carry a topic on from `cursor` by a part of its log. `now` is the time of events that name none (ms)."""
        for entry in part.entries:
            row = row_of(topic, entry, now)
            self.places[topic, row.offset] = len(self.rows)
            if row.kind == "message_edited" and row.message is not None:
                self.about.setdefault((topic, row.message), []).append(len(self.rows))
            self.rows.append(row)
            self.fold(row)
        reached = part.entries[-1].offset if part.entries else cursor.offset
        self.moves.append((topic, cursor, Cursor(reached, part.epoch, now if part.entries else cursor.at)))

    def forget(self, topic: int, after: int) -> None:
        """Take what lies after an offset out first: the log went another way from there."""
        self.forgotten.append((topic, after))

    def fold(self, row: Row) -> None:
        """Change the message that an edit or a deletion is about: here, or later in SQL."""
        if row.kind == "message_deleted" and row.message is not None:
            self.deletions.append((row.topic, row.message))
            for number in self.concerning(row.topic, row.message):
                self.rows[number] = redacted(self.rows[number])
        elif (edit := edit_of(row)) is not None:
            number = self.places.get((row.topic, edit.message), -1)
            if number < 0:
                self.edits.append((row, edit))
            elif self.rows[number].text:
                self.rows[number] = edited(self.rows[number], edit)
            for earlier in self.concerning(row.topic, edit.message):
                if self.rows[earlier].kind == row.kind:
                    self.rows[earlier] = self.rows[earlier]._replace(body=row.body)

    def concerning(self, topic: int, message: int) -> list[int]:
        """The rows of this batch that have the text of a message."""
        own = [self.places[topic, message]] if (topic, message) in self.places else []
        return own + self.about.get((topic, message), [])

    def commit(self) -> None:
        """Write all of it. Raises `Outrun`, or what the database raises; then nothing was written."""
        if is_postgresql():
            make_partitions(row.at for row in self.rows)
        with transaction.atomic(using=ALIAS), connections[ALIAS].cursor() as cursor:
            self.move_cursors(cursor)
            for topic, after in self.forgotten:
                forget_rows(cursor, 'topic = %s AND "offset" > %s', [topic, after])
            insert_rows(cursor, self.rows)
            self.apply_edits(cursor)
            for topic, message in self.deletions:
                redact_rows(cursor, topic, message)

    def apply_edits(self, cursor: Any) -> None:
        """Change messages that were archived before. Earlier edits of them are read as the newest from now on."""
        if not self.edits:
            return
        for row, edit in self.edits:
            take_out(cursor, PLACE, [row.topic, edit.message])
            cursor.execute(
                f"UPDATE archive_event SET was = coalesce(was, text), text = %s, edited_at = %s"  # noqa: S608
                f" WHERE {PLACE} AND text <> ''",
                [edit.text, edit.at, row.topic, edit.message],
            )
            put_back(cursor, row.topic, edit.message, edit.text if cursor.rowcount else "")
        cursor.executemany(
            "UPDATE archive_event SET body = %s WHERE topic = %s AND message = %s AND kind = 'message_edited'",
            [(row.body, row.topic, edit.message) for row, edit in self.edits],
        )

    def move_cursors(self, cursor: Any) -> None:
        new = [(topic, *after) for topic, before, after in self.moves if before is NEW]
        known = [(*after, topic, *before[:2]) for topic, before, after in self.moves if before is not NEW]
        try:
            if new:
                cursor.executemany(
                    'INSERT INTO archive_copied (topic, "offset", epoch, at) VALUES (%s, %s, %s, %s)', new
                )
        except IntegrityError:
            raise Outrun from None
        if known:
            cursor.executemany(
                'UPDATE archive_copied SET "offset" = %s, epoch = %s, at = %s'
                ' WHERE topic = %s AND "offset" = %s AND epoch = %s',
                known,
            )
            if cursor.rowcount != len(known):
                raise Outrun


def edited(row: Row, edit: Edit) -> Row:
    was = row.was if row.was is not None else row.text
    return row._replace(was=was, text=edit.text, edited_at=edit.at)


def insert_rows(cursor: Any, rows: Sequence[Row]) -> None:
    if not rows:
        return
    if is_postgresql():
        statement = f"COPY archive_event ({QUOTED}, words) FROM STDIN"
        with connections[ALIAS].wrap_database_errors, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row((*row, words_of(row.text) if row.is_message else None))
    else:
        first = last_id(cursor) + 1
        marks = ", ".join(["%s"] * (len(COLUMNS) + 1))
        cursor.executemany(
            f"INSERT INTO archive_event (id, {QUOTED}) VALUES ({marks})",  # noqa: S608
            [(id, *row) for id, row in enumerate(rows, first)],
        )
        put_in(cursor, messages_among(rows, first))
        note_latest(cursor, first + len(rows) - 1)


def forget_rows(cursor: Any, condition: str, values: Sequence[Any]) -> int:
    """Delete the events for which a condition in SQL holds. Returns how many there were."""
    take_out(cursor, condition, values)
    cursor.execute(f"DELETE FROM archive_event WHERE {condition}", values)  # noqa: S608
    return int(cursor.rowcount)


def redact_rows(cursor: Any, topic: int, message: int) -> None:
    """Take the text of a message out of SQL: its own and those of its edits. May be repeated."""
    take_out(cursor, PLACE, [topic, message])
    cursor.execute(
        f"UPDATE archive_event SET text = '', was = NULL, edited_at = NULL WHERE {PLACE} AND text <> ''",  # noqa: S608
        [topic, message],
    )
    put_back(cursor, topic, message, "")
    cursor.execute(
        f"SELECT {QUOTED} FROM archive_event WHERE topic = %s AND message = %s AND kind = 'message_edited'",  # noqa: S608
        [topic, message],
    )
    told = [Row(*found) for found in cursor.fetchall()]
    for row in told:
        cursor.execute(
            f"UPDATE archive_event SET body = %s WHERE {PLACE}",  # noqa: S608
            [redacted(row).body, topic, row.offset],
        )


# Partitions of PostgreSQL: one a month, so that old months can be dropped whole


def make_partitions(moments: Iterable[int]) -> None:
    """See that there is a partition for each of these times (ms)."""
    for month in {(moment.year, moment.month) for moment in map(utc, {at // 3_600_000 * 3_600_000 for at in moments})}:
        make_partition(*month)


def utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


@functools.cache
def make_partition(year: int, month: int) -> None:
    first = datetime(year, month, 1, tzinfo=UTC)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    name = f"archive_event_{year}_{month:02d}"
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF archive_event"
            f" FOR VALUES FROM ({first.timestamp() * 1000:.0f}) TO ({end.timestamp() * 1000:.0f})"
        )
