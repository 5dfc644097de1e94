"""How often a user may do something, counted over all connections and all processes.

A user has a bucket of tokens in the store. It is filled at a steady rate, and everything that is counted takes one. A
process takes up to `PORTION` tokens at a time and hands them out itself. So most posts cost the store nothing more.

Guarantees: no token is handed out twice, and the bucket and what all processes hold are never more than the burst
together. So within any t seconds at most `burst + rate * t` are let through, however many processes there are. What a
process holds and does not hand out within `LASTS` is lost, and comes back at the same rate.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from time import monotonic
from typing import NamedTuple

from foyer.errors import TooManyRequests
from foyer.realtime.log import LIBRARY
from foyer.store.steps import Call, on_loop
from foyer.store.steps import run as run

PORTION = 20
"""Tokens that a process takes at a time. It gets fewer when few are left, so that others have some too."""
LASTS = 60.0
"""Seconds for which a process may hold what it took."""


class Rate(NamedTuple):
    """How many a minute, and how many at once; 0 a minute stands for no limit."""

    per_minute: int
    burst: int


class Held:
    """The tokens of one user that this process holds.

    `name` is by what the store knows the holder. While tokens are held, the bucket is filled that much less; `peak` is
    how much less it could be at most by `peak_at`. The store can't know that, because it is not told when a token is
    handed out. Threads ask the store one after another, each with the `gate`.
    """

    __slots__ = ("gate", "left", "name", "peak", "peak_at", "refused_until", "until")

    def __init__(self, until: float) -> None:
        self.name = secrets.token_urlsafe(6)
        self.gate = threading.Lock()
        self.left = 0
        self.until = until
        self.refused_until = self.peak_at = 0.0
        self.peak = 0.0

    def peak_by(self, now: float, rate: Rate) -> float:
        return max(self.peak - (now - self.peak_at) * rate.per_minute / 60, self.left, 0.0)

    def spend(self, now: float, rate: Rate) -> bool:
        if not self.left or self.until <= now:
            return False
        self.peak, self.peak_at = self.peak_by(now, rate), now
        self.left -= 1
        return True


class Question(NamedTuple):
    """What the store is asked: who asks, when, how many tokens are left of earlier ones, and the `peak` since then."""

    held: Held
    asked_at: float
    left: int
    peak: float


def lease_call(kind: str, user_id: int, rate: Rate, question: Question) -> Call:
    """What takes some tokens. It is answered how many, and if there are none, in how many ms there is one."""
    bucket, peak = f"{{{kind}:{user_id}}}", f"{question.peak:.3f}"
    args = *rate, question.held.name, question.left, peak, PORTION, int(LASTS * 1000)
    return LIBRARY.call("lease", [bucket], *args)


class Holders:
    """What one side of the process, its threads or its loop, holds of the tokens of users."""

    def __init__(self) -> None:
        self.users: OrderedDict[int, Held] = OrderedDict()
        self.lock = threading.Lock()

    def has_token(self, user_id: int, rate: Rate) -> bool:
        """Whether one more is let through; False if the store must be asked. Raises `TooManyRequests`."""
        now = monotonic()
        with self.lock:
            held = self.users.get(user_id)
            if held is None:
                return False
            if held.spend(now, rate):
                return True
            wait = held.refused_until - now
        if wait > 0:
            raise TooManyRequests(f"Too many of these. Try again in {ceil(wait)} s.", retry_after=ceil(wait))
        return False

    def holder(self, user_id: int) -> Held:
        """The holder for a user; a new one if there is none, or what it held has lapsed."""
        now = monotonic()
        with self.lock:
            held = self.users.get(user_id)
            if held is None or held.until <= now:
                held = self.users[user_id] = Held(now + LASTS)
            self.users.move_to_end(user_id)
            while next(iter(self.users.values())).until <= now:
                self.users.popitem(last=False)
            return held

    def question(self, held: Held, rate: Rate) -> Question:
        """What to ask the store for a holder. The answer goes to `got`, or its loss to `lost`."""
        now = monotonic()
        with self.lock:
            question = Question(held, now, held.left, held.peak_by(now, rate))
            held.peak, held.peak_at = float(held.left), now
        return question

    def got(self, question: Question, given: int, wait: int) -> None:
        held = question.held
        with self.lock:
            held.left += given
            held.until = question.asked_at + LASTS
            held.refused_until = 0.0 if given else question.asked_at + wait / 1000

    def lost(self, user_id: int, question: Question) -> None:
        """Nobody knows what an answer that was lost gave: another holder is to ask next."""
        with self.lock:
            if self.users.get(user_id) is question.held:
                del self.users[user_id]


class Quota:
    """One sort of things that is counted. `kind` is in the names of the buckets. For any thread, and the loop."""

    def __init__(self, kind: str, rate: Callable[[], Rate]) -> None:
        self.kind = kind
        self.rate = rate
        self.of_threads, self.of_loop = Holders(), Holders()
        self.under_way: dict[int, asyncio.Future[None]] = {}

    def take(self, user_id: int) -> None:
        """Count one for a user. Raises `TooManyRequests`, `Unavailable`."""
        rate, holders = self.rate(), self.of_threads
        while rate.per_minute and not holders.has_token(user_id, rate):
            held = holders.holder(user_id)
            with held.gate:
                if holders.has_token(user_id, rate):
                    return
                question = holders.question(held, rate)
                try:
                    answer = run(lease_call(self.kind, user_id, rate, question))
                except BaseException:
                    holders.lost(user_id, question)
                    raise
                holders.got(question, *answer)

    async def atake(self, user_id: int) -> None:
        """As `take`, on the event loop. Those who wait for the same user ask once."""
        rate = self.rate()
        while rate.per_minute and not self.of_loop.has_token(user_id, rate):
            asked = self.under_way.get(user_id)
            if asked is not None and asked.get_loop() is asyncio.get_running_loop():
                await asyncio.shield(asked)
            else:
                await self.ask(user_id, rate)

    async def ask(self, user_id: int, rate: Rate) -> None:
        store, holders = on_loop(), self.of_loop
        asked = self.under_way[user_id] = store.loop.create_future()
        question = holders.question(holders.holder(user_id), rate)
        try:
            answer = await store.call(lease_call(self.kind, user_id, rate, question))
        except BaseException:
            holders.lost(user_id, question)
            raise
        finally:
            self.under_way.pop(user_id, None)
            asked.set_result(None)
        holders.got(question, *answer)
