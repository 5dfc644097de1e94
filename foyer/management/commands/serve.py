"""`manage.py serve`: starts everything that a server needs, serves, and stops everything again."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gc
import os
import platform
import signal
import socket
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, DjangoHelpFormatter
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from redis.backoff import NoBackoff
from redis.retry import Retry

from foyer.errors import Unavailable
from foyer.server import checks, processes
from foyer.server.private import NotPrivate, keep_private
from foyer.store import client as stores
from foyer.store import embedded
from foyer.store.client import without_password

MIGRATION_LOCK = 0x466F796572
"""The number of the lock in PostgreSQL that instances take, so that they migrate one at a time."""


class Help(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Django's order of options; the texts keep their lines."""


class Command(BaseCommand):
    help = """Run Foyer: HTTP and WebSocket on one port.

Checks the settings, starts the embedded Valkey (or uses REDIS_URL), brings the database up to date, makes
admin/admin in development if there is no account of that name, and serves until Ctrl-C or SIGTERM, which stop
all that it started."""
    epilog = """Everything else is set in the environment or in .env; .env.example explains every variable.

  python manage.py serve                         the development server on http://127.0.0.1:9000/
  python manage.py serve --port 9001             a second instance on the same data
  DEBUG=0 python manage.py serve --host 0.0.0.0 --workers 4"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=Help, epilog=self.epilog, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST, help="address to listen on (HOST, now %(default)s)")
        parser.add_argument(
            "--port", type=int, default=settings.PORT, help="port; 0 takes a free one (PORT, now %(default)s)"
        )
        parser.add_argument(
            "--workers", type=int, default=settings.WORKERS, help="serving processes (WORKERS, now %(default)s)"
        )
        parser.add_argument("--skip-migrate", action="store_true", help="leave the database as it is")

    def handle(self, *, host: str, port: int, workers: int, skip_migrate: bool, **options: Any) -> None:
        if not 0 <= port <= 65535:
            raise CommandError(f"--port is {port}, expected a whole number from 0 to 65535.")
        if workers < 1:
            raise CommandError(f"--workers is {workers}, expected at least 1.")
        processes.on_signals(signal.default_int_handler)
        try:
            make_data_dir()
            refuse_if_unsafe(host)
            with listen(host, port) as listener:
                settings.HOST, settings.PORT, settings.WORKERS = host, listener.getsockname()[1], workers
                self.prepare(skip_migrate)
                processes.serve(listener, workers, self.announce)
        except KeyboardInterrupt:
            pass
        except (embedded.CannotStart, Unavailable) as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            raise CommandError(f"The database ({database()}) can't be used: {str(error).strip()}") from None
        finally:
            processes.on_signals(signal.SIG_IGN)
            embedded.release()
            gc.freeze()  # Python would look through all that is left for a second or two before it ends

    def prepare(self, skip_migrate: bool) -> None:
        """All that must be there before the first request."""
        processes.raise_file_limit()
        self.store = describe_store()
        with one_instance_at_a_time():
            if not skip_migrate:
                self.migrate()
            if settings.DEBUG and (checks.is_loopback(settings.HOST) or settings.ALLOW_DEFAULT_ADMIN):
                make_default_admin()
        self.known_password = checks.default_admin_signs_in()
        connections.close_all()

    def migrate(self) -> None:
        for alias in connections:
            executor = MigrationExecutor(connections[alias])
            plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
            if plan:
                call_command("migrate", database=alias, interactive=False, verbosity=0)
                if alias == "default":
                    self.stdout.write(f"Applied {len(plan)} migrations to the database.")

    def announce(self, pids: list[int]) -> None:
        """Print what runs, where its data is, its addresses and how to stop it."""
        alone = pids == [os.getpid()]
        served_by = f"process {pids[0]}" if alone else f"{len(pids)} workers, {', '.join(map(str, pids))}"
        lines = [
            f"Foyer on Python {platform.python_version()}, Django {version('django')}, uvicorn {version('uvicorn')}",
            "",
            f"  open      {address('/')}",
            f"            {address('/app/')}",
            f"            {address('/admin/')}",
            f"  served by {served_by}",
            f"  database  {database()}",
            f"  store     {self.store}",
            f"  to stop   Ctrl-C, or: kill {os.getpid()}",
            "",
        ]
        self.stdout.write("\n".join(lines))
        self.stdout.flush()
        if self.known_password:
            self.stderr.write(
                "Anyone who reaches this server can sign in as admin with the password admin. "
                f"To change it: {checks.manage('changepassword admin')}",
                self.style.WARNING,
            )


def refuse_if_unsafe(host: str) -> None:
    """Stop before a port is opened, a file made or a store started, if a check fails; list all failures at once."""
    if found := checks.refusals(host):
        raise CommandError(checks.explain(host, found))


def listen(host: str, port: int) -> socket.socket:
    try:
        return processes.listen(host, port)
    except OSError as error:
        raise CommandError(explain_refused_address(host, port, error)) from None


def explain_refused_address(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken by another program. Stop that one, or take another port: PORT={port + 1}."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} may be opened by root alone. Take one from 1024 up, such as PORT=9000."
    reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
    return f"HOST is {host!r}, expected an address of this machine, such as 127.0.0.1 or 0.0.0.0 ({reason})."


def make_data_dir() -> None:
    try:
        keep_private(settings.DATA_DIR, settings.DATABASES["default"])
        Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)  # in DATA_DIR; WhiteNoise warns of its absence
    except OSError as error:
        raise CommandError(f"DATA_DIR is '{settings.DATA_DIR}', expected a folder to write to: {error}.") from None
    except NotPrivate as error:
        raise CommandError(str(error)) from None


@contextlib.contextmanager
def one_instance_at_a_time() -> Iterator[None]:
    """Hold a lock, so that one instance at a time prepares: on this machine or, with PostgreSQL, on any machine."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
    else:
        with (settings.DATA_DIR / "migrate.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def make_default_admin() -> None:
    """`admin` with the password `admin`, unless an account of that name exists."""
    if checks.find_default_admin() is None:
        account: Any = get_user_model()
        account.objects.create_superuser(username=checks.DEFAULT_ADMIN, password=checks.DEFAULT_ADMIN)


def address(path: str) -> str:
    """Where a browser on this machine finds `path`."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.HOST, settings.HOST)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host and host[0] != '[' else host}:{settings.PORT}{path}"


def database() -> str:
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"SQLite, {found['NAME']}"
    return f"PostgreSQL, {found['NAME']} on {found['HOST'] or 'localhost'}"


def describe_store() -> str:
    """What the store is and where. `CommandError` if none of the addresses in `REDIS_URL` answers."""
    for seed in stores.seeds():
        try:
            with redis.Redis.from_url(seed, **stores.connection_options(), retry=Retry(NoBackoff(), 0)) as client:
                info: Any = client.info("server")
                break
        except redis.RedisError as error:
            refusal = error
    else:
        raise CommandError(
            f"The store, REDIS_URL={without_password(settings.REDIS_URL)}, can't be used: {refusal} "
            f"Start it, or unset REDIS_URL to use the embedded one."
        )
    name = f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {info['redis_version']}"
    if settings.REDIS_URL:
        return f"{name}, {without_password(settings.REDIS_URL)}"
    return f"{name}, process {info['process_id']}, {settings.DATA_DIR / 'valkey'} (fsync {settings.REDIS_FSYNC})"
