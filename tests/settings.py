"""The settings of a test session: those of the project, read from an environment that holds nothing of the developer's.

`DATABASE_URL` alone is taken over, so that the tests can run on PostgreSQL. All data goes to a folder that is removed
when the session ends.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SESSION_DIR = Path(tempfile.mkdtemp(prefix="foyer-test-"))
atexit.register(shutil.rmtree, SESSION_DIR, ignore_errors=True)

VARIABLES = frozenset(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
for name in VARIABLES - {"DATABASE_URL"}:
    os.environ.pop(name, None)
NO_QUOTAS = {"POSTS_PER_MINUTE": "0", "SIGN_UPS_PER_HOUR": "0"}
"""Tests say and sign up more than people do. Those of quotas set them."""
os.environ.update(ENV_FILE="", DATA_DIR=str(SESSION_DIR), REDIS_FSYNC="no", **NO_QUOTAS)

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES  # noqa: E402

for name, database in DATABASES.items():
    if database["ENGINE"].endswith("sqlite3"):
        # A file, since threads can't share a database in memory; and nothing here needs to outlive a crash.
        database["TEST"] = {"NAME": str(SESSION_DIR / f"test-{name}.sqlite3")}
        database["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
