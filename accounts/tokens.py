"""Tokens: signed JWTs that name an account and a session. A forged or expired one is refused without asking anyone."""

from __future__ import annotations

import functools
import time
from typing import NamedTuple

import jwt
from django.utils.crypto import salted_hmac

from foyer.errors import BadToken

ALGORITHM = "HS256"
CLOCKS_APART = 10
"""Seconds by which the clock of the instance that signed a token may be ahead of ours. None are added to its end."""


class Claims(NamedTuple):
    """The content of a token. `expires_at` is a Unix time."""

    account: int
    session: str
    expires_at: int


@functools.cache
def signing_key() -> bytes:
    return salted_hmac("foyer.token", "signing key", algorithm="sha256").digest()


def write_token(claims: Claims, issued_at: int) -> str:
    content = {"sub": str(claims.account), "sid": claims.session, "iat": issued_at, "exp": claims.expires_at}
    return jwt.encode(content, signing_key(), ALGORITHM)


def read_token(token: str) -> Claims:
    """What `token` says. Raises `BadToken` unless we signed it and it has not expired."""
    try:
        content = jwt.decode(token, signing_key(), [ALGORITHM], leeway=CLOCKS_APART)
    except (jwt.InvalidTokenError, ValueError):
        raise BadToken from None
    if content["exp"] <= time.time():
        raise BadToken
    return Claims(int(content["sub"]), content["sid"], content["exp"])
