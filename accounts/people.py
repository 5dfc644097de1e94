"""Accounts as others name them: an id, and the name that goes with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from channels.db import database_sync_to_async

from accounts.errors import AccountGone, UserNotFound
from accounts.models import Account
from accounts.name_cache import Person, akeep_person, akept_person
from accounts.names import username_key

__all__ = ["Person", "about", "afind_person", "find_person"]


def find_person(username: str) -> Person:
    """The account of that name, in any case. Raises `UserNotFound`."""
    found = Account.objects.called(username)
    if found is None:
        raise UserNotFound(f"There is no user '{username}'.")
    return Person(found.pk, found.username)


async def afind_person(username: str) -> Person:
    """As `find_person`, on the event loop, and seldom by SQL: a process has one thread for that."""
    key = username_key(username) or ""
    person = await akept_person(key)
    if person is None:
        person = await database_sync_to_async(find_person)(username)
        await akeep_person(key, person)
    return person


@contextmanager
def about(username: str) -> Iterator[None]:
    """What is done to an account that may be deleted meanwhile. Raises `UserNotFound` if it is."""
    try:
        yield
    except AccountGone:
        raise UserNotFound(f"There is no user '{username}'.") from None
