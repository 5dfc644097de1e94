"""Retry keys: a client sends one with a creation, so that it can safely ask again."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.utils.crypto import salted_hmac
from rest_framework.request import Request

from foyer.errors import InvalidInput

LONGEST_KEY = 255


class RetryKey(NamedTuple):
    """A retry key and its sender: the id of an account or, if nobody is signed in, an address."""

    sender: int | str
    key: str

    def digest(self) -> str:
        """A hash of key and sender. Neither can be read from it."""
        return salted_hmac("foyer.retry", f"{self.sender}\n{self.key}", algorithm="sha256").hexdigest()


def retry_key(request: Request) -> str | None:
    """The `Idempotency-Key` header; None where there is none. Raises `InvalidInput`."""
    key: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and not is_retry_key(key):
        raise InvalidInput({"Idempotency-Key": [f"1 to {LONGEST_KEY} printable ASCII characters are expected."]})
    return key


def retry_key_of(value: Any) -> str | None:
    """The retry key in a frame's `client_id`; None where there is none. Raises `InvalidInput`."""
    if value is not None and not (isinstance(value, str) and is_retry_key(value)):
        raise InvalidInput({"client_id": [f"A string of 1-{LONGEST_KEY} printable ASCII characters is expected."]})
    return value


def is_retry_key(text: str) -> bool:
    return 0 < len(text) <= LONGEST_KEY and text.isascii() and text.isprintable()
