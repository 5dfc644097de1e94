"""Everything that an account said and was told, line by line: `GET /user/{username}/export`.

Lines are made page by page, from memory and the archive, so a page is all that is held at any time. There is no index
of who sent what: the logs that a user signed are known, and read through, the past in stretches of bounded length.
What is posted meanwhile may be in it or not; every message that was there before is, once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from math import inf

from django.db import close_old_connections

from accounts import operations as accounts
from accounts.callers import Caller
from accounts.models import Account
from accounts.operations import user_tag
from accounts.serializers import AccountSerializer
from foyer.api.wire import encode, fields_of
from foyer.errors import BadToken
from foyer.paging import Page
from foyer.realtime import past
from foyer.realtime.log import MOST_READ
from foyer.realtime.past import Wanted
from foyer.store.steps import Query, Steps, operation
from messaging.operations import LIBRARY
from messaging.past import History, Log, as_json, read_page
from rooms.operations import list_rooms, rooms_signed, topic_of

AT_ONCE = 100
"""Rooms, or messages, in a page."""
STRETCH = 20_000
"""Events of a room's past that are looked through for a page."""
PEERS_AT_ONCE = 500


def line(kind: str, content: bytes) -> bytes:
    return b'{"type":"%b","%b":%b}\n' % (kind.encode(), kind.encode(), content)


def export(account: Account, caller: Caller) -> Iterator[bytes]:
    """The pages of an account's export, for `caller`. Raises `BadToken` in between when their sign-in has ended."""
    for page in pages_of(account):
        yield page
        (is_open,) = accounts.check_sessions([caller])
        if is_open is False or time.time() > (caller.expires_at or inf):
            raise BadToken
        close_old_connections()
    yield b'{"type":"end"}\n'


def pages_of(account: Account) -> Iterator[bytes]:
    yield line("account", encode(AccountSerializer(account).data))
    yield from own_rooms(account.caller)
    for room_id in rooms_signed(account.pk):
        yield from sent_in_room(account.pk, room_id)
    yield from conversations(account.caller)


def own_rooms(owner: Caller) -> Iterator[bytes]:
    after = 0
    while rooms := list_rooms(owner, after, AT_ONCE, mine=True):
        yield b"".join(line("room", room) for room in rooms)
        after = int(fields_of(rooms[-1])["roomId"])


def sent_in_room(user_id: int, room_id: str) -> Iterator[bytes]:
    after: int | None = 0
    while after is not None:
        messages, after = read_sent(user_id, room_id, after)
        yield b"".join(line("message", message) for message in messages)


def conversations(owner: Caller) -> Iterator[bytes]:
    known = peers_of(owner.id)
    for start in range(0, len(known), PEERS_AT_ONCE):
        some = known[start : start + PEERS_AT_ONCE]
        names = dict(Account.objects.filter(pk__in=some).values_list("pk", "username"))
        for peer in some:
            yield line("conversation", encode({"username": names.get(peer)}))
            yield from said_between(owner, peer)


def said_between(owner: Caller, peer: int) -> Iterator[bytes]:
    after, more = 0, True
    while more:
        page = read_said(owner, peer, after)
        yield b"".join(line("direct_message", message) for message in page.messages)
        if page.messages:
            after = fields_of(page.messages[-1])["id"]
        more = page.more and bool(page.messages)


# Reading


def _read_sent(user_id: int, room_id: str, after: int) -> Steps[tuple[Sequence[bytes], int | None]]:
    """Some of the messages that a user sent to a room after an id, and after which to go on; None at the end."""
    tag = topic_of(room_id).tag
    let_go, place, *messages = yield LIBRARY.call("sent", [tag], user_id, after, MOST_READ)
    if after >= let_go:
        return messages, int(place) if place else None
    upto = min(after + STRETCH, let_go)
    wanted = Wanted(after, upto + 1, AT_ONCE, newest=False, sender=user_id)
    kept = yield Query(past.keeper.messages, (tag, wanted))
    told = yield from as_json(tag, kept)
    return told, upto if len(kept) < AT_ONCE else kept[-1].offset


def _read_said(owner: Caller, peer: int, after: int) -> Steps[History]:
    """Some of what was said between two after an id, as the log of `owner` has it."""
    log = Log(LIBRARY, user_tag(owner.id), f"with:{peer}", owner)
    return (yield from read_page(log, Page(AT_ONCE, after=after)))


def _peers_of(user_id: int) -> Steps[list[int]]:
    """The account ids of all with whom a user had a direct conversation."""
    found, cursor = set[int](), b"0"
    while True:
        cursor, some = yield LIBRARY.call("peers", [user_tag(user_id)], cursor)
        found.update(map(int, some))
        if cursor == b"0":
            return sorted(found)


read_sent, aread_sent = operation(_read_sent)
read_said, aread_said = operation(_read_said)
peers_of, apeers_of = operation(_peers_of)
