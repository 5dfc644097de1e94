"""Sessions, the copies of accounts and the limits on guessing, in Redis.

A session is an entry among the user's keys, beside a copy of the account's name and rights. So checking a token costs
one call and no SQL. Removing the entry ends the token everywhere, with its sockets.

The copy is never older than the row. A change of the row replaces the copy by a hold first, and by a new copy
afterwards. While there is a hold, or no copy, the row itself is read.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.utils.crypto import salted_hmac

from accounts import errors as errors  # stored functions refuse by their codes
from accounts.callers import Caller
from accounts.suspension import Suspension
from accounts.tokens import Claims, write_token
from foyer.addresses import network_of
from foyer.errors import TooManyRequests
from foyer.realtime.connection import Identity
from foyer.realtime.log import PRELUDE
from foyer.store.steps import Library, Steps, operation

LUA = Path(__file__).parent / "lua"
LIBRARY = Library("accounts", PRELUDE, LUA)

MOST_SESSIONS = 50
"""Sessions of one account. When one more begins, the session with the least time left ends."""
STAYING = "stay-"
"""How the id of a session begins that lasts for `STAY_SIGNED_IN`."""
HOLD = 60_000
"""Milliseconds after which the hold of a change that was cut short ends by itself."""
REMEMBER_GONE = 30 * 24 * 3600 * 1000
"""Milliseconds for which a deleted account is known to be deleted."""


class Standing(NamedTuple):
    """The copied part of an account's row. `stamp` changes with the stored password, and does not reveal it."""

    id: int
    username: str
    is_admin: bool
    is_active: bool
    stamp: str
    suspension: Suspension | None = None

    @classmethod
    def of(
        cls,
        id: int,
        username: str,
        is_admin: bool,
        is_active: bool,
        encoded: str,
        suspended_at: datetime | None = None,
        suspended_until: datetime | None = None,
        suspension_reason: str = "",
    ) -> Standing:
        stamp = salted_hmac("foyer.stamp", encoded).hexdigest()[:20]
        suspension = Suspension.of(suspended_at, suspended_until, suspension_reason)
        return cls(id, username, is_admin, is_active, stamp, suspension)

    @property
    def copy(self) -> tuple[str, int, int, str, int, str]:
        until, why = (self.suspension.ends_at, self.suspension.sentence) if self.suspension else (0, "")
        return self.username, int(self.is_admin), int(self.is_active), self.stamp, until, why


class NewSession(NamedTuple):
    """A session that has just begun, and the token that is good for it. `expires_at` is a Unix time."""

    id: str
    token: str
    expires_at: int


class OpenSession(NamedTuple):
    """A session that somebody has. `expires_at` is a Unix time."""

    id: str
    expires_at: int

    @property
    def began_at(self) -> float:
        lasts = settings.STAY_SIGNED_IN if self.id.startswith(STAYING) else settings.SESSION_LIFETIME
        return self.expires_at - lasts.total_seconds()


def user_tag(user_id: int) -> str:
    """What all keys of a user have in common."""
    return f"{{user:{user_id}}}"


def copy_lifetime() -> int:
    """Milliseconds that a copy of a row is kept."""
    return int(settings.SESSION_LIFETIME.total_seconds() * 1000)


# Beginning and ending


def _start_session(standing: Standing, lifetime: timedelta | None = None) -> Steps[NewSession]:
    """Begin a session for an account whose password was just checked, for `SESSION_LIFETIME` unless another is given.

    Raises `AccountChanged` if the account is not as in `standing` any more, `AccountChanging`, `AccountGone`.
    """
    now = int(time.time())
    lasts = lifetime or settings.SESSION_LIFETIME
    session = (STAYING if lasts > settings.SESSION_LIFETIME else "") + secrets.token_urlsafe(12)
    claims = Claims(standing.id, session, now + int(lasts.total_seconds()))
    yield LIBRARY.call(
        "start_session",
        [user_tag(standing.id)],
        claims.session,
        claims.expires_at * 1000,
        MOST_SESSIONS,
        copy_lifetime(),
        *standing.copy,
    )
    return NewSession(claims.session, write_token(claims, now), claims.expires_at)


def _end_session(account_id: int, session: str) -> Steps[None]:
    yield LIBRARY.call("end_sessions", [user_tag(account_id)], session)


def _end_all_sessions(account_id: int) -> Steps[None]:
    yield LIBRARY.call("end_sessions", [user_tag(account_id)], "")


