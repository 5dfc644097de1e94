"""Where the store is, one server or a cluster, and how to reach it."""

from __future__ import annotations

import contextlib
import functools
from typing import Any

import redis
import redis.cluster
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisClusterException, RedisError, TimeoutError
from redis.retry import Retry

from foyer.errors import Unavailable
from foyer.store import embedded

STORE_ERRORS = (RedisError, RedisClusterException)


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


class Cluster(redis.cluster.RedisCluster):
    """The client of a cluster, which says that no node can be reached as that of one server does."""

    def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().execute_command(*args, **kwargs)  # type: ignore[no-untyped-call]
        except RedisClusterException as error:
            raise ConnectionError(str(error)) from error


@functools.cache
def client() -> redis.Redis | redis.cluster.RedisCluster:
    """The blocking client of this process, shared by its threads."""
    if is_cluster():
        nodes = [redis.cluster.ClusterNode(host, port) for host, port in startup_nodes()]
        return Cluster(startup_nodes=nodes, retry=Retry(NoBackoff(), 0), **cluster_options())
    return redis.Redis.from_url(seeds()[0], **connection_options(), retry=Retry(NoBackoff(), 0))


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
