from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foyer.errors import InvalidInput
from messaging.serializers import MessageInputSerializer, check_post
from messaging.tests.said import texts


@given(texts)
def test_a_text_is_kept_exactly(text: str) -> None:
    body = MessageInputSerializer(data={"text": text})
    assert body.is_valid(), body.errors
    assert body.validated_data == {"text": text}
    assert check_post({"text": text, "client_id": "k"}) == (text, "k")


BAD_TEXTS = [
    "",
    " ",
    "\n\t\u2003",
    "\u200b",
    "\ufe0f \u3164",
    "\u2800",
    "\x01",
    "x" * 4097,
    "a\0b",
    5,
    True,
    None,
    ["x"],
    {"a": 1},
    1.5,
]


@pytest.mark.parametrize("text", BAD_TEXTS, ids=lambda text: repr(text)[:20])
def test_a_text_that_is_none_is_refused_alike_in_bodies_and_frames(text: Any) -> None:
    body = MessageInputSerializer(data={"text": text})
    assert not body.is_valid()
    with pytest.raises(InvalidInput) as refused:
        check_post({"text": text})
    assert refused.value.fields == body.errors
    assert list(refused.value.fields) == ["text"]


def test_a_missing_text_is_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        check_post({"type": "post"})
    assert refused.value.fields == {"text": ["This field is required."]}


@pytest.mark.parametrize("key", ["", "k" * 256, 5, True, ["k"], {}, "a\nb", "a\0"], ids=repr)
def test_a_client_id_is_printable_and_short(key: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_post({"text": "hi", "client_id": key})
    assert list(refused.value.fields) == ["client_id"]


def test_a_client_id_may_be_left_out() -> None:
    assert check_post({"text": "hi"}) == check_post({"text": "hi", "client_id": None}) == ("hi", None)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["text", "client_id", "id", "type"]), junk))
def test_any_frame_is_a_post_or_is_refused(frame: dict[str, Any]) -> None:
    try:
        text, _ = check_post(frame)
    except InvalidInput:
        return
    assert MessageInputSerializer(data={"text": text}).is_valid()
