"""Which connections belong to which user, and how they are closed when a session ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from math import ceil

import orjson
from django.conf import settings

from foyer.errors import TooManyRequests
from foyer.realtime.connection import NOTICE, Batch, CloseCode, Connection, Identity
from foyer.realtime.log import Event
from foyer.realtime.presence import ONLINE, Presence, Start, kept
from foyer.realtime.topics import Topic

SESSIONS_EVERY = 60.0
"""Seconds after which every connection's session is looked at again."""
SESSIONS_CHANNEL = "foyer:sessions"
AT_ONCE = 500
"""Sessions asked after in one go."""
TOLD_AT_ONCE = 200
"""Connections that are told something in one turn of the loop."""
EXPIRED = "the token expired"

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
        self.loop = asyncio.get_running_loop()
        self.users: dict[int, set[Connection]] = {}
        self.guests: dict[str, dict[Connection, None]] = {}
        self.expiring: dict[int, set[Connection]] = {}
        self.presences = {topic.tag: Presence(topic, start, watchers) for topic in kept}
        start(self.watch_the_clock())  # which has nothing that could fail

    def limit(self, caller: Identity, network: str) -> None:
        """Raise `TooManyRequests` for a user who has as many connections as one may have, of whatever kind; for one
        who is signed out, the address counts."""
        if caller.id and len(self.users.get(caller.id, ())) >= settings.CONNECTIONS_PER_USER:
            raise TooManyRequests("You have too many connections open; close one first.", retry_after=5)
        if not caller.id and len(self.guests.get(network, ())) >= settings.CONNECTIONS_PER_ADDRESS:
            raise TooManyRequests("Your address has too many connections that are signed out.", retry_after=5)

    def connected(self, reader: Connection) -> None:
        """Keep `reader` under its user, so that it is closed when its session ends."""
        caller = reader.caller
        self.users.setdefault(caller.id, set()).add(reader)
        if not caller.id:
            self.guests.setdefault(reader.network, {})[reader] = None
        if caller.expires_at is not None:
            self.expiring.setdefault(ceil(caller.expires_at), set()).add(reader)
            reader.ends_at = self.loop.time() + caller.expires_at - time.time()

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
        caller = reader.caller
        discard(self.users, caller.id, reader)
        if caller.expires_at is not None:
            discard(self.expiring, ceil(caller.expires_at), reader)
        if not caller.id and (others := self.guests.get(reader.network)) is not None:
            others.pop(reader, None)
            if not others:
                del self.guests[reader.network]

    def oldest_guest(self) -> Connection | None:
        """Of the connections that are signed out, the first of whichever address has most of them."""
        most = max(self.guests.values(), key=len, default={})
        return next((reader for reader in most if not reader.closing), None)

    def presence(self, topic: Topic) -> Presence:
        """Who is there in a topic of which presence is kept."""
        return self.presences[topic.tag]

    def came_online(self, reader: Connection) -> None:
        """A connection was accepted: its user, if it has one, is online."""
        if reader.caller.id and not reader.closing:
            self.presence(ONLINE).enter(reader)

    def stop(self) -> None:
        """From here on nobody is announced as gone: the server stops, and its users may soon be at another one."""
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

    async def tell_all(self, frame: bytes) -> None:
        """Write a notice to every connection that is open, some at a time."""
        batch = Batch([Event(b"0  " + NOTICE.encode() + b"\n" + frame)])
        everybody = [reader for readers in self.users.values() for reader in readers]
        for start in range(0, len(everybody), TOLD_AT_ONCE):
            for reader in everybody[start : start + TOLD_AT_ONCE]:
                if reader.is_open and not reader.closing:
                    reader.deliver(batch)
            await asyncio.sleep(0)

    async def watch_the_clock(self) -> None:
        """Close what expires, within a second."""
        while True:
            await asyncio.sleep(1 - time.time() % 1)
            self.close_expired(time.time())

    def close_expired(self, now: float) -> None:
        for second in [second for second in self.expiring if second <= now]:
            for reader in list(self.expiring[second]):
                reader.close(CloseCode.SIGNED_OUT, EXPIRED)

    async def look_at_sessions(self) -> None:
        """Close connections whose session ended without our being told."""
        readers = [reader for user_id, readers in self.users.items() if user_id for reader in readers]
        for check in session_checks:
            for start in range(0, len(readers), AT_ONCE):
                some = [reader for reader in readers[start : start + AT_ONCE] if not reader.closing]
                for reader, valid in zip(some, await check([reader.caller for reader in some]), strict=True):
                    if not valid:
                        reader.close(CloseCode.SIGNED_OUT, "signed out")


def discard(places: dict[int, set[Connection]], place: int, reader: Connection) -> None:
    """Take `reader` out of one of some sets, and a set that is empty then out of the rest."""
    readers = places.get(place)
    if readers is not None:
        readers.discard(reader)
        if not readers:
            del places[place]
