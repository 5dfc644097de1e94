"""Faults of the store that nobody foresaw, each caused for real: while one lasts nothing is passed on, and when it is
gone every event is, once and in order, to those who have been listening all along."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from foyer.realtime import hub as hub_module
from foyer.realtime.hub import Hub, get_hub, hubs, supervised
from foyer.realtime.log import aread_log
from foyer.realtime.presence import ONLINE, apresent
from foyer.realtime.tests.talk import Listener, Somebody, asay, awhisper
from foyer.realtime.topics import room_topic
from foyer.store import embedded
from foyer.store.steps import on_loop
from tests.store import store_at, wait_for

ROOM, OTHER = room_topic("7101"), room_topic("7102")
LOG, HEAD = f"{ROOM.tag}:log", f"{ROOM.tag}:head"
Fault = Callable[[Any], contextlib.AbstractContextManager[None]]


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[Any]:
    """A client of a store of one's own, with an account that no fault here concerns."""
    store = embedded.Store(tmp_path / "valkey")
    store.join()
    with store_at(store.url), redis.Redis.from_url(store.url) as first:
        first.execute_command("ACL", "SETUSER", "boss", "on", ">word", "~*", "&*", "+@all")
        with redis.Redis.from_url(store.url, username="boss", password="word") as boss:
            yield boss
    store.leave()


@pytest.fixture
async def hub(lone: Any) -> AsyncIterator[Hub]:
    made = get_hub()
    yield made
    await made.close()
    await on_loop().close()
    hubs.clear()


@contextlib.contextmanager
def may_call_nothing(boss: Any) -> Iterator[None]:
    boss.execute_command("ACL", "SETUSER", "default", "-fcall")
    yield
    boss.execute_command("ACL", "SETUSER", "default", "+fcall")


@contextlib.contextmanager
def may_read_no_stream(boss: Any) -> Iterator[None]:
    """The function runs, and what it does is refused: an error without a class of its own."""
    boss.execute_command("ACL", "SETUSER", "default", "-xrange", "-hmget")
    yield
    boss.execute_command("ACL", "SETUSER", "default", "+xrange", "+hmget")


@contextlib.contextmanager
def wants_a_password(boss: Any) -> Iterator[None]:
    boss.config_set("requirepass", "another")
    for kind in ("normal", "pubsub"):
        boss.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
    yield
    boss.config_set("requirepass", "")


@contextlib.contextmanager
def is_busy(boss: Any) -> Iterator[None]:
    boss.config_set("busy-reply-threshold", 20)
    spinning = threading.Thread(target=spin, args=[boss.get_connection_kwargs()])
    spinning.start()
    wait_for(lambda: says_busy(boss))
    yield
    boss.script_kill()
    spinning.join()


def spin(options: dict[str, Any]) -> None:
    pool = redis.ConnectionPool(**options_of(options))
    with redis.Redis(connection_pool=pool) as other, contextlib.suppress(redis.ResponseError):
        other.eval("while true do end", 0)


def options_of(options: dict[str, Any]) -> dict[str, Any]:
    wanted = {name: options[name] for name in ("path", "username", "password")}
    return {"connection_class": redis.UnixDomainSocketConnection, "socket_timeout": 60, **wanted}


def says_busy(boss: Any) -> bool:
    try:
        boss.ping()
    except redis.ResponseError as error:
        return "BUSY" in str(error) or "busy" in str(error)
    return False


def holds_another_kind(key: str) -> Fault:
    @contextlib.contextmanager
    def fault(boss: Any) -> Iterator[None]:
        boss.rename(key, f"{key}:aside")
        boss.set(key, "no log")
        yield
        boss.rename(f"{key}:aside", key)

    return fault


