"""Who is there: users with an open connection to any instance of the server.

An instance tells the store which users came and went, and sends a sign of life every few seconds. Guarantees: a user
joins once and leaves once, however many connections and instances they use. The users of an instance that died leave
within `DEAD_AFTER` and two beats. An instance that stops normally says nothing, so after a restart only users who did
not come back are announced as gone.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import orjson

from foyer.errors import FoyerError
from foyer.realtime.connection import Connection
from foyer.realtime.log import LIBRARY, Head
from foyer.realtime.topics import Topic
from foyer.store.steps import Steps, operation

logger = logging.getLogger(__name__)

ONLINE = Topic("online", "{online}")
BEAT_EVERY = 5.0
"""Seconds between two signs of life of an instance."""
DEAD_AFTER = 20.0
"""Seconds without one after which an instance counts as dead."""
GATHER = 0.1
"""Seconds between two calls, at least, for each thousand connections that watch. When all users come back at once, each
is told of all others, so many arrivals are put into one event."""
FIRST_PAUSE = 0.05
"""Seconds until the store is told again what it did not accept; later pauses are longer."""
AT_ONCE = 500
"""Users in one call, and so in one event, at most."""

kept: list[Topic] = [ONLINE]
"""The topics of which presence is kept; apps add theirs."""

Start = Callable[[Any], "asyncio.Task[Any]"]


@dataclass(frozen=True)
class Present:
    """The users who are there, by name as JSON in order, and where the topic's log stood at that moment."""

    head: Head
    names: list[bytes]

    @cached_property
    def listed(self) -> bytes:
        """The names as a JSON list, made once for all who get it."""
        return b"[" + b",".join(self.names) + b"]"

    def without(self, name: bytes) -> tuple[bytes, bool]:
        """The list without one name, and whether that was in it."""
        place = bisect_left(self.names, name)
        if self.names[place : place + 1] != [name]:
            return self.listed, False
        return b"[" + b",".join(self.names[:place] + self.names[place + 1 :]) + b"]", True


class Pulse(NamedTuple):
    """The store's answer to a sign of life: how many users it has for the instance, and whether to beat again at
    once."""

    users: int
    more: bool


class Connected(NamedTuple):
    """A user who is there: since when, as a Unix time, and at which instances of the server."""

    id: int
    username: str
    since: float
    instances: list[str]


class Gathering(NamedTuple):
    """How many are there, some of them, and when each instance last said that it lives, as a Unix time."""

    total: int
    users: list[Connected]
    beats: dict[str, float]


def _arrive(topic: Topic, instance: str, users: Sequence[tuple[int, str]]) -> Steps[None]:
    told = [part for user_id, name in users for part in (user_id, orjson.dumps(name))]
    yield LIBRARY.call("arrive", [topic.tag], topic.quoted, instance, *told)


def _depart(topic: Topic, instance: str, users: Sequence[int]) -> Steps[None]:
    yield LIBRARY.call("depart", [topic.tag], topic.quoted, instance, *users)


def _beat(topic: Topic, instance: str) -> Steps[Pulse]:
    """Say that the instance lives, and remove some users of an instance that does not."""
    count, more = yield LIBRARY.call("beat", [topic.tag], topic.quoted, instance, int(DEAD_AFTER * 1000), AT_ONCE)
    return Pulse(count, bool(more))


def _present(topic: Topic) -> Steps[Present]:
    (offset, epoch), names = yield LIBRARY.call("present", [topic.tag])
    return Present(Head(offset, epoch.decode()), sorted(names))


def _among(topic: Topic, user_ids: Sequence[int]) -> Steps[set[int]]:
    """Those of some users who are there."""
    there: set[int] = set()
    for start in range(0, len(user_ids), AT_ONCE):
        some = user_ids[start : start + AT_ONCE]
        flags = yield LIBRARY.call("among", [topic.tag], *some)
        there.update(user_id for user_id, flag in zip(some, flags, strict=True) if flag)
    return there


def _connected(topic: Topic, skip: int, limit: int, only: int | None = None) -> Steps[Gathering]:
    """Up to `limit` of those who are there, the latest to come first, after `skip` of them; or `only` one of them.

    Costs the same however many there are.
    """
    total, beats, *users = yield LIBRARY.call("connected", [topic.tag], skip, limit, "" if only is None else only)
    return Gathering(
        total,
        [
            Connected(int(user), orjson.loads(name), int(since) / 1000, [one.decode() for one in instances])
            for user, name, since, *instances in users
        ],
        {name.decode(): float(at) / 1000 for name, at in zip(beats[0::2], beats[1::2], strict=True)},
    )


arrive, aarrive = operation(_arrive)
depart, adepart = operation(_depart)
beat, abeat = operation(_beat)
present, apresent = operation(_present)
among, aamong = operation(_among)
connected, aconnected = operation(_connected)


