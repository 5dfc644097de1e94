"""The cache on one server and on a cluster: what Django's caches promise, and that it empties itself alone."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.contrib.sessions.backends.cached_db import SessionStore
from django.core.cache import cache as project_cache
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.name_cache import name_cache
from foyer.errors import Unavailable
from foyer.store.steps import client, on_loop
from tests.server import bare_environment
from tests.settings import ROOT
from tests.store import Cluster, OwnStore, store_at

cache: Any = project_cache  # with what django-redis adds


@pytest.fixture(params=["as the suite runs", "cluster"], autouse=True)
def store(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.param == "cluster":
        cluster: Cluster = request.getfixturevalue("spare_cluster")
        with store_at(cluster.url):
            yield
            client().flushall()
    else:
        yield


def test_an_entry_is_kept_as_it_is_for_as_long_as_it_was_said() -> None:
    value = {"a": (1, None), "when": datetime(2026, 3, 4, tzinfo=UTC)}
    cache.set("x", value, 60)
    assert cache.get("x") == value
    assert cache.get("x", version=2) is None
    assert not cache.add("x", 2)
    assert 50 < cache.ttl("x") <= 60
    cache.touch("x", None)
    assert cache.ttl("x") is None
    assert cache.delete("x")
    assert "x" not in cache
    cache.set("x", 1, 0)
    assert cache.get("x", "nothing") == "nothing"


def test_many_entries_at_once_lie_wherever_their_slots_are() -> None:
    values = {f"name {number}": number for number in range(50)}
    cache.set_many(values)
    assert cache.get_many([*values, "none"]) == values
    assert sorted(cache.keys("name *")) == sorted(values)
    assert cache.incr("name 7", 3) == 10
    cache.delete_many(list(values)[:25])
    assert len(cache.get_many(list(values))) == 25
    assert cache.get_many([]) == {}


def test_emptying_the_cache_leaves_the_rest_of_the_store_alone() -> None:
    client().set("{room:1}:head", "kept")
    client().set("cached-elsewhere", "kept")
    cache.set_many({str(number): number for number in range(30)})
    cache.set("other", 1, version=2)
    cache.clear()
    assert cache.keys("*") == []
    assert cache.get("other", version=2) is None
    assert client().get("{room:1}:head") == client().get("cached-elsewhere") == b"kept"


async def test_the_loop_and_threads_see_the_same_entries() -> None:
    assert await cache.aget("x") is None
    assert await cache.aadd("x", ("a", 1), 60)
    assert not await cache.aadd("x", 2)
    assert await asyncio.to_thread(cache.get, "x") == ("a", 1)
    assert await asyncio.to_thread(cache.ttl, "x") in range(50, 61)
    await cache.aset("x", 5, None)
    assert await asyncio.to_thread(cache.ttl, "x") is None
    await asyncio.to_thread(cache.incr, "x")
    assert await cache.aget("x") == 6
    assert await cache.adelete("x")
    assert not await cache.adelete("x")
    await cache.aset("x", 1, 0)
    assert await cache.aget("x", "nothing") == "nothing"
    await on_loop().close()


def test_another_process_reads_what_was_set_here() -> None:
    cache.set("told", "by one")
    look = "import django; django.setup(); from django.core.cache import cache; print(cache.get('told'))"
    environment = {"DATA_DIR": str(settings.DATA_DIR), "ENV_FILE": "", "REDIS_URL": settings.REDIS_URL}
    done = subprocess.run(
        [sys.executable, "-c", look],
        cwd=ROOT,
        env=bare_environment() | environment | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "by one\n", done.stderr


async def test_a_store_that_is_away_or_full_says_so(tmp_path: Path) -> None:
    own = OwnStore(tmp_path)
    with store_at(own.url):
        cache.set("entry", 1)
        with redis.Redis(port=own.port) as asking:
            asking.config_set("maxmemory", 1)
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            cache.set("entry", 2)
        with pytest.raises(Unavailable):
            await cache.aset("entry", 2)
        name_cache().bar("entry", "gone", 60)
        assert "entry" not in cache  # which is all that can be done, and enough
        own.kill()
        with pytest.raises(redis.ConnectionError):
            cache.get("entry")
        with pytest.raises(Unavailable):
            await cache.aget("entry")
        with pytest.raises(Unavailable):
            name_cache().bar("entry", "gone", 60)
        await on_loop().close()


def test_a_cluster_without_nodes_is_away_like_one_server(tmp_path: Path) -> None:
    with contextlib.closing(Cluster()) as cluster, store_at(cluster.url, timeout=1):
        cache.set("entry", 1)
        for node in cluster.nodes:
            node.kill()
        for _ in range(2):
            with pytest.raises(redis.ConnectionError):
                cache.get("entry")
        assert caches["sessions"].get("entry") is None


@pytest.mark.django_db
def test_sessions_of_pages_are_read_from_the_cache_and_without_the_store_in_sql() -> None:
    begun = SessionStore()
    begun["name"] = "ann"
    begun.save()
    with CaptureQueriesContext(connection) as queries:
        assert SessionStore(begun.session_key)["name"] == "ann"
    assert not queries
    with store_at("redis://127.0.0.1:9", timeout=0.2):
        found = SessionStore(begun.session_key)
        assert found["name"] == "ann"
        found["name"] = "anna"
        found.save()
        assert SessionStore(begun.session_key)["name"] == "anna"
        found.flush()
        assert "name" not in SessionStore(begun.session_key)
