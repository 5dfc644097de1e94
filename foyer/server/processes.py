"""The processes that serve: one alone, or a parent that keeps workers on one shared socket.

Guarantees: the port is taken before anything else is started; a worker that dies is replaced; workers end when their
parent does, even when it was killed; SIGINT, SIGTERM and SIGHUP end them all, within seconds, whatever they are doing.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import multiprocessing
import os
import resource
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from pathlib import Path
from types import FrameType

from django.conf import settings
from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from foyer.server.beside import companions
from foyer.store import embedded

logger = logging.getLogger(__name__)

BACKLOG = 8192
OPEN_FILES = 1 << 20
GRACE = 5
"""Seconds that open requests and sockets get to end once the server stops."""
WORKER_GRACE = GRACE + 5
"""Seconds after which a worker that still runs is killed."""
WORKER_SILENCE = 20
"""Seconds without an answer after which a worker counts as hung. A new one answers only once Python has started."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that holds the port from now on; connections wait on it until a server takes them. Raises `OSError`."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    both = family == socket.AF_INET6 and address[0] == "::" and socket.has_dualstack_ipv6()
    return socket.create_server(address[:2], family=family, backlog=BACKLOG, dualstack_ipv6=both)


def raise_file_limit() -> None:
    """Allow as many open files, and so sockets, as the system's hard limit grants."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def on_signals(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    """Have `handler` called for each signal that says stop, even if whoever started this process ignored it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)
    signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))  # uvicorn handles no SIGHUP


class ServingConfig(Config):
    """uvicorn's configuration; `load` is the first thing that each serving process does."""

    def load(self) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        end_with_parent()
        embedded.watch()
        try:
            super().load()
        except Exception:
            logger.exception("The application can't be loaded.")
            raise SystemExit(STARTUP_FAILURE) from None  # which tells a parent not to try again


def config(workers: int) -> ServingConfig:
    return ServingConfig(
        "config.asgi:application",
        http="foyer.server.http_protocol:HttpProtocol",
        ws="foyer.server.socket_protocol:SocketProtocol",
        loop="uvloop",
        lifespan="on",
        workers=workers,
        backlog=BACKLOG,
        ws_max_size=settings.MAX_BODY,
        ws_per_message_deflate=False,
        ws_ping_interval=25,
        ws_ping_timeout=20,
        proxy_headers=bool(settings.TRUSTED_PROXIES),
        forwarded_allow_ips=settings.TRUSTED_PROXIES,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",  # below that it logs headers and query strings
        timeout_graceful_shutdown=GRACE,
        timeout_worker_healthcheck=WORKER_SILENCE,
    )


def serve(listener: socket.socket, workers: int, announce: Callable[[list[int]], None]) -> None:
    """Serve until a signal says stop; the signal is then raised again. `announce` gets the pids of those who serve."""
    embedded.watch()
    with folder_for_metrics() as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)  # read when prometheus_client is imported
        with companions():
            if workers > 1:
                Workers(config(workers), listener, announce).run()
            else:
                announce([os.getpid()])
                Server(config(workers)).run(sockets=[listener])


@contextlib.contextmanager
def folder_for_metrics() -> Iterator[Path]:
    """A folder in which the processes of this instance keep their numbers, and none of another; gone afterwards.

    It is locked as long as the instance lives, so that the next one knows which were left behind by a kill.
    """
    folders = settings.DATA_DIR / "metrics"
    folders.mkdir(exist_ok=True)
    with locked(folders):
        for left in list(folders.iterdir()):
            with contextlib.suppress(BlockingIOError), locked(left, fcntl.LOCK_NB):
                shutil.rmtree(left, ignore_errors=True)
        mine = Path(tempfile.mkdtemp(dir=folders))
        held = os.open(mine, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield mine
    finally:
        shutil.rmtree(mine, ignore_errors=True)
        os.close(held)


@contextlib.contextmanager
def locked(folder: Path, how: int = 0) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | how)
        yield
    finally:
        os.close(descriptor)


class Workers(Multiprocess):
    """uvicorn's supervisor. This one tells which processes it started, and does not wait for ever."""

    def __init__(self, config: Config, listener: socket.socket, announce: Callable[[list[int]], None]) -> None:
        super().__init__(config, [listener])
        self.announce = announce

    def pids(self) -> list[int]:
        return [process.pid for process in self.processes if process.pid is not None]

    def run(self) -> None:
        try:
            super().run()
        except BaseException:
            self.terminate_all()
            self.join_all()
            raise
        if any(process.exitcode == STARTUP_FAILURE for process in self.processes):
            raise SystemExit(STARTUP_FAILURE)

    def init_processes(self) -> None:
        with sigint_held():
            super().init_processes()
        self.let_go_of_their_ends()
        self.announce(self.pids())

    def let_go_of_their_ends(self) -> None:
        """Close our copies of the workers' ends of the pipes. Then a worker that dies while it is asked whether it
        lives is noticed at once, because its pipe breaks."""
        for process in self.processes:
            process.child_conn.close()

    def keep_subprocess_alive(self) -> None:
        before = self.pids()
        with sigint_held():
            super().keep_subprocess_alive()
        self.let_go_of_their_ends()
        for old, new in zip(before, self.pids(), strict=True):
            if old != new:
                logger.warning("Worker %s is gone; worker %s takes its place.", old, new)
                forget_gauges(old)

    def handle_hup(self) -> None:
        self.handle_term()

    def join_all(self) -> None:
        deadline = time.monotonic() + WORKER_GRACE
        for process in self.processes:
            process.process.join(max(0.0, deadline - time.monotonic()))
            if process.process.is_alive():
                logger.warning("Worker %s did not stop in time; killing it.", process.pid)
                process.process.kill()
            process.join()


def forget_gauges(pid: int) -> None:
    """Remove the gauges of a worker that died. Its counters stay."""
    from prometheus_client.multiprocess import mark_process_dead  # not before there is a folder

    mark_process_dead(pid)  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def sigint_held() -> Iterator[None]:
    """Start processes that a Ctrl-C reaches only once they serve: while Python starts it would print a traceback."""
    resource_tracker.ensure_running()  # it is started with the first process otherwise, and lets SIGINT through again
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def end_with_parent() -> None:
    """In a worker: stop, as on Ctrl-C, when the parent is gone."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def outlive() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(WORKER_GRACE)
        os._exit(1)

    threading.Thread(target=outlive, name="parent-watch", daemon=True).start()
