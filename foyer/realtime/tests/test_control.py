"""What operators ask of all processes: that a user's connections be closed, wherever they are."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from channels.layers import get_channel_layer

from foyer.errors import Unavailable
from foyer.realtime import control
from foyer.realtime.connection import CloseCode
from foyer.realtime.control import aclose_connections, close_connections
from foyer.realtime.hub import Hub
from foyer.realtime.tests.talk import Listener, Somebody
from tests.clients import Person, sign_up_at
from tests.server import Server, servers
from tests.store import OwnStore, store_at

ANN, BEN = Somebody(5, session="a"), Somebody(6)


@pytest.fixture
async def listening(hub: Hub) -> AsyncIterator[Hub]:
    """A hub that operators are heard in."""
    await until_heard(hub)
    yield hub
    await get_channel_layer().flush()


async def until_heard(hub: Hub) -> None:
    """Return once what operators ask arrives."""
    probe = Listener(Somebody(99))
    hub.people.connected(probe)
    async with asyncio.timeout(10):
        while probe.closed_with is None:
            with contextlib.suppress(Unavailable):
                await aclose_connections(99)
            await asyncio.sleep(0.02)
    hub.people.disconnected(probe)


async def test_all_connections_of_the_user_are_closed_and_no_others(listening: Hub) -> None:
    anns, bens = [Listener(ANN), Listener(ANN)], Listener(BEN)
    for reader in (*anns, bens):
        listening.people.connected(reader)
    await asyncio.to_thread(close_connections, ANN.id)
    for reader in anns:
        await reader.until(lambda reader: reader.closed_with is not None)
        assert reader.closed_with == CloseCode.SIGNED_OUT
    assert bens.closed_with is None


async def test_operators_are_heard_again_after_the_store_was_away(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "PAUSE", 0.05)
    store = OwnStore(tmp_path_factory.mktemp("store"))
    with store_at(store.url, timeout=1):
        hub = Hub()
        await until_heard(hub)
        store.kill()
        with pytest.raises(Unavailable):
            await aclose_connections(ANN.id)
        store.start()
        await until_heard(hub)
        await hub.close()
        await get_channel_layer().flush()
    store.kill()


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Server, Server]]:
    """Two instances on one store and one database."""
    with servers() as started:
        yield started.start(), started.start()


async def test_every_instance_closes_the_users_sockets_and_streams_and_their_sessions_stay(
    pair: tuple[Server, Server],
) -> None:
    here, there = pair
    ann, ben = await sign_up_at(here, "ann"), await sign_up_at(here, "ben")
    room = await ben.make_room()
    async with (
        ann.socket("/ws") as one,
        ann.at(there).socket(f"/room/{room}/subscribe") as other,
        ann.at(there).stream(f"/room/{room}/subscribe") as stream,
        ben.socket("/ws") as bens,
    ):
        await one.hear()  # welcome
        await asyncio.to_thread(here.manage, "shell", "-c", CLOSE.format(ann.account["id"]))
        assert (await one.closed())[0] == (await other.closed())[0] == 4401
        assert await stream.hear() is None
        assert (await bens.ask({"type": "post", "room": room, "text": "still here"}))["type"] == "reply"
    async with ann.socket("/ws") as again:
        assert (await again.hear())["type"] == "welcome"
    await close_all(ann, ben)


CLOSE = "from foyer.realtime.control import close_connections; close_connections({})"


async def close_all(*people: Person) -> None:
    for person in people:
        await person.rest.aclose()
