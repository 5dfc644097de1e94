"""A follower that is led by hand."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable

import pytest
from django.db import connections

from archive.follower import Follower
from archive.index import is_postgresql
from archive.router import ALIAS
from tests.server import Server


@pytest.fixture
def follower(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Follower:
    """With an empty index: Django empties the tables of models alone. It waits for nothing between its turns."""
    monkeypatch.setattr("archive.follower.ROUND", 0.0)
    if not is_postgresql():
        with connections[ALIAS].cursor() as cursor:
            cursor.execute("INSERT INTO archive_search (archive_search) VALUES ('delete-all')")
    return Follower(threading.Event())


@pytest.fixture
def start_server(start_server: Callable[..., Server]) -> Callable[..., Server]:
    """As everywhere; the server archives what happens."""
    return functools.partial(start_server, FOLLOW="1")
