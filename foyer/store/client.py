"""Where the store is, one server or a cluster, how to reach it, and what its errors mean."""

from __future__ import annotations

import contextlib
import functools
from typing import Any, NoReturn

import redis
import redis.cluster
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import (
    AskError,
    ClusterDownError,
    ConnectionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TimeoutError,
    TryAgainError,
)
from redis.retry import Retry

from foyer.errors import FoyerError, Unavailable
from foyer.store import embedded

STORE_ERRORS = (RedisError, RedisClusterException)
AWAY = (AskError, ClusterDownError, OutOfMemoryError, ReadOnlyError, TryAgainError)
AWAY_REPLIES = (
    *("MISCONF", "NOREPLICAS", "BUSY", "LOADING", "MASTERDOWN", "OOM", "READONLY"),
    *("ASK", "CLUSTERDOWN", "MOVED", "TRYAGAIN"),
)
"""The same as a node says it, and what redis-py has no class for."""


def is_away(error: Exception) -> bool:
    """Whether a client's error says that the store, or the node, can't work at this moment."""
    if isinstance(error, ResponseError):
        return isinstance(error, AWAY) or str(error).startswith(AWAY_REPLIES)
    return isinstance(error, STORE_ERRORS)


def is_unknown_function(error: object) -> bool:
    return isinstance(error, ResponseError) and "Function not found" in str(error)


def url() -> str:
    """Where the store is: `REDIS_URL`, or the embedded server, started if nobody has."""
    return settings.REDIS_URL or embedded.ensure_running()


def connection_options() -> dict[str, Any]:
    return {
        "socket_timeout": settings.REDIS_TIMEOUT,
        "socket_connect_timeout": settings.REDIS_TIMEOUT,
        "health_check_interval": 0,
    }


def seeds() -> list[str]:
    """The addresses in `REDIS_URL`: one, or several nodes of a cluster, separated by commas."""
    return [part.strip() for part in url().split(",")]


@functools.cache
def is_cluster() -> bool:
    """Whether the store is a cluster, asked of the first seed that answers; remembered for the process."""
    for seed in seeds():
        probe = redis.Redis.from_url(seed, **connection_options(), retry=Retry(NoBackoff(), 0))
        with contextlib.closing(probe), contextlib.suppress(ConnectionError, TimeoutError):
            return bool(probe.info("cluster").get("cluster_enabled"))
    raise Unavailable


def startup_nodes() -> list[tuple[str, int]]:
    parsed = [redis.connection.parse_url(seed) for seed in seeds()]
    return [(str(options["host"]), int(options.get("port", 6379))) for options in parsed]


def cluster_options() -> dict[str, Any]:
    parsed = dict(redis.connection.parse_url(seeds()[0]))
    for key in ("host", "port", "db"):
        parsed.pop(key, None)
    if parsed.pop("connection_class", None) is not None:
        parsed["ssl"] = True
    return {**connection_options(), **parsed, "require_full_coverage": False}


@functools.cache
def client() -> redis.Redis | redis.cluster.RedisCluster:
    """The blocking client of this process, shared by its threads."""
    if is_cluster():
        nodes = [redis.cluster.ClusterNode(host, port) for host, port in startup_nodes()]
        return redis.cluster.RedisCluster(startup_nodes=nodes, retry=Retry(NoBackoff(), 0), **cluster_options())
    return redis.Redis.from_url(seeds()[0], **connection_options(), retry=Retry(NoBackoff(), 0))


def refuse(error: Exception) -> NoReturn:
    """Raise what a client is told for an error reply of a stored function, or for a store that is away."""
    if isinstance(error, FoyerError):
        raise error
    text = str(error)
    if isinstance(error, ResponseError) and text.startswith("FOYER "):
        code, _, detail = text[6:].partition(" ")
        raise FoyerError.by_code[code](detail) from None
    if isinstance(error, ResponseError) and not is_away(error):
        raise error
    raise Unavailable from error


def without_password(url: str) -> str:
    """`url`, or several separated by commas, fit to be shown: any password replaced by `***`."""
    shown = []
    for part in url.split(","):
        scheme, mark, rest = part.partition("://")
        credentials, _, place = rest.rpartition("@")
        user, colon, _ = credentials.partition(":")
        if mark and colon:
            part = f"{scheme}://{user}:***@{place}"
        shown.append(part)
    return ",".join(shown)
