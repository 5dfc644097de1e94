"""Files that nobody else may read: mended where that can be done, refused where it can't."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from foyer.server.private import NotPrivate, close, keep_private
from tests.settings import ROOT


@pytest.fixture(autouse=True)
def old_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.REDIS_URL = ""
    return tmp_path / "data"


def keep(folder: Path, database: Path | None = None) -> None:
    keep_private(folder, {"ENGINE": "django.db.backends.sqlite3", "NAME": str(database or folder / "foyer.sqlite3")})


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_is_made_for_its_user_alone_and_so_is_what_comes_later(folder: Path) -> None:
    keep(folder)
    (folder / "later").touch()
    (folder / "deeper").mkdir()
    assert (mode(folder), mode(folder / "later"), mode(folder / "deeper")) == (0o700, 0o600, 0o700)


def test_what_was_left_open_is_closed(folder: Path) -> None:
    (folder / "valkey/appendonlydir").mkdir(parents=True)
    files = ["foyer.sqlite3", "foyer.sqlite3-wal", "foyer.sqlite3-shm", "secret-key", "valkey/valkey.log",
             "valkey/appendonlydir/appendonly.aof.1.incr.aof"]  # fmt: skip
    for name in files:
        (folder / name).touch(mode=0o666)
    folders = [folder, folder / "valkey", folder / "valkey/appendonlydir"]
    for path in folders:
        path.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "valkey/valkey.sock"))
        keep(folder)
    assert {mode(folder / name) for name in files} == {0o600}
    assert {mode(path) for path in folders} == {0o700}


def test_a_database_elsewhere_is_closed_and_its_folder_left(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    (elsewhere / "accounts.db").touch(mode=0o644)
    keep(folder, elsewhere / "accounts.db")
    assert (mode(elsewhere), mode(elsewhere / "accounts.db")) == (0o755, 0o600)


def test_a_folder_that_everybody_uses_is_refused() -> None:
    for shared in (Path("/"), Path("/tmp")):
        before = mode(shared)
        with pytest.raises(NotPrivate, match="a folder for Foyer alone"):
            keep(shared)
        assert mode(shared) == before


def test_what_cannot_be_closed_is_named_with_what_to_do() -> None:
    with pytest.raises(
        NotPrivate, match=r"^/proc/self/task has the mode 0555.* can't be made 0700: .*chown"
    ) as refused:
        close(Path("/proc/self/task"), 0o700)
    assert refused.value.__cause__ is None


def test_a_folder_of_somebody_else_will_do_for_one_without_secrets(settings: Any) -> None:
    folder, settings.REDIS_URL = Path("/proc/self/task"), ""
    with pytest.raises(NotPrivate):
        keep(folder)
    settings.REDIS_URL = "redis://store.example.com"
    keep_private(folder, {"ENGINE": "django.db.backends.postgresql", "NAME": "foyer"})


def test_the_folder_that_settings_make_for_their_key_is_private(tmp_path: Path) -> None:
    environment = {**os.environ, "DATA_DIR": str(tmp_path / "fresh"), "SECRET_KEY": "", "DEBUG": "1"}
    subprocess.run([sys.executable, "-c", "import config.settings"], cwd=ROOT, env=environment, check=True)
    assert mode(tmp_path / "fresh") == 0o700
    assert mode(tmp_path / "fresh/secret-key") == 0o600
