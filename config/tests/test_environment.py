"""Settings from the environment and from `.env`: what counts, and what is said about a wrong value."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import Environment
from foyer.store.client import without_password
from tests.server import bare_environment
from tests.settings import ROOT, VARIABLES

env = Environment()


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (lambda: env.int("X", default=1), "abc", "a whole number"),
        (lambda: env.whole("X", 1, least=1, most=9), "0", "a whole number from 1 to 9"),
        (lambda: env.float("X", default=1.0), "soon", "a number"),
        (lambda: env.bool("X", default=True), "ture", "1 or 0"),
        (lambda: env.choice("X", "always", ("always", "no")), "often", "one of always, no"),
        (lambda: env.size("X"), "half", "a size such as 512mb or 4gb"),
        (lambda: env.size("X"), "4tb", "a size such as 512mb or 4gb"),
        (lambda: env.redis("X"), "localhost", "redis://host:port"),
        (lambda: env.redis("X"), "redis://", "redis://host:port"),
        (lambda: env.redis("X"), "redis://host:port/0", "redis://host:port"),
        (lambda: env.redis("X"), "redis://a:1,b:2", "redis://host:port"),
        (lambda: env.database("X", {}), "mysql://user@host/name", "sqlite:////path"),
        (lambda: env.database("X", {}), "postgres://host", "sqlite:////path"),
        (lambda: env.database("X", {}), "postgres://host:port/name", "sqlite:////path"),
        (lambda: env.database("X", {}), "sqlite:", "sqlite:////path"),
    ],
)
def test_a_wrong_value_is_explained_by_its_name_what_came_and_what_is_expected(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[], Any], value: str, expected: str
) -> None:
    monkeypatch.setenv("X", value)
    with pytest.raises(ImproperlyConfigured, match=f"^X is {re.escape(repr(value))}, expected {re.escape(expected)}"):
        read()


@pytest.mark.parametrize(
    ("read", "value", "found"),
    [
        (lambda: env.bool("X", default=True), "0", False),
        (lambda: env.bool("X", default=False), "Yes", True),
        (lambda: env.int("X", default=1), " 7 ", 7),
        (lambda: env.int("X", default=1), "", 1),
        (lambda: env.str("X", default=""), "$ecret,with=signs", "$ecret,with=signs"),
        (lambda: env.list("X", default=[]), "a.example, b.example,", ["a.example", "b.example"]),
        (lambda: env.redis("X"), "redis://a:1, rediss://:word@b:2/0", "redis://a:1, rediss://:word@b:2/0"),
        (lambda: env.size("X"), "", None),
        (lambda: env.size("X"), "0", 0),
        (lambda: env.size("X"), "512MB", 512 * 1024**2),
        (lambda: env.size("X"), "4gb", 4 * 1024**3),
        (lambda: env.redis("X"), "unix:///run/redis.sock", "unix:///run/redis.sock"),
        (lambda: env.database("X", {})["NAME"], "sqlite:////tmp/a b.sqlite3", "/tmp/a b.sqlite3"),
        (lambda: env.database("X", {})["PASSWORD"], "postgres://me:p%40ss@host:5432/name", "p@ss"),
        (lambda: env.database("X", {})["HOST"], "postgres:////run/postgresql/name", "/run/postgresql"),
    ],
)
def test_a_right_value_is_taken_as_it_is_meant(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[], Any], value: str, found: object
) -> None:
    monkeypatch.setenv("X", value)
    assert read() == found


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:secret@host:1/0", "redis://:***@host:1/0"),
        ("postgres://me:se@cret@host/name", "postgres://me:***@host/name"),
        ("redis://:one@a:1,redis://:two@b:2", "redis://:***@a:1,redis://:***@b:2"),
        ("redis://host:1/0", "redis://host:1/0"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


def manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *words]
    complete = bare_environment() | {"ENV_FILE": ""} | environment
    return subprocess.run(command, cwd=ROOT, env=complete, capture_output=True, text=True)


@pytest.mark.parametrize("command", ["serve", "migrate", "check"])
def test_a_command_says_a_wrong_setting_in_one_line_and_fails(command: str, tmp_path: Path) -> None:
    refused = manage(command, PORT="abc", DATA_DIR=str(tmp_path))
    assert refused.returncode == 1
    assert refused.stderr.strip() == "PORT is 'abc', expected a whole number."


def test_a_data_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = manage("check", DATA_DIR=str(tmp_path / "file/data"))
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"DATA_DIR is '{tmp_path}/file/data', expected a folder to write to")
    assert "Traceback" not in refused.stderr


def test_the_environment_wins_over_the_env_file(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("# a comment\nPORT=9100\nWORKERS=3\nSECRET_KEY='quoted # $text'\n")
    show = "from django.conf import settings as s; print(s.PORT, s.WORKERS, s.SECRET_KEY)"
    shown = manage("shell", "-c", show, ENV_FILE=str(file), PORT="9200", DATA_DIR=str(tmp_path))
    assert shown.stdout.splitlines()[-1] == "9200 3 quoted # $text"


def test_every_variable_that_is_read_is_explained_in_the_example() -> None:
    read = re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "config/settings.py").read_text())
    assert set(read) == VARIABLES


def test_the_example_can_be_used_as_it_stands(tmp_path: Path) -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    assert all(not line or line.startswith("#") for line in lines)
    assert manage("check", ENV_FILE=".env.example", DATA_DIR=str(tmp_path)).returncode == 0
