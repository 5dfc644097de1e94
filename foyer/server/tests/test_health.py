"""`/health/live` and `/health/ready` on a real server whose store is killed, and hangs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import time
from collections.abc import Iterator

import httpx
import psycopg
import pytest
import redis
from django.db import connection

from foyer.server import health
from foyer.server.health import FRESH, PATIENCE, Readiness
from tests.markdown import block, section
from tests.server import Server, servers
from tests.settings import ROOT
from tests.store import OwnStore, wait_for

READY = {"status": "ok", "checks": {"store": "ok", "memory": "ok", "database": "ok", "archive": "ok"}}


@pytest.fixture(scope="module")
def own_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnStore]:
    store = OwnStore(tmp_path_factory.mktemp("store"))
    yield store
    store.kill()


@pytest.fixture(scope="module")
def own_server(own_store: OwnStore) -> Iterator[Server]:
    with servers() as started:
        yield started.start(HTTP_THREADS="1", REDIS_URL=own_store.url)


def ask(server: Server, page: str) -> httpx.Response:
    return httpx.get(f"{server.base_url}/health/{page}", timeout=PATIENCE + 5)


def test_a_server_that_works_lives_and_is_ready_and_says_so_to_anyone(own_server: Server) -> None:
    assert (ask(own_server, "live").status_code, ask(own_server, "live").json()) == (200, {"status": "ok"})
    ready = ask(own_server, "ready")
    assert (ready.status_code, ready.json()) == (200, READY)
    shown = block(section(ROOT / "docs/operating.md", "Health"), "json").splitlines()
    assert [json.loads(line) for line in shown] == [{"status": "ok"}, READY]
    assert ready.headers["Cache-Control"] == "no-store"
    assert httpx.head(f"{own_server.base_url}/health/ready").status_code == 200
    refused = httpx.post(f"{own_server.base_url}/health/ready")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_a_server_whose_store_is_full_says_so_until_it_is_not(own_server: Server, own_store: OwnStore) -> None:
    with redis.Redis(port=own_store.port) as store:
        store.config_set("maxmemory", "1mb")
        try:
            wait_for(lambda: ask(own_server, "ready").status_code == 503, seconds=2)
            told = ask(own_server, "ready").json()
            assert told["detail"] == "Full: memory."
            assert told["checks"] == {"store": "ok", "memory": "full", "database": "ok", "archive": "ok"}
        finally:
            store.config_set("maxmemory", 0)
    wait_for(lambda: ask(own_server, "ready").json() == READY, seconds=2)


def test_without_its_store_it_lives_but_is_not_ready_until_that_is_back(
    own_server: Server, own_store: OwnStore
) -> None:
    own_store.kill()
    wait_for(lambda: ask(own_server, "ready").status_code == 503, seconds=2)
    told = ask(own_server, "ready")
    assert told.json() == {
        "code": "unavailable",
        "detail": "Away: store.",
        "checks": {"store": "away", "memory": "ok", "database": "ok", "archive": "ok"},
    }
    assert int(told.headers["Retry-After"]) > 0
    assert ask(own_server, "live").status_code == 200
    own_store.start()
    wait_for(lambda: ask(own_server, "ready").status_code == 200, seconds=5)


def test_it_answers_in_time_while_the_store_hangs_and_every_thread_waits_for_it(
    own_server: Server, own_store: OwnStore
) -> None:
    with contextlib.ExitStack() as stack:
        own_store.process.send_signal(signal.SIGSTOP)
        stack.callback(own_store.process.send_signal, signal.SIGCONT)
        for _ in range(4):  # more than there are threads, and nobody reads the answers
            waiting = stack.enter_context(socket.create_connection(("127.0.0.1", own_server.port)))
            waiting.sendall(b"GET /rooms HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic YWRtaW46YWRtaW4=\r\n\r\n")
        wait_for(lambda: ask(own_server, "ready").status_code == 503, seconds=3)
        for page, status, most in (("live", 200, 1.0), ("ready", 503, PATIENCE + 1.0)):
            asked = time.monotonic()
            assert ask(own_server, page).status_code == status
            assert time.monotonic() - asked < most
    wait_for(lambda: ask(own_server, "ready").status_code == 200, seconds=10)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite is a file, which does not go away")
def test_without_its_database_it_is_not_ready_until_that_is_back(own_server: Server) -> None:
    url = own_server.environment["DATABASE_URL"]
    place, _, name = url.rpartition("/")
    with psycopg.connect(f"{place}/postgres", autocommit=True) as door:
        door.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        door.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        wait_for(lambda: ask(own_server, "ready").json().get("detail") == "Away: database.", seconds=5)
        door.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
    wait_for(lambda: ask(own_server, "ready").status_code == 200, seconds=5)


async def test_what_is_looked_at_is_looked_at_once_for_all_who_ask() -> None:
    looks = 0

    async def count() -> None:
        nonlocal looks
        looks += 1

    readiness = Readiness({"something": count})
    assert await asyncio.gather(*(readiness.look() for _ in range(100))) == [{"something": "ok"}] * 100
    assert looks == 1
    readiness.begun_at["something"] -= 2 * FRESH
    await readiness.look()
    assert looks == 2


async def test_a_look_that_hangs_counts_as_away_and_is_not_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.1)
    looks, released = 0, asyncio.Event()

    async def hang() -> None:
        nonlocal looks
        looks += 1
        await released.wait()

    readiness = Readiness({"hanging": hang, "fine": fine})
    for _ in range(2):
        assert await readiness.look() == {"hanging": "away", "fine": "ok"}
    assert looks == 1
    released.set()
    assert (await readiness.look())["hanging"] == "ok"


async def fine() -> None:
    """Nothing is wrong."""


async def test_a_look_that_fails_is_named_in_a_503() -> None:
    async def fail() -> None:
        raise OSError("the disk is on fire")

    status, _, body = await Readiness({"disk": fail, "fine": fine})(scope={})
    assert status == 503
    assert b'"disk":"away","fine":"ok"' in body
    assert b"fire" not in body
