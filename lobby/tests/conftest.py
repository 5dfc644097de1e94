"""Who and what the tests of the lobby share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from accounts.models import Account
from accounts.tests.conftest import anyone, person
from foyer.realtime.hub import get_hub, hubs
from foyer.store.steps import on_loop
from lobby.tests.sockets import LobbyClient
from rooms.tests.conftest import ann, boss

__all__ = ["ann", "anyone", "boss", "person"]

OpenSocket = Callable[[], Awaitable[LobbyClient]]


@pytest.fixture
async def open_socket(transactional_db: None) -> AsyncIterator[OpenSocket]:
    """Opens sockets in this process: `await open_socket()`."""
    async with AsyncExitStack() as stack:

        async def make() -> LobbyClient:
            client = LobbyClient()
            await client.open()
            stack.push_async_callback(client.wire.disconnect)
            return client

        yield make
    await get_hub().close()
    await on_loop().close()
    hubs.clear()


@pytest.fixture
async def socket(open_socket: OpenSocket) -> LobbyClient:
    return await open_socket()


@pytest.fixture
def chief(transactional_db: None, person: Callable[..., Account]) -> Account:
    """An admin."""
    return person("chief", is_staff=True)


@pytest.fixture
def guest(transactional_db: None, person: Callable[..., Account]) -> Account:
    """A user like others."""
    return person("guest")
