"""How often a user may do something, counted over all connections and all processes.

A user has a bucket of tokens in the store. It is filled at a steady rate, and everything that is counted takes one. A
process takes up to `PORTION` tokens at a time and hands them out itself. So most posts cost the store nothing more.

Guarantees: no token is handed out twice, and the bucket and what all processes hold are never more than the burst
together. So within any t seconds at most `burst + rate * t` are let through, however many processes there are. What a
process holds and does not hand out within `LASTS` is lost, and comes back at the same rate.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from math import ceil
from time import monotonic
from typing import NamedTuple

from foyer.errors import TooManyRequests
from foyer.realtime.log import LIBRARY
from foyer.store.steps import Steps, operation

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


def _lease(kind: str, user_id: int, rate: Rate, question: Question) -> Steps[tuple[int, float]]:
    """Take some tokens. Returns how many, and if there are none, the seconds until there is one."""
    bucket, peak = f"{{{kind}:{user_id}}}", f"{question.peak:.3f}"
    args = *rate, question.held.name, question.left, peak, PORTION, int(LASTS * 1000)
    given, wait = yield LIBRARY.call("lease", [bucket], *args)
    return given, wait / 1000


lease, alease = operation(_lease)


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

    @contextlib.contextmanager
    def asking(self, user_id: int, held: Held, rate: Rate) -> Iterator[Question]:
        """What to ask the store; its answer is to be given to `got`. If it was lost, another holder asks next."""
        now = monotonic()
        with self.lock:
            question = Question(held, now, held.left, held.peak_by(now, rate))
            held.peak, held.peak_at = float(held.left), now
        try:
            yield question
        except BaseException:
            with self.lock:
                if self.users.get(user_id) is held:
                    del self.users[user_id]
            raise

    def got(self, question: Question, given: int, wait: float) -> None:
        held = question.held
        with self.lock:
            held.left += given
            held.until = question.asked_at + LASTS
            held.refused_until = 0.0 if given else question.asked_at + wait


class Quota:
    """One sort of things that is counted. `kind` is in the names of the buckets. For any thread, and the loop."""

    def __init__(self, kind: str, rate: Callable[[], Rate]) -> None:
        self.kind = kind
        self.rate = rate
        self.of_threads, self.of_loop = Holders(), Holders()
        self.under_way: dict[int, asyncio.Task[None]] = {}

    def take(self, user_id: int) -> None:
        """Count one for a user. Raises `TooManyRequests`, `Unavailable`."""
        rate, holders = self.rate(), self.of_threads
        while rate.per_minute and not holders.has_token(user_id, rate):
            held = holders.holder(user_id)
            with held.gate:
                if holders.has_token(user_id, rate):
                    return
                with holders.asking(user_id, held, rate) as question:
                    answer = lease(self.kind, user_id, rate, question)
                holders.got(question, *answer)

    async def atake(self, user_id: int) -> None:
        """As `take`, on the event loop."""
        rate = self.rate()
        while rate.per_minute and not self.of_loop.has_token(user_id, rate):
            task = self.under_way.get(user_id)
            if task is None or task.get_loop() is not asyncio.get_running_loop():
                task = self.under_way[user_id] = asyncio.create_task(self.aask(user_id, rate))
            await asyncio.shield(task)

    async def aask(self, user_id: int, rate: Rate) -> None:
        holders = self.of_loop
        try:
            with holders.asking(user_id, holders.holder(user_id), rate) as question:
                answer = await alease(self.kind, user_id, rate, question)
            holders.got(question, *answer)
        finally:
            self.under_way.pop(user_id, None)
