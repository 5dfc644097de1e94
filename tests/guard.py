"""What a session of tests started is ended even if the session itself is killed and can't tidy up.

A process of its own reads from a pipe what there is to end. Only the session holds the other end, and the kernel closes
that however the session dies; then whatever is left is ended. A session that tidied up leaves nothing to do.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import psutil

from foyer.store.embedded import Store

GRACE = 15
"""Seconds that processes get to end by themselves when they are asked to."""


def watch(started: int | Path) -> None:
    """Have a process, by its id, or a folder with the stores that run on it not outlive this process."""
    pipe = to_guard()
    pipe.write(f"{started}\n")
    pipe.flush()


@functools.cache
def to_guard() -> IO[str]:
    guard = subprocess.Popen(
        [sys.executable, "-m", "tests.guard"],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for the session, and so is the signal that kills its group
    )
    keep.append(guard)
    assert guard.stdin
    return guard.stdin


keep: list[subprocess.Popen[str]] = []


def main() -> None:
    processes, folders = list[psutil.Process](), list[Path]()
    for line in map(str.strip, sys.stdin):
        if not line.isdigit():
            folders.append(Path(line))
        else:
            with contextlib.suppress(psutil.NoSuchProcess):
                processes.append(psutil.Process(int(line)))  # known by its time of birth too: ids come again
    end(processes)
    for folder in folders:
        for lock in folder.rglob("users.lock"):
            stop_abandoned_store(lock.parent)
        shutil.rmtree(folder, ignore_errors=True)


def end(processes: Iterable[psutil.Process]) -> None:
    left = [process for process in processes if process.is_running()]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, left = psutil.wait_procs(left, GRACE)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def stop_abandoned_store(folder: Path) -> None:
    """Stop the Valkey of a folder whose users were killed, as the next one to use it does when it leaves."""
    abandoned = Store(folder)
    if abandoned.ready():
        abandoned.join()
        abandoned.leave()


if __name__ == "__main__":
    main()
