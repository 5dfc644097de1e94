"""Creations that may be asked for twice: the same retry key and request answer as the first time and create nothing."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

from django.conf import settings

from config.redis import Steps
from realtime.log import LIBRARY


def remembered_creation(
    tag: str, kind: str, retry_key: str | None, request: bytes, create: Callable[[str], Steps[bytes]]
) -> Steps[bytes]:
    """Run `create(token)`, or answer as an earlier attempt with the same retry key did.

    `tag` is that of the user (or address) who asks, `kind` says what is created, `request` is what must not differ.
    `create` returns the answer as bytes and recognises by the token what an attempt that was cut short left behind.
    Raises `RetryKeyReused` when the key came with another request. Remembered for `RETRY_KEY_LIFETIME`.
    """
    token = secrets.token_urlsafe(12)
    if retry_key is None:
        return (yield from create(token))
    lifetime = int(settings.RETRY_KEY_LIFETIME.total_seconds())
    first, answer = yield LIBRARY.call("begin_retry", [tag], kind, retry_key, fingerprint(request), token, lifetime)
    if answer:
        return bytes(answer)
    result = yield from create(first.decode())
    yield LIBRARY.call("finish_retry", [tag], kind, retry_key, result)
    return result


def fingerprint(request: bytes) -> str:
    """What tells one request from another."""
    return hashlib.sha256(request).hexdigest()[:32]
