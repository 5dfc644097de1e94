"""Retry keys: what a client sends along with a creation so that asking again is safe."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.utils.crypto import salted_hmac

from foyer.errors import InvalidInput

LONGEST_KEY = 255


class RetryKey(NamedTuple):
    """A retry key, and who sent it: the id of an account or, where nobody is signed in, an address."""

    sender: int | str
    key: str

    def digest(self) -> str:
        """The same for the same key of the same sender; tells neither."""
        return salted_hmac("foyer.retry", f"{self.sender}\n{self.key}", algorithm="sha256").hexdigest()


def retry_key_of(value: Any) -> str | None:
    """The retry key in a frame's `client_id`; None where there is none. Raises `InvalidInput`."""
    if value is None:
        return None
    if not (isinstance(value, str) and 0 < len(value) <= LONGEST_KEY and value.isascii() and value.isprintable()):
        raise InvalidInput({"client_id": ["A string of 1-255 printable ASCII characters is expected."]})
    return value
