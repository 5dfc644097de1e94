"""Retry keys of requests and frames."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from foyer.api.retry_keys import retry_key, retry_key_of
from foyer.errors import InvalidInput


def query(text: str, **headers: str) -> Request:
    return Request(RequestFactory().get(f"/rooms?{text}", headers=headers))


def test_a_retry_key_is_printable_and_short() -> None:
    assert retry_key(query("")) is None
    assert retry_key(query("", **{"Idempotency-Key": "a b~" + "k" * 251})) == "a b~" + "k" * 251
    for key in ("", "k" * 256, "kéy", "a\tb"):
        with pytest.raises(InvalidInput):
            retry_key(query("", **{"Idempotency-Key": key}))


def test_a_retry_key_of_a_frame_is_such_a_string() -> None:
    assert retry_key_of(None) is None
    assert retry_key_of("k" * 255) == "k" * 255
    for key in ("", "k" * 256, "kéy", "a\tb", 5, ["k"], True):
        with pytest.raises(InvalidInput):
            retry_key_of(key)
