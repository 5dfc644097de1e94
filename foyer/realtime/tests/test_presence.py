"""Presence: who is there joins once and leaves once, whatever becomes of connections, processes and the store."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest

from foyer.errors import Unavailable
from foyer.realtime import presence as presence_module
from foyer.realtime.hub import Hub, get_hub, hubs
from foyer.realtime.log import aread_log, read_log
from foyer.realtime.presence import ONLINE, Presence, aamong, abeat, apresent, arrive, beat, depart, present
from foyer.realtime.tests.talk import Listener, Somebody, let_time_pass
from foyer.store.steps import client, on_loop
from tests.clients import Frame, Person, SignUp, Socket, sign_up_at
from tests.server import Server
from tests.store import wait_for

ANN, BEN = Somebody(1), Somebody(2)
NOBODY_LEFT = ["users", "names", "beats"]


@pytest.fixture
async def hub(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    """A hub whose presences beat when a test says so."""

    async def rest(presence: Presence) -> None: ...

    monkeypatch.setattr(Presence, "live", rest)
    made = get_hub()
    yield made
    await made.close()
    await on_loop().close()
    hubs.clear()


@pytest.fixture
def instance(hub: Hub) -> Callable[[], Presence]:
    """Makes instances of the server, as far as presence goes."""
    return lambda: Presence(ONLINE, hub.start, lambda topic: 0)


async def settled(*presences: Presence) -> None:
    for presence in presences:
        while presence.telling:
            await asyncio.shield(presence.round)


def told() -> list[tuple[str, Any]]:
    """What the log says, without the order of those who came or went together."""
    stretch = read_log(ONLINE, 0, 1000)
    assert stretch.whole
    found = []
    for number, event in enumerate(map(orjson.loads, (event.json for event in stretch.events)), 1):
        assert (event["topic"], event["offset"]) == ("online", number)
        assert len(event) == 4
        found.append((event["type"], event.get("username") or sorted(event["usernames"])))
    return found


def names() -> list[str]:
    return [orjson.loads(name) for name in present(ONLINE).names]


async def test_a_user_with_three_connections_joins_once_and_leaves_once(instance: Callable[[], Presence]) -> None:
    here, readers = instance(), [Listener(ANN) for _ in range(3)]
    for reader in readers:
        here.enter(reader)
        await settled(here)
    assert names() == ["user 1"]
    for reader in readers:
        assert told() == [("user_joined", "user 1")]
        here.leave(reader)
        here.leave(reader)
        await settled(here)
    assert told() == [("user_joined", "user 1"), ("user_left", "user 1")]
    assert not any(client().exists(f"{ONLINE.tag}:{part}") for part in NOBODY_LEFT)


async def test_a_user_at_two_instances_leaves_with_the_last(instance: Callable[[], Presence]) -> None:
    one, other = instance(), instance()
    mine, also_mine = Listener(ANN), Listener(ANN)
    one.enter(mine)
    other.enter(also_mine)
    await settled(one, other)
    one.leave(mine)
    await settled(one)
    assert told() == [("user_joined", "user 1")]
    other.leave(also_mine)
    await settled(other)
    assert told() == [("user_joined", "user 1"), ("user_left", "user 1")]


async def test_those_who_come_and_go_in_one_tick_are_told_of_together(instance: Callable[[], Presence]) -> None:
    here, readers = instance(), [Listener(Somebody(number)) for number in range(1, 101)]
    for reader in readers:
        here.enter(reader)
    await settled(here)
    for reader in readers:
        here.leave(reader)
    await settled(here)
    everyone = sorted(reader.caller.username for reader in readers)
    assert told() == [("user_joined", everyone), ("user_left", everyone)]


async def test_who_comes_and_goes_in_one_tick_is_not_told_of(instance: Callable[[], Presence]) -> None:
    here, reader = instance(), Listener(ANN)
    here.enter(reader)
    here.leave(reader)
    await settled(here)
    assert told() == []


async def test_the_more_there_are_who_watch_the_more_is_joined(hub: Hub) -> None:
    here = Presence(ONLINE, hub.start, lambda topic: 3000)
    for number in range(1, 6):
        here.enter(Listener(Somebody(number)))
        await asyncio.sleep(0.02)
    await settled(here)
    assert told() == [("user_joined", "user 1"), ("user_joined", [f"user {number}" for number in range(2, 6)])]


async def test_what_is_told_is_there_when_told_of_returns(instance: Callable[[], Presence]) -> None:
    here = instance()
    for number in range(1, 8):
        reader = Listener(Somebody(number))
        here.enter(reader)
        await asyncio.gather(here.told(number), here.told(number))
        assert await aamong(ONLINE, [number, 1000]) == {number}
        here.leave(reader)
        await here.told(number)
        assert await aamong(ONLINE, [number]) == set()


async def test_the_users_of_a_dead_instance_leave_once_in_bounded_portions(
    instance: Callable[[], Presence], monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(ONLINE, "dead", [(number, f"user {number}") for number in range(1, 26)])
    arrive(ONLINE, "dead too", [(1, "user 1"), (2, "user 2")])
    here, reader = instance(), Listener(Somebody(25))
    here.enter(reader)
    await settled(here)
    monkeypatch.setattr(presence_module, "AT_ONCE", 10)
    beat(ONLINE, "other")
    assert len(told()) == 1, "nobody is dead yet"
    for name in ("dead", "dead too"):
        client().zincrby(f"{ONLINE.tag}:beats", -20_001, name)
    beats = 0
    while await here.beat():
        beats += 1
    assert 2 <= beats <= 5
    assert names() == ["user 25"]
    left = [name for kind, who in told() if kind == "user_left" for name in ([who] if isinstance(who, str) else who)]
    assert sorted(left) == sorted(f"user {number}" for number in range(1, 25))
    assert all(len(who) <= 10 or isinstance(who, str) for kind, who in told() if kind == "user_left")
    assert client().zcard(f"{ONLINE.tag}:beats") == 1


async def test_many_who_beat_at_once_tell_of_the_dead_once(instance: Callable[[], Presence]) -> None:
    arrive(ONLINE, "dead", [(1, "user 1"), (2, "user 2")])
    client().zincrby(f"{ONLINE.tag}:beats", -20_001, "dead")
    await asyncio.gather(*(abeat(ONLINE, f"instance {number}") for number in range(20)))
    assert told() == [("user_joined", ["user 1", "user 2"]), ("user_left", ["user 1", "user 2"])]


async def test_an_instance_that_was_taken_for_dead_comes_back_with_its_users(instance: Callable[[], Presence]) -> None:
    here = instance()
    here.enter(Listener(ANN))
    await settled(here)
    client().zincrby(f"{ONLINE.tag}:beats", -20_001, here.instance)
    beat(ONLINE, "other")
    assert names() == []
    await here.beat()
    await settled(here)
    assert names() == ["user 1"]
    assert told() == [("user_joined", "user 1"), ("user_left", "user 1"), ("user_joined", "user 1")]
    await here.beat()
    assert len(told()) == 3


async def test_an_instance_clears_away_the_dead_when_it_begins() -> None:
    arrive(ONLINE, "dead", [(number, "somebody") for number in range(1200)])
    client().zincrby(f"{ONLINE.tag}:beats", -20_001, "dead")
    tasks: list[asyncio.Task[Any]] = []

    def start(work: Any) -> asyncio.Task[Any]:
        tasks.append(asyncio.ensure_future(work))
        return tasks[-1]

    Presence(ONLINE, start, lambda topic: 0)
    await asyncio.to_thread(wait_for, lambda: not present(ONLINE).names)
    for task in tasks:
        task.cancel()


async def test_what_the_store_lost_is_told_again(instance: Callable[[], Presence]) -> None:
    here = instance()
    here.enter(Listener(ANN))
    await settled(here)
    client().flushall()
    await here.beat()
    await settled(here)
    assert names() == ["user 1"]


async def test_what_the_store_could_not_be_told_is_told_when_it_is_back(
    instance: Callable[[], Presence], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, mine, yours = instance(), Listener(ANN), Listener(BEN)

    async def away(*args: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patched:
        patched.setattr(presence_module, "aarrive", away)
        here.enter(mine)
        here.enter(yours)
        await asyncio.sleep(0.1)
        here.leave(mine)
    async with asyncio.timeout(10):
        await here.told(BEN.id)
        await here.told(ANN.id)
    assert names() == ["user 2"]
    assert told() == [("user_joined", "user 2")]


async def test_an_instance_that_stops_says_nothing(instance: Callable[[], Presence]) -> None:
    here, reader = instance(), Listener(ANN)
    here.enter(reader)
    await settled(here)
    here.stopping = True
    here.leave(reader)
    await here.beat()
    await settled(here)
    assert names() == ["user 1"]
    assert len(told()) == 1


async def test_a_call_that_is_repeated_changes_nothing() -> None:
    for _ in range(2):
        arrive(ONLINE, "a", [(1, "ann"), (2, "ben")])
    for _ in range(2):
        depart(ONLINE, "a", [1, 3])
    depart(ONLINE, "b", [2])
    assert names() == ["ben"]
    assert told() == [("user_joined", ["ann", "ben"]), ("user_left", "ann")]


async def test_the_log_keeps_its_last_events_only() -> None:
    calls = []
    for number in range(6000):
        calls += [
            presence_module.aarrive(ONLINE, "a", [(number, "somebody")]),
            presence_module.adepart(ONLINE, "a", [number]),
        ]
    await asyncio.gather(*calls)
    assert 10_000 <= client().xlen(f"{ONLINE.tag}:log") < 10_200
    head = (await apresent(ONLINE)).head
    assert head.offset == 12_000
    assert not (await aread_log(ONLINE, 0, 10)).whole
    assert (await aread_log(ONLINE, 5000, 10, head.epoch)).whole


async def test_those_who_ask_together_who_is_there_share_a_reading(
    instance: Callable[[], Presence], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, readings = instance(), 0
    real = apresent

    async def counted(topic: Any) -> Any:
        nonlocal readings
        readings += 1
        return await real(topic)

    monkeypatch.setattr(presence_module, "apresent", counted)
    first = asyncio.ensure_future(here.present())
    await asyncio.sleep(0)
    here.enter(Listener(ANN))
    await here.told(ANN.id)
    later = await asyncio.gather(*(here.present() for _ in range(50)))
    await first
    assert all(found.names == [b'"user 1"'] for found in later)
    assert readings <= 3


# On real servers


@contextlib.asynccontextmanager
async def gateway(person: Person) -> AsyncIterator[Socket]:
    async with person.socket("/ws") as socket:
        assert (await socket.hear())["type"] == "welcome"
        yield socket


async def watching(socket: Socket) -> Frame:
    answer = await socket.ask({"id": 1, "type": "subscribe", "topic": "online"})
    assert answer["type"] == "reply", answer
    result: Frame = answer["result"]
    assert result["topic"] == "online"
    return result


async def hear_of(socket: Socket, kind: str, name: str) -> list[Frame]:
    """Frames up to the one that says it."""
    heard = []
    async with asyncio.timeout(40):
        while True:
            frame = orjson.loads(await socket.connection.recv())
            heard.append(frame)
            if frame["type"] == kind and name in (frame.get("username"), *frame.get("usernames", ())):
                return heard


async def test_anyone_signed_in_hears_who_comes_and_goes(ann_there: Person, ben_there: Person) -> None:
    async with gateway(ann_there) as ann:
        await watching(ann)
        async with gateway(ben_there), gateway(ben_there), ben_there.socket("/messages/subscribe"):
            came = await hear_of(ann, "user_joined", ben_there.username)
        gone = await hear_of(ann, "user_left", ben_there.username)
    mine = [frame for frame in came + gone if frame.get("username") == ben_there.username]
    assert [frame["type"] for frame in mine] == ["user_joined", "user_left"]
    assert set(mine[0]) == {"type", "topic", "offset", "username"}
    offsets = [frame["offset"] for frame in came + gone]
    assert offsets == list(range(offsets[0], offsets[0] + len(offsets)))


async def test_one_who_signs_in_by_a_frame_is_online_from_then_on(ann_there: Person, ben_there: Person) -> None:
    async with gateway(ann_there) as ann:
        await watching(ann)
        async with ben_there.socket("/ws", additional_headers={}) as ben:
            await ben.say({"type": "authenticate", "token": ben_there.token})
            await hear_of(ann, "user_joined", ben_there.username)
        await hear_of(ann, "user_left", ben_there.username)


async def test_a_topic_beside_online_is_none(ann_there: Person) -> None:
    async with gateway(ann_there) as ann:
        answer = await ann.ask({"type": "subscribe", "topic": "online:x"})
    assert answer["code"] == "unknown_topic"


async def test_the_members_of_a_room_are_shown_online_or_not(sign_up: SignUp) -> None:
    ann, ben = await sign_up("ann"), await sign_up("ben")
    room = await ann.make_room()
    assert (await ben.rest.post(f"/room/{room}/members", json={"username": ben.username})).status_code == 201

    async def online() -> dict[str, bool]:
        answer = await ann.rest.get(f"/room/{room}/members")
        return {member["username"]: member["online"] for member in answer.json()}

    assert await online() == {ann.username: False, ben.username: False}
    async with gateway(ann) as socket:
        await watching(socket)
        async with ben.stream("/messages/subscribe"):
            await hear_of(socket, "user_joined", ben.username)
            assert await online() == {ann.username: True, ben.username: True}
        await hear_of(socket, "user_left", ben.username)
        assert await online() == {ann.username: True, ben.username: False}


async def test_a_server_that_restarts_tells_nobody_and_one_that_dies_loses_its_users_once(
    start_server: Callable[..., Server],
) -> None:
    one, other = start_server(), start_server()
    ann, ben, eve = [await sign_up_at(one, name) for name in ("ann", "ben", "eve")]
    ann_there = ann.at(other)
    async with gateway(ann_there) as watcher:
        await watching(watcher)
        async with gateway(ben) as socket:
            await hear_of(watcher, "user_joined", ben.username)
            assert await asyncio.to_thread(one.stop, signal.SIGTERM) == 0
            await socket.closed()
        one.begin()
        await asyncio.to_thread(one.wait_until_it_answers)
        async with gateway(ben), gateway(eve):
            heard = await hear_of(watcher, "user_joined", eve.username)
            assert [frame.get("username") for frame in heard] == [eve.username], "ben never left"
            await asyncio.to_thread(one.kill)
            await asyncio.to_thread(let_time_pass, other, ONLINE)
            gone: list[str] = []
            async with asyncio.timeout(30):
                while len(gone) < 2:
                    frame = orjson.loads(await watcher.connection.recv())
                    assert frame["type"] == "user_left"
                    gone += frame.get("usernames") or [frame["username"]]
            assert sorted(gone) == sorted([ben.username, eve.username])
    for person in (ann, ben, eve, ann_there):
        await person.rest.aclose()
