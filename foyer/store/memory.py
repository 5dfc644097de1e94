"""How much memory the embedded store may take."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from django.conf import settings

LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where a container finds what it may take, of both kinds of control groups."""


def most() -> int:
    """Bytes: `REDIS_MAXMEMORY`, or half of what the machine, or the container, has; 0 for no limit.

    The other half is for the serving processes, and for the copy that the store needs while it rewrites its file.
    """
    limit: int | None = settings.REDIS_MAXMEMORY
    return available() // 2 if limit is None else limit


def available() -> int:
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in LIMITS:
        with contextlib.suppress(OSError, ValueError):  # "max" where there is no limit
            found.append(int(Path(path).read_text()))
    return min(found)
