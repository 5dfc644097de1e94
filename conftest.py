"""What every test of the project shares: a store, real servers, and a database that can be removed. See `tests/`."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection
from pytest_django import DjangoDbBlocker

from tests import guard
from tests.settings import SESSION_DIR

pytest_plugins = ["tests.store", "tests.server", "tests.clients", "tests.browser"]


def pytest_configure() -> None:
    """Take SIGTERM as Ctrl-C, so that a session that is told to stop stops its stores and servers; one that is killed
    has a guard to do that."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    guard.watch(SESSION_DIR)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that may use the database may use the archive's too, where that has one of its own."""
    if len(settings.DATABASES) == 1:
        return
    for item in items:
        mark = item.get_closest_marker("django_db")
        fixtures = set(getattr(item, "fixturenames", ()))
        if mark is not None or fixtures & {"db", "transactional_db"}:
            options = {"databases": "__all__", **(mark.kwargs if mark is not None else {})}
            item.add_marker(pytest.mark.django_db(**options), append=False)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Cut the connections that threads of tests left open: PostgreSQL removes no database that somebody uses."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
