"""Functions of other releases: found, removed, and loaded again by a release that still needs them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from foyer.realtime.log import PRELUDE, aread_head, read_head
from foyer.realtime.topics import room_topic
from foyer.store import steps as store
from foyer.store.functions import primaries
from foyer.store.old_functions import libraries_on, remove_others
from foyer.store.steps import Library
from tests.store import store_at

SOURCE = "register('answer', function(keys, args) return 42 end)"
SOMEBODYS = "#!lua name=somebody\nredis.register_function('theirs', function() return 1 end)"


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Library]:
    """A library of another release, which runs somewhere else."""
    source = tmp_path / "other.lua"
    source.write_text(SOURCE)
    remove_others()  # what the libraries of other tests left
    library = Library("tidying", PRELUDE, source)
    store.load_functions()
    del Library.every[library.name]
    yield library
    remove_others()


def tidied(*options: str) -> str:
    out = io.StringIO()
    call_command("tidy_functions", *options, stdout=out)
    return out.getvalue()


def test_libraries_of_other_releases_are_removed_from_every_node_and_ours_stay(other: Library) -> None:
    for node in primaries():
        node.function_load(SOMEBODYS, replace=True)
    assert tidied("--dry-run") == f"{other.name}\nTo remove: 1\n"
    assert all(other.name in libraries_on(node) for node in primaries())
    assert tidied() == f"{other.name}\nRemoved: 1\n"
    for node in primaries():
        assert libraries_on(node) == Library.every.keys()
        assert node.function_list("somebody"), "what is not Foyer's is left alone"
        node.function_delete("somebody")
    assert tidied() == "Removed: 0\n"


async def test_a_release_that_still_runs_loads_its_functions_again(
    other: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tidy_elsewhere() -> None:
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(Library, "every", {other.name: other})
            remove_others()
        assert all(libraries_on(node) == {other.name} for node in primaries())

    tidy_elsewhere()
    assert read_head(room_topic("1")).offset == 0
    tidy_elsewhere()
    assert (await aread_head(room_topic("1"))).offset == 0


def test_a_store_that_is_away_is_told() -> None:
    with store_at("redis://127.0.0.1:1"), pytest.raises(CommandError, match="away"):
        tidied()
