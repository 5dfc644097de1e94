"""Who acts: somebody who has signed in, or code that runs in the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from foyer.api.wire import quoted


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever makes a request, on any face. `session` is None for a caller who signed in without a token.

    `expires_at` is a Unix time, `stamp` that of the password by which they signed in, without a session. What callers
    may is as it was when they signed in; a change of it ends their sessions.
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
"""The server itself, which may do everything, as the models do. Nobody's name is on what it does."""


class Somebody(Protocol):
    """What is needed to know of an account: `Account` has it, and `Caller`."""

    @property
    def pk(self) -> int: ...

    @property
    def username(self) -> str: ...


def trusted(account: Somebody) -> Caller:
    """The server acting in the name of `account`: it may do everything, and events say that it was that account.

    Raises `TypeError` for what is no stored account.
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
