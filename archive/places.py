"""What lies where, and how much it takes: the archive's database, and the memory of the store."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

from django.db import connections

from archive.router import ALIAS
from foyer.store.functions import primaries
from foyer.store.steps import STORE_ERRORS

PARTS = """
    SELECT child.relname, greatest(child.reltuples, 0)::bigint, pg_total_relation_size(child.oid)
    FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
    WHERE inhparent = 'archive_event'::regclass ORDER BY child.relname DESC
"""
"""The partitions of PostgreSQL, one a month. `reltuples` is what its statistics know."""


class Kept(NamedTuple):
    """A part of the archive: what it is called, how many events it has, about, and its bytes on disk with indexes."""

    name: str
    events: int
    size: int


class Node(NamedTuple):
    """A node of the store: the bytes that it uses, and that it may use (0 for no limit)."""

    name: str
    used: int
    most: int


def database_name() -> str:
    """Where the archive lies, without the password."""
    told = connections[ALIAS].settings_dict
    if connections[ALIAS].vendor == "sqlite":
        return f"SQLite, {told['NAME']}"
    return f"PostgreSQL, {told['NAME']} at {told['HOST'] or 'localhost'}:{told['PORT'] or 5432}"


def archive_parts() -> list[Kept]:
    """The parts of the archive, the newest first. Counts nothing, so the numbers of events are not exact."""
    with connections[ALIAS].cursor() as cursor:
        if connections[ALIAS].vendor == "postgresql":
            cursor.execute(PARTS)
            return [Kept(*part) for part in cursor.fetchall()]
        cursor.execute("SELECT coalesce(max(id) - min(id) + 1, 0) FROM archive_event")
        (events,) = cursor.fetchone()
        size = 1
        for pragma in ("page_count", "page_size"):
            cursor.execute(f"PRAGMA {pragma}")
            size *= cursor.fetchone()[0]
        return [Kept("all", events, size)]


def store_nodes() -> list[Node]:
    """The nodes of the store that answer."""
    found = []
    for node in primaries():
        with contextlib.suppress(*STORE_ERRORS):
            told, where = node.info("memory"), node.connection_pool.connection_kwargs
            name = where.get("path") or f"{where.get('host', 'localhost')}:{where.get('port', 6379)}"
            found.append(Node(name, told["used_memory"], told["maxmemory"]))
    return found
