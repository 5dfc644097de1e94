from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.serializers import NewRoom, RoomChange


@pytest.mark.parametrize("name", ["general", " padded ", "Ünïcødé 💬", "x" * 100, "{room:1}", 'quo"te\\', "a/b", ".."])
def test_a_name_is_kept_as_sent(name: str) -> None:
    for body in (NewRoom(data={"name": name}), RoomChange(data={"name": name})):
        assert body.is_valid(), body.errors
        assert body.validated_data["name"] == name


BAD_NAMES = ["", " ", "\u2003", "x" * 101, "a\nb", "a\0b", "\x7f", "\u200b", "\ud800", 5, None, True, ["x"], {}]


@pytest.mark.parametrize("name", BAD_NAMES, ids=lambda name: repr(name)[:20])
def test_a_name_that_is_none_is_refused(name: Any) -> None:
    for body in (NewRoom(data={"name": name}), RoomChange(data={"name": name})):
        assert not body.is_valid()
        assert list(body.errors) == ["name"]


@given(st.text())
def test_a_name_is_printable_or_refused(name: str) -> None:
    assert NewRoom(data={"name": name}).is_valid() == (
        name.isprintable() and bool(name.strip()) and 1 <= len(name) <= 100
    )


def test_a_room_is_open_unless_it_says_otherwise() -> None:
    for sent, read in (({}, False), ({"members_only": True}, True), ({"members_only": False}, False)):
        body = NewRoom(data={"name": "x", **sent})
        assert body.is_valid()
        assert body.validated_data["members_only"] is read


@pytest.mark.parametrize("value", [0, 1, "true", "", None, [], {}])
def test_members_only_is_true_or_false(value: Any) -> None:
    for body in (NewRoom(data={"name": "x", "members_only": value}), RoomChange(data={"members_only": value})):
        assert not body.is_valid()
        assert list(body.errors) == ["members_only"]


def test_a_change_changes_something() -> None:
    assert not RoomChange(data={}).is_valid()
    assert not RoomChange(data={"owner": "me"}).is_valid()
    assert RoomChange(data={"members_only": False}).is_valid()
