"""Operations driven by hand, one call to the store at a time: stopped as by a crash, or taken in turns with others.

Calls that an operation makes together are made one after another here, so that it can be stopped between them too.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

from foyer import tally
from foyer.errors import FoyerError
from foyer.store.steps import Steps, reply_to


class Run:
    """An operation under way, about to make a call. `result` is what it returned or raised, once it is over."""

    def __init__(self, steps: Steps[Any]) -> None:
        self.turns = in_single_calls(steps)
        self.over = False
        self.result: Any = None
        self.step()

    def step(self) -> None:
        """Make the call that is next, and get as far as the one after it."""
        try:
            next(self.turns)
        except StopIteration as end:
            self.over, self.result = True, end.value
        except FoyerError as error:
            self.over, self.result = True, error

    def finish(self) -> Any:
        while not self.over:
            self.step()
        return self.result


def in_single_calls(steps: Steps[Any]) -> Generator[None, None, Any]:
    """Run `steps`, pausing before every call."""
    try:
        call = next(steps)
        while True:
            try:
                answer: Any = []
                if isinstance(call, list):
                    for one in call:
                        yield
                        answer.append(reply_to(one))
                else:
                    yield
                    answer = reply_to(call)
            except FoyerError as error:
                call = steps.throw(error)
            else:
                call = steps.send(answer)
    except StopIteration as end:
        return end.value


def crashes(operation: Callable[[], Steps[Any]]) -> Iterator[int]:
    """Begin `operation` again and again and leave it after 0, 1, 2, … calls, at last after all but its answer.

    Gives the number of calls each time, for the caller to look at what was left behind.
    """
    calls = 0
    while True:
        running = Run(operation())
        for _ in range(calls):
            running.step()
        yield calls
        if running.over:
            return
        calls += 1


class Orders:
    """Every order in which operations can take their turns, one after another: a path through a tree, depth first."""

    def __init__(self) -> None:
        self.waiting: list[list[int]] = [[]]

    def take_turns(self, runs: Sequence[Run]) -> list[Any]:
        """Finish `runs` in the next order. Returns what each returned or raised."""
        order, taken = self.waiting.pop(), list[int]()
        while under_way := [running for running in runs if not running.over]:
            turn = len(taken)
            if turn >= len(order):
                self.waiting.extend([*taken, other] for other in range(1, len(under_way)))
            taken.append(order[turn] if turn < len(order) else 0)
            under_way[taken[-1]].step()
        return [running.result for running in runs]


def in_every_order(operations: Callable[[], Sequence[Steps[Any]]]) -> Iterator[list[Any]]:
    """Put up a scene with `operations` and play it, again and again, in every order that their calls can have.

    Gives what each operation returned or raised, for the caller to look at the scene as it is then.
    """
    orders = Orders()
    while orders.waiting:
        yield orders.take_turns([Run(steps) for steps in operations()])


def in_order(order: Sequence[int], *operations: Steps[Any]) -> list[Any]:
    """Run operations at once: each number in `order` gives a turn to one of those that are not over.

    What is left then is finished, one operation after another. Returns what each returned or raised.
    """
    runs = [Run(steps) for steps in operations]
    for number in order:
        under_way = [running for running in runs if not running.over]
        if under_way:
            under_way[number % len(under_way)].step()
    return [running.finish() for running in runs]


def round_trips(work: Callable[[], Any]) -> int:
    """How many times `work` waits for the store."""
    before = sum(tally.round_trips.so_far()[0])
    work()
    return sum(tally.round_trips.so_far()[0]) - before
