"""What the archive answers for the past of topics, to whoever reads a log further back than the store has it."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

from django.db import DatabaseError, InterfaceError, connections, transaction

from accounts.operations import user_tag
from archive.index import IS_MESSAGE
from archive.router import ALIAS
from archive.rows import COLUMNS, Row, body_of, current_body
from archive.topics import number_of
from archive.writing import forget_rows, redact_rows
from foyer.errors import Unavailable
from foyer.realtime.past import Kept, Wanted

P = ParamSpec("P")
R = TypeVar("R")
QUOTED = ", ".join(f'"{name}"' for name in COLUMNS)
MESSAGE = len('"message":')
AWAY = "What lies further back can't be read at the moment. Try again shortly."
AT_ONCE = 100
"""Events that are made of rows without a pause: meanwhile the loop, which everybody else waits for, can't run."""
BREATH = 0.0005
"""Seconds of the pause."""
PORTION = 10_000
"""Events of a topic that are deleted together."""


def patient(ask: Callable[P, R]) -> Callable[P, R]:
    """Ask once more on a fresh connection where one broke while it lay idle. Raises `Unavailable` if that fails too."""

    @functools.wraps(ask)
    def asked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            try:
                return ask(*args, **kwargs)
            except (DatabaseError, InterfaceError):
                if connections[ALIAS].in_atomic_block:
                    raise
                connections[ALIAS].close()
                return ask(*args, **kwargs)
        except (DatabaseError, InterfaceError) as error:
            raise Unavailable(AWAY) from error

    return asked


def rows(condition: str, values: list[Any], order: str = '"offset"', most: int | None = None) -> list[Row]:
    """The events for which a condition in SQL holds."""
    limit = "" if most is None else f" LIMIT {most:d}"
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(f"SELECT {QUOTED} FROM archive_event WHERE {condition} ORDER BY {order}{limit}", values)  # noqa: S608
        return [Row(*found) for found in cursor.fetchall()]


def rows_after(topic: int, after: int, most: int) -> list[Row]:
    """The first events of a topic after an offset."""
    return rows('topic = %s AND "offset" > %s', [topic, after], most=most)


def signer_of(row: Row) -> str:
    return "" if row.signer is None else str(row.signer)


def as_event(row: Row) -> Kept:
    message = row.offset if row.is_message else row.message if row.kind == "message_edited" else None
    return Kept(row.offset, row.kind, signer_of(row), body_of(row), message, row.peer)


def as_message(row: Row) -> Kept:
    return Kept(row.offset, row.kind, signer_of(row), current_body(row)[MESSAGE:], row.offset, row.peer)


def condition_of(tag: str, wanted: Wanted) -> tuple[str, list[Any]]:
    """The condition in SQL for messages that are wanted, and its values."""
    condition = f'topic = %s AND "offset" > %s AND "offset" < %s AND {IS_MESSAGE}'
    values: list[Any] = [number_of(tag), wanted.after, wanted.before]
    if wanted.peer is not None:
        condition, values = f"{condition} AND peer = %s", [*values, wanted.peer]
    if wanted.received_by is not None:
        owner = wanted.received_by
        condition, values = f"{condition} AND (signer <> %s OR peer = %s)", [*values, owner, owner]
    if wanted.sender is not None:
        condition, values = f"{condition} AND signer = %s", [*values, wanted.sender]
    return condition, values


def messages_of(tag: str, wanted: Wanted) -> list[Kept]:
    order = '"offset" DESC' if wanted.newest else '"offset"'
    found = rows(*condition_of(tag, wanted), order, wanted.most)
    return [as_message(row) for row in (reversed(found) if wanted.newest else found)]


def ids_of_others(tag: str, wanted: Wanted, user: int) -> list[int]:
    condition, values = condition_of(tag, wanted)
    query = f'SELECT "offset" FROM archive_event WHERE {condition} AND signer <> %s'  # noqa: S608
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(f'{query} ORDER BY "offset" DESC LIMIT %s', [*values, user, wanted.most])
        return [offset for (offset,) in cursor.fetchall()]


class Archive:
    """The keeper of the past. Every method blocks, and may be called from any thread."""

    @patient
    def events(self, tag: str, after: int, upto: int, most: int) -> list[Kept]:
        topic = number_of(tag)
        found = rows('topic = %s AND "offset" > %s AND "offset" <= %s', [topic, after, upto], most=most)
        events = list[Kept]()
        for first in range(0, len(found), AT_ONCE):
            if first:
                time.sleep(BREATH)
            events += [as_event(row) for row in found[first : first + AT_ONCE]]
        return events

    @patient
    def messages(self, tag: str, wanted: Wanted) -> list[Kept]:
        return messages_of(tag, wanted)

    @patient
    def latest(self, wanted: Sequence[tuple[str, Wanted]]) -> list[Kept | None]:
        return [next(iter(messages_of(tag, last)), None) for tag, last in wanted]

    @patient
    def ids_of_others(self, wanted: Sequence[tuple[str, Wanted]], user: int) -> list[list[int]]:
        return [ids_of_others(tag, some, user) for tag, some in wanted]

    @patient
    def copy_of(self, tag: str, sender: int, offset: int) -> int | None:
        found = rows(
            f"topic = %s AND peer = %s AND origin = %s AND {IS_MESSAGE}",
            [number_of(tag), sender, offset],
        )
        return found[0].offset if found else None

    @patient
    def message(self, tag: str, offset: int) -> Kept | None:
        found = rows(f'topic = %s AND "offset" = %s AND {IS_MESSAGE}', [number_of(tag), offset])
        return as_message(found[0]) if found else None

    @patient
    def redact(self, tag: str, offset: int) -> None:
        with transaction.atomic(using=ALIAS), connections[ALIAS].cursor() as cursor:
            redact_rows(cursor, number_of(tag) or 0, offset)

    @patient
    def forget(self, tag: str) -> None:
        """Takes a portion; the follower, which hears that the topic is gone, takes what is left of a long one."""
        forget_portion(number_of(tag) or 0)


def forget_portion(topic: int) -> bool:
    """Delete some of what is archived of a topic, the newest last. True if there may be more."""
    with transaction.atomic(using=ALIAS), connections[ALIAS].cursor() as cursor:
        some = '(SELECT "offset" FROM archive_event WHERE topic = %s ORDER BY "offset" LIMIT %s)'
        if forget_rows(cursor, f'topic = %s AND "offset" IN {some}', [topic, topic, PORTION]) >= PORTION:
            return True
        cursor.execute("DELETE FROM archive_copied WHERE topic = %s", [topic])
        cursor.execute("DELETE FROM archive_owed WHERE topic = %s", [topic])
        return False


def forget_account(user_id: int) -> None:
    """Take out what a deleted account's own log had. Raises `Unavailable`; may be repeated."""
    patient(forget_all)(number_of(user_tag(user_id)) or 0)


def forget_all(topic: int) -> None:
    while forget_portion(topic):
        pass