class Presence:
    """Who is there in one topic because of connections of this process. Runs on the loop.

    `start(coroutine)` runs something beside everything else; `watchers(topic)` counts the connections that hear of it.

    `here` is the present state. The store is told of the users in `changed`: all that changed in one tick go in one
    call, later changes in the next. So a connection that opens and closes at once is not announced.
    """

    def __init__(self, topic: Topic, start: Start, watchers: Callable[[Topic], int]) -> None:
        self.topic = topic
        self.start = start
        self.watchers = watchers
        self.loop = asyncio.get_running_loop()
        self.instance = secrets.token_urlsafe(9)
        self.here: dict[int, set[Connection]] = {}
        self.changed: dict[int, None] = {}
        self.under_way: dict[int, None] = {}
        self.round: asyncio.Future[None] = self.loop.create_future()
        self.told_at = 0.0
        self.telling = False
        self.stopping = False
        self.reading: asyncio.Task[Present] | None = None
        self.next_reading: asyncio.Task[Present] | None = None
        start(self.live())

    def enter(self, reader: Connection) -> None:
        """Count a connection for its user."""
        readers = self.here.setdefault(reader.caller.id, set())
        if not readers:
            self.change(reader.caller.id)
        readers.add(reader)

    def leave(self, reader: Connection) -> None:
        """Count a connection no longer. May be called for one that never entered."""
        readers = self.here.get(reader.caller.id)
        if readers is None or reader not in readers:
            return
        readers.discard(reader)
        if not readers:
            del self.here[reader.caller.id]
            if not self.stopping:
                self.change(reader.caller.id)

    def change(self, user: int) -> None:
        self.changed[user] = None
        if not self.telling:
            self.telling = True
            self.start(self.tell())

    async def tell(self) -> None:
        """Tell the store what changed, for as long as it takes it to answer."""
        pause = FIRST_PAUSE
        try:
            while self.changed:
                gather = GATHER * max(self.watchers(self.topic) / 1000, 1)
                await asyncio.sleep(max(self.told_at + gather - self.loop.time(), 0))
                some = list(self.changed)[:AT_ONCE]
                self.under_way = {user: self.changed.pop(user) for user in some}
                try:
                    await self.tell_of(some)
                except Exception as error:
                    if not isinstance(error, FoyerError) and pause == FIRST_PAUSE:
                        logger.exception("presence of %s can't be told; trying on", self.topic.name)
                    self.changed = self.under_way | self.changed
                    await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads load, guards nothing
                    pause = min(2 * pause, 1.0)
                    continue
                self.under_way, pause, self.told_at = {}, FIRST_PAUSE, self.loop.time()
                self.round.set_result(None)
                self.round = self.loop.create_future()
        finally:
            self.telling = False

    async def told(self, user: int) -> None:
        """Return once the store knows whether a user is here."""
        while user in self.changed or user in self.under_way:
            await asyncio.shield(self.round)

    async def tell_of(self, users: list[int]) -> None:
        came = [(user, name) for user in users if (name := self.name_of(user)) is not None]
        went = [user for user in users if user not in self.here]
        calls = []
        if came:
            calls.append(aarrive(self.topic, self.instance, came))
        if went:
            calls.append(adepart(self.topic, self.instance, went))
        for answer in await asyncio.gather(*calls, return_exceptions=True):
            if isinstance(answer, BaseException):
                raise answer

    def name_of(self, user: int) -> str | None:
        return next((reader.caller.username for reader in self.here.get(user, ())), None)

    async def live(self) -> None:
        """Beat until the process ends. The first beat is sent at once, so that users of an earlier run are removed."""
        pause = 0.0
        while True:
            await asyncio.sleep(pause)
            try:
                pause = 0.0 if await self.beat() else BEAT_EVERY
            except FoyerError:
                pause = BEAT_EVERY / 5  # the store is away; it must hear of us soon when it is back
            except Exception:
                pause = BEAT_EVERY
                logger.exception("presence of %s: a beat failed", self.topic.name)

    async def beat(self) -> bool:
        """Say that we live; True if there is more to remove of an instance that does not.

        If the store has other users for us than we have (we were taken for dead, or the store lost writes), we begin
        again as another instance. Our users are noted for the new one before the old one expires.
        """
        before = None if self.stopping or self.telling else len(self.here)
        pulse = await abeat(self.topic, self.instance)
        if before is not None and not self.telling and len(self.here) == before and pulse.users != before:
            self.instance = secrets.token_urlsafe(9)
            for user in self.here:
                self.change(user)
        return pulse.more

    async def present(self) -> Present:
        """Who is there at some moment after this call; read once for all who ask while another reading is under way."""
        if self.reading is None or self.reading.done():
            self.reading, self.next_reading = self.start(apresent(self.topic)), None
            return await asyncio.shield(self.reading)
        if self.next_reading is None:
            self.next_reading = self.start(self.read_after(self.reading))
        return await asyncio.shield(self.next_reading)

    async def read_after(self, earlier: asyncio.Task[Present]) -> Present:
        await asyncio.wait([earlier])
        self.reading, self.next_reading = self.next_reading, None
        return await apresent(self.topic)