def _list_sessions(account_id: int) -> Steps[list[OpenSession]]:
    """The sessions that an account has, the latest to begin first; at most `MOST_SESSIONS`."""
    reply = yield LIBRARY.call("list_sessions", [user_tag(account_id)])
    found = [OpenSession(id.decode(), ends // 1000) for id, ends in zip(reply[0::2], reply[1::2], strict=True)]
    return sorted(found, key=lambda session: session.expires_at, reverse=True)


start_session, astart_session = operation(_start_session)
end_session, aend_session = operation(_end_session)
end_all_sessions, aend_all_sessions = operation(_end_all_sessions)
list_sessions, alist_sessions = operation(_list_sessions)

# Knowing who calls


def _ask(claims: Claims) -> Steps[Caller | None]:
    """The caller of a session; None if the row must be read. Raises `BadToken` if the session ended, `Suspended`."""
    reply = yield LIBRARY.call("authenticate", [user_tag(claims.account)], claims.session)
    if not reply:
        return None
    if len(reply) == 1:
        raise errors.Suspended(reply[0].decode())
    return Caller(claims.account, reply[0].decode(), reply[1] == b"1", claims.session, claims.expires_at)


def _ask_rights(proven: Standing) -> Steps[bool | None]:
    """Whether the account that signed in as `proven` is an admin now; None if the row must be read."""
    reply = yield LIBRARY.call("rights", [user_tag(proven.id)], proven.stamp)
    return None if reply < 0 else bool(reply)


def _check_sessions(callers: Sequence[Identity]) -> Steps[list[bool | None]]:
    """Which of `callers` are still signed in, in their order; None where only the row can tell."""
    replies = yield [
        LIBRARY.call("look", [user_tag(caller.id)], caller.session or "", getattr(caller, "stamp", ""))
        for caller in callers
    ]
    return [None if reply == -2 else reply == 1 for reply in replies]


def _is_gone(account_id: int) -> Steps[bool]:
    """Whether the deletion of the account has begun."""
    reply = yield LIBRARY.call("look", [user_tag(account_id)], "", "")
    return bool(reply == -1)


ask, aask = operation(_ask)
ask_rights, aask_rights = operation(_ask_rights)
check_sessions, acheck_sessions = operation(_check_sessions)
is_gone, ais_gone = operation(_is_gone)

# Changing the row


def _hold(account_id: int, *, end_all: bool) -> Steps[str]:
    """The step before a change of the row. Returns the change's token. Raises `AccountGone`."""
    change = secrets.token_urlsafe(12)
    yield LIBRARY.call("hold_account", [user_tag(account_id)], change, HOLD, int(end_all))
    return change


def _keep_copy(standing: Standing, change: str = "") -> Steps[None]:
    """The step after a change of the row; without `change`, what a reader of the row does."""
    yield LIBRARY.call("copy_account", [user_tag(standing.id)], change, copy_lifetime(), *standing.copy)


def _bury(account_id: int) -> Steps[None]:
    """The first step of deleting an account: its sessions end and nothing is written to its keys any more."""
    yield LIBRARY.call("bury_account", [user_tag(account_id)], REMEMBER_GONE)


hold, ahold = operation(_hold)
keep_copy, akeep_copy = operation(_keep_copy)
bury, abury = operation(_bury)

# Limits on guessing and on signing up

Limit = tuple[str, int]
"""What failures are counted for, and how many are allowed."""
HOUR = 3600 * 1000
"""Milliseconds."""


def counter(counted: str) -> str:
    """The key that failures or sign-ups are counted under. Nothing personal is in it."""
    digest = hashlib.blake2b(counted.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return f"{{signin:{digest}}}"


def _count_failures(limits: Sequence[Limit], window: int, *, add: bool) -> Steps[int]:
    """Milliseconds until one more may fail under all `limits`, 0 for now; with `add`, after noting that one failed.

    Failures of the last `window` milliseconds count.
    """
    waits = yield [LIBRARY.call("failures", [counter(what)], most, window, int(add)) for what, most in limits]
    return max(int(wait) for wait in waits)


def _count_sign_up(address: str) -> Steps[None]:
    """Count one who signs up from an address. Raises `TooManyRequests` if as many did within the last hour as may."""
    if not settings.SIGN_UPS_PER_HOUR:
        return
    bucket = counter(f"sign-up\n{network_of(address)}")
    wait = yield LIBRARY.call("count_sign_up", [bucket], settings.SIGN_UPS_PER_HOUR, HOUR)
    if wait:
        raise TooManyRequests("Too many accounts were made from your address.", retry_after=math.ceil(wait / 1000))


count_failures, acount_failures = operation(_count_failures)
count_sign_up, acount_sign_up = operation(_count_sign_up)
