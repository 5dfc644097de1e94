"""`/metrics`, for Prometheus: who may read it, and what all workers of this instance counted, together.

Workers share a folder (`processes.py`) in which each keeps its numbers, so it does not matter which of them is asked.
 Only what serves may import this: the library looks at its import whether there is such a folder.
"""

from __future__ import annotations

import asyncio
import hmac
import os
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from foyer.errors import Forbidden, NotAuthenticated
from foyer.server.health import Page

REQUESTS = Histogram(
    "foyer_http_request_seconds",
    "Time from a REST request's last byte to its answer, the wait for a thread included.",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """`route` is the template of an address: each value of a label is kept for ever."""
    REQUESTS.labels(method if method in METHODS else "other", route, status).observe(seconds)


def check_reader(scope: Any) -> None:
    """Raise unless the request may read the numbers: by `METRICS_TOKEN`, or in development from this machine."""
    if settings.METRICS_TOKEN:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        scheme, _, token = given.partition(b" ")
        if scheme.lower() != b"bearer" or not hmac.compare_digest(token.strip(), settings.METRICS_TOKEN.encode()):
            raise NotAuthenticated("Send the METRICS_TOKEN of this server as a Bearer token.")
    elif not (settings.DEBUG and is_this_machine(scope)):
        raise Forbidden("Set METRICS_TOKEN to read these numbers from another machine, or in production.")


def is_this_machine(scope: Any) -> bool:
    try:
        address = ip_address(scope["client"][0])
    except (TypeError, ValueError):
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


shared = CollectorRegistry()
"""Numbers that are not of this instance, and so are not to be added up: each process tells what it last saw of them."""
reading_thread = ThreadPoolExecutor(1, thread_name_prefix="metrics")


async def page(scope: Any) -> Page:
    check_reader(scope)
    text = await asyncio.get_running_loop().run_in_executor(reading_thread, exposition)
    return 200, {"content-type": CONTENT_TYPE_LATEST}, text


def exposition() -> bytes:
    """The numbers of all workers; under a server of another kind, those of this process."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry) + generate_latest(shared)
