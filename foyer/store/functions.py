"""Stored functions: what an app declares of them, and how they come to the store."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import redis.cluster

from foyer.store.client import client

Argument = str | bytes | int | float
READS_ONLY = re.compile(r"^register\('(\w+)', \w+, READ_ONLY\)", re.MULTILINE)


class Call(NamedTuple):
    """One stored function, its keys (all of one hash tag) and its arguments."""

    function: str
    keys: tuple[str, ...]
    args: tuple[Argument, ...]

    def command(self) -> tuple[Argument, ...]:
        return ("FCALL", self.function, len(self.keys), *self.keys, *self.args)


class Plain(NamedTuple):
    """A command of the store's own, for the node that has `key`; with `anywhere`, for another if that is away."""

    words: tuple[Argument, ...]
    key: str
    anywhere: bool = False

    @property
    def keys(self) -> tuple[str]:
        return (self.key,)

    def command(self) -> tuple[Argument, ...]:
        return self.words


class Library:
    """The stored functions of one app, versioned by their own text.

    `name` is the app's; `sources` are folders or files of Lua, joined once each in the order given. Every
    function's name carries the hash of the text, so that two releases can use one store at once during an upgrade.
    """

    every: dict[str, Library] = {}
    read_only: set[str] = set()
    """The functions, of every library, that change nothing."""

    def __init__(self, name: str, *sources: Path) -> None:
        listed = [
            file for source in sources for file in (sorted(source.glob("*.lua")) if source.is_dir() else [source])
        ]
        text = "\n".join(file.read_text(encoding="utf-8") for file in dict.fromkeys(listed))
        self.version = hashlib.sha256(text.encode()).hexdigest()[:10]
        self.name = f"foyer_{name}_{self.version}"
        self.code = f"#!lua name={self.name}\nlocal LIBRARY = '{self.name}'\n{text}"
        Library.every[self.name] = self
        Library.read_only.update(f"{self.name}_{function}" for function in READS_ONLY.findall(text))

    def call(self, function: str, keys: Sequence[str], *args: Argument) -> Call:
        """The call of `function` (its file's name) on `keys`."""
        return Call(f"{self.name}_{function}", tuple(keys), args)


load_lock = threading.Lock()


def load_functions() -> None:
    """Load every library on every primary, one thread at a time. May be repeated.

    Needed again after a node joins or comes back empty.
    """
    with load_lock:
        store = client()
        nodes: list[Any] = [store]
        if isinstance(store, redis.cluster.RedisCluster):
            store.nodes_manager.initialize()
            nodes = [store.get_redis_connection(node) for node in store.get_primaries()]
        for node in nodes:
            for library in Library.every.values():
                node.function_load(library.code, replace=True)
