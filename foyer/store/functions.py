"""Stored functions: what an app declares of them, and how they come to the store."""

from __future__ import annotations

import hashlib
import re
import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import redis.cluster
from django.conf import settings
from redis.crc import key_slot

from foyer.store.client import client, is_cluster

Argument = str | bytes | int | float
READS_ONLY = re.compile(r"^register(?:_on_log)?\('(\w+)', \w+, READ_ONLY\)", re.MULTILINE)

MOST_KEYS = 100
"""Keys of one call, at most, where a call may have several: bounds how long the store is busy with it."""


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

    `name` is the app's; `sources` are folders or files of Lua, joined once each in the order given. What is local in a
    file stays in it, except where the file's name begins with an underscore: those are shared by all that follow. Every
    function's name carries the hash of the text, so that two releases can use one store at once during an upgrade.
    """

    every: dict[str, Library] = {}
    read_only: set[str] = set()
    """The functions, of every library, that change nothing."""

    def __init__(self, name: str, *sources: Path) -> None:
        listed = [
            file for source in sources for file in (sorted(source.glob("*.lua")) if source.is_dir() else [source])
        ]
        lines, self.starts, self.files = list[str](), list[int](), list[str]()
        for file in dict.fromkeys(listed):
            is_shared = file.name.startswith("_")
            lines += [] if is_shared else ["do"]
            self.starts.append(len(lines) + 3)  # two lines come before, and lines are counted from 1
            self.files.append(shown(file))
            lines += file.read_text(encoding="utf-8").splitlines()
            lines += [] if is_shared else ["end"]
        text = "\n".join(lines)
        self.version = hashlib.sha256(text.encode()).hexdigest()[:10]
        self.name = f"foyer_{name}_{self.version}"
        self.code = f"#!lua name={self.name}\nlocal LIBRARY = '{self.name}'\n{text}"
        Library.every[self.name] = self
        Library.read_only.update(f"{self.name}_{function}" for function in READS_ONLY.findall(text))

    def call(self, function: str, keys: Sequence[str], *args: Argument) -> Call:
        """The call of `function` (its file's name) on `keys`."""
        return Call(f"{self.name}_{function}", tuple(keys), args)

    def place(self, line: int) -> str:
        """The file and the line in it of a line of the library."""
        number = bisect_right(self.starts, line) - 1
        return f"{self.files[number]}:{line - self.starts[number] + 1}" if number >= 0 else f"{self.name}:{line}"


def shown(file: Path) -> str:
    """The path of a file as people know it: within the project."""
    return str(file.relative_to(settings.BASE_DIR)) if file.is_relative_to(settings.BASE_DIR) else str(file)


def with_places(fault: str, call: Call) -> str:
    """What the store says of a fault in a function, with the file and line instead of those of the whole library."""
    library = next((found for found in Library.every.values() if call.function.startswith(f"{found.name}_")), None)
    if library is None:
        return fault
    return re.sub(r"@?user_function:(\d+)", lambda found: library.place(int(found[1])), fault)


def in_one_call(keys: Sequence[str]) -> Iterator[list[str]]:
    """Keys of which a call can have several, in groups that can go together: on a cluster, those of one slot."""
    groups: dict[int, list[str]] = {}
    for key in keys:
        groups.setdefault(key_slot(key.encode()) if is_cluster() else 0, []).append(key)
    for group in groups.values():
        yield from (group[start : start + MOST_KEYS] for start in range(0, len(group), MOST_KEYS))


load_lock = threading.Lock()


def primaries() -> list[Any]:
    """A blocking client of each node that functions are loaded on."""
    store = client()
    if isinstance(store, redis.cluster.RedisCluster):
        return [store.get_redis_connection(node) for node in store.get_primaries()]
    return [store]


def load_functions() -> None:
    """Load every library on every primary, one thread at a time. May be repeated.

    Needed again after a node joins or comes back empty.
    """
    with load_lock:
        store = client()
        if isinstance(store, redis.cluster.RedisCluster):
            store.nodes_manager.initialize()
        for node in primaries():
            for library in Library.every.values():
                node.function_load(library.code, replace=True)
