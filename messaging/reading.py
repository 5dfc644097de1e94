"""Operations on what people read and are about to write: read markers, unread messages, and who is typing.

They are operations like those in `operations.py`, and may name keys; they are apart because they change no message.

A marker is the offset up to which a user has read a room's log or, of what was said between two, their own log. It
never goes back. What is unread is the distance from it to the last message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from accounts.callers import Caller, who
from accounts.operations import user_tag
from accounts.people import Person
from foyer.api.wire import quoted
from foyer.errors import UnknownCursor
from foyer.realtime.topics import Topic, user_topic
from foyer.store.steps import Steps, operation
from messaging.operations import INBOX, LIBRARY
from rooms.errors import RoomNotFound
from rooms.operations import topic_of

PLACES_AT_ONCE = 500


class Place(NamedTuple):
    """What somebody reads: a log, which of its messages, by what name the marker goes, and how clients are told."""

    topic: Topic
    listed: str
    mark: str
    told: bytes


def in_room(room_id: str) -> Place:
    return Place(topic_of(room_id), INBOX, f"room:{room_id}", b'"room":' + quoted(room_id))


def between(caller: Caller, other: Person) -> Place:
    own = user_topic(caller.id, caller.username)
    return Place(own, f"with:{other.id}", f"with:{other.id}", b'"user":' + quoted(other.username))


def _mark_read(caller: Caller, place: Place, offset: int) -> Steps[bytes]:
    """Note that the caller has read up to `offset`. Returns where he stands, as JSON.

    Raises `RoomNotFound`, `UnknownCursor` for an offset that the log has not reached.
    """
    found = yield LIBRARY.call("latest", [place.topic.tag], *who(caller), place.listed)
    if not found:
        raise RoomNotFound
    head, last, _ = found
    if offset > head:
        raise UnknownCursor
    body = b'%b,"read":%d' % (place.told, offset)
    read = yield LIBRARY.call("mark_read", [user_tag(caller.id)], caller.signature, place.mark, offset, body)
    return b'{%b,"read":%d,"unread":%d}' % (place.told, read, max(last - read, 0))


def _summaries(caller: Caller, room_ids: Sequence[str]) -> Steps[list[bytes]]:
    """For each of some rooms its last message and what of it is unread, as members of a JSON object."""
    told: list[bytes] = []
    for start in range(0, len(room_ids), PLACES_AT_ONCE):
        places = [in_room(room_id) for room_id in room_ids[start : start + PLACES_AT_ONCE]]
        read, *found = yield [
            LIBRARY.call("marks", [user_tag(caller.id)], *(place.mark for place in places)),
            *(LIBRARY.call("latest", [place.topic.tag], *who(caller), place.listed) for place in places),
        ]
        for mark, latest in zip(read, found, strict=True):
            _, last, message = latest or (0, 0, b"")
            told.append(b'"unread":%d,"last_message":%b' % (max(last - mark, 0), message or b"null"))
    return told


def _tell_typing(caller: Caller, topic: Topic) -> Steps[None]:
    """Tell those who read a topic that the caller is writing. Raises `RoomNotFound`."""
    yield LIBRARY.call("typing", [topic.tag], *who(caller), caller.signature, topic.quoted)


mark_read, amark_read = operation(_mark_read)
summaries, asummaries = operation(_summaries)
tell_typing, atell_typing = operation(_tell_typing)
