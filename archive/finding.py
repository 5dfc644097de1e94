"""Messages by their words, from SQL: the ones that may have them. Whether they do is looked at by who asks.

Guarantees: of the messages in a scope that SQL has, none is left out that has the words. They come newest first.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from heapq import nlargest
from typing import Any, NamedTuple

import orjson
from django.db import OperationalError, connections, transaction

from archive.index import IS_MESSAGE, is_postgresql, latest_before, topic_term
from archive.reading import QUOTED, patient
from archive.router import ALIAS
from archive.rows import Row
from foyer.errors import Busy

MOST_TERMS = 200
"""Topics up to which a search asks the index of SQLite for them; more are sorted out afterwards."""
PATIENCE = 5
"""Seconds that a search may take in SQL."""
MARGIN = 50
"""Messages that are read beyond those wanted of a log: their times rise nearly as their offsets do."""
PORTION = 100
"""Rows that are read together."""
SETTINGS = "SET LOCAL work_mem = '64MB'; SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0"
"""Of a search in PostgreSQL: to compile it, or to start processes for it, takes longer than the search."""
TOO_MANY = "Too many messages have these words. Search with more words, or in one room."


Terms = Sequence[tuple[str, bool]]


class Place(NamedTuple):
    """Where a message stands among all: the time it was sent (ms), the number of its topic, its offset."""

    at: int
    topic: int
    offset: int

    @classmethod
    def of(cls, row: Row) -> Place:
        return cls(row.at, row.topic, row.offset)


class Scope(NamedTuple):
    """Which messages: of these topics, before a place; of a conversation those with `peer`; sent by `signer`."""

    topics: frozenset[int]
    before: Place | None = None
    peer: int | None = None
    signer: int | None = None

    def has(self, row: Row) -> bool:
        return (
            row.topic in self.topics
            and (self.before is None or Place.of(row) < self.before)
            and self.peer in (None, row.peer)
            and self.signer in (None, row.signer)
        )

    def condition(self) -> tuple[str, list[Any]]:
        """The condition in SQL, and its values. Topics that the index of SQLite is asked for are not in it."""
        parts, values = [IS_MESSAGE], list[Any]()
        if is_postgresql():
            parts.append("topic = ANY (%s)")
            values.append(list(self.topics))
        elif len(self.topics) > MOST_TERMS:
            parts.append("topic IN (SELECT value FROM json_each(%s))")
            values.append(orjson.dumps(list(self.topics)).decode())
        for column, number in (("peer", self.peer), ("signer", self.signer)):
            if number is not None:
                parts.append(f"{column} = %s")
                values.append(number)
        if self.before is not None:
            parts.append('at <= %s AND (at, topic, "offset") < (%s, %s, %s)')
            values += [self.before.at, *self.before]
        return " AND ".join(parts), values


@patient
def find_rows(scope: Scope, terms: Terms, most: int) -> list[Row]:
    """The newest messages of a scope that may have all `terms`, each with whether it is only a beginning.

    Raises `Busy` if that takes too long.
    """
    find = in_postgresql if is_postgresql() else in_sqlite
    with in_time():
        return [row for row in find(scope, terms, most) if row.topic in scope.topics]


def in_postgresql(scope: Scope, terms: Terms, most: int) -> list[Row]:
    """Reads all that the index has and sorts it; without terms, the end of each log."""
    condition, values = scope.condition()
    if terms:
        rows = f"archive_event WHERE archive_lexemes(text, words) @@ %s::tsquery AND {condition}"
        values.insert(0, tsquery(terms))
    else:
        end = f'topic = number AND {condition} ORDER BY "offset" DESC LIMIT {most + MARGIN:d}'
        rows = f"unnest(%s::bigint[]) AS number CROSS JOIN LATERAL (SELECT * FROM archive_event WHERE {end}) AS ends"  # noqa: S608
        values.insert(0, list(scope.topics))
    query = f'SELECT {QUOTED} FROM {rows} ORDER BY at DESC, topic DESC, "offset" DESC LIMIT {most:d}'  # noqa: S608
    with transaction.atomic(using=ALIAS), connections[ALIAS].cursor() as cursor:
        cursor.execute(f"{SETTINGS}; SET LOCAL statement_timeout = '{PATIENCE}s'")
        cursor.execute(query, values)
        return [Row(*found) for found in cursor.fetchall()]


def in_sqlite(scope: Scope, terms: Terms, most: int) -> list[Row]:
    """Reads from the last id back, until nothing newer than what it has can follow."""
    condition, values = scope.condition()
    if wanted := match(scope, terms):
        rows, order = "archive_search CROSS JOIN archive_event ON id = archive_search.rowid", "archive_search.rowid"
        condition, values = f"{condition} AND archive_search MATCH %s", [*values, wanted]
    else:
        rows, order = "archive_event NOT INDEXED", "id"
    query = f"SELECT id, {QUOTED} FROM {rows} WHERE {condition} ORDER BY {order} DESC"  # noqa: S608
    newest = list[Row]()
    with connections[ALIAS].cursor() as cursor, connections[ALIAS].cursor() as beside, at_most(PATIENCE):
        cursor.execute(query, values)
        while some := cursor.fetchmany(PORTION):
            newest = nlargest(most, [*newest, *(Row(*found[1:]) for found in some)], Place.of)
            latest = latest_before(beside, some[-1][0])
            if len(newest) == most and latest is not None and latest < newest[-1].at:
                break
    return newest


@patient
def rows_at(places: Sequence[tuple[int, int]]) -> list[Row]:
    """Some messages by topic and offset."""
    found = list[Row]()
    with connections[ALIAS].cursor() as cursor:
        for place in places:
            cursor.execute(
                f'SELECT {QUOTED} FROM archive_event WHERE topic = %s AND "offset" = %s AND {IS_MESSAGE}',  # noqa: S608
                place,
            )
            found += [Row(*values) for values in cursor.fetchall()]
    return found


# Terms have letters, digits and marks alone, and topics a sign of their own: none needs to be escaped


def tsquery(terms: Terms) -> str:
    return " & ".join(f"'{term}':*" if is_begun else f"'{term}'" for term, is_begun in terms)


def match(scope: Scope, terms: Terms) -> str:
    wanted = [f'"{term}" *' if is_begun else f'"{term}"' for term, is_begun in terms]
    if len(scope.topics) <= MOST_TERMS:
        topics = " OR ".join(f'"{topic_term(topic)}"' for topic in scope.topics)
        wanted.append(f"({topics})")
    return " AND ".join(wanted)


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    """Raises `Busy` for a query that was stopped because it took too long."""
    try:
        yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == "57014" or "interrupted" in str(error):
            raise Busy(TOO_MANY) from None
        raise


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Have SQLite stop a query after some time."""
    sqlite, end = connections[ALIAS].connection, time.monotonic() + seconds
    sqlite.set_progress_handler(lambda: time.monotonic() > end, 100_000)
    try:
        yield
    finally:
        sqlite.set_progress_handler(None, 0)
