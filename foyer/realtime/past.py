"""What lies before the store's memory: an app may keep it, and answers for it here.

The store keeps the newest events of a topic. Where a log begins later than somebody reads, a stored function says up to
which offset it was let go of, and the operation asks the keeper of the past for the rest. Keepers block; an operation
yields a `Query`, so that no event loop waits.

What a keeper gives is completed by the store (`complete.lua`): names of signers are known there alone, and so are edits
and deletions that the keeper may not have heard of yet.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

SIGNER = re.compile(rb"\x02(\d+)\x03")
TEXT = re.compile(rb'"text":"(?:[^"\\]|\\.)*"')


class Kept(NamedTuple):
    """An event of the past in the form of logs: \\0 in the body stands for its offset, \\1 for the signer's name.

    `by` is the signer's account id or ''. `message` is the id of the message whose text it has, if any. `peer` is,
    of a direct message, the account id of the other one.
    """

    offset: int
    kind: str
    by: str
    body: bytes
    message: int | None = None
    peer: int | None = None


class Wanted(NamedTuple):
    """Which messages of a topic are wanted: with offsets after `after` and before `before`, at most `most` of them.

    The first of them, or with `newest` the last; either way oldest first. `peer` is the account id of the other one for
    what was said between two; `received_by` an account id for what others, or they themselves, sent to it; `sender` one
    for what that account sent.
    """

    after: int
    before: int
    most: int
    newest: bool
    peer: int | None = None
    received_by: int | None = None
    sender: int | None = None


class Keeper(Protocol):
    """Whoever has what the store let go of. Every method may raise `Unavailable`; all may be called from any thread."""

    def events(self, tag: str, after: int, upto: int, most: int) -> list[Kept]:
        """The first events with offsets after `after` and up to `upto`, in order."""

    def messages(self, tag: str, wanted: Wanted) -> list[Kept]:
        """Messages as they are now: the body is that of the message alone. Deleted ones are left out."""

    def message(self, tag: str, offset: int) -> Kept | None:
        """One message as it is now; None if there is none, or it was deleted."""

    def latest(self, wanted: Sequence[tuple[str, Wanted]]) -> list[Kept | None]:
        """Of each of some topics the last message that is wanted, as it is now."""

    def ids_of_others(self, wanted: Sequence[tuple[str, Wanted]], user: int) -> list[list[int]]:
        """Of each of some topics the ids of messages that are wanted and were sent by others than a user."""

    def copy_of(self, tag: str, sender: int, offset: int) -> int | None:
        """Where a user's log has the message that is at an offset in its sender's. None if it was deleted."""

    def redact(self, tag: str, offset: int) -> None:
        """Take the text of a message out, wherever it is kept. May be repeated."""

    def forget(self, tag: str) -> None:
        """The topic is no more. May be repeated."""


class Nothing:
    """Where no app keeps the past there is none."""

    def events(self, tag: str, after: int, upto: int, most: int) -> list[Kept]:
        return []

    def messages(self, tag: str, wanted: Wanted) -> list[Kept]:
        return []

    def message(self, tag: str, offset: int) -> Kept | None:
        return None

    def latest(self, wanted: Sequence[tuple[str, Wanted]]) -> list[Kept | None]:
        return [None for _ in wanted]

    def ids_of_others(self, wanted: Sequence[tuple[str, Wanted]], user: int) -> list[list[int]]:
        return [[] for _ in wanted]

    def copy_of(self, tag: str, sender: int, offset: int) -> int | None:
        return None

    def redact(self, tag: str, offset: int) -> None:
        pass

    def forget(self, tag: str) -> None:
        pass


keeper: Keeper = Nothing()


def kept_by(new: Keeper) -> None:
    """Make `new` the keeper of the past."""
    global keeper
    keeper = new


def signers_of(events: Sequence[Kept]) -> list[bytes]:
    """The account ids of all whose names stand in some events."""
    found = {event.by.encode() for event in events if event.by}
    for event in events:
        if b"\x02" in event.body:
            found.update(SIGNER.findall(event.body))
    return list(found)


def without_text(body: bytes) -> bytes:
    """A body with an empty text in the place of its own. No string in JSON has a quotation mark that it looks for."""
    return TEXT.sub(b'"text":""', body, count=1)


class Missing:
    """What the store knows about events of the past: names of signers, and changes to messages.

    A change is the message's body as it is now, or '' for one that was deleted.
    """

    def __init__(self, names: dict[bytes, bytes], changes: dict[int, bytes]) -> None:
        self.names = names
        self.changes = changes

    def name(self, signer: bytes) -> bytes:
        return self.names.get(signer, b"null")

    def fill(self, body: bytes, offset: int, by: str) -> bytes:
        """The JSON that a body stands for."""
        if b"\x02" in body:
            body = SIGNER.sub(lambda found: self.name(found[1]), body)
        return body.replace(b"\0", b"%d" % offset).replace(b"\1", self.name(by.encode()))

    def message(self, kept: Kept) -> bytes | None:
        """A message as JSON, as it is now; None if it was deleted."""
        body = self.changes.get(kept.offset, kept.body)
        return self.fill(body, kept.offset, kept.by) if body else None

    def announcement(self, kept: Kept, topic: bytes, epoch: str) -> bytes:
        """An event as processes announce it. `topic` is its name on the wire, as JSON."""
        body, kind = kept.body, kept.kind.encode()
        message = kept.offset if kept.message is None else kept.message
        change = self.changes.get(message)
        if change == b"":
            body = without_text(body)
        elif change is not None and message != kept.offset:  # an edit is read as the newest of its message
            body = b'"message":' + change.replace(b"\0", b"%d" % message)
        body = self.fill(body, kept.offset, kept.by)
        return b'%d %b %b\n{"type":"%b","topic":%b,"offset":%d,%b}' % (
            kept.offset, epoch.encode(), kind, kind, topic, kept.offset, body,
        )  # fmt: skip
