"""The channel layer on real stores: groups, restarts, nodes of a cluster that go, and consumers that do not listen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from foyer.errors import Unavailable
from foyer.store import channel_layer
from foyer.store.channel_layer import ChannelLayer
from foyer.store.steps import client
from tests.store import ON_CLUSTER, Cluster, OwnStore, store_at

PATIENCE = 10


@pytest.fixture
async def layers() -> AsyncIterator[tuple[ChannelLayer, ChannelLayer]]:
    """Two layers, as two processes have them."""
    made = ChannelLayer(prefix="foyer"), ChannelLayer(prefix="foyer")
    yield made
    for layer in made:
        await layer.flush()


@pytest.fixture(scope="module")
def own_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnStore]:
    store = OwnStore(tmp_path_factory.mktemp("layer"))
    yield store
    store.kill()


async def hear(layer: ChannelLayer, channel: str) -> Any:
    async with asyncio.timeout(PATIENCE):
        return (await layer.receive(channel))["number"]


async def come_into(layer: ChannelLayer, group: str) -> str:
    channel = await layer.new_channel()
    await layer.group_add(group, channel)
    return channel


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """For what announces no event."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_the_project_has_this_layer() -> None:
    assert isinstance(get_channel_layer(), ChannelLayer)


async def test_a_group_hears_what_any_process_says_in_order_from_the_moment_it_was_joined(
    layers: tuple[ChannelLayer, ChannelLayer],
) -> None:
    here, there = layers
    for number in range(200):
        channel = await come_into(here, f"group-{number}")
        await there.group_send(f"group-{number}", {"type": "told", "number": number})
        assert await hear(here, channel) == number
    ours, theirs = await come_into(here, "all"), await come_into(there, "all")
    for number in range(500):
        await here.group_send("all", {"type": "told", "number": number})
    assert [await hear(here, ours) for _ in range(500)] == list(range(500))
    assert [await hear(there, theirs) for _ in range(500)] == list(range(500))


async def test_many_who_come_at_once_join_once_and_all_hear(layers: tuple[ChannelLayer, ChannelLayer]) -> None:
    here, there = layers
    channels = [await here.new_channel() for _ in range(50)]
    await asyncio.gather(*(here.group_add("crowd", channel) for channel in channels))
    await there.group_send("crowd", {"type": "told", "number": 7})
    assert [await hear(here, channel) for channel in channels] == [7] * 50


async def test_a_group_that_was_left_is_not_heard_and_can_be_joined_again(
    layers: tuple[ChannelLayer, ChannelLayer],
) -> None:
    here, there = layers
    channel = await come_into(here, "club")
    for number in range(20):
        await here.group_discard("club", channel)
        await there.group_send("club", {"type": "told", "number": -1})
        await here.group_add("club", channel)
        await there.group_send("club", {"type": "told", "number": number})
        while (heard := await hear(here, channel)) == -1:
            assert ON_CLUSTER, "what was said before it came back"  # between nodes it may be on its way for longer
        assert heard == number


def test_a_thread_without_a_loop_says_something_to_a_group() -> None:
    async def listen() -> int:
        layer = get_channel_layer()
        channel = await come_into(layer, "threads")
        send = async_to_sync(layer.group_send)
        await asyncio.to_thread(send, "threads", {"type": "told", "number": 3})
        heard: int = await hear(layer, channel)
        return heard

    assert asyncio.run(listen()) == 3


async def test_a_quiet_group_is_heard_after_longer_than_any_timeout(layers: tuple[ChannelLayer, ChannelLayer]) -> None:
    here, there = layers
    channel = await come_into(here, "quiet")
    await asyncio.sleep(6.5)
    asked = time.monotonic()
    await there.group_send("quiet", {"type": "told", "number": 1})
    assert await hear(here, channel) == 1
    assert time.monotonic() - asked < 1


async def test_nothing_is_connected_before_it_is_used(own_store: OwnStore) -> None:
    with store_at(own_store.url):
        before = own_store.connections_so_far()
        layer = ChannelLayer(prefix="foyer")
        layer._get_layer()
        assert own_store.connections_so_far() == before + 1  # the one that asks


