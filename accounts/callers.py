"""Callers: users who have signed in, or code that runs in the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from foyer.api.wire import quoted


@dataclass(frozen=True, slots=True)
class Caller:
    """The user who makes a request, over REST or on a socket. `session` is None for a sign-in without a token.

    `expires_at` is a Unix time. `stamp` is that of the password, for a sign-in without a session. Rights are those at
    sign-in; a change of rights ends the sessions.
    """

    id: int
    username: str
    is_admin: bool
    session: str | None = None
    expires_at: float | None = None
    stamp: str = ""

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

    @property
    def signature(self) -> bytes:
        """The name that events give for the caller, as JSON: null for the server itself."""
        return quoted(self.username) if self.id else b"null"

    def __str__(self) -> str:
        return self.username


SERVER = Caller(0, "", is_admin=True)
"""The server itself. It may do everything, as the models may. Its actions are in nobody's name."""


class Somebody(Protocol):
    """The id and name of an account: an `Account` or a `Caller`."""

    @property
    def pk(self) -> int: ...

    @property
    def username(self) -> str: ...


def trusted(account: Somebody) -> Caller:
    """The server acting in the name of `account`: it may do everything, and events say that it was that account.

    Raises `TypeError` for anything but a stored account.
    """
    if not (isinstance(getattr(account, "pk", None), int) and account.pk and hasattr(account, "username")):
        raise TypeError(f"A stored account is expected, not {account!r}.")
    return Caller(account.pk, account.username, is_admin=True)


def signed_by(account: Somebody | None) -> Caller:
    """The server, in the name of `account` if there is one."""
    return SERVER if account is None else trusted(account)


def who(caller: Caller) -> tuple[int, int]:
    """The caller as stored functions take them: account id, and 1 for an admin."""
    return caller.id, int(caller.is_admin)
