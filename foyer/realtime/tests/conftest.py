"""What the tests of this package share: a hub of their own, on the loop of the test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from foyer.realtime.hub import Hub, get_hub, hubs
from foyer.store.steps import on_loop


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    made = get_hub()
    yield made
    await made.close()
    await on_loop().close()
    hubs.clear()
