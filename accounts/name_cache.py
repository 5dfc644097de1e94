"""Which account has a name, as sockets find it without SQL: in the cache that all processes share.

An entry is never older than the row. Whoever is about to change the row or to delete it bars the name first: for a
while nothing is kept under it and the row itself is asked. That while is longer than anybody takes from reading the
row to keeping what they read, so what was read before the change is kept by nobody after it.
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
    """Have the row asked from now on, by every process. Raises `Unavailable`: then nothing may be changed."""
    name_cache().bar(place(username_key), (), KEPT_FOR)
