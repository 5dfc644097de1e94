"""Sessions, and who is calling.

A token is a signed JWT that names an account and a session; the session is an entry in Redis, at the user, beside a
copy of what the account is and may. So a forged or expired token is refused without asking anyone, a valid one costs
one call and no SQL, and ending the entry ends the token everywhere, with its sockets.

The copy is never older than the row: whoever changes the row puts a hold in its place before, and a new copy after.
While a hold stands, or a copy is missing, the row itself is asked.
"""

from __future__ import annotations

import functools
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import jwt
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils.crypto import salted_hmac

from foyer.errors import BadToken, Conflict, Forbidden, Unavailable
from foyer.realtime.connection import Identity
from foyer.realtime.log import PRELUDE
from foyer.store.steps import Library, Steps, operation

LUA = Path(__file__).parent / "lua"
LIBRARY = Library("accounts", PRELUDE, LUA / "account.lua", LUA)

ALGORITHM = "HS256"
MOST_SESSIONS = 50
"""Of one account; the oldest ends when one more begins."""
HOLD = 60_000
"""Milliseconds after which the hold of a change that was cut short ends by itself."""
REMEMBER_GONE = 30 * 24 * 3600 * 1000
"""Milliseconds for which a deleted account is known to be deleted."""


class AccountGone(Forbidden):
    code = "account_gone"
    detail = "The account was deleted."


class AccountChanging(Unavailable):
    code = "account_changing"
    detail = "The account is being changed at this moment. Try again shortly."


class AccountChanged(Conflict):
    """The password was checked against a row that is outdated by now. Sign-in begins anew on it."""

    code = "account_changed"
    detail = "The account was changed at the same time. Try again."


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever makes a request, on any face. `session` is None for one who signed in without a token.

    `expires_at` is a Unix time. What a caller may is as it was when he signed in; a change of it ends his sessions.
    """

    id: int
    username: str
    is_admin: bool
    session: str | None = None
    expires_at: float | None = None

    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False
    is_active: ClassVar[bool] = True

    @property
    def pk(self) -> int:
        return self.id

    @property
    def is_staff(self) -> bool:
        return self.is_admin

    @property
    def user_type(self) -> str:
        return "admin" if self.is_admin else "user"

    def __str__(self) -> str:
        return self.username


class Standing(NamedTuple):
    """What is copied of an account's row. `stamp` changes with the stored password, and says nothing about it."""

    id: int
    username: str
    is_admin: bool
    is_active: bool
    stamp: str

    @classmethod
    def of(cls, id: int, username: str, is_admin: bool, is_active: bool, encoded: str) -> Standing:
        return cls(id, username, is_admin, is_active, salted_hmac("foyer.stamp", encoded).hexdigest()[:20])

    @property
    def copy(self) -> tuple[str, int, int, str]:
        return self.username, int(self.is_admin), int(self.is_active), self.stamp


class Session(NamedTuple):
    """A session that has begun. `expires_at` is a Unix time."""

    token: str
    expires_at: int


class OpenSession(NamedTuple):
    """A session that somebody has. `expires_at` is a Unix time."""

    id: str
    expires_at: int


class Claims(NamedTuple):
    """What a token says."""

    account: int
    session: str
    expires_at: int


def tag(account_id: int) -> str:
    return f"{{user:{account_id}}}"


def lifetime() -> int:
    """Milliseconds that a session lasts."""
    return int(settings.SESSION_LIFETIME.total_seconds() * 1000)


@functools.cache
def signing_key() -> bytes:
    return salted_hmac("foyer.token", "signing key", algorithm="sha256").digest()


def write_token(claims: Claims, issued_at: int) -> str:
    content = {"sub": str(claims.account), "sid": claims.session, "iat": issued_at, "exp": claims.expires_at}
    return jwt.encode(content, signing_key(), ALGORITHM)


def read_token(token: str) -> Claims:
    """What `token` says. Raises `BadToken` unless we signed it and it has not expired."""
    try:
        content = jwt.decode(token, signing_key(), [ALGORITHM])
    except (jwt.InvalidTokenError, ValueError):
        raise BadToken from None
    return Claims(int(content["sub"]), content["sid"], content["exp"])


# Beginning and ending


