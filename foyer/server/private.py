"""Files that nobody else on the machine may read: password hashes, the admin's sessions, messages, the signing key.

Everything that a server writes into `DATA_DIR`, and an SQLite database anywhere, is readable only for the server's
user. Each start checks and repairs this, because another program, or an earlier release, may have left a file open.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

OTHERS = stat.S_IRWXG | stat.S_IRWXO
FOLDER, FILE = 0o700, 0o600


class NotPrivate(RuntimeError):
    """Something that is to be private can't be made so, and what to do."""


def keep_private(folder: Path, database: dict[str, Any]) -> None:
    """Make the folder of the data, and whatever is secret in it, readable for this user alone; so is what comes later.

    `database` is as Django's settings describe one.
    Raises `NotPrivate` where that can't be done, `OSError` where the folder can't be made.
    """
    os.umask(OTHERS)
    if folder in (Path("/"), Path(tempfile.gettempdir()).resolve()):
        raise NotPrivate(f"DATA_DIR is '{folder}', expected a folder for Foyer alone: its mode is to be 0700.")
    folder.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    try:
        close(folder, FOLDER)
    except NotPrivate:
        if keeps_secrets(folder, database):
            raise
    for path in secrets_in(folder, database):
        close(path, FOLDER if path.is_dir() else FILE)


def keeps_secrets(folder: Path, database: dict[str, Any]) -> bool:
    """Whether there is, or will be, anything secret in the folder: not with PostgreSQL, a store and a key elsewhere."""
    return is_sqlite(database) or not settings.REDIS_URL or (folder / "secret-key").exists()


def is_sqlite(database: dict[str, Any]) -> bool:
    return bool(database["ENGINE"].endswith("sqlite3"))


def secrets_in(folder: Path, database: dict[str, Any]) -> Iterator[Path]:
    """The files and folders that hold secrets; some of them may not be there."""
    yield folder / "secret-key"
    if is_sqlite(database):
        yield from (Path(f"{database['NAME']}{part}") for part in ("", "-wal", "-shm", "-journal"))
    for place, folders, files in os.walk(folder / "valkey"):
        yield Path(place)
        yield from (Path(place, name) for name in (*folders, *files))


def close(path: Path, mode: int) -> None:
    """Remove the rights of others on `path`. Raises `NotPrivate`."""
    with contextlib.suppress(FileNotFoundError):  # gone since it was listed
        now = stat.S_IMODE(path.stat().st_mode)
        if not now & OTHERS or stat.S_ISSOCK(path.stat().st_mode):
            return
        try:
            path.chmod(mode)
        except OSError as error:
            raise NotPrivate(
                f"{path} has the mode {now:04o}, so other users of this machine may read it, and it can't be made "
                f"{mode:04o}: {error.strerror}. Make it yours with chown, or have its owner do it with chmod."
            ) from None
