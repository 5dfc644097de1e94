"""Logins on a socket of `/lobby_api`: nobody at first, then the user who gave a right password last.

A login is not a session. It has no token, and it ends with the socket, or when the account's sessions are ended. The
socket stays open then, because reading needs no login. Rights are read from the account at every command that needs
them, so a change of rights counts at once.
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
    """A user who is signed in on a socket. For the hub it is a connection of the user that reads no topic."""

    __slots__ = ("proven",)

    def __init__(self, account: Account) -> None:
        super().__init__(EVENTS, account.caller, lambda code, reason: None)
        self.proven = account.standing

    async def is_admin(self) -> bool:
        """Whether the user has the rights of an admin at this moment. Raises `Unavailable`."""
        return not self.closing and await ais_admin_now(self.proven) and not self.closing


class Door:
    """Tries the logins of one socket, and limits how many; `address` is the client's."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.left = float(AT_ONCE)
        self.looked_at = time.monotonic()

    async def prove(self, username: str, password: str) -> Account:
        """The account, if the password is right. Raises as `averify` does, and `TooManySignIns` for this socket."""
        now = time.monotonic()
        self.left = min(AT_ONCE, self.left + (now - self.looked_at) / AGAIN_AFTER)
        self.looked_at = now
        if self.left < 1:
            raise TooManySignIns
        self.left -= 1
        return await averify(username, password, self.address)
