"""Messages: those of rooms, and direct ones.

A message is an event in the log of its room, and its id is that event's offset. A direct message is one in the log of
its sender and one in that of its recipient, each with its own id; it is acknowledged when both are stored, and so are
its edits and its deletion. What a crash leaves undelivered waits in the sender's outbox and is delivered, once and in
order, before what he says next to the same one, or when he is seen next.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from django.conf import settings

from accounts.callers import Caller, who
from accounts.errors import UserNotFound
from accounts.operations import user_tag
from accounts.people import Person
from foyer.api.wire import fields_of, quoted
from foyer.errors import Unavailable
from foyer.paging import Page
from foyer.realtime.log import PRELUDE
from foyer.realtime.retries import fingerprint
from foyer.store.functions import Argument
from foyer.store.steps import Library, Steps, operation
from foyer.times import now_text
from messaging import errors as errors  # stored functions refuse by their codes
from rooms.operations import ADMIT, remember_signer, sign, topic_of

LUA = Path(__file__).parent / "lua"
LIBRARY = Library("messaging", PRELUDE, ADMIT, LUA)

INBOX = "messages"
LATER = 10.0
"""Seconds for which a recipient whose node did not answer is left alone; to try takes as long as the store may."""
MOST_UNREACHABLE = 10_000
unreachable: dict[int, float] = {}
"""Such recipients, and until when."""


class History(NamedTuple):
    """Messages as JSON, oldest first, and whether there are more beyond them."""

    messages: list[bytes]
    more: bool


def retry_arguments(retry_key: str | None, request: bytes) -> tuple[str, str, int]:
    return retry_key or "", fingerprint(request), int(settings.RETRY_KEY_LIFETIME.total_seconds())


def body_of(where: bytes, text: str) -> bytes:
    """A message's body, as logs keep it: \\0 stands for its id and \\1 for its sender."""
    return (
        b'{"id":\x00,' + where + b',"sender":\x01,"text":' + quoted(text)
        + b',"sent_at":"' + now_text().encode() + b'","edited_at":null}'
    )  # fmt: skip


def _post_message(caller: Caller, room_id: str, text: str, retry_key: str | None = None) -> Steps[bytes]:
    """Store a message in a room and announce it. Returns it as JSON.

    Raises `RoomNotFound`, `RetryKeyReused`. Acknowledged means stored; with a retry key, stored once.
    """
    tag = topic_of(room_id).tag
    body = body_of(b'"roomId":"' + room_id.encode() + b'"', text)
    retry = retry_arguments(retry_key, text.encode())
    message = yield LIBRARY.call("post", [tag], *who(caller), "", body, *retry)
    if not message:
        yield remember_signer(caller.id, tag)
        message = yield LIBRARY.call("post", [tag], *who(caller), caller.signature, body, *retry)
    return bytes(message)


def _read_history(caller: Caller, room_id: str, page: Page) -> Steps[History]:
    """A page of a room's messages: the newest, or those before or after an id. Raises `UnknownCursor`."""
    reply = yield LIBRARY.call("history", [topic_of(room_id).tag], *who(caller), INBOX, *cursors(page))
    return history(reply)


def cursors(page: Page) -> tuple[str, str, int]:
    """What is asked for, as stored functions take it: before, after, limit."""
    before, after = ("" if message_id is None else str(message_id) for message_id in (page.before, page.after))
    return before, after, page.limit


def history(reply: list[bytes]) -> History:
    more, *messages = reply
    return History(messages, more == b"1")


def _show_message(caller: Caller, room_id: str, message_id: int) -> Steps[bytes]:
    return bytes((yield LIBRARY.call("one", [topic_of(room_id).tag], *who(caller), message_id)))


def _edit_message(caller: Caller, room_id: str, message_id: int, text: str) -> Steps[bytes]:
    """Give a message another text; its sender may. Returns it as JSON."""
    edited = yield LIBRARY.call("edit", [topic_of(room_id).tag], *who(caller), message_id, quoted(text), now_text())
    return bytes(edited)


def _delete_message(caller: Caller, room_id: str, message_id: int) -> Steps[None]:
    """Take a message away; its sender, the room's owner and admins may."""
    tag = topic_of(room_id).tag
    yield from sign(caller, tag)
    yield LIBRARY.call("delete", [tag], *who(caller), message_id, caller.signature)


def _send_direct(caller: Caller, to: Person, text: str, retry_key: str | None = None) -> Steps[bytes]:
    """Send a direct message. Returns it as JSON, with its id in the sender's log. Acknowledged means in both logs.

    Raises `UserNotFound`, and leaves nothing behind, if the recipient's account is gone by now.
    """
    body = body_of(b'"to":' + quoted(to.username), text)
    retry = retry_arguments(retry_key, orjson.dumps([to.id, text]))
    message, is_there = yield from in_both_logs("send", caller, to, body, *retry)
    if not is_there:
        yield from retract(caller, to, fields_of(message)["id"], retry_key)
        raise UserNotFound(f"There is no user '{to.username}'.")
    return bytes(message)


