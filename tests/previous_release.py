"""Puts a store of the release before in place, as `tests/data/make_release.py` wrote it down, for a server."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import redis
from django.utils.crypto import salted_hmac

from foyer.store.embedded import Store
from tests.server import Server, Servers, servers

RELEASE = Path(__file__).parent / "data/release-1.0"
Row = dict[str, Any]


@cache
def answers() -> dict[str, Any]:
    """What the release answered."""
    found: dict[str, Any] = json.loads((RELEASE / "answers.json").read_text())
    return found


def token_of(session: Row) -> str:
    """The token of a session, signed as that release signed it."""
    key = salted_hmac("foyer.token", "signing key", secret=answers()["secret_key"], algorithm="sha256").digest()
    claims = {name: session[name] for name in ("sub", "sid", "exp")}
    return jwt.encode({**claims, "iat": min(session["iat"], int(time.time()))}, key, "HS256")


@contextlib.contextmanager
def upgraded(**environment: str) -> Iterator[Server]:
    """A server of this release, with these variables, on what the one before had stored."""
    with servers() as started:
        data_dir = started.folder / "data"
        data_dir.mkdir()
        with contextlib.closing(sqlite3.connect(data_dir / "foyer.sqlite3")) as database:
            database.executescript((RELEASE / "accounts.sql").read_text())
        with store_of(started, data_dir) as store:
            load_store(store)
        started.environment |= {"DATABASE_URL": "", "SECRET_KEY": answers()["secret_key"], **environment}
        yield started.start(data_dir=data_dir)


@contextlib.contextmanager
def store_of(started: Servers, data_dir: Path) -> Iterator[Any]:
    """A client of the store that the server is going to use."""
    if url := started.environment["REDIS_URL"]:
        with contextlib.closing(redis.RedisCluster.from_url(url.partition(",")[0])) as cluster:
            yield cluster
        return
    embedded = Store(data_dir / "valkey")
    embedded.join()
    with redis.Redis.from_url(embedded.url) as client:
        yield client
    embedded.leave()


def load_store(store: Any) -> None:
    for line in (RELEASE / "store.jsonl").read_text().splitlines():
        row = json.loads(line)
        put(store, row)
        if "expires_in" in row:
            store.pexpire(row["key"], row["expires_in"])


def put(store: Any, row: Row) -> None:
    key, value = row["key"], row["value"]
    match row["type"]:
        case "string":
            store.set(key, value)
        case "hash":
            store.hset(key, mapping=value)
        case "set":
            store.sadd(key, *value)
        case "zset":
            store.zadd(key, dict(value))
        case "list":
            store.rpush(key, *value)
        case "stream":
            for entry, fields in value or [["0-1", ["", ""]]]:
                store.execute_command("XADD", key, entry, *fields)
            if not value:
                store.xdel(key, "0-1")
            store.execute_command(
                "XSETID", key, row["last"], "ENTRIESADDED", row["added"], "MAXDELETEDID", row["deleted"]
            )
