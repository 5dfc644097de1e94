"""Names of accounts in the cache that all processes share. Sockets find an account there without SQL.

An entry is never older than the row. Before the row is changed or deleted, its name is barred: for some time nothing is
kept under it and the row itself is read. This time is longer than any process takes from reading the row to keeping it.
So nobody can keep the old row after the change.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, NamedTuple, cast

from django.core.cache import caches

from accounts.callers import Somebody, trusted
from foyer.errors import Unavailable

if TYPE_CHECKING:
    from foyer.store.cache import StoreCache

KEPT_FOR = 300
"""Seconds, for an entry and for a bar."""


class Person(NamedTuple):
    """An account as others name it."""

    id: int
    username: str

    @classmethod
    def of(cls, account: Somebody) -> Person:
        """Raises `TypeError` for what is no stored account."""
        found = trusted(account)
        return cls(found.id, found.username)


@functools.cache
def name_cache() -> StoreCache:
    """One for the process: Django would make another for every task of the loop."""
    return cast("StoreCache", caches.create_connection("default"))


def place(username_key: str) -> str:
    return f"name:{username_key}"


async def akept_person(username_key: str) -> Person | None:
    """The account of that name; None where only the row can tell. Raises `Unavailable`."""
    found = await name_cache().aget(place(username_key))
    return Person(*found) if found else None


async def akeep_person(username_key: str, person: Person) -> None:
    """Keep what a row said, unless the name is barred."""
    with contextlib.suppress(Unavailable):  # a store whose memory is full keeps nothing more
        await name_cache().aadd(place(username_key), tuple(person), KEPT_FOR)


def bar_name(username_key: str) -> None:
    """Make every process read the row from now on. Raises `Unavailable`: then the row must not be changed."""
    name_cache().bar(place(username_key), (), KEPT_FOR)
