"""What the tests of the web client share: people, and windows that they look through."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.server import Server
from web.tests.visitors import Somebody, Window
from web.tests.wire import Wire

OpenWindow = Callable[..., Window]
numbers = itertools.count(1)


@pytest.fixture
def known(server: Server) -> Iterator[Callable[[str], Somebody]]:
    """Makes people: `known("ben")` has a name of its own, which begins so."""
    people: list[Somebody] = []

    def make(name: str) -> Somebody:
        people.append(Somebody(server, f"{name}{next(numbers)}"))
        return people[-1]

    yield make
    for somebody in people:
        somebody.rest.close()


@pytest.fixture
def ben(known: Callable[[str], Somebody]) -> Somebody:
    return known("ben")


@pytest.fixture
def ann(known: Callable[[str], Somebody]) -> Somebody:
    return known("ann")


@pytest.fixture
def admin(server: Server) -> Iterator[Somebody]:
    chief = Somebody(server, "admin", "admin")
    yield chief
    chief.rest.close()


@pytest.fixture
def window(browser: Browser, server: Server) -> Iterator[OpenWindow]:
    """Opens windows: `window(ben)`. In the end none of their consoles may have had anything to complain about, but for
    what a test takes out of `complaints` because it was to be expected."""
    opened: list[Window] = []

    def make(somebody: Somebody | None = None, base_url: str = server.base_url, **options: Any) -> Window:
        opened.append(Window(browser, base_url, somebody, **options))
        return opened[-1]

    yield make
    for each in opened:
        each.close()
    assert [complaint for each in opened for complaint in each.complaints] == []


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    """A network to the server that can be cut."""
    between = Wire(server.port)
    yield between
    between.close()
