"""`manage.py follow`: archive what happens, in a process of its own."""

from __future__ import annotations

import os
import signal
import sys
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from archive.follower import Follower
from foyer.store import embedded

STANDS_BACK = 5
"""How much lower the priority of a follower is that runs beside a server: those who are served come first."""


class Command(BaseCommand):
    help = """Copy every event to the archive, until Ctrl-C or SIGTERM.

`manage.py serve` runs one by itself. However many run, one is at work; the others wait until it ends."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--with-parent", action="store_true", help="end when standard input does, as `serve` starts it"
        )

    def handle(self, *, with_parent: bool, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        if with_parent:
            os.nice(STANDS_BACK)
            threading.Thread(target=end_with_parent, args=[stop], name="parent-watch", daemon=True).start()
        embedded.watch()
        try:
            Follower(stop).run()
        finally:
            embedded.release()


def end_with_parent(stop: threading.Event) -> None:
    """Standard input is a pipe of the parent's: it ends when the parent does, however that ends."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    stop.set()
