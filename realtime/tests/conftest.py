"""What the tests of this package share: a hub of their own, on the loop of the test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from config.redis import on_loop
from realtime.hub import Hub, get_hub, hubs


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    made = get_hub()
    yield made
    await made.close()
    await on_loop().close()
    hubs.clear()
