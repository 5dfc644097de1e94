"""Accounts as others name them: an id, and the name that goes with it."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import NamedTuple

from channels.db import database_sync_to_async

from accounts.callers import Somebody, trusted
from accounts.errors import UserNotFound
from accounts.models import Account
from accounts.names import username_key

REMEMBERED = 10_000
REMEMBERED_FOR = 10.0
"""Seconds. A name that is given to another account meanwhile is still taken for the deleted one, which refuses."""


class Person(NamedTuple):
    id: int
    username: str

    @classmethod
    def of(cls, account: Somebody) -> Person:
        """Raises `TypeError` for what is no stored account."""
        found = trusted(account)
        return cls(found.id, found.username)


def find_person(username: str) -> Person:
    """The account of that name, whatever its case. Raises `UserNotFound`."""
    found = Account.objects.called(username)
    if found is None:
        raise UserNotFound(f"There is no user '{username}'.")
    return Person(found.pk, found.username)


remembered: OrderedDict[str, tuple[float, Person]] = OrderedDict()


async def afind_person(username: str) -> Person:
    """As `find_person`, on the event loop. What was found is remembered for a moment: sockets may not ask SQL often."""
    key = username_key(username) or ""
    expires, person = remembered.get(key, (0.0, None))
    if person is None or expires < time.monotonic():
        person = await database_sync_to_async(find_person)(username)
        remembered[key] = time.monotonic() + REMEMBERED_FOR, person
        if len(remembered) > REMEMBERED:
            remembered.popitem(last=False)
    return person
