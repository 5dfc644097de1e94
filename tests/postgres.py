"""`python -m tests.postgres COMMAND`: run a command with a throwaway PostgreSQL as its `DATABASE_URL`.

Uses the binaries that Debian or Homebrew installed. Where there are none it says so and runs the command without, but
in CI (`CI=true`) it fails: there the tests are meant to run on PostgreSQL.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg

from tests import guard
from tests.store import free_port, wait_for


def binaries() -> Path | None:
    """The folder of `initdb` and `postgres`: of the newest release if Debian has several."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    releases = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return releases[-1].parent if releases else None


@contextlib.contextmanager
def throwaway_postgres(folder: Path) -> Iterator[str]:
    """The address of a new PostgreSQL server, on loopback, with nothing in it."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="foyer-postgres-") as data:
        someone_else = not_root(data)
        subprocess.run(
            [folder / "initdb", "-D", f"{data}/data", "-U", "foyer", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            stdout=subprocess.DEVNULL,
            **someone_else,
        )
        hasty = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        roomy = ["-c", "max_connections=400"]
        where = ["-D", f"{data}/data", "-k", data, "-h", "127.0.0.1", "-p", str(port)]
        with Path(data, "log").open("wb") as log:
            process = subprocess.Popen(
                [folder / "postgres", *where, *hasty, *roomy],
                stderr=log,
                start_new_session=True,
                **someone_else,
            )
        guard.watch(process.pid)
        url = f"postgres://foyer@127.0.0.1:{port}/postgres"
        try:
            wait_for(lambda: answers(url))
            yield url
        finally:
            process.send_signal(signal.SIGINT)  # which PostgreSQL calls a fast shutdown
            process.wait()


def not_root(data: str) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then `data` and the processes belong to the user that its package made."""
    if os.getuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    os.chown(data, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": data}


def answers(url: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url):
        return True
    return False


def main() -> int:
    command = sys.argv[1:]
    folder = binaries()
    if folder is None:
        print("PostgreSQL is not installed (there is no initdb): install it to run the tests on it.", file=sys.stderr)
        if os.environ.get("CI") == "true":
            return 1
        print("Running them on SQLite instead.", file=sys.stderr)
        return run(command, os.environ)
    with throwaway_postgres(folder) as url:
        return run(command, os.environ | {"DATABASE_URL": url})


def run(command: list[str], environment: Mapping[str, str]) -> int:
    """Run `command` to its end. A signal that says stop is its affair: once it has tidied up, so do we."""
    with subprocess.Popen(command, env=environment) as process:
        guard.watch(process.pid)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches it as well
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        return process.wait()


if __name__ == "__main__":
    sys.exit(main())