def _start_session(standing: Standing) -> Steps[Session]:
    now = int(time.time())
    claims = Claims(standing.id, secrets.token_urlsafe(12), now + lifetime() // 1000)
    yield LIBRARY.call(
        "start_session",
        [tag(standing.id)],
        claims.session,
        claims.expires_at * 1000,
        MOST_SESSIONS,
        lifetime(),
        *standing.copy,
    )
    return Session(write_token(claims, now), claims.expires_at)


def _end_session(account_id: int, session: str) -> Steps[None]:
    yield LIBRARY.call("end_sessions", [tag(account_id)], session)


def _end_all_sessions(account_id: int) -> Steps[None]:
    yield LIBRARY.call("end_sessions", [tag(account_id)], "")


def _list_sessions(account_id: int) -> Steps[list[OpenSession]]:
    """The sessions that an account has, the latest to begin first; at most `MOST_SESSIONS`."""
    reply = yield LIBRARY.call("list_sessions", [tag(account_id)])
    found = [OpenSession(id.decode(), ends // 1000) for id, ends in zip(reply[0::2], reply[1::2], strict=True)]
    return sorted(found, key=lambda session: session.expires_at, reverse=True)


start_session, astart_session = operation(_start_session)
end_session, aend_session = operation(_end_session)
end_all_sessions, aend_all_sessions = operation(_end_all_sessions)
list_sessions, alist_sessions = operation(_list_sessions)

# Knowing who calls


def _ask(claims: Claims) -> Steps[Caller | None]:
    """Whose session it is; None where only the row can tell. Raises `BadToken` if it ended."""
    reply = yield LIBRARY.call("authenticate", [tag(claims.account)], claims.session)
    if not reply:
        return None
    return Caller(claims.account, reply[0].decode(), reply[1] == b"1", claims.session, claims.expires_at)


ask, aask = operation(_ask)


def authenticate(token: str) -> Caller:
    """Whose token it is. Raises `BadToken`; a forged or expired one is refused without asking Redis."""
    claims = read_token(token)
    return ask(claims) or ask_row(claims)


async def aauthenticate(token: str) -> Caller:
    """As `authenticate`, on the event loop."""
    claims = read_token(token)
    return await aask(claims) or await database_sync_to_async(ask_row)(claims)


def ask_row(claims: Claims) -> Caller:
    """As `ask`, of the row; and keep a copy of it for the next time."""
    standing = standing_by_row(claims.account)
    if standing is None or not standing.is_active:
        raise BadToken
    return Caller(standing.id, standing.username, standing.is_admin, claims.session, claims.expires_at)


def standing_by_row(account_id: int) -> Standing | None:
    """What the row of an account says, of which a copy is kept; None where there is no row."""
    rows = get_user_model()._default_manager.filter(pk=account_id)
    row = rows.values_list("id", "username", "is_staff", "is_active", "password").first()
    if row is None:
        return None
    standing = Standing.of(*row)
    keep_copy(standing)
    return standing


def _ask_rights(proven: Standing) -> Steps[bool | None]:
    reply = yield LIBRARY.call("rights", [tag(proven.id)], proven.stamp)
    return None if reply < 0 else bool(reply)


aask_rights = operation(_ask_rights)[1]


async def ais_admin_now(proven: Standing) -> bool:
    """Whether somebody who signed in as `proven`, without a token, may do what admins may, at this moment.

    No longer so when the account was deleted, disabled or demoted, or got another password. Raises `Unavailable`.
    """
    known = await aask_rights(proven)
    if known is None:
        found = await database_sync_to_async(standing_by_row)(proven.id)
        known = found is not None and found.is_active and found.is_admin and found.stamp == proven.stamp
    return known


def _check_sessions(callers: Sequence[Identity]) -> Steps[list[bool]]:
    """Which of `callers` are still signed in, in their order."""
    replies = yield [LIBRARY.call("look", [tag(caller.id)], caller.session or "") for caller in callers]
    return [reply == 1 for reply in replies]


def _is_gone(account_id: int) -> Steps[bool]:
    """Whether the deletion of the account has begun."""
    reply = yield LIBRARY.call("look", [tag(account_id)], "")
    return bool(reply == -1)


check_sessions, acheck_sessions = operation(_check_sessions)
is_gone = operation(_is_gone)[0]

# Changing the row


def _hold(account_id: int, *, end_all: bool) -> Steps[str]:
    """The step before a change of the row. Returns the change's token. Raises `AccountGone`."""
    change = secrets.token_urlsafe(12)
    yield LIBRARY.call("hold_account", [tag(account_id)], change, HOLD, int(end_all))
    return change


def _keep_copy(standing: Standing, change: str = "") -> Steps[None]:
    """The step after a change of the row; without `change`, what a reader of the row does."""
    yield LIBRARY.call("copy_account", [tag(standing.id)], change, lifetime(), *standing.copy)


def _bury(account_id: int) -> Steps[None]:
    """The first step of deleting an account: its sessions end and nothing is written to its keys any more."""
    yield LIBRARY.call("bury_account", [tag(account_id)], REMEMBER_GONE)


hold = operation(_hold)[0]
keep_copy = operation(_keep_copy)[0]
bury = operation(_bury)[0]
