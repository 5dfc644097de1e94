"""Laps of a fan-out: who gets what, in which order, while events and readers come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foyer.realtime import feed as feeds
from foyer.realtime.connection import EVENTS, NOBODY, Batch, Connection
from foyer.realtime.feed import Feed
from foyer.realtime.log import Event
from foyer.realtime.topics import Topic


class Reader(Connection):
    """Keeps the offsets of what it was given."""

    def __init__(self) -> None:
        super().__init__(EVENTS, NOBODY, lambda code, reason: None)
        self.had: list[int] = []

    def deliver(self, batch: Batch) -> None:
        self.had += [event.offset for event in batch.events]


@pytest.fixture
def feed() -> Iterator[Feed]:
    with asyncio.Runner() as runner:
        yield Feed(Topic("room", "1"), runner.get_loop())


def hear(feed: Feed, kind: str = "message") -> None:
    assert feed.accept(Event(b'%d e %s\n{"offset":%d}' % (feed.offset + 1, kind.encode(), feed.offset + 1)))


def join(feed: Feed) -> Reader:
    reader = Reader()
    feed.readers[reader] = feed.offset
    return reader


def finish(feed: Feed) -> None:
    while feed.current is not None or feed.pending:
        feed.fan_out(10)
        feed.held = None


def test_what_is_heard_during_a_lap_goes_at_once_to_those_still_to_come(feed: Feed) -> None:
    readers = [join(feed) for _ in range(4)]
    hear(feed)
    feed.fan_out(2)
    hear(feed)
    feed.fan_out(3)
    assert [reader.had for reader in readers] == [[1], [1], [1, 2], [1, 2]]
    feed.fan_out(2)
    assert [reader.had for reader in readers] == [[1, 2]] * 4
    finish(feed)
    assert [reader.had for reader in readers] == [[1, 2]] * 4


def test_nothing_is_passed_on_beyond_an_event_that_is_to_be_acted_on(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(event: Event, readers: list[Connection]) -> None: ...

    monkeypatch.setitem(feeds.actions, "ending", act)
    readers = [join(feed) for _ in range(2)]
    hear(feed)
    feed.fan_out(1)
    hear(feed, "ending")
    hear(feed)
    feed.fan_out(2)
    assert [reader.had for reader in readers] == [[1], [1, 2]]
    assert feed.held is None
    feed.fan_out(3)
    assert [reader.had for reader in readers] == [[1, 2], [1, 2]]
    assert feed.held is not None
    assert (feed.held.kind, feed.settled) == ("ending", 1)
    finish(feed)
    assert [reader.had for reader in readers] == [[1, 2, 3], [1, 2, 3]]


def test_an_event_that_is_not_stored_goes_to_those_who_came_after_the_stored_ones_too(feed: Feed) -> None:
    early = join(feed)
    hear(feed)
    late = join(feed)
    feed.accept(Event(b"0  typing\n{}"))
    finish(feed)
    assert (early.had, late.had) == ([1, 0], [0])


Step = tuple[str, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["hear", "act", "write", "write", "join", "leave"]), st.integers(0, 5)), max_size=60
)


@given(STEPS)
def test_each_reader_has_every_event_after_its_own_start_once_and_in_order(steps: list[Step]) -> None:
    async def act(event: Event, readers: list[Connection]) -> None: ...

    feeds.actions["ending"] = act
    try:
        with asyncio.Runner() as runner:
            feed = Feed(Topic("room", "1"), runner.get_loop())
            starts = {join(feed): 0 for _ in range(3)}
            for step, number in steps:
                take(feed, starts, step, number)
            finish(feed)
    finally:
        del feeds.actions["ending"]
    for reader in feed.readers:
        assert isinstance(reader, Reader)
        assert reader.had == list(range(starts[reader] + 1, feed.offset + 1))
    for reader, start in starts.items():
        assert reader.had == list(range(start + 1, start + 1 + len(reader.had)))


def take(feed: Feed, starts: dict[Reader, int], step: str, number: int) -> None:
    if step == "hear":
        hear(feed)
    elif step == "act":
        hear(feed, "ending")
    elif step == "join":
        reader = join(feed)
        starts[reader] = feed.offset
    elif step == "leave" and number < len(feed.readers):
        del feed.readers[list(feed.readers)[number]]
    elif step == "write" and (feed.current is not None or feed.pending):
        feed.fan_out(number + 1)
        feed.held = None
