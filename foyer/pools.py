"""Threads that are shared fairly: work waits in a line for each address, and the lines take turns.

So a client that asks for a thousand things at once waits for itself, and another that asks for one does not.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from foyer.errors import Busy

P = ParamSpec("P")
R = TypeVar("R")


class Job:
    """Work that waits for a thread, and the future of its result."""

    __slots__ = ("future", "work")

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.future: Future[Any] = Future()

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self.work()
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class FairPool:
    """`threads` threads, and up to `most_waiting` jobs that wait for one. For any thread.

    Each address gets a turn after each other one. When all places are taken, the newest job of whoever has the most
    waiting makes room: it ends with `Busy`.
    """

    def __init__(self, threads: int, most_waiting: int, name: str) -> None:
        self.size = threads
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self.most_waiting = most_waiting
        self.lines: OrderedDict[str, deque[Job]] = OrderedDict()
        self.waiting = self.running = 0
        self.lock = threading.Lock()

    def submit(self, address: str, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Have `work` done when it is the turn of `address`. Raises `Busy` when there is no place for it."""
        job = Job(partial(work, *args, **kwargs))
        with self.lock:
            turned_away = self.make_room(address) if self.is_full() else None
            self.lines.setdefault(address, deque()).append(job)
            self.waiting += 1
        if turned_away is not None:
            turned_away.future.set_exception(Busy())
        self.threads.submit(self.run_next)
        return job.future

    def is_full(self) -> bool:
        """Whether another job would be one too many. Those that were cancelled while they waited leave first."""
        if self.waiting + self.running < self.size + self.most_waiting:
            return False
        for address, line in list(self.lines.items()):
            self.keep(address, deque(job for job in line if not job.future.cancelled()))
        return self.waiting + self.running >= self.size + self.most_waiting

    def make_room(self, address: str) -> Job:
        """Take the newest job out of the longest line. Raises `Busy` where that is the line of `address`."""
        longest = max(self.lines, key=lambda other: len(self.lines[other]), default=address)
        mine = len(self.lines.get(address, ()))
        if longest == address or len(self.lines[longest]) <= mine + 1:
            raise Busy
        line = self.lines[longest]
        job = line.pop()
        self.waiting -= 1
        return job

    def keep(self, address: str, line: deque[Job]) -> None:
        self.waiting -= len(self.lines[address]) - len(line)
        if line:
            self.lines[address] = line
        else:
            del self.lines[address]

    def run_next(self) -> None:
        """Runs on a thread, once for each job that was taken: the first one of the address whose turn it is."""
        with self.lock:
            if not self.lines:
                return  # some job left while it waited
            address, line = self.lines.popitem(last=False)
            job = line.popleft()
            if line:
                self.lines[address] = line  # behind all others
            self.waiting -= 1
            self.running += 1
        try:
            job.run()
        finally:
            with self.lock:
                self.running -= 1

    def close(self) -> None:
        """Let what runs end, and cancel what waits."""
        self.threads.shutdown(wait=True, cancel_futures=True)
        for line in self.lines.values():
            for job in line:
                job.future.cancel()
