"""Messages: those of rooms, and direct ones.

A message is an event in the log of its room, and its id is that event's offset. A direct message is one in the log of
its sender and one in that of its recipient, each with its own id; it is acknowledged when both are stored, and so are
its edits and its deletion. What a crash leaves undelivered waits in the sender's outbox and is delivered, once and in
order: before the sender's next message to the same user, or when the sender next writes or reads a direct message.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import orjson
from django.conf import settings

from accounts.callers import Caller, who
from accounts.errors import UserNotFound
from accounts.operations import user_tag
from accounts.people import Person
from foyer.api.wire import fields_of, quoted
from foyer.errors import Unavailable
from foyer.paging import Page
from foyer.realtime import past
from foyer.realtime.log import PRELUDE
from foyer.realtime.retries import fingerprint
from foyer.store.fullness import fullness
from foyer.store.functions import Argument
from foyer.store.steps import Call, Library, Query, Steps, operation
from foyer.times import now_text
from messaging import errors as errors  # stored functions refuse by their codes
from messaging.past import INBOX, History, Log, on_message, read_page, show_past
from rooms.operations import remember_signer, sign, topic_of
from rooms.rights import IN_ROOMS

R = TypeVar("R")

LUA = Path(__file__).parent / "lua"
LIBRARY = Library("messaging", PRELUDE, *IN_ROOMS, LUA)

ASK_ARCHIVE = 2
"""What `deliver` answers when it has to know which message of the past something is about."""
BLOCKED = 3
"""What it answers when all is there, and the recipient blocks the sender by now."""
LATER = 10.0
"""Seconds for which a recipient whose node did not answer is left alone; to try takes as long as the store may."""
MOST_UNREACHABLE = 10_000
unreachable: dict[int, float] = {}
"""Such recipients, and until when."""


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

    Raises `RoomNotFound`, `Banned`, `Muted`, `SlowMode`, `RetryKeyReused`, `NearlyFull`. Acknowledged means stored;
    with a retry key, stored once.
    """
    fullness.check()
    tag = topic_of(room_id).tag
    body = body_of(b'"roomId":"' + room_id.encode() + b'"', text)
    retry = retry_arguments(retry_key, text.encode())
    message = yield LIBRARY.call("post", [tag], *who(caller), "", body, *retry)
    if not message:
        yield remember_signer(caller.id, tag)
        message = yield LIBRARY.call("post", [tag], *who(caller), caller.signature, body, *retry)
    return bytes(message)


def _read_history(caller: Caller, room_id: str, page: Page) -> Steps[History]:
    """A page of a room's messages: the newest, or those before, after or around an id. Raises `UnknownCursor`."""
    return (yield from read_page(Log(LIBRARY, topic_of(room_id).tag, INBOX, caller), page))


def _show_message(caller: Caller, room_id: str, message_id: int) -> Steps[bytes]:
    tag = topic_of(room_id).tag
    message = yield LIBRARY.call("one", [tag], *who(caller), message_id)
    return bytes(message or (yield from show_past(tag, message_id)))


def _edit_message(caller: Caller, room_id: str, message_id: int, text: str) -> Steps[bytes]:
    """Give a message another text; its sender may. Returns it as JSON."""
    fullness.check()
    args = *who(caller), message_id, quoted(text), now_text()
    return bytes((yield from on_message(LIBRARY, "edit", topic_of(room_id).tag, message_id, *args)))


def _delete_message(caller: Caller, room_id: str, message_id: int) -> Steps[None]:
    """Take a message away; its sender may, and those to whom the table of rights gives it."""
    tag = topic_of(room_id).tag
    yield from sign(caller, tag)
    args = *who(caller), message_id, caller.signature
    (is_archived,) = yield from on_message(LIBRARY, "delete", tag, message_id, *args)
    if is_archived:
        yield from redact(tag, message_id)


def redact(tag: str, message_id: int) -> Steps[None]:
    """Take a message that was deleted out of the archive, before that is answered.

    Nobody is shown it from the moment its deletion was announced, and the follower does the same; so if the archive is
    away, it has it done when it is back.
    """
    with contextlib.suppress(Unavailable):
        yield Query(past.keeper.redact, (tag, message_id))


def _send_direct(caller: Caller, to: Person, text: str, retry_key: str | None = None) -> Steps[bytes]:
    """Send a direct message. Returns it as JSON, with its id in the sender's log. Acknowledged means in both logs.

    Raises `UserNotFound`, and leaves nothing behind, if the recipient's account is gone by now, and `Blocked`.
    """
    fullness.check()
    body = body_of(b'"to":' + quoted(to.username), text)
    retry = retry_arguments(retry_key, orjson.dumps([to.id, text]))
    send = partial(LIBRARY.call, "send", [user_tag(caller.id)], caller.id, caller.signature, to.id, body, *retry)
    done = yield from unless_blocked(caller, to, lambda: in_one_step(send()))
    message, is_there = yield from in_both_logs(caller, to, done)
    if not is_there:
        yield from retract(caller, to, fields_of(message)["id"], retry_key)
        raise UserNotFound(f"There is no user '{to.username}'.")
    return bytes(message)


