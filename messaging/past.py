"""Messages of which the store let go: an operation on a log goes on in the archive where its memory ends.

A stored function answers from memory and says where that begins. What lies before comes from the keeper of the past,
and is completed by the store with what that may not know yet. Memory is always read first: what it has let go of by
then is in the archive.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from accounts.callers import Caller, who
from foyer.paging import Page
from foyer.realtime import past
from foyer.realtime.log import complete
from foyer.realtime.past import Kept, Wanted
from foyer.store.functions import Argument, Library
from foyer.store.steps import Query, Steps
from messaging.errors import MessageNotFound

INBOX = "messages"
MOST_PAGE = 1024 * 1024
"""Bytes of a page, which is shorter where messages are long."""


class History(NamedTuple):
    """Messages as JSON, oldest first, and whether there are more beyond them.

    Of a page around an id `more` are newer ones, and `earlier` says whether there are older ones too.
    """

    messages: list[bytes]
    more: bool
    earlier: bool = False


class Log(NamedTuple):
    """A list of messages in the log of a room or a user, as `caller` reads it: `messages`, or with:<account id>."""

    library: Library
    tag: str
    listed: str
    caller: Caller

    def wanted(self, after: int, before: int, most: int, *, newest: bool) -> Wanted:
        """Such messages, as the keeper of the past is asked for them."""
        peer = None if self.listed == INBOX else int(self.listed.partition(":")[2])
        owner = int(self.tag[6:-1]) if self.tag.startswith("{user:") and peer is None else None
        return Wanted(after, before, most, newest, peer, owner)


def read_page(log: Log, page: Page) -> Steps[History]:
    """A page of messages: the newest, or those before, after or around an id. Raises what `history` refuses."""
    if page.around is not None:
        return (yield from read_around(log, page.limit, page.around))
    return (yield from (read_back(log, page) if page.after is None else read_on(log, page, page.after)))


def read_around(log: Log, limit: int, around: int) -> Steps[History]:
    """The message with an id, those before it and those after it: half as many each. It may be deleted by now."""
    half = limit // 2 + 1
    older = yield from read_back(log, Page(half, before=around + 1))
    newer = yield from read_on(log, Page(limit - half), around)
    before = cut(older.messages, older.more, newest=True, most=MOST_PAGE // 2)
    after = cut(newer.messages, newer.more, newest=False, most=MOST_PAGE // 2)
    return History(before.messages + after.messages, after.more, before.more)


def read_memory(log: Log, before: int | None, after: int | None, limit: int, most: int) -> Steps[Any]:
    """The reply of the stored function `history`."""
    cursors = ("" if place is None else place for place in (before, after))
    return (yield log.library.call("history", [log.tag], *who(log.caller), log.listed, *cursors, limit, most))


def read_back(log: Log, page: Page) -> Steps[History]:
    """The last messages before an id, or of all: from memory, then from the past."""
    found, before, place = list[bytes](), page.before, b""
    while True:
        left = page.limit - len(found), room_left(found)
        more, place, let_go, floor, *messages = yield from read_memory(log, before, None, *left)
        found = messages + found
        if more:
            return History(found, True)
        if not place:
            break
        before = int(place)
    if let_go <= floor or before == 0:
        return History(found, False)
    edge = let_go + 1 if before is None else min(before, let_go + 1)
    if not room_left(found):
        return History(found, True)
    older, more = yield from read_past(log, floor, edge, page.limit - len(found), newest=True)
    return cut(older + found, more, newest=True)


def read_on(log: Log, page: Page, after: int) -> Steps[History]:
    """The first messages after an id (and before another, if given): from the past, then from memory."""
    found = list[bytes]()
    while True:
        left = page.limit - len(found)
        reply = yield from read_memory(log, page.before, after, left, room_left(found))
        more, place, let_go, floor, *messages = reply
        is_past = after < let_go
        if is_past:
            edge = let_go + 1 if page.before is None else min(page.before, let_go + 1)
            messages, more = yield from read_past(log, max(after, floor), edge, left, newest=False)
            place = let_go
        found += messages
        if more or not place or not room_left(found):
            return cut(found, bool(more or place), newest=False)
        after = int(place)


def room_left(found: list[bytes]) -> int:
    """Bytes that a page still has room for."""
    return max(MOST_PAGE - sum(map(len, found)), 0)


def cut(found: list[bytes], more: bool, *, newest: bool, most: int = MOST_PAGE) -> History:
    """A page of what was found, without what it has no room for: the oldest of it, or else the newest."""
    size = 0
    for number, message in enumerate(reversed(found) if newest else found):
        if size >= most:
            return History(found[-number:] if newest else found[:number], True)
        size += len(message)
    return History(found, more)


def read_past(log: Log, after: int, before: int, limit: int, *, newest: bool) -> Steps[tuple[list[bytes], bool]]:
    """Up to `limit` messages from the past, oldest first, and whether there are more."""
    found = list[bytes]()
    while after + 1 < before:
        asked = limit + 1 - len(found)
        kept = yield Query(past.keeper.messages, (log.tag, log.wanted(after, before, asked, newest=newest)))
        told = yield from as_json(log.tag, kept)
        found = told + found if newest else found + told
        if len(kept) < asked or len(found) > limit:
            break
        after, before = (after, kept[0].offset) if newest else (kept[-1].offset, before)
    extra = len(found) - limit
    if extra <= 0:
        return found, False
    return (found[extra:] if newest else found[:limit]), True


def as_json(tag: str, kept: Sequence[Kept]) -> Steps[list[bytes]]:
    """Messages of the past as they are now; those that were deleted are left out."""
    missing = yield from complete(tag, kept)
    told = [missing.message(message) for message in kept]
    return [message for message in told if message is not None]


def show_past(tag: str, message_id: int) -> Steps[bytes]:
    """One message of the past. Raises `MessageNotFound`."""
    kept = yield Query(past.keeper.message, (tag, message_id))
    told = yield from as_json(tag, [kept] if kept is not None else [])
    if not told:
        raise MessageNotFound
    return told[0]


def on_message(
    library: Library, function: str, tag: str, message_id: int, *args: Argument, peer: int | None = None
) -> Steps[Any]:
    """Call a function that changes a message, and once more with the message if it lies in the past.

    `peer` is the account id of the other one for what was said between two. Returns the function's reply.
    """
    reply = yield library.call(function, [tag], *args, "", "", 0)
    while isinstance(reply, int):
        kept = yield Query(past.keeper.message, (tag, message_id))
        if kept is None or kept.peer != peer:
            reply = yield library.call(function, [tag], *args, "", "", -1)
        else:
            reply = yield library.call(function, [tag], *args, kept.by, kept.body, reply)
    return reply
