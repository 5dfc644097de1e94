"""What the follower asks of the store: which topics were written to, what is in their logs, and whose turn it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from foyer.realtime.log import PRELUDE
from foyer.store.functions import in_one_call
from foyer.store.steps import Call, Library, Steps, operation
from messaging.operations import LUA as MESSAGES
from rooms.rights import IN_ROOMS

LIBRARY = Library("archive", PRELUDE, *IN_ROOMS, MESSAGES / "_messages.lua", Path(__file__).parent / "lua")
KEEPER = "{archive}"
AT_ONCE = 1000
"""Topics in one call."""
LOOKED_AT = 200
"""Topics whose logs are compared with what is archived, where many are to be copied."""


class Entry(NamedTuple):
    """An event as its log keeps it. Of a direct message `peer` is the other one, `origin` its offset in their log."""

    offset: int
    kind: str
    by: str
    body: bytes
    peer: int | None
    origin: int | None


class Part(NamedTuple):
    """What came after an offset in a log, and where the log stands.

    Up to `shared` the log is the same as in its `earlier` epoch. Up to `let_go` memory no longer has it. `gone` says
    that the topic is no more.
    """

    last: int
    epoch: str
    earlier: str
    shared: int
    let_go: int
    gone: bool
    entries: list[Entry]

    @classmethod
    def of(cls, reply: list[object]) -> Part:
        last, epoch, earlier, shared, let_go, gone, events = reply
        assert isinstance(events, list)
        entries = [
            Entry(
                offset, kind.decode(), by.decode(), body, int(peer) if peer else None, int(origin) if origin else None
            )
            for offset, kind, by, body, peer, origin in events
        ]
        return cls(last, epoch.decode(), earlier.decode(), shared, let_go, bool(gone), entries)  # type: ignore[arg-type, attr-defined]


def _note_written(tags: Sequence[str]) -> Steps[None]:
    """Say that topics were written to, so that the follower copies them."""
    if tags:
        yield LIBRARY.call("note", [KEEPER], *tags)


def _take_written(most: int, copied: Sequence[str] = (), *, more: bool = True) -> Steps[list[str]]:
    """Up to `most` topics that are to be copied. They are given again until they are said to be `copied`.

    Once all that were taken are copied, those that were written to meanwhile are taken, if `more` says so.
    """
    tags = yield LIBRARY.call("take", [KEEPER], most, int(more), *copied)
    return [tag.decode() for tag in tags]


def _hold_lease(name: str, milliseconds: int) -> Steps[bool]:
    """Be the follower that is at work for so long, if no other is; 0 leaves it to others."""
    return bool((yield LIBRARY.call("hold", [KEEPER], name, milliseconds)))


def _store_name(new: str) -> Steps[str]:
    """The name of the store: `new` if it had none and that is not ''."""
    return bytes((yield LIBRARY.call("name", [KEEPER], new))).decode()


class Progress(NamedTuple):
    """How far the follower got.

    `holder` is the one that is at work, '' for none; `follower` told last, `silent` seconds ago. `archived` and
    `trimmed` are events, since the archive began: copied, and let go of by the store. `topics` wait to be copied, the
    first of them for `seconds`; of them `events` are not archived, which is an estimate where they are many topics.
    """

    holder: str = ""
    follower: str = ""
    silent: float = 0.0
    archived: int = 0
    trimmed: int = 0
    topics: int = 0
    seconds: float = 0.0
    events: int = 0


def _see_progress() -> Steps[Progress]:
    """Says how far the follower got, also while none is at work."""
    holder, follower, silent, archived, trimmed, topics, waited, tags = yield LIBRARY.call(
        "progress", [KEEPER], LOOKED_AT
    )
    groups = list(in_one_call([tag.decode() for tag in tags]))
    counts = (yield [LIBRARY.call("behind", group) for group in groups]) if groups else []
    events = round(sum(counts) * topics / len(tags)) if tags else 0
    return Progress(holder.decode(), follower.decode(), silent / 1000, archived, trimmed, topics, waited / 1000, events)


def _tell_progress(name: str, archived: int, trimmed: int) -> Steps[None]:
    """The follower `name` copied so many events since it last told, and the store let go of so many."""
    yield LIBRARY.call("tell", [KEEPER], name, archived, trimmed)


def let_go_call(tag: str, archived: int, epoch: str, hot: int) -> Call:
    """Let go of what the archive has of a log, but for the newest `hot` events."""
    return LIBRARY.call("let_go", [tag], archived, epoch, hot)


def lift_call(tag: str, epoch: str, last: int, archived: int) -> Call:
    """Have a log that ends at `last`, restored from a back-up, go on where the archive ends."""
    return LIBRARY.call("lift", [tag], epoch, last, archived)


def part_call(tag: str, epoch: str, shared: int) -> Call:
    """Begin a new epoch: the log and the archive have nothing in common after `shared`."""
    return LIBRARY.call("part", [tag], epoch, shared)


def terms_call(tag: str) -> Call:
    """For how many days a topic keeps its events, and the epoch of its log."""
    return LIBRARY.call("terms", [tag])


def expire_call(tag: str, upto: int, epoch: str) -> Call:
    """Have what lies up to an offset gone for good."""
    return LIBRARY.call("expire", [tag], upto, epoch)


def copy_call(tag: str, after: int, epoch: str, most: int) -> Call:
    return LIBRARY.call("copy", [tag], after, epoch, most)


note_written, anote_written = operation(_note_written)
take_written, atake_written = operation(_take_written)
hold_lease, ahold_lease = operation(_hold_lease)
store_name, astore_name = operation(_store_name)
see_progress, asee_progress = operation(_see_progress)
tell_progress, atell_progress = operation(_tell_progress)
