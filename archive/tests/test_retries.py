"""A retry key takes little memory, and gives the first answer again, whatever became of the message."""

from __future__ import annotations

from typing import Any

import pytest

from archive.follower import Follower
from archive.tests.kept import let_go
from foyer.errors import RetryKeyReused
from foyer.realtime.retries import fingerprint
from foyer.store.steps import client
from messaging.operations import (
    delete_direct,
    delete_message,
    edit_message,
    post_message,
    send_direct,
)
from messaging.tests.said import edit_direct, history, person, texts_of
from rooms.tests.invariants import create
from tests.people import ANN, BEN

TEXT = 'a "quoted" \x01 text","sent_at":"'
TAGS = ("{room:1}", "{user:1}", "{user:2}")


def say(text: str = TEXT, key: str = "k-1") -> list[bytes]:
    """The answers to a post and to a direct message with one retry key."""
    return [post_message(BEN, "1", text, key), send_direct(ANN, person(BEN), text, key)]


def edit() -> None:
    edit_message(BEN, "1", 1, "another")
    edit_direct(ANN, BEN, 1, "another")


def delete() -> None:
    delete_message(BEN, "1", 1)
    delete_direct(ANN, person(BEN), 1)


def test_the_first_answer_is_given_again_after_whatever_happened(follower: Follower) -> None:
    create(BEN, "Kitchen")
    first = say()
    assert say() == first
    edit()
    assert say() == first
    let_go(follower, 0, *TAGS)
    assert say() == first
    delete()
    assert say() == first
    let_go(follower, 0, *TAGS)
    assert say() == first
    with pytest.raises(RetryKeyReused):
        post_message(BEN, "1", "x", "k-1")
    with pytest.raises(RetryKeyReused):
        send_direct(ANN, person(BEN), "x", "k-1")
    assert history(ANN) == []
    assert say(key="k-2")[0] != first[0]


def test_keys_of_several_users_are_apart() -> None:
    create(BEN, "Kitchen")
    post_message(BEN, "1", "text", "key")
    post_message(ANN, "1", "other", "key")
    assert texts_of(history(ANN)) == ["text", "other"]


def test_an_answer_that_a_release_before_this_one_kept_is_given_again() -> None:
    create(BEN, "Kitchen")
    kept = b'{"id":7,"roomId":"1","sender":"ben","text":"said once"}'
    record = fingerprint(b"said once").encode() + b" " + kept
    client().set("{room:1}:retry:2:old", record, ex=60)
    assert post_message(BEN, "1", "said once", "old") == kept
    with pytest.raises(RetryKeyReused):
        post_message(BEN, "1", "another text", "old")
    assert history(ANN) == []


def test_a_key_takes_less_than_a_hundred_bytes_and_has_no_text() -> None:
    create(BEN, "Kitchen")
    store: Any = client()
    say("a secret", "7d8ec8a5-6a05-4ba2-a0cf-0a5a1a2a7c59")
    keys = [key for tag in TAGS for key in store.scan_iter(f"{tag}:r:*")]
    assert len(keys) == 2
    for key in keys:
        assert 0 < store.ttl(key) <= 24 * 3600
        assert b"secret" not in store.get(key)
        assert store.memory_usage(key) <= 100
