"""What apps run beside the requests: tasks on the loop of each serving process, and processes of their own.

Apps add to the two lists when Django starts.
"""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence

from django.conf import settings

logger = logging.getLogger(__name__)

tasks: list[Callable[[], Awaitable[None]]] = []
"""Each runs on the loop of every serving process, from its start until it stops."""
commands: list[Sequence[str]] = []
"""Each is a management command and its options. It must end when its standard input does."""
BEGIN_AFTER = 3.0
"""Seconds that a command waits for, so that it takes no time from a server that is starting."""
REVIVE_PAUSE = 1.0
STOP_WITHIN = 5.0


class Companion:
    """A management command in a process of its own, started again whenever it ends."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = command
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        self.thread = threading.Thread(target=self.keep, name=f"{command[0]}-watch", daemon=True)
        self.thread.start()

    def start(self) -> subprocess.Popen[bytes]:
        """The session is its own, so that Ctrl-C reaches it through us, and not while Python starts."""
        words = [sys.executable, str(settings.BASE_DIR / "manage.py"), *self.command]
        return subprocess.Popen(words, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603

    def keep(self) -> None:
        pause = BEGIN_AFTER
        while not self.stopping.wait(pause):
            with self.lock:
                if self.stopping.is_set():
                    return
                self.process = self.start()
            code, pause = self.process.wait(), REVIVE_PAUSE
            if not self.stopping.is_set():
                logger.warning("`manage.py %s` ended with code %s; starting it again.", self.command[0], code)

    def stop(self) -> None:
        """End it, within seconds."""
        with self.lock:
            self.stopping.set()
            process = self.process
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
        self.thread.join()


@contextlib.contextmanager
def companions() -> Iterator[None]:
    """The processes of `commands`, for as long as this lasts."""
    running = [Companion(command) for command in commands]
    try:
        yield
    finally:
        for companion in running:
            companion.stop()