def retract(caller: Caller, to: Person, message_id: int, retry_key: str | None) -> Steps[None]:
    sender = caller.id, caller.signature
    yield LIBRARY.call("retract", [user_tag(caller.id)], *sender, to.id, message_id, deleted_body(to), retry_key or "")


def deleted_body(to: Person) -> bytes:
    """What is told of a direct message that is no more."""
    return b'{"id":\x00,"to":' + quoted(to.username) + b"}"


def _edit_direct(caller: Caller, to: Person, message_id: int, text: str) -> Steps[bytes]:
    """Give a direct message that the caller sent another text, in both logs. Returns it as JSON, as `send` does."""
    message, _ = yield from in_both_logs("edit_direct", caller, to, message_id, quoted(text), now_text())
    return bytes(message)


def _delete_direct(caller: Caller, to: Person, message_id: int) -> Steps[None]:
    """Take a direct message that the caller sent out of both logs. Raises `MessageNotFound` if it is gone already."""
    was_there, _ = yield from in_both_logs("delete_direct", caller, to, message_id, deleted_body(to))
    if not was_there:
        raise errors.MessageNotFound


def in_both_logs(function: str, caller: Caller, to: Person, *args: Argument) -> Steps[tuple[Any, bool]]:
    """Do something in the caller's log, then deliver what it left in the outbox for `to`.

    Returns the first's reply, and whether the account of `to` was there to have it.
    """
    sender = caller.id, caller.signature
    reply, waiting, others = yield LIBRARY.call(function, [user_tag(caller.id)], *sender, to.id, *args)
    is_there = yield from deliver(caller, to, waiting)
    yield from deliver_left_behind(caller, others)
    return reply, is_there


def deliver(caller: Caller, to: Person, waiting: list[bytes]) -> Steps[bool]:
    """Put what waits for somebody into their log, all of it. Returns whether their account was there to have it."""
    is_there = True
    while waiting:
        is_there, waiting = yield from deliver_portion(caller, to.id, waiting)
    return is_there


def deliver_portion(caller: Caller, recipient: int, waiting: list[bytes]) -> Steps[tuple[bool, list[bytes]]]:
    """Deliver what a stored function gave as one portion, and cross it off.

    Returns whether the recipient's account was there, and the next portion. What is for one that is gone is crossed
    off too: there is no log for it.
    """
    to = orjson.loads(waiting[3].replace(b"\x00", b"0").replace(b"\x01", b"0"))["to"]
    sender = caller.signature
    is_there = yield LIBRARY.call("deliver", [user_tag(recipient)], quoted(to), caller.id, sender, *waiting)
    left = yield LIBRARY.call("delivered", [user_tag(caller.id)], recipient, *waiting[0::4])
    return bool(is_there), left


def deliver_left_behind(caller: Caller, others: list[Any]) -> Steps[None]:
    """A portion for each of some others. One whose node does not answer keeps nobody waiting, and is left for later."""
    for recipient, waiting in zip(map(int, others[0::2]), others[1::2], strict=True):
        if unreachable.get(recipient, 0) > time.monotonic():
            continue
        try:
            yield from deliver_portion(caller, recipient, waiting)
        except Unavailable:
            if len(unreachable) > MOST_UNREACHABLE:
                unreachable.clear()
            unreachable[recipient] = time.monotonic() + LATER


def _read_direct(caller: Caller, other: Person | None, page: Page) -> Steps[History]:
    """A page of what the caller and `other` said to each other; with None, of what anyone sent to the caller."""
    index = INBOX if other is None else f"with:{other.id}"
    tag = user_tag(caller.id)
    reply, others = yield [
        LIBRARY.call("history", [tag], *who(caller), index, *cursors(page)),
        LIBRARY.call("undelivered", [tag]),
    ]
    yield from deliver_left_behind(caller, others)
    return history(reply)


def _forget_user(user_id: int) -> Steps[None]:
    """Remove what a deleted account had in its own log; what it sent stays with those who got it, unsigned."""
    while not (yield LIBRARY.call("forget_user", [user_tag(user_id)])):
        pass


post_message, apost_message = operation(_post_message)
read_history, aread_history = operation(_read_history)
show_message, ashow_message = operation(_show_message)
edit_message, aedit_message = operation(_edit_message)
delete_message, adelete_message = operation(_delete_message)


send_direct, asend_direct = operation(_send_direct)
edit_direct, aedit_direct = operation(_edit_direct)
delete_direct, adelete_direct = operation(_delete_direct)
read_direct, aread_direct = operation(_read_direct)
forget_conversations, aforget_conversations = operation(_forget_user)
