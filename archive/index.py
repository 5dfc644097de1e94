"""What SQL keeps so that messages are found by their words: the terms of each (`words.py`).

- SQLite has a table of its own, `archive_search`, an FTS5 index of terms and topics without texts. What is taken out
  has to be said again, so it is taken out before its text changes. `archive_latest` says how ids and times go together.
- PostgreSQL has a GIN index over `archive_lexemes(text, words)`. It takes most terms from the text itself; the column
  `words` has those that it does not find there, such as words without their accents.

Guarantees: a message is kept under each of its terms, perhaps under some that it does not have. The index changes in
the transaction that changes the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from django.db import connections

from archive.router import ALIAS
from archive.rows import Row
from archive.words import LONGEST_TERM, is_run, parts_of, terms_of, terms_of_part

IS_MESSAGE = "kind IN ('message', 'direct_message') AND text <> ''"
RAW = re.compile(r"""[^ .,!?'"\-:/()@\n]+""")
"""What `archive_lexemes` takes for a word, in a text whose ASCII letters are small."""
SIMPLE = re.compile(r"""[A-Za-z0-9 .,!?'"\-:/()@\n]*""")
"""A text of which these words are the terms."""
LONGEST_RAW = 400
"""Characters of such a word, which may have 2,046 bytes in PostgreSQL."""
FIRST_OF_THREE_BYTES = "\u0800"
WITHOUT_TEXT, PAIRS, PLAIN = "=", "~", "+"
"""How `words` begins: it has all terms; the text has pairs of neighbours in it; or whole words."""


def is_postgresql() -> bool:
    return connections[ALIAS].vendor == "postgresql"


NOTE_EVERY = 200
"""Events."""


# PostgreSQL


def words_of(text: str | None) -> str | None:
    """The terms of a text that `archive_lexemes` does not find in the text itself; None for none."""
    if not text:
        return None
    small = text.lower() if text.isascii() else text.encode().lower().decode()
    raw = set(RAW.findall(small))
    is_short = max(map(len, raw), default=0) <= LONGEST_RAW
    if is_short and SIMPLE.fullmatch(text):
        return None
    parts = parts_of(text)
    terms = {term for part in parts for term in terms_of_part(part)}
    mode = PLAIN
    if any(len(part) > 1 and is_run(part) for part in parts):
        mode, raw = PAIRS, set(re.findall("[a-z0-9]+", small)) | pairs_in(text)
        is_short = max(map(len, raw), default=0) <= LONGEST_RAW
    if not is_short:
        return f"{WITHOUT_TEXT} {' '.join(sorted(terms))}"
    missing = sorted(term for term in terms if not is_among(term, raw))
    return f"{mode} {' '.join(missing)}" if missing or mode == PAIRS else None


def pairs_in(text: str) -> set[str]:
    return {one + next for one, next in pairwise(text) if min(one, next) >= FIRST_OF_THREE_BYTES}


def is_among(term: str, raw: set[str]) -> bool:
    """Whether a term is found among words; a long one is looked for as a beginning."""
    return term in raw or (len(term) == LONGEST_TERM and any(word.startswith(term) for word in raw))


# SQLite


def topic_term(topic: int) -> str:
    """The term that each message of a topic is kept under. Nothing that is taken from a text has this sign."""
    return f"@{topic}"


def document_of(topic: int, text: str) -> str:
    return " ".join([topic_term(topic), *sorted(terms_of(text))])


def last_id(cursor: Any) -> int:
    """The last id that was given to an event. None is given twice."""
    cursor.execute("SELECT (SELECT max(id) FROM archive_event), (SELECT max(id) FROM archive_latest)")
    return max(found or 0 for found in cursor.fetchone())


def note_latest(cursor: Any, last: int) -> None:
    """Note now and then the latest time of all events up to an id. Ids rise nearly as times do, and this says how
    nearly: a search that reads from the last id back knows when nothing newer can follow."""
    cursor.execute("SELECT id, at FROM archive_latest ORDER BY id DESC LIMIT 1")
    noted, at = cursor.fetchone() or (0, 0)
    if last - noted >= NOTE_EVERY:
        cursor.execute("SELECT max(at) FROM archive_event WHERE id > %s AND id <= %s", [noted, last])
        cursor.execute(
            "INSERT INTO archive_latest (id, at) VALUES (%s, %s)", [last, max(at, cursor.fetchone()[0] or 0)]
        )


def latest_before(cursor: Any, id: int) -> int | None:
    """A time that no event with a lower id is later than; None if there is none yet."""
    cursor.execute("SELECT at FROM archive_latest WHERE id >= %s ORDER BY id LIMIT 1", [id])
    found = cursor.fetchone()
    return found[0] if found else None


def put_in(cursor: Any, rows: Iterable[tuple[int, int, str]]) -> None:
    """Index messages of SQLite: id, topic and text of each."""
    cursor.executemany(
        "INSERT INTO archive_search (rowid, words) VALUES (%s, %s)",
        [(id, document_of(topic, text)) for id, topic, text in rows],
    )


# Both


def take_out(cursor: Any, condition: str, values: Sequence[Any]) -> None:
    """Before messages are changed or deleted for which a condition in SQL holds: take them out of the index."""
    if is_postgresql():
        return
    cursor.execute(f"SELECT id, topic, text FROM archive_event WHERE {condition} AND {IS_MESSAGE}", values)  # noqa: S608
    cursor.executemany(
        "INSERT INTO archive_search (archive_search, rowid, words) VALUES ('delete', %s, %s)",
        [(id, document_of(topic, text)) for id, topic, text in cursor.fetchall()],
    )


def put_back(cursor: Any, topic: int, offset: int, text: str) -> None:
    """After a message got another text, '' if it was deleted: index it by that."""
    if is_postgresql():
        words = words_of(text)
        cursor.execute(
            'UPDATE archive_event SET words = %s WHERE topic = %s AND "offset" = %s AND words IS DISTINCT FROM %s',
            [words, topic, offset, words],
        )
    elif text:
        cursor.execute(
            f'SELECT id, topic, text FROM archive_event WHERE topic = %s AND "offset" = %s AND {IS_MESSAGE}',  # noqa: S608
            [topic, offset],
        )
        put_in(cursor, cursor.fetchall())


def messages_among(rows: Iterable[Row], first_id: int) -> list[tuple[int, int, str]]:
    """Those of some rows that are indexed, as `put_in` takes them; they have ids from `first_id` on."""
    return [(id, row.topic, row.text) for id, row in enumerate(rows, first_id) if row.is_message and row.text]
