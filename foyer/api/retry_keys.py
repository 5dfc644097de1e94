"""Retry keys: what a client sends along with a creation so that asking again is safe."""

from __future__ import annotations

from typing import Any

from foyer.errors import InvalidInput

LONGEST_KEY = 255


def retry_key_of(value: Any) -> str | None:
    """The retry key in a frame's `client_id`; None where there is none. Raises `InvalidInput`."""
    if value is None:
        return None
    if not (isinstance(value, str) and 0 < len(value) <= LONGEST_KEY and value.isascii() and value.isprintable()):
        raise InvalidInput({"client_id": ["A string of 1-255 printable ASCII characters is expected."]})
    return value