async def test_groups_are_heard_again_after_a_restart_of_the_store(own_store: OwnStore) -> None:
    with store_at(own_store.url):
        here, there = ChannelLayer(prefix="foyer"), ChannelLayer(prefix="foyer")
        channels = {group: await come_into(here, group) for group in ("one", "two")}
        own_store.kill()
        with pytest.raises(Unavailable):
            await there.group_send("one", {"type": "told", "number": 0})
        with pytest.raises(Unavailable):
            await here.new_channel()
        own_store.start()
        for group, channel in channels.items():
            await until(partial(is_heard, there, group, here, channel))
        assert len(here.channels) == 2  # that of the one that could not be made is not kept
        await here.flush()
        await there.flush()


async def is_heard(there: ChannelLayer, group: str, here: ChannelLayer, channel: str) -> bool:
    """Whether what is said to the group in one process arrives in the other."""
    try:
        await there.group_send(group, {"type": "told", "number": 1})
    except Unavailable:
        return False
    return await is_there(here, channel)


async def is_there(layer: ChannelLayer, channel: str) -> bool:
    """Whether a message arrives within a moment."""
    for _ in range(10):
        await asyncio.sleep(0.02)
        if not layer.channels[channel].empty():
            return True
    return False


async def test_a_node_of_a_cluster_that_goes_silences_nobody(spare_cluster: Cluster) -> None:
    with store_at(spare_cluster.url, timeout=2):
        here, there = ChannelLayer(prefix="foyer"), ChannelLayer(prefix="foyer")
        groups = [f"group-{number}" for number in range(12)]  # at all three nodes
        channels = {group: await come_into(here, group) for group in groups}
        for away in spare_cluster.nodes:
            away.kill()
            for group, channel in channels.items():
                while not here.channels[channel].empty():
                    await here.receive(channel)
                await until(partial(is_heard, there, group, here, channel))
            away.start()
            await asyncio.to_thread(spare_cluster.wait_until_whole)
        await here.flush()
        await there.flush()


async def test_what_a_busy_consumer_can_not_take_is_lost_and_said_so_once(
    layers: tuple[ChannelLayer, ChannelLayer], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(channel_layer, "CAPACITY", 10)
    here, there = layers
    busy, ready = await come_into(here, "work"), await come_into(here, "work")
    for number in range(50):
        await there.group_send("work", {"type": "told", "number": number})
        assert await hear(here, ready) == number
    assert [await hear(here, busy) for _ in range(10)] == list(range(10))
    assert here.channels[busy].empty()
    assert caplog.text.count("does not keep up") == 1


async def test_a_channel_goes_with_its_consumer_and_the_group_with_its_last_channel(
    layers: tuple[ChannelLayer, ChannelLayer],
) -> None:
    here, there = layers

    async def fail() -> None:
        await come_into(here, "short")
        raise ValueError

    stays = await come_into(here, "long")
    with pytest.raises(ValueError):
        await asyncio.create_task(fail())
    await asyncio.sleep(0)
    assert list(here.channels) == [stays]
    assert list(here.groups) == ["foyer__group__long"]
    assert not here.endings.keys() - {stays}
    await there.group_send("long", {"type": "told", "number": 5})
    assert await hear(here, stays) == 5


def nothing_is_heard() -> bool:
    return not client().pubsub_channels("foyer[_s]*")


async def test_a_consumer_that_is_cut_short_while_it_joins_leaves_nothing(
    layers: tuple[ChannelLayer, ChannelLayer],
) -> None:
    here, there = layers
    for turns in range(40):
        joining = asyncio.create_task(come_into(here, "brief"))
        for _ in range(turns):
            await asyncio.sleep(0)
        joining.cancel()
        await asyncio.wait([joining])
    await asyncio.sleep(0)
    assert not here.channels
    assert not here.groups
    await until(partial(asyncio.to_thread, nothing_is_heard))
    channel = await come_into(here, "brief")
    await there.group_send("brief", {"type": "told", "number": 2})
    assert await hear(here, channel) == 2


async def test_loops_that_end_leave_no_connection_behind(own_store: OwnStore, tmp_path: Path) -> None:
    with store_at(own_store.url):
        layer = ChannelLayer(prefix="foyer")

        async def visit() -> None:
            await come_into(layer, "visits")
            await layer.group_send("visits", {"type": "told", "number": 1})

        before = own_store.connections_open()
        for _ in range(5):
            await asyncio.to_thread(asyncio.run, visit())
        await until(lambda: asyncio.to_thread(lambda: own_store.connections_open() == before))
        assert not layer._layers
