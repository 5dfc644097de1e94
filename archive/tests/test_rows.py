"""What a log keeps comes back from SQL byte for byte, and takes little room there."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.operations import Entry
from archive.rows import Row, body_of, current_body, edit_of, redacted, row_of
from archive.topics import number_of, tag_of
from messaging.operations import body_of as message_body

ROOM = number_of("{room:12}") or 0
BEN = number_of("{user:5}") or 0
NOW = 1_700_000_000_000
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


def row(kind: str, body: bytes, topic: int = ROOM, peer: int | None = None) -> Row:
    return row_of(topic, Entry(7, kind, "5", body, peer, None), NOW)


@pytest.mark.parametrize("tag", ["{room:12}", "{room:lobby}", "{user:12}", "{user:9999999999999999}", "{tables}"])
def test_a_topic_has_a_number_that_leads_back_to_it(tag: str) -> None:
    number = number_of(tag)
    assert number is not None
    assert number < 2**63
    assert tag_of(number) == tag


@pytest.mark.parametrize("tag", ["{online}", "{room:lobby}:guests", "{room:012}", "{rooms}", "{archive}"])
def test_other_keys_are_not_archived(tag: str) -> None:
    assert number_of(tag) is None


@given(texts)
def test_a_message_of_a_room_is_its_text_its_time_and_nothing_else(text: str) -> None:
    body = b'"message":' + message_body(b'"roomId":"12"', text)
    kept = row("message", body)
    assert (kept.text, kept.body) == (text, None)
    assert body_of(kept) == current_body(kept) == body


@given(texts, texts)
def test_a_direct_message_keeps_whom_it_is_to(name: str, text: str) -> None:
    to = b'"to":' + orjson.dumps(name)
    body = b'"message":' + message_body(to, text)
    kept = row("direct_message", body, BEN, 9)
    assert (kept.text, kept.body, kept.peer) == (text, to.decode(), 9)
    assert body_of(kept) == body


@given(texts)
def test_a_message_of_another_form_is_kept_whole_and_its_text_is_found(text: str) -> None:
    body = b'"message":{"id":\0,"roomId":"12","sender":\1,"mood":"good","text":%b,"sent_at":"soon","edited_at":null}'
    body %= orjson.dumps(text)
    kept = row("message", body)
    assert kept.text == text
    assert body_of(kept) == body


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("member_added", b'"username":\x025\x03,"by":\x029\x03'),
        ("room_updated", b'"room":{"roomId":"12","name":"a\\"text\\":","owner":\x025\x03},"by":\x025\x03'),
        ("message_deleted", b'"message":{"id":17,"roomId":"12"},"by":\x025\x03'),
        ("message", b'"message":{"id":\0}'),
    ],
)
def test_every_other_event_comes_back_as_it_was(kind: str, body: bytes) -> None:
    assert body_of(row(kind, body)) == body


def test_an_edited_message_is_read_with_its_new_text_and_replayed_with_its_old_one() -> None:
    body = b'"message":' + message_body(b'"roomId":"12"', "one")
    kept = row("message", body)
    kept = kept._replace(text="two", was="one", edited_at=NOW)
    assert body_of(kept) == body
    now = current_body(kept)
    assert b'"text":"two"' in now
    assert now.endswith(b'"edited_at":"2023-11-14T22:13:20.000Z"}')


def test_what_was_deleted_has_no_text_left() -> None:
    body = b'"message":' + message_body(b'"roomId":"12"', "secret")
    kept = redacted(row("message", body)._replace(was="secret too", edited_at=NOW))
    assert b"secret" not in repr(kept).encode()
    assert body_of(kept) == body.replace(b'"secret"', b'""')
    edit = b'"message":{"id":17,"roomId":"12","sender":\1,"text":"secret","sent_at":"x","edited_at":"%b"}'
    edit %= b"2026-03-04T09:16:14.609Z"
    told = row("message_edited", edit)
    found = edit_of(told)
    assert found is not None
    assert (found.message, found.text, found.at) == (17, "secret", 1_772_615_774_609)
    assert edit_of(redacted(told)) is None
    assert body_of(redacted(told)) == edit.replace(b'"secret"', b'""')
