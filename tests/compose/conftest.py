"""One stack for all tests that need it; they skip, saying why, where a part of it is not installed."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.compose.stack import Nginx, Stack, a_stack, what_is_missing


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if missing := what_is_missing(os.environ):
        assert os.environ.get("CI") != "true", missing
        pytest.skip(missing)
    with a_stack(tmp_path_factory.mktemp("stack")) as started:
        yield started


@pytest.fixture
def nginx(stack: Stack) -> Nginx:
    """Where clients go."""
    return stack.nginx
