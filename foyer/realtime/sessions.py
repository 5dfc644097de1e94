"""Whose connections are whose, and what becomes of them when a session ends."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import orjson

from foyer.realtime.connection import CloseCode, Connection, Identity
from foyer.realtime.presence import ONLINE, Presence, Start, kept
from foyer.realtime.topics import Topic

SESSIONS_EVERY = 60.0
"""Seconds after which every connection's session is looked at again."""
SESSIONS_CHANNEL = "foyer:sessions"
AT_ONCE = 500
"""Sessions asked after in one go."""

SessionCheck = Callable[[list[Identity]], Awaitable[list[bool]]]
session_checks: list[SessionCheck] = []
"""How sessions are looked at again: set by the app that owns them."""


class People:
    """The connections of one process, by user. Runs on the loop.

    `forget(connection)` takes one off its topics, `start(coroutine)` runs something beside everything else,
    `watchers(topic)` counts the connections that read a topic.
    """

    def __init__(self, forget: Callable[[Connection], None], start: Start, watchers: Callable[[Topic], int]) -> None:
        self.forget = forget
        self.users: dict[int, set[Connection]] = {}
        self.presences = {topic.tag: Presence(topic, start, watchers) for topic in kept}

    def connected(self, reader: Connection) -> None:
        """Keep `reader` under its user, so that it is closed when its session ends."""
        self.users.setdefault(reader.caller.id, set()).add(reader)

    def disconnected(self, reader: Connection) -> None:
        """Forget `reader` everywhere."""
        self.forget(reader)
        self.release(reader)
        reader.detach()

    def belongs_to(self, reader: Connection, caller: Identity) -> None:
        """From here on `reader` is another user's."""
        self.forget(reader)
        self.release(reader)
        reader.caller = caller
        self.connected(reader)

    def release(self, reader: Connection) -> None:
        for presence in self.presences.values():
            presence.leave(reader)
        of_user = self.users.get(reader.caller.id)
        if of_user is not None:
            of_user.discard(reader)
            if not of_user:
                del self.users[reader.caller.id]

    def presence(self, topic: Topic) -> Presence:
        """Who is there in a topic of which presence is kept."""
        return self.presences[topic.tag]

    def came_online(self, reader: Connection) -> None:
        """A connection was let in: whose it is, if anyone's, is online."""
        if reader.caller.id and not reader.closing:
            self.presence(ONLINE).enter(reader)

    def stop(self) -> None:
        """From here on nobody leaves who goes: the server stops, and they may be at another one in a moment."""
        for presence in self.presences.values():
            presence.stopping = True

    def count(self, user_id: int) -> int:
        """How many connections a user has in this process."""
        return len(self.users.get(user_id, ()))

    def session_ended(self, message: bytes) -> None:
        """`{"user": id, "session": id or null}`: close its sockets, all of the user's where it is null."""
        ended = orjson.loads(message)
        for reader in list(self.users.get(ended["user"], ())):
            if ended["session"] in (None, reader.caller.session):
                reader.close(CloseCode.SIGNED_OUT, "signed out")

    def close_all(self, user_id: int) -> None:
        """Close all connections of a user; their sessions stay."""
        for reader in list(self.users.get(user_id, ())):
            reader.close(CloseCode.SIGNED_OUT, "closed by an operator")

    async def look_at_sessions(self) -> None:
        """Close what has expired, or was signed out without our hearing of it."""
        readers = [reader for user_id, readers in self.users.items() if user_id for reader in readers]
        now = time.time()
        for reader in readers:
            if reader.caller.expires_at is not None and reader.caller.expires_at <= now:
                reader.close(CloseCode.SIGNED_OUT, "the token expired")
        for check in session_checks:
            for start in range(0, len(readers), AT_ONCE):
                some = [reader for reader in readers[start : start + AT_ONCE] if not reader.closing]
                for reader, valid in zip(some, await check([reader.caller for reader in some]), strict=True):
                    if not valid:
                        reader.close(CloseCode.SIGNED_OUT, "signed out")
