"""The hub: every stored event once, in order, whatever the network and the store do."""

from __future__ import annotations

import asyncio
import time

import orjson
import pytest

from foyer.errors import UnknownCursor
from foyer.realtime import hub as hub_module
from foyer.realtime.connection import CloseCode, Connection
from foyer.realtime.feed import actions, acts_on
from foyer.realtime.hub import Hub
from foyer.realtime.log import Event, aread_head
from foyer.realtime.sessions import SESSIONS_CHANNEL
from foyer.realtime.tests.talk import Listener, Somebody, asay, awhisper
from foyer.realtime.topics import room_topic
from foyer.store.steps import client
from tests.store import wait_for

ROOM = room_topic("7002")


async def test_a_reader_hears_what_comes_after_it_subscribed(hub: Hub) -> None:
    await asay(ROOM, "before")
    reader = Listener()
    head = await hub.subscribe(ROOM, reader)
    await asay(ROOM, "after")
    await reader.until(lambda reader: len(reader.frames) == 1)
    assert head.offset == 1
    assert reader.frames[0]["text"] == "after"


async def test_many_writers_at_once_are_heard_once_each_and_in_order(hub: Hub) -> None:
    readers = [Listener() for _ in range(5)]
    await asyncio.gather(*(hub.subscribe(ROOM, reader) for reader in readers))
    await asyncio.gather(*(asay(ROOM, str(number)) for number in range(2000)))
    for reader in readers:
        await reader.until(lambda reader: len(reader.frames) >= 2000)
        assert reader.offsets == list(range(1, 2001))


async def test_readers_that_come_and_go_under_load_hear_exactly_their_part(hub: Hub) -> None:
    async def visit(number: int) -> tuple[int, Listener]:
        reader = Listener()
        await asyncio.gather(*(asay(ROOM, "noise") for _ in range(number % 7)))
        head = await hub.subscribe(ROOM, reader)
        await asay(ROOM, "mine")
        await reader.until(lambda reader: any(frame["text"] == "mine" for frame in reader.frames))
        hub.unsubscribe(ROOM.tag, reader)
        reader.heard.clear()
        return head.offset, reader

    for start, reader in await asyncio.gather(*map(visit, range(60))):
        assert reader.offsets == list(range(start + 1, start + 1 + len(reader.offsets)))


async def test_an_announcement_that_was_lost_is_read_from_the_log(hub: Hub) -> None:
    reader = Listener()
    await hub.subscribe(ROOM, reader)
    await asay(ROOM, "one")
    await awhisper(ROOM, "two")
    await awhisper(ROOM, "three")
    await asay(ROOM, "four")
    await reader.until(lambda reader: len(reader.frames) == 4)
    assert reader.offsets == [1, 2, 3, 4]
    assert hub.gaps_repaired == 1


async def test_a_quiet_topic_is_compared_with_its_log(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "LOOK_EVERY", 0.1)
    reader = Listener()
    await hub.subscribe(ROOM, reader)
    await awhisper(ROOM, "nobody announced this")
    await reader.until(lambda reader: reader.offsets == [1])


async def test_a_cut_line_is_mended_and_nothing_is_missed(hub: Hub) -> None:
    reader = Listener()
    await hub.subscribe(ROOM, reader)
    for number in range(20):
        await asay(ROOM, str(number))
        if number % 5 == 2:
            for link in hub.subscribers.by_node.values():
                if link.done():
                    link.result().close()
    await reader.until(lambda reader: len(reader.frames) >= 20)
    assert reader.offsets == list(range(1, 21))


async def test_a_reader_goes_on_from_where_it_was(hub: Hub) -> None:
    for number in range(1200):
        await asay(ROOM, str(number))
    reader = Listener()
    writing = asyncio.gather(*(asay(ROOM, "meanwhile") for _ in range(300)))
    await hub.subscribe(ROOM, reader, after=100)
    await writing
    await reader.until(lambda reader: len(reader.frames) >= 1400)
    assert reader.offsets == list(range(101, 1501))


async def test_going_on_from_an_offset_the_log_never_had_is_refused(hub: Hub) -> None:
    with pytest.raises(UnknownCursor):
        await hub.subscribe(ROOM, Listener(), after=5)


