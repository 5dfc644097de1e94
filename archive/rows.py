"""What an event of a log looks like in SQL, and how the log's own form is made of it again, byte for byte.

A log keeps an event as its type, its signer and a body: JSON text in which \\0 stands for the offset and \\1 for the
signer's name. SQL columns take no \\0, so \\4 stands for it there. The text of a message has a column of its own,
which is what search reads; \\5 stands for it in the body. An ordinary message of a room needs no body at all:
everything in it follows from the row.
"""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime
from typing import NamedTuple

import orjson

from archive.operations import Entry
from archive.topics import tag_of

MESSAGES = frozenset({"message", "direct_message"})
OFFSET, TEXT = "\4", "\5"

SENT = re.compile(rb'^("message":\{.*?"text":)("(?:[^"\\]|\\.)*")(,"sent_at":"([^"]*)".*)$', re.DOTALL)
"""A body with a text: what comes before it, the text as JSON, what comes after, and the time in that."""
PLAIN_HEAD = re.compile(rb'^"message":\{"id":\x00,("(?:roomId|to)":"(?:[^"\\]|\\.)*"),"sender":\x01,"text":$')
ABOUT = re.compile(rb'^"message":\{"id":([0-9]+)[,}]')
EDITED_AT = re.compile(rb'"edited_at":"([^"]*)"')


class Row(NamedTuple):
    """One event in SQL. Times are milliseconds since 1970.

    `text` is the text as it is now, '' once it was deleted; `was` the text as it was sent, if that is another.
    `message` is the id of the message that an edit or a deletion is about, `peer` the account id of the other one in
    what was said between two, `origin` the offset of what they said in their own log.
    """

    topic: int
    offset: int
    at: int
    kind: str
    signer: int | None
    body: str | None = None
    text: str | None = None
    was: str | None = None
    edited_at: int | None = None
    message: int | None = None
    peer: int | None = None
    origin: int | None = None

    @property
    def is_message(self) -> bool:
        return self.kind in MESSAGES


COLUMNS = tuple(name for name in Row._fields)


def milliseconds(time: str) -> int:
    """A time as clients see it, in milliseconds since 1970."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)


def as_text(moment: int) -> str:
    """Milliseconds since 1970 as clients see them."""
    seconds, rest = divmod(moment, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:-6]}.{rest:03}Z"


def row_of(topic: int, entry: Entry, now: int) -> Row:
    """An entry of a log as a row. `now` is its time where the body names none."""
    offset, kind, by, body, peer, origin = entry
    row = Row(topic, offset, now, kind, int(by) if by else None, stored(body), peer=peer, origin=origin)
    about = ABOUT.match(body)
    if kind not in MESSAGES:
        return row._replace(message=int(about[1])) if about else row
    found = SENT.match(body)
    if found is None:
        return row
    head, quoted, tail, time = found.groups()
    text = orjson.loads(quoted)
    try:
        at = milliseconds(time.decode())
    except ValueError:
        at = now
    row = row._replace(at=at, text=text, body=stored(head + TEXT.encode() + tail))
    plain = PLAIN_HEAD.match(head)
    if plain is not None:
        short = row._replace(body=None if plain[1] == room_of(topic) else plain[1].decode())
        if body_of(short) == body:
            return short
    return row if body_of(row) == body else row._replace(body=stored(body))


@functools.lru_cache
def room_of(topic: int) -> bytes:
    return b'"roomId":"%b"' % tag_of(topic)[1:-1].partition(":")[2].encode()


def stored(body: bytes) -> str:
    """A body as SQL keeps it."""
    return body.decode().replace("\0", OFFSET)


def template(row: Row) -> bytes:
    """The body of a row with `TEXT` in the place of its text."""
    if row.text is not None and (row.body is None or row.body[:3] != '"me'):
        where = room_of(row.topic) if row.body is None else row.body.encode()
        sent_at = as_text(row.at).encode()
        return (
            b'"message":{"id":\0,' + where + b',"sender":\1,"text":\5,"sent_at":"' + sent_at + b'","edited_at":null}'
        )  # fmt: skip
    return (row.body or "").replace(OFFSET, "\0").encode()


def body_of(row: Row) -> bytes:
    """The body that the log keeps for a row: of a message with the text that it was sent with."""
    body = template(row)
    text = row.text if row.was is None else row.was
    return body if text is None else body.replace(b"\5", orjson.dumps(text))


def current_body(row: Row) -> bytes:
    """The body of a message as it is now."""
    body = template(row)
    if row.edited_at is not None:
        head, _, _ = body.rpartition(b'"edited_at":')
        body = b'%b"edited_at":"%b"}' % (head, as_text(row.edited_at).encode())
    return body.replace(b"\5", orjson.dumps(row.text))


def redacted(row: Row) -> Row:
    """A row whose text was deleted."""
    if row.text is not None:
        return row._replace(text="", was=None, edited_at=None)
    found = SENT.match((row.body or "").encode())
    if found is None:
        return row
    head, _, tail, _ = found.groups()
    return row._replace(body=(head + b'""' + tail).decode())


class Edit(NamedTuple):
    """What an edit says: of which message, its new text, and when."""

    message: int
    text: str
    at: int


def edit_of(row: Row) -> Edit | None:
    """The edit that a row tells of; None if it is none, or its text was deleted."""
    if row.kind != "message_edited" or row.message is None:
        return None
    body = (row.body or "").encode()
    found = SENT.match(body)
    time = EDITED_AT.search(found[3]) if found else None
    if found is None or time is None or found[2] == b'""':
        return None
    return Edit(row.message, orjson.loads(found[2]), milliseconds(time[1].decode()))
