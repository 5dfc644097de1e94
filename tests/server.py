"""Real servers for tests: `manage.py serve`, started as a user does, in a folder of their own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg
import pytest
import redis

from foyer.store.embedded import Store
from tests import guard
from tests.settings import NO_QUOTAS, ROOT, VARIABLES
from tests.store import a_store, free_port

START_SECONDS = 60
STOP_SECONDS = 20


class Server:
    """A `manage.py serve` process. `environment` is all that it sees of Foyer's variables."""

    root = ROOT
    """Where its `manage.py` is."""

    def __init__(self, data_dir: Path, environment: dict[str, str]) -> None:
        self.data_dir = data_dir
        self.port = int(environment.setdefault("PORT", str(free_port())))
        self.environment = {"DATA_DIR": str(data_dir), "ENV_FILE": "", **environment}
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.ws_url = f"ws://127.0.0.1:{self.port}"
        data_dir.mkdir(exist_ok=True)
        self.log = Path(data_dir, f"serve-{self.port}.log")
        self.begin()

    def begin(self) -> None:
        """Start the process, in a process group of its own as a terminal would."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", *self.words()],
                cwd=self.root,
                env=bare_environment() | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        guard.watch(self.process.pid)

    def words(self) -> list[str]:
        """The command and its options."""
        return ["serve"]

    @property
    def pid(self) -> int:
        return self.process.pid

    @contextlib.contextmanager
    def store(self) -> Iterator[Any]:
        """A client of the store that it uses."""
        url = self.environment["REDIS_URL"]
        if url:
            found: Any = redis.RedisCluster.from_url(url.partition(",")[0])
        else:
            found = redis.Redis.from_url(Store(self.data_dir / "valkey").url)
        with contextlib.closing(found):
            yield found

    def manage(self, *words: str) -> str:
        """Run `manage.py` beside it, in a process of its own; returns what that prints."""
        command = [sys.executable, "manage.py", *words]
        environment = bare_environment() | self.environment
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.base_url}/", timeout=START_SECONDS).status_code == 200:
                    return
            time.sleep(0.05)
        pytest.fail(f"The server did not start (exit code {self.process.poll()}):\n{self.output()}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it as `number` does, as Ctrl-C does if it is SIGINT; returns its exit code."""
        if self.process.poll() is None:
            signal_to = os.killpg if number == signal.SIGINT else os.kill
            signal_to(self.process.pid, number)
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """As `kill -9`: nothing of it gets to tidy up."""
        self.process.kill()
        self.process.wait()


def bare_environment() -> dict[str, str]:
    """The environment of this process without anything that concerns Foyer or Django."""
    return {name: value for name, value in os.environ.items() if name not in VARIABLES | {"DJANGO_SETTINGS_MODULE"}}


class DevelopmentServer(Server):
    """`manage.py runserver`, which is daphne's. Started beside a server that keeps the store and has migrated."""

    def words(self) -> list[str]:
        return ["runserver", "--noreload", str(self.port)]


class Servers:
    """Starts servers on one store and one database, and in the end stops every one of them and their Valkeys."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = {"FOLLOW": "0"} | environment  # a process less; tests of the archive have it
        self.folder = Path(tempfile.mkdtemp(prefix="foyer-serve-"))
        guard.watch(self.folder)
        self.started: list[Server] = []

    def start(
        self, *, kind: type[Server] = Server, data_dir: Path | None = None, wait: bool = True, **environment: str
    ) -> Server:
        """A server with these variables, by default in one folder with the others of this test. It answers already,
        unless `wait` is false."""
        server = kind(data_dir or self.folder / "data", self.environment | environment)
        self.started.append(server)
        if wait:
            server.wait_until_it_answers()
        return server

    def stop(self) -> None:
        for server in self.started:
            if server.process.poll() is None:
                server.process.terminate()
        for server in self.started:
            try:
                server.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
        for data_dir in {server.data_dir for server in self.started}:
            guard.stop_abandoned_store(data_dir / "valkey")
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def a_database() -> Iterator[str]:
    """The `DATABASE_URL` of a database of one's own: empty, which means SQLite, unless the suite runs on PostgreSQL."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield ""
        return
    name = f"foyer_serve_{os.getpid()}_{next(numbers)}"
    with psycopg.connect(urlunsplit(urlsplit(url)._replace(path="/postgres")), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


numbers = iter(range(1_000_000))
running: list[Servers] = []


@contextlib.contextmanager
def servers() -> Iterator[Servers]:
    with a_store() as redis_url, a_database() as database_url:
        found = Servers({"REDIS_URL": redis_url, "DATABASE_URL": database_url, **NO_QUOTAS})
        running.append(found)
        try:
            yield found
        finally:
            found.stop()
            running.remove(found)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A development server that many tests share: make users and rooms with names of your own."""
    with servers() as started:
        yield started.start(FOLLOW="1")


@pytest.fixture
def start_server() -> Iterator[Callable[..., Server]]:
    """Starts servers for this test alone, on one store and database: `start_server(WORKERS="2")`."""
    with servers() as started:
        yield started.start


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the servers said when a test fails."""
    report = yield
    if report.failed:
        for server in (server for some in running for server in some.started):
            report.sections.append((f"server on port {server.port}", server.output()[-5000:]))
    return report
