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
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests import guard
from tests.store import free_port, wait_for


def binaries() -> Path | None:
    """The folder of `initdb` and `postgres`: of the newest release if Debian has several."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    releases = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return releases[-1].parent if releases else None


class OwnPostgres:
    """A PostgreSQL server on loopback, with nothing in it, that may be killed and started again on its port.

    What it has committed outlives it, but not a loss of power. `options` are more of its settings, `name=value`.
    """

    def __init__(self, binaries: Path, *options: str) -> None:
        self.binaries = binaries
        self.folder = tempfile.TemporaryDirectory(prefix="foyer-postgres-")
        guard.watch(Path(self.folder.name))
        self.port = free_port()
        self.url = f"postgres://foyer@127.0.0.1:{self.port}/postgres"
        self.options = ["fsync=off", "full_page_writes=off", "max_connections=400", *options]
        self.someone_else = not_root(self.folder.name)
        words = ["-D", f"{self.folder.name}/data", "-U", "foyer", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run([binaries / "initdb", *words], check=True, stdout=subprocess.DEVNULL, **self.someone_else)
        self.start()

    def start(self) -> None:
        data = self.folder.name
        words = ["-D", f"{data}/data", "-k", data, "-h", "127.0.0.1", "-p", str(self.port)]
        words += [word for option in self.options for word in ("-c", option)]
        with Path(data, "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.binaries / "postgres", *words], stderr=log, start_new_session=True, **self.someone_else
            )
        guard.watch(self.process.pid)
        wait_for(lambda: answers(self.url))

    def kill(self) -> None:
        """As `kill -9` of all of its processes at once."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()
        psutil.wait_procs(family)

    def close(self) -> None:
        self.process.send_signal(signal.SIGINT)  # which PostgreSQL calls a fast shutdown
        self.process.wait()
        self.folder.cleanup()


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
    with contextlib.closing(OwnPostgres(folder, "synchronous_commit=off")) as server:
        return run(command, os.environ | {"DATABASE_URL": server.url})


def run(command: list[str], environment: Mapping[str, str]) -> int:
    """Run `command` to its end. A signal that says stop is its affair: once it has tidied up, so do we."""
    with subprocess.Popen(command, env=environment) as process:
        guard.watch(process.pid)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches it as well
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        return process.wait()


if __name__ == "__main__":
    sys.exit(main())