async def test_going_on_in_an_epoch_that_is_over_is_refused(hub: Hub) -> None:
    await asay(ROOM, "one")
    with pytest.raises(UnknownCursor):
        await hub.subscribe(ROOM, Listener(), after=1, epoch="before")


async def test_readers_start_afresh_when_the_log_was_lost(hub: Hub) -> None:
    reader = Listener()
    for text in "abc":
        await asay(ROOM, text)
    await hub.subscribe(ROOM, reader)
    client().delete(f"{ROOM.tag}:head", f"{ROOM.tag}:log")
    await asay(ROOM, "a new log")
    await reader.until(lambda reader: reader.closed_with is not None)
    assert reader.closed_with == CloseCode.RESTARTING
    assert reader.frames == []


async def test_a_reader_that_left_hears_nothing_more(hub: Hub) -> None:
    gone, stays = Listener(), Listener()
    await hub.subscribe(ROOM, gone)
    await hub.subscribe(ROOM, stays)
    writing = [asyncio.ensure_future(asay(ROOM, str(number))) for number in range(50)]
    await stays.until(lambda reader: bool(reader.frames))
    hub.unsubscribe(ROOM.tag, gone)
    heard = len(gone.frames)
    await asyncio.gather(*writing)
    await stays.until(lambda reader: len(reader.frames) == 50)
    assert len(gone.frames) == heard


async def test_the_process_acts_on_an_event_after_those_before_and_before_those_after(hub: Hub) -> None:
    reader, order = Listener(), []

    @acts_on("turning_point")
    async def note(event: Event, readers: list[Connection]) -> None:
        await aread_head(ROOM)
        order.append([frame["text"] for frame in reader.frames])
        hub.unsubscribe(ROOM.tag, reader)

    try:
        await hub.subscribe(ROOM, reader)
        other = Listener()
        await hub.subscribe(ROOM, other)
        await asyncio.gather(asay(ROOM, "before"), asay(ROOM, "turn", "turning_point"), asay(ROOM, "after"))
        await other.until(lambda reader: len(reader.frames) == 3)
    finally:
        del actions["turning_point"]
    assert order == [["before", "turn"]]
    assert [frame["text"] for frame in reader.frames] == ["before", "turn"]


async def test_a_topic_that_nobody_reads_is_let_go(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "IDLE", 0.0)
    reader = Listener()
    await hub.subscribe(ROOM, reader)
    hub.unsubscribe(ROOM.tag, reader)
    hub.let_go(asyncio.get_running_loop().time() + 1)
    assert hub.feeds == {}
    await hub.subscribe(ROOM, reader)
    await asay(ROOM, "back again")
    await reader.until(lambda reader: len(reader.frames) == 1)


async def test_the_sockets_of_a_session_close_when_it_ends(hub: Hub) -> None:
    ended, other, somebody_else = (
        Listener(Somebody(5, "s1")),
        Listener(Somebody(5, "s2")),
        Listener(Somebody(6, "s3")),
    )
    await hub.subscribers.listening.wait()  # and has looked at all sessions, as none of these is one
    for reader in (ended, other, somebody_else):
        await hub.subscribe(ROOM, reader)
        hub.people.connected(reader)
    client().publish(SESSIONS_CHANNEL, orjson.dumps({"user": 5, "session": "s1"}))
    await ended.until(lambda reader: reader.closed_with == CloseCode.SIGNED_OUT)
    assert other.closed_with is None
    client().publish(SESSIONS_CHANNEL, orjson.dumps({"user": 5, "session": None}))
    await other.until(lambda reader: reader.closed_with == CloseCode.SIGNED_OUT)
    assert somebody_else.closed_with is None


async def test_a_token_that_expired_closes_its_sockets(hub: Hub) -> None:
    now = time.time()
    reader, other = (Listener(Somebody(5, None, expires_at=at)) for at in (now + 0.5, now + 60))
    for each in (reader, other):
        hub.people.connected(each)
    await asyncio.to_thread(wait_for, lambda: reader.closed_with is not None, 3)
    assert reader.closed_with == CloseCode.SIGNED_OUT
    assert other.closed_with is None
    for each in (reader, other):
        hub.people.disconnected(each)
    assert hub.people.expiring == {}


async def test_where_a_reader_stands_is_where_the_log_stands(hub: Hub) -> None:
    await asay(ROOM, "one")
    assert await hub.subscribe(ROOM, Listener()) == await aread_head(ROOM)
