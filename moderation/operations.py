"""The audit of a room, and who sees its reports, in Redis.

What is done to keep order is noted by the stored functions that do it, in the same step, beside the log of the room:
so it is in the audit if and only if it was done, also while SQL is away. Accounts are noted by their ids there, so that
the name of one that is deleted goes from it as from the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson

from accounts.callers import Caller, who
from foyer.paging import Page
from foyer.realtime.log import PRELUDE
from foyer.realtime.topics import room_topic
from foyer.store.functions import in_one_call
from foyer.store.steps import Library, Steps, operation
from foyer.times import time_text
from rooms.operations import sign, topic_of
from rooms.rights import IN_ROOMS

LIBRARY = Library("moderation", PRELUDE, *IN_ROOMS, Path(__file__).parent / "lua")


def _read_audit(caller: Caller, room_id: str, page: Page) -> Steps[tuple[list[bytes], bool]]:
    """Entries of a room's audit as JSON, the newest first, and whether there are older ones.

    Raises `RoomNotFound`, `Banned`, `NotAModerator`, `UnknownCursor`.
    """
    cursors = ("" if place is None else place for place in (page.before, page.after))
    more, *found = yield LIBRARY.call("audit", [topic_of(room_id).tag], *who(caller), *cursors, page.limit)
    entries = [
        b'{"id":%d,"at":"%b",%b}' % (id, time_text(datetime.fromtimestamp(at / 1000, UTC)).encode(), told)
        for id, at, told in zip(found[0::3], found[1::3], found[2::3], strict=True)
    ]
    return entries, bool(more)


def _note_report(
    caller: Caller, room_id: str, sender: int | None, report: int, state: str, note: str | None
) -> Steps[None]:
    """Note in a room's audit that a report was closed. `sender` is the account that wrote the message.

    Raises `RoomNotFound`, `Banned`, `NotAModerator`, `Forbidden` for whoever wrote it.
    """
    tag = topic_of(room_id).tag
    yield from sign(caller, tag)
    about = (sender or "", report, state, orjson.dumps(note))
    yield LIBRARY.call("note_report", [tag], *who(caller), caller.signature, *about)


def _rooms_moderated(caller: Caller, room_ids: Sequence[str]) -> Steps[list[str]]:
    """Those of some rooms of which the caller sees the reports, as a moderator."""
    found = list[str]()
    for tags in in_one_call([room_topic(room_id).tag for room_id in room_ids]):
        flags = yield LIBRARY.call("moderated", tags, caller.id)
        found += [tag[6:-1] for tag, flag in zip(tags, flags, strict=True) if flag]
    return found


read_audit, aread_audit = operation(_read_audit)
note_report, anote_report = operation(_note_report)
rooms_moderated, arooms_moderated = operation(_rooms_moderated)
