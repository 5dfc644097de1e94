"""Blocks: users who want no direct messages from somebody, and not to see them typing.

A block is kept with the blocker, whose list is what counts, and copied to the user who is blocked. The copy is looked
at in the step that would store a message. What that step took before is delivered before the block is answered. So
every message that was acknowledged has arrived, and none arrives once the block is answered. If a crash leaves the two
ends different, the next message that is refused, or delivered, puts the copy right.
"""

from __future__ import annotations

from typing import NamedTuple

from accounts.callers import Caller
from accounts.models import Account
from accounts.operations import user_tag
from accounts.people import Person
from foyer.errors import Forbidden
from foyer.store.steps import Query, Steps, operation
from foyer.times import now_text
from messaging.operations import LIBRARY, deliver, note_block

MOST_BLOCKS = 1000
"""Users whom one user may block."""


class Block(NamedTuple):
    """Who is blocked, and since when, as clients see it."""

    username: str
    at: str


def _block(caller: Caller, other: Person) -> Steps[Block]:
    """Block a user. Raises `Forbidden` for the caller's own account, `TooManyBlocks`, `AccountGone`."""
    if other.id == caller.id:
        raise Forbidden("Nobody blocks themselves.")
    number, at = yield LIBRARY.call("block", [user_tag(caller.id)], other.id, now_text(), MOST_BLOCKS)
    waiting = yield from note_block(other.id, caller.id, int(number))
    sender = Caller(other.id, other.username, is_admin=False)
    yield from deliver(sender, Person(caller.id, caller.username), waiting)
    return Block(other.username, at.decode())


def _unblock(caller: Caller, other: Person) -> Steps[None]:
    """End a block, if there is one. Raises `AccountGone`."""
    number = yield LIBRARY.call("unblock", [user_tag(caller.id)], other.id)
    yield from note_block(other.id, caller.id, int(number))


def _list_blocks(caller: Caller) -> Steps[list[Block]]:
    """Whom the caller blocks, the first first."""
    reply = yield LIBRARY.call("blocks", [user_tag(caller.id)], "")
    since = dict(zip(map(int, reply[0::2]), (at.decode() for at in reply[1::2]), strict=True))
    names = yield Query(names_of, (list(since),))
    return sorted((Block(name, since[user]) for user, name in names), key=lambda block: block.at)


def names_of(ids: list[int]) -> list[tuple[int, str]]:
    return list(Account.objects.filter(pk__in=ids).values_list("id", "username"))


block, ablock = operation(_block)
unblock, aunblock = operation(_unblock)
list_blocks, alist_blocks = operation(_list_blocks)
