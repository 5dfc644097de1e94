"""A follower that is led by hand."""

from __future__ import annotations

import threading

import pytest

from archive.follower import Follower


@pytest.fixture
def follower(transactional_db: None) -> Follower:
    return Follower(threading.Event())
