"""Quotas: never more than the burst and what comes back, however many processes hand out tokens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from foyer.errors import TooManyRequests, Unavailable
from foyer.realtime import quotas
from foyer.realtime.quotas import Quota, Rate
from tests.store import OwnStore, store_at

USER = 5
SLOW = Rate(6, 100)  # nothing to speak of comes back while a test runs


def a_process(rate: Rate = SLOW) -> Quota:
    """What one process knows: each has a `Quota` of its own."""
    return Quota("tests", lambda: rate)


def lets_through(take: Callable[[int], Any], tries: int = 1, user_id: int = USER) -> int:
    count = 0
    for _ in range(tries):
        try:
            take(user_id)
        except TooManyRequests:
            continue
        count += 1
    return count


async def alets_through(process: Quota, tries: int, user_id: int = USER) -> int:
    results = await asyncio.gather(*(process.atake(user_id) for _ in range(tries)), return_exceptions=True)
    assert {type(result) for result in results} <= {type(None), TooManyRequests}
    return results.count(None)


def count_asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Has one entry for each time that the store is asked from now on."""
    asked, run = list[Any](), quotas.run

    def count(call: Any) -> Any:
        asked.append(call)
        return run(call)

    monkeypatch.setattr(quotas, "run", count)
    return asked


def test_one_process_lets_through_a_burst_and_no_more() -> None:
    assert lets_through(a_process().take, 150) == 100


async def test_sockets_of_one_process_share_a_burst() -> None:
    assert await alets_through(a_process(), 150) == 100


def test_processes_that_take_turns_share_a_burst() -> None:
    processes = [a_process() for _ in range(3)]
    assert sum(lets_through(process.take) for _ in range(60) for process in processes) == 100


async def test_processes_that_ask_at_once_share_a_burst() -> None:
    through = await asyncio.gather(*(alets_through(a_process(), 100) for _ in range(3)))
    assert sum(through) == 100
    assert min(through) > 0


def test_threads_that_ask_at_once_share_a_burst() -> None:
    process = a_process()
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: lets_through(process.take), range(150))) == 100


async def test_threads_and_loop_of_a_process_share_a_burst() -> None:
    process = a_process()
    by_threads = asyncio.to_thread(lets_through, process.take, 150)
    assert sum(await asyncio.gather(by_threads, alets_through(process, 150))) == 100


def test_users_have_a_quota_each() -> None:
    process = a_process()
    assert [lets_through(process.take, 110, user_id) for user_id in (5, 6)] == [100, 100]


def test_whoever_is_refused_is_told_when_to_come_back() -> None:
    process = a_process(Rate(6, 1))
    process.take(USER)
    with pytest.raises(TooManyRequests) as refusal:
        process.take(USER)
    assert refusal.value.retry_after == 10


def test_a_refusal_is_known_without_asking_the_store_again(monkeypatch: pytest.MonkeyPatch) -> None:
    process, asked = a_process(Rate(6, 1)), count_asked(monkeypatch)
    assert lets_through(process.take, 100) == 1
    assert len(asked) == 2


def test_few_posts_ask_the_store_once(monkeypatch: pytest.MonkeyPatch) -> None:
    process, asked = a_process(), count_asked(monkeypatch)
    assert lets_through(process.take, 20) == 20
    assert len(asked) == 1


def test_nothing_is_counted_without_a_limit() -> None:
    assert lets_through(a_process(Rate(0, 0)).take, 500) == 500


def test_within_any_time_no_more_comes_through_than_burst_and_rate() -> None:
    """Six processes, of which each takes some, idles, and takes again."""
    rate = Rate(1200, 30)
    processes, times, begun_at = [a_process(rate) for _ in range(6)], list[float](), time.monotonic()
    turn = 0
    while (now := time.monotonic()) < begun_at + 3:
        phase = int((now - begun_at) * 4) % 3  # talk with all, with one, with none
        some = {0: processes, 1: processes[:1], 2: []}[phase]
        for process in some:
            if lets_through(process.take):
                times.append(time.monotonic())
        turn += 1
        time.sleep(0.002)
    for first in range(len(times)):
        for last in range(first, len(times)):
            stretch = times[last] - times[first] + 0.02  # the store's clock, in whole milliseconds, and the way to it
            assert last - first + 1 <= rate.burst + stretch * rate.per_minute / 60
    assert len(times) > 50


def test_a_burst_is_whole_again_after_some_time_with_few_posts() -> None:
    rate = Rate(60_000, 100)
    process = a_process(rate)
    for _ in range(3):
        process.take(USER)
    time.sleep(0.2)
    slow = Rate(6, 100)
    process.rate = lambda: slow
    assert lets_through(process.take, 150) >= 97


def test_what_a_process_held_that_died_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "LASTS", 0.2)
    rate = Rate(6000, 10)
    a_process(rate).take(USER)
    time.sleep(0.4)
    other = a_process(Rate(6, 10))
    assert lets_through(other.take, 20) == 10


def test_a_lost_answer_gives_nobody_more(monkeypatch: pytest.MonkeyPatch) -> None:
    process = a_process()
    run = quotas.run

    def lost(call: Any) -> Any:
        run(call)
        raise Unavailable

    monkeypatch.setattr(quotas, "run", lost)
    with pytest.raises(Unavailable):
        process.take(USER)
    monkeypatch.setattr(quotas, "run", run)
    assert lets_through(process.take, 150) == 80


def test_a_store_that_is_away_lets_nothing_through(tmp_path: Any) -> None:
    store = OwnStore(tmp_path)
    with store_at(store.url, 0.5):
        process = a_process()
        process.take(USER)
        store.kill()
        assert lets_through(process.take, 19) == 19
        with pytest.raises(Unavailable):
            process.take(USER)