def in_one_step(call: Call) -> Steps[Any]:
    return (yield call)


def unless_blocked(caller: Caller, to: Person, say: Callable[[], Steps[R]]) -> Steps[R]:
    """Say something to `to`. Raises `Blocked` if they block the caller.

    The caller's copy of the block refuses. If a crash left the copy there after the block had ended, it is put right.
    """
    try:
        return (yield from say())
    except errors.Blocked:
        number = int((yield LIBRARY.call("blocks", [user_tag(to.id)], caller.id)))
        if number > 0:
            raise
    yield from note_block(caller.id, to.id, number)
    return (yield from say())


def note_block(user_id: int, blocker_id: int, number: int) -> Steps[list[bytes]]:
    """Tell the end of who is blocked of a block, or with a minus of its end. Returns what waits for the blocker there.

    Raises `UserNotFound` if that account is gone.
    """
    is_there, *waiting = yield LIBRARY.call("note_block", [user_tag(user_id)], blocker_id, number)
    if not is_there:
        yield LIBRARY.call("forget_blocker", [user_tag(blocker_id)], user_id)
        raise UserNotFound
    return list(waiting)


def retract(caller: Caller, to: Person, message_id: int, retry_key: str | None) -> Steps[None]:
    sender = caller.id, caller.signature
    yield LIBRARY.call("retract", [user_tag(caller.id)], *sender, to.id, message_id, deleted_body(to), retry_key or "")


def deleted_body(to: Person) -> bytes:
    """What is told of a direct message that is no more."""
    return b'{"id":\x00,"to":' + quoted(to.username) + b"}"


def _edit_direct(caller: Caller, to: Person, message_id: int, text: str) -> Steps[bytes]:
    """Give a direct message that the caller sent another text, in both logs. Returns it as JSON, as `send` does."""
    fullness.check()
    edit = partial(in_own_log, "edit_direct", caller, to, message_id, quoted(text), now_text())
    done = yield from unless_blocked(caller, to, edit)
    message, _ = yield from in_both_logs(caller, to, done)
    return bytes(message)


def _delete_direct(caller: Caller, to: Person, message_id: int) -> Steps[None]:
    """Take a direct message that the caller sent out of both logs. Raises `MessageNotFound` if it is gone already."""
    done = yield from in_own_log("delete_direct", caller, to, message_id, deleted_body(to))
    was_there, is_archived = done[0]
    if is_archived:
        yield from redact(user_tag(caller.id), message_id)
    yield from in_both_logs(caller, to, done)
    if not was_there:
        raise errors.MessageNotFound


def in_own_log(function: str, caller: Caller, to: Person, message_id: int, *args: Argument) -> Steps[list[Any]]:
    """Change a message that the caller sent in their own log. Returns the function's reply, and what it left to do."""
    sender = caller.id, caller.signature, to.id, message_id
    done = yield from on_message(LIBRARY, function, user_tag(caller.id), message_id, *sender, *args, peer=to.id)
    return list(done)


def in_both_logs(caller: Caller, to: Person, done: list[Any]) -> Steps[tuple[Any, bool]]:
    """Deliver what a function left in the outbox for `to`. `done` is its reply, then what is to be delivered.

    Returns the reply, and whether the account of `to` was there to have it.
    """
    reply, waiting, others = done
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
    tag, sender, kept, state = user_tag(recipient), (quoted(to), caller.id, caller.signature), "", ASK_ARCHIVE
    while state == ASK_ARCHIVE:
        state, wanted, *deleted = yield LIBRARY.call("deliver", [tag], *sender, kept, *waiting)
        for message_id in deleted:
            yield from redact(tag, message_id)
        if state == ASK_ARCHIVE:
            kept = str((yield Query(past.keeper.copy_of, (tag, caller.id, wanted))) or 0)
    if state == BLOCKED:
        yield LIBRARY.call("note_block", [user_tag(caller.id)], recipient, wanted)
    left = yield LIBRARY.call("delivered", [user_tag(caller.id)], recipient, *waiting[0::4])
    return bool(state), left


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
    listed = INBOX if other is None else f"with:{other.id}"
    tag = user_tag(caller.id)
    found = yield from read_page(Log(LIBRARY, tag, listed, caller), page)
    yield from deliver_left_behind(caller, (yield LIBRARY.call("undelivered", [tag])))
    return found


def _forget_user(user_id: int) -> Steps[None]:
    """Remove what a deleted account had in its own log, and its blocks at both ends; what it sent stays with those who
    got it, unsigned."""
    done: list[bytes] = []
    while done := (yield LIBRARY.call("forget_blocks", [user_tag(user_id)], *done)):
        yield [LIBRARY.call("forget_blocker", [user_tag(int(other))], user_id) for other in done]
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
