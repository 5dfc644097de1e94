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
REVIVE_PAUSE = 1.0
STOP_WITHIN = 5.0


class Companion:
    """A management command in a process of its own, started again whenever it ends."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = command
        self.stopping = threading.Event()
        self.process = self.start()
        self.thread = threading.Thread(target=self.keep, name=f"{command[0]}-watch", daemon=True)
        self.thread.start()

    def start(self) -> subprocess.Popen[bytes]:
        """The session is its own, so that Ctrl-C reaches it through us, and not while Python starts."""
        words = [sys.executable, str(settings.BASE_DIR / "manage.py"), *self.command]
        return subprocess.Popen(words, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603

    def keep(self) -> None:
        while True:
            code = self.process.wait()
            if self.stopping.wait(REVIVE_PAUSE):
                return
            logger.warning("`manage.py %s` ended with code %s; starting it again.", self.command[0], code)
            self.process = self.start()

    def stop(self) -> None:
        """End it, within seconds."""
        self.stopping.set()
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
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
