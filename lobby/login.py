"""Who is signed in on a socket of `/lobby_api`: nobody at first, then whoever proved a password last.

A login is not a session: it has no token, and it ends with the socket, or when the account's sessions are ended. The
socket stays open then, as it needs no login to read. What a login may is asked of the account at every command that
asks for rights, so that nothing depends on the news of a change arriving in time.
"""

from __future__ import annotations

import time

from accounts.credentials import averify
from accounts.errors import TooManySignIns
from accounts.models import Account
from accounts.sessions import ais_admin_now
from foyer.realtime.connection import EVENTS, Connection

AT_ONCE = 10
"""Logins that one socket may try at once …"""
AGAIN_AFTER = 3.0
"""… and seconds after which it may try one more."""


class Login(Connection):
    """Somebody who is signed in on a socket. To the hub it is a connection of his: one that reads no topic."""

    __slots__ = ("proven",)

    def __init__(self, account: Account) -> None:
        super().__init__(EVENTS, account.caller, lambda code, reason: None)
        self.proven = account.standing

    async def is_admin(self) -> bool:
        """Whether he may do what admins may, at this moment. Raises `Unavailable`."""
        return not self.closing and await ais_admin_now(self.proven) and not self.closing


class Door:
    """Where the logins of one socket are tried, so many and no more; `address` is the client's."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.left = float(AT_ONCE)
        self.looked_at = time.monotonic()

    async def prove(self, username: str, password: str) -> Account:
        """The account, if the password is its own. Raises as `averify` does, and `TooManySignIns` for this socket."""
        now = time.monotonic()
        self.left = min(AT_ONCE, self.left + (now - self.looked_at) / AGAIN_AFTER)
        self.looked_at = now
        if self.left < 1:
            raise TooManySignIns
        self.left -= 1
        return await averify(username, password, self.address)