FAULTS: dict[str, Fault] = {
    "NOPERM": may_call_nothing,
    "NOPERM within a function": may_read_no_stream,
    "NOAUTH": wants_a_password,
    "BUSY": is_busy,
    "a wrong type of log": holds_another_kind(LOG),
    "a wrong type of head": holds_another_kind(HEAD),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_topic_that_can_not_be_read_for_a_while_is_heard_whole_again(
    hub: Hub, lone: Any, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "MENDED_WITHIN", 0.2)
    reader = Listener()
    await hub.subscribe(ROOM, reader)
    await asay(ROOM, "1")
    await reader.until(lambda reader: reader.offsets == [1])
    for text in ("2", "3"):
        await awhisper(ROOM, text)
    feed = hub.feeds[ROOM.tag.encode()]
    with fault(lone):
        feed.repair = hub.start(hub.mend(feed))
        with pytest.raises(Exception, match=r"away|user_function|lua|WRONGTYPE|script"):
            await aread_log(ROOM, 1, 10)  # so the hub has been refused as well
        assert reader.offsets == [1]
    await reader.until(lambda reader: reader.offsets == [1, 2, 3])
    await until_it_works(lambda: asay(ROOM, "4"))
    await reader.until(lambda reader: [frame["text"] for frame in reader.frames] == ["1", "2", "3", "4"])


async def until_it_works(act: Callable[[], Any]) -> None:
    """A line that was closed meanwhile fails its calls once."""
    async with asyncio.timeout(10):
        while True:
            try:
                await act()
                return
            except Exception:
                await asyncio.sleep(0.05)


async def test_one_topic_that_can_not_be_compared_keeps_no_other_from_it(
    hub: Hub, lone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "LOOK_EVERY", 0.1)
    broken, well = Listener(), Listener()
    await hub.subscribe(ROOM, broken)
    await hub.subscribe(OTHER, well)
    await asay(ROOM, "1")
    await broken.until(lambda reader: reader.offsets == [1])
    with holds_another_kind(HEAD)(lone):
        for number in range(3):
            await awhisper(OTHER, f"nobody announced {number}")
            await well.until(lambda reader, number=number: len(reader.frames) == number + 1)  # type: ignore[misc]
    await awhisper(ROOM, "nobody announced this either")
    await broken.until(lambda reader: reader.offsets == [1, 2])


async def test_a_topic_under_repair_keeps_few_events_and_loses_none(
    hub: Hub, lone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "MENDED_WITHIN", 0.2)
    monkeypatch.setattr(hub_module, "MOST_EARLY", 10)
    reader = Listener()
    await hub.subscribe(ROOM, reader)
    feed = hub.feeds[ROOM.tag.encode()]
    await awhisper(ROOM, "lost")
    await lone_refuses_reading(lone, hub, feed)
    for number in range(200):
        await asay(ROOM, str(number))
    assert len(feed.early) <= 10
    lone.execute_command("ACL", "SETUSER", "default", "+xrange")
    await reader.until(lambda reader: len(reader.frames) == 201)
    assert reader.offsets == list(range(1, 202))


async def lone_refuses_reading(boss: Any, hub: Hub, feed: Any) -> None:
    boss.execute_command("ACL", "SETUSER", "default", "-xrange")
    feed.repair = hub.start(hub.mend(feed))
    with pytest.raises(redis.ResponseError):
        await aread_log(ROOM, 0, 10)


async def test_who_came_is_told_when_the_store_takes_it_again(hub: Hub, lone: Any) -> None:
    people = hub.people.presence(ONLINE)
    with holds_another_kind_of("{online}:users", lone):
        people.enter(Listener(Somebody(5)))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await people.told(5)
    async with asyncio.timeout(10):
        await people.told(5)
    assert (await apresent(ONLINE)).names == [b'"user 5"']


@contextlib.contextmanager
def holds_another_kind_of(key: str, boss: Any) -> Iterator[None]:
    boss.set(key, "no hash")
    yield
    boss.delete(key)


async def test_what_must_live_begins_again_after_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "longer", lambda pause, most: asyncio.sleep(0, pause))
    runs: list[int] = []

    async def work() -> None:
        runs.append(len(runs))
        if len(runs) < 4:
            raise RuntimeError("a fault")

    await supervised("work", work)
    assert runs == [0, 1, 2, 3]
