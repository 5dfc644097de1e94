"""What the tests of this package look at: messages as they are told, in history and in the logs."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import strategies as st

from accounts.callers import Caller
from accounts.people import Person
from foyer.api.wire import fields_of
from foyer.paging import Page
from foyer.realtime.log import read_log
from foyer.realtime.topics import Topic, room_topic, user_topic
from foyer.text import is_blank
from messaging import operations
from messaging.operations import post_message, read_direct, read_history, send_direct

letters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
texts = (
    st.text(letters, min_size=1, max_size=40)
    | st.builds(lambda text, times: (text * times)[:4096], st.text(letters, min_size=1, max_size=5), st.just(4096))
    | st.sampled_from(
        ['"text":"', '\\","sent_at":"', "a\x01\x02", "%0%1", '{"id":\x01}', "\u2028\n\r\t", "💬" * 4096, "\\"]
    )
).filter(lambda text: not is_blank(text))
"""Texts that a message may have, those among them that its storage could trip over."""

NEWEST = Page()


def person(caller: Caller) -> Person:
    return Person(caller.id, caller.username)


def post(caller: Caller, text: str, retry_key: str | None = None, room_id: str = "1") -> dict[str, Any]:
    return fields_of(post_message(caller, room_id, text, retry_key))


def send(caller: Caller, to: Caller, text: str, retry_key: str | None = None) -> dict[str, Any]:
    return fields_of(send_direct(caller, person(to), text, retry_key))


def edit_direct(caller: Caller, to: Caller, message_id: int, text: str) -> dict[str, Any]:
    return fields_of(operations.edit_direct(caller, person(to), message_id, text))


def history(caller: Caller, asked: Page = NEWEST, room_id: str = "1") -> list[dict[str, Any]]:
    return [fields_of(message) for message in read_history(caller, room_id, asked).messages]


def conversation(caller: Caller, other: Caller, asked: Page = NEWEST) -> list[dict[str, Any]]:
    return [fields_of(message) for message in read_direct(caller, person(other), asked).messages]


def inbox(caller: Caller, asked: Page = NEWEST) -> list[dict[str, Any]]:
    return [fields_of(message) for message in read_direct(caller, None, asked).messages]


def texts_of(messages: list[dict[str, Any]]) -> list[str]:
    return [message["text"] for message in messages]


def events(topic: Topic) -> list[dict[str, Any]]:
    """What somebody hears who resumes from the beginning."""
    told: list[dict[str, Any]] = []
    while True:
        stretch = read_log(topic, len(told), 10_000)
        assert stretch.whole
        told += [orjson.loads(event.json) for event in stretch.events]
        if len(told) >= stretch.head.offset:
            break
    assert [event["offset"] for event in told] == list(range(1, len(told) + 1))
    return told


def room_events(room_id: str = "1") -> list[dict[str, Any]]:
    return events(room_topic(room_id))


def user_events(caller: Caller) -> list[dict[str, Any]]:
    return events(user_topic(caller.id, caller.username))
