from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foyer.text import is_blank, is_printable
from rooms.serializers import NewRoomSerializer, RoomChangeSerializer

GOOD_NAMES = [
    "general",
    " padded ",
    "Ünïcødé 💬",
    "x" * 100,
    "{room:1}",
    'quo"te\\',
    "a/b",
    "..",
    "👨\u200d👩\u200d👧 family",
    "می\u200cخواهم",
    "ശ്രീ\u200d",
    "ශ්\u200dරී",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "\U0001fae9 tired",
    "\U0001fa8a",
    "東京\u3000駅",
]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_a_name_is_kept_as_sent(name: str) -> None:
    for body in (NewRoomSerializer(data={"name": name}), RoomChangeSerializer(data={"name": name})):
        assert body.is_valid(), body.errors
        assert body.validated_data["name"] == name


BAD_NAMES = [
    "",
    " ",
    "\u2003",
    "x" * 101,
    "a\nb",
    "a\0b",
    "\x7f",
    "\u200b",
    "\u3164",
    "\ufe0f",
    "\u2800",
    "\ud800",
    "\ufffe",
    "a\U0010ffff",
    "a\x85b",
    5,
    None,
    True,
    ["x"],
    {},
]


@pytest.mark.parametrize("name", BAD_NAMES, ids=lambda name: repr(name)[:20])
def test_a_name_that_is_none_is_refused(name: Any) -> None:
    for body in (NewRoomSerializer(data={"name": name}), RoomChangeSerializer(data={"name": name})):
        assert not body.is_valid()
        assert list(body.errors) == ["name"]


@given(st.text())
def test_a_name_is_printable_or_refused(name: str) -> None:
    assert NewRoomSerializer(data={"name": name}).is_valid() == (
        is_printable(name) and not is_blank(name) and 1 <= len(name) <= 100
    )


def test_a_room_is_open_unless_it_says_otherwise() -> None:
    for sent, read in (({}, False), ({"members_only": True}, True), ({"members_only": False}, False)):
        body = NewRoomSerializer(data={"name": "x", **sent})
        assert body.is_valid()
        assert body.validated_data["members_only"] is read


@pytest.mark.parametrize("value", [0, 1, "true", "", None, [], {}])
def test_members_only_is_true_or_false(value: Any) -> None:
    for body in (
        NewRoomSerializer(data={"name": "x", "members_only": value}),
        RoomChangeSerializer(data={"members_only": value}),
    ):
        assert not body.is_valid()
        assert list(body.errors) == ["members_only"]


def test_a_change_changes_something() -> None:
    assert not RoomChangeSerializer(data={}).is_valid()
    assert not RoomChangeSerializer(data={"owner": "me"}).is_valid()
    assert RoomChangeSerializer(data={"members_only": False}).is_valid()
