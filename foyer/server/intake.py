"""What comes in: how long a client may take to say what it wants and to read the answer, and how much of that one
address may have open.

Guarantees: nobody is waited for longer than the settings say; who is over a limit makes room by what it began first,
so that an address whose connections are all held by somebody can still come in; and the process has files left for
itself, however many connect.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections import Counter
from math import inf
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from django.conf import settings

from foyer.addresses import network_of
from foyer.realtime.connection import CloseCode
from foyer.realtime.hub import get_hub
from foyer.tally import refusals

logger = logging.getLogger(__name__)

OWN_FILES = 128
"""Open files that a process keeps for itself: stores, databases, logs …"""
FILES_PER_THREAD = 8
"""… and for each thread of REST, which has connections to the database of its own."""
LOG_EVERY = 60.0
"""Seconds between two lines about who was cut off."""


class Waited(Protocol):
    """A connection that is waited for. `network` is the address that it counts for, which the intake sets; empty where
    that is not known yet."""

    network: str
    line: Line | None

    def overdue(self) -> None: ...
    def cut(self) -> None: ...


class Line:
    """Connections that are waited for, for `seconds` each: the one that was first is due first."""

    __slots__ = ("deadlines", "name", "seconds")

    def __init__(self, name: str, seconds: float) -> None:
        self.name = name
        self.seconds = seconds
        self.deadlines: dict[Waited, float] = {}


class Intake:
    """The connections of a process that it waits for. Runs on the loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.heads = Line("head", settings.HEAD_TIMEOUT)
        self.bodies = Line("body", settings.BODY_TIMEOUT)
        self.idle = Line("idle", inf)
        self.unread = Line("unread", settings.READ_TIMEOUT)
        self.networks: dict[str, dict[Waited, None]] = {}
        self.owed: dict[str, dict[Waited, int]] = {}
        self.most_connections = connections_for(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        self.told: Counter[str] = Counter()
        self.told_at = self.loop.time()
        self.loop.call_later(1, self.look)

    # Who has not said all

    def expect(self, connection: Waited, line: Line, network: str) -> None:
        """Wait for `connection` from now on; of too many of an address the one that is waited for longest is cut."""
        if connection.line is line:
            return
        self.met(connection)
        line.deadlines[connection] = self.loop.time() + line.seconds
        connection.line, connection.network = line, network
        if network:
            others = self.networks.setdefault(network, {})
            others[connection] = None
            if len(others) > settings.CONNECTIONS_PER_ADDRESS:
                cut(next(iter(others)), "address")

    def met(self, connection: Waited) -> None:
        """`connection` has said all, or is gone."""
        line, connection.line = connection.line, None
        if line is None:
            return
        del line.deadlines[connection]
        others = self.networks.get(connection.network)
        if others is not None:
            others.pop(connection, None)
            if not others:
                del self.networks[connection.network]

    def make_room(self) -> bool:
        """Cut the connection that is idle for longest, or else the one that is unfinished or signed out; if any is."""
        for line in (self.idle, self.heads, self.bodies):
            if line.deadlines:
                cut(next(iter(line.deadlines)), "files")
                return True
        guest = get_hub().people.oldest_guest()
        if guest is None:
            return False
        refusals["files"] += 1
        guest.close(CloseCode.TOO_MANY, "the server is full; sign in, or come back later")
        return True

    # Who has not read all

    def owes(self, connection: Waited, network: str, size: int) -> None:
        """Wait for `connection` to read `size` bytes; of too many of its address the oldest answers are given up."""
        self.unread.deadlines[connection] = self.loop.time() + self.unread.seconds
        others = self.owed.setdefault(network, {})
        others[connection] = size
        total = sum(others.values())
        for other, unread in list(others.items()):
            if total <= settings.UNREAD_PER_ADDRESS or other is connection:
                break
            total -= unread
            cut(other, "unread")

    def paid(self, connection: Waited, network: str) -> None:
        """`connection` has read what it was waited for, or is gone."""
        self.unread.deadlines.pop(connection, None)
        others = self.owed.get(network)
        if others is not None and others.pop(connection, None) is not None and not others:
            del self.owed[network]

    # Looking

    def look(self) -> None:
        """Every second: give up on those whose time is over."""
        now = self.loop.time()
        for line in (self.heads, self.bodies, self.unread):
            for connection, deadline in list(line.deadlines.items()):
                if deadline > now:
                    break
                refusals[line.name] += 1
                if line is self.unread:
                    connection.cut()
                else:
                    connection.overdue()
        if now - self.told_at > LOG_EVERY:
            self.tell(now)
        self.loop.call_later(1, self.look)

    def tell(self, now: float) -> None:
        """One line for all who were turned away within a minute."""
        new = refusals - self.told
        if new:
            logger.warning("Cut off or turned away: %s", ", ".join(f"{why} {count}" for why, count in new.items()))
        self.told, self.told_at = Counter(refusals), now


def cut(connection: Waited, why: str) -> None:
    refusals[why] += 1
    connection.cut()


def connections_for(files: int) -> int:
    """How many connections a process takes that may have so many files open."""
    return max(files - OWN_FILES - FILES_PER_THREAD * settings.HTTP_THREADS, files // 2)


def network_of_client(client: Any) -> str:
    """The address of an ASGI scope's client, as limits take it."""
    return network_of(client[0]) if client else ""


intakes: WeakKeyDictionary[asyncio.AbstractEventLoop, Intake] = WeakKeyDictionary()


def get_intake() -> Intake:
    """That of the running loop."""
    loop = asyncio.get_running_loop()
    found = intakes.get(loop)
    if found is None:
        found = intakes[loop] = Intake()
    return found
