"""Threads that addresses share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from foyer.errors import Busy
from foyer.pools import FairPool

HERE, THERE = "192.0.2.1", "192.0.2.2"


class Held:
    """A pool of one thread that is kept busy until `go` is set; what was done after that, in order."""

    def __init__(self, most_waiting: int) -> None:
        self.pool = FairPool(1, most_waiting, "test")
        self.go = threading.Event()
        self.done: list[str] = []
        begun = threading.Event()

        def hold() -> None:
            begun.set()
            self.go.wait(10)

        self.pool.submit("nobody", hold)
        begun.wait(10)

    def submit(self, address: str, name: str) -> Future[Any]:
        return self.pool.submit(address, self.done.append, name)


@pytest.fixture
def held() -> Iterator[Held]:
    found = Held(4)
    yield found
    found.go.set()
    found.pool.close()


def test_each_address_has_its_turn_however_much_another_asks_for(held: Held) -> None:
    asked = [held.submit(HERE, "here 1"), held.submit(HERE, "here 2"), held.submit(HERE, "here 3")]
    asked.append(held.submit(THERE, "there 1"))
    held.go.set()
    for future in asked:
        future.result(5)
    assert held.done == ["here 1", "there 1", "here 2", "here 3"]


def test_beyond_the_queue_who_asks_for_most_is_turned_away_at_once(held: Held) -> None:
    asked = [held.submit(HERE, f"here {number}") for number in range(1, 5)]
    with pytest.raises(Busy) as refused:
        held.submit(HERE, "here 5")
    assert refused.value.status == 503
    assert refused.value.retry_after
    asked.append(held.submit(THERE, "there 1"))
    with pytest.raises(Busy):
        asked[3].result(5)
    held.go.set()
    asked[4].result(5)
    asked[2].result(5)
    assert held.done == ["here 1", "there 1", "here 2", "here 3"]
    assert held.submit(HERE, "again").result(5) is None


def test_addresses_that_ask_for_the_same_do_not_put_each_other_out(held: Held) -> None:
    asked = [held.submit(address, f"{address} {number}") for address in (HERE, THERE) for number in (1, 2)]
    for address in (HERE, THERE):
        with pytest.raises(Busy):
            held.submit(address, "one more")
    held.go.set()
    assert [future.result(5) for future in asked] == [None] * 4


def test_whoever_gives_up_waiting_leaves_a_free_place(held: Held) -> None:
    asked = [held.submit(HERE, f"here {number}") for number in range(1, 5)]
    assert asked[1].cancel()
    asked.append(held.submit(HERE, "here 5"))
    held.go.set()
    for future in (*asked[:1], *asked[2:]):
        future.result(5)
    assert held.done == ["here 1", "here 3", "here 4", "here 5"]


def test_what_fails_tells_who_asked_and_costs_nobody_else(held: Held) -> None:
    failed = held.pool.submit(HERE, lambda: 1 // 0)
    after = held.submit(HERE, "after")
    held.go.set()
    with pytest.raises(ZeroDivisionError):
        failed.result(5)
    assert after.result(5) is None
    assert held.pool.waiting == 0


def test_a_pool_that_closes_leaves_nobody_waiting() -> None:
    held = Held(4)
    asked = held.submit(HERE, "never")
    held.go.set()
    held.pool.close()
    assert asked.done()
