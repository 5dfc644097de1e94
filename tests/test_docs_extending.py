"""What `docs/extending.md` says of code that runs in the server is run, on a real store."""

from __future__ import annotations

import doctest
import re
from functools import partial
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.utils.module_loading import import_string

from foyer.store.models import StoredModel
from tests.markdown import block, blocks, section, table
from tests.settings import ROOT
from tests.steps import round_trips

PAGE = ROOT / "docs" / "extending.md"
MODELS = PAGE.read_text().partition("\n## Models\n")[2].partition("\n## ")[0]


@pytest.fixture
def shell(transactional_db: None) -> dict[str, Any]:
    """The names that there are at the end of all that the page types into a shell. What it prints is as printed."""
    test = doctest.DocTestParser().get_doctest("".join(blocks(MODELS, "pycon")), {}, PAGE.name, str(PAGE), 0)
    done = doctest.DocTestRunner().run(test, clear_globs=False)
    assert (done.failed, done.attempted > 40) == (0, True)
    names: dict[str, Any] = test.globs
    return names


def test_what_is_typed_into_a_shell_answers_as_printed(shell: dict[str, Any]) -> None:
    assert shell["room"].name == "Library"


def test_what_is_awaited_runs_on_an_event_loop(shell: dict[str, Any]) -> None:
    exec(block(MODELS, "python"), shell)
    assert async_to_sync(shell["greet"])(shell["ann"]) == ["Hello!"]


def test_everything_waits_for_the_store_as_often_as_the_table_says(shell: dict[str, Any]) -> None:
    shell["room"].refresh_from_db()
    for code, waits in table(section(PAGE, "What it costs")):
        statement = code.strip("`")
        assert round_trips(partial(exec, statement, shell)) == int(waits), statement


def test_the_table_of_models_is_theirs() -> None:
    rows = {code.strip("`"): cells for code, *cells in table(MODELS.partition("\n### ")[0])}
    assert {import_string(name) for name in rows} >= set(StoredModel.__subclasses__())
    for name, (_, found_by, changes) in rows.items():
        model: Any = import_string(name)
        if not issubclass(model, StoredModel):
            continue
        answers = {lookup for group in type(model.objects.all()).answers for lookup in group}
        assert set(re.findall(r"`(\w+)`", found_by)) == {"pk", *answers}, name
        assert set(re.findall(r"`(\w+)`", changes)) == model.changeable, name
