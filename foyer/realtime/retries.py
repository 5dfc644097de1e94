"""Creations that may be asked for twice: the same retry key and request answer as the first time and create nothing."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

from django.conf import settings

from foyer.realtime.log import LIBRARY
from foyer.store.steps import Steps


class Attempt:
    """One attempt at a creation. With a retry key there may be earlier attempts, and others at the same time.

    `token` is the same for all attempts with one key; what is made keeps it, so that it is recognised. `place` is where
    an earlier attempt was about to make it, '' if none had come that far.
    """

    def __init__(self, record: tuple[str, str, str] | None, token: str, place: str = "") -> None:
        self.record = record
        self.token = token
        self.place = place

    def go_to(self, place: str) -> Steps[bool]:
        """Note where it is about to be made. False if another attempt went elsewhere meanwhile: `place` says where."""
        if self.record is not None and self.place != place:
            tag, kind, retry_key = self.record
            noted = yield LIBRARY.call("place_retry", [tag], kind, retry_key, self.place, place)
            self.place = noted.decode()
        return self.record is None or self.place == place


def remembered_creation(
    tag: str, kind: str, retry_key: str | None, request: bytes, create: Callable[[Attempt], Steps[bytes]]
) -> Steps[bytes]:
    """Run `create(attempt)`, or answer as an earlier attempt with the same retry key did.

    `tag` is that of the user (or address) who asks, `kind` says what is created, `request` is what must not differ.
    `create` returns the answer as bytes; it looks at the attempt's place for what an earlier one left there.
    Raises `RetryKeyReused` when the key came with another request. Remembered for `RETRY_KEY_LIFETIME`.
    """
    token = secrets.token_urlsafe(12)
    if retry_key is None:
        return (yield from create(Attempt(None, token)))
    lifetime = int(settings.RETRY_KEY_LIFETIME.total_seconds())
    first, answer, place = yield LIBRARY.call(
        "begin_retry", [tag], kind, retry_key, fingerprint(request), token, lifetime
    )
    if answer:
        return bytes(answer)
    result = yield from create(Attempt((tag, kind, retry_key), first.decode(), place.decode()))
    yield LIBRARY.call("finish_retry", [tag], kind, retry_key, result)
    return result


def fingerprint(request: bytes) -> str:
    """What tells one request from another."""
    return hashlib.sha256(request).hexdigest()[:32]
