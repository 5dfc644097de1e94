from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foyer.api.wire import DEEPEST, decode, encode
from foyer.errors import MalformedJSON

text = st.text(st.characters(exclude_categories=["Cs"]))
numbers = (
    st.integers()
    | st.integers(min_value=-(10**400), max_value=10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    st.none() | st.booleans() | numbers | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_what_goes_in_comes_out(value: Any) -> None:
    for sent in (json.dumps(value).encode(), json.dumps(value, ensure_ascii=False).encode(), encode(value)):
        found = decode(sent)
        assert found == value
        assert repr(found) == repr(value)  # types, signs of zero and the order of keys too


@pytest.mark.parametrize("indent", [False, True])
def test_integers_of_any_length_are_kept(indent: bool) -> None:
    value = {"id": 2**64, "less": -(2**63) - 1, "long": 10**4000, "when": datetime(2026, 3, 4, 9, 16, 14, 609_999, UTC)}
    found = decode(encode(value, indent=indent))
    assert found == {**value, "when": "2026-03-04T09:16:14.609Z"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nothing",
        b'{"a": 1,}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\x00"}',
        b"\xef\xbb\xbf{}",
        b'{"a": 01}',
        "{}".encode("utf-16"),
        b'"' + b"a" * 1000,
    ],
)
@pytest.mark.parametrize("number", ["1", "1234567890123456789012"])
def test_what_is_not_json_is_refused_beside_numbers_of_any_length(body: bytes, number: str) -> None:
    with pytest.raises(MalformedJSON):
        decode(body)
    with pytest.raises(MalformedJSON):
        decode(b'{"n": ' + number.encode() + b', "x": ' + body + b"}")


@pytest.mark.parametrize(("open_", "close"), [(b"[", b"]"), (b'{"a":', b"}")])
@pytest.mark.parametrize("inner", [b"1", b"12345678901234567890123"])
def test_nesting_has_an_end(open_: bytes, close: bytes, inner: bytes) -> None:
    assert decode(open_ * DEEPEST + inner + close * DEEPEST)
    for depth in (DEEPEST + 1, 900, 10_000):
        with pytest.raises(MalformedJSON, match=r"nested|depth"):
            decode(open_ * depth + inner + close * depth)


def test_a_list_of_many_objects_is_not_deep() -> None:
    assert len(decode(b"[" + b",".join([b"{}"] * 500) + b"]")) == 500


def test_an_integer_too_long_to_be_read_is_refused() -> None:
    with pytest.raises(MalformedJSON):
        decode(b"1" * 5000)


def test_times_are_in_utc_with_milliseconds() -> None:
    moment = datetime(2026, 3, 4, 11, 16, 14, 9_000, timezone(timedelta(hours=2)))
    assert encode([moment]) == b'["2026-03-04T09:16:14.009Z"]'
