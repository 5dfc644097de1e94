"""While people post, edit and delete, whatever keeps history is killed or away: nothing that was acknowledged is lost
or doubled, nothing that was deleted comes back, and the store's memory is bounded again afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from archive.tests.talk import Talk, talking
from archive.tests.test_serving import followers_of
from tests import guard
from tests.postgres import OwnPostgres, binaries
from tests.server import Server
from tests.store import wait_for
from tests.test_durability import EMBEDDED
from tests.test_serve import valkey_of

StartServer = Callable[..., Server]
HOT = 16
SETTINGS = {"HOT_EVENTS": str(HOT), "REDIS_TIMEOUT": "1", **EMBEDDED}
BACK_WITHIN = 30.0
"""Seconds in which the follower goes on after a fault: a lease may have to run out first."""
ON_POSTGRES = os.environ.get("DATABASE_URL", "").startswith("postgres")


def in_sql(server: Server) -> str:
    """All that the archive has, as text."""
    url = server.environment.get("ARCHIVE_URL") or server.environment["DATABASE_URL"]
    query = "SELECT text, was, body FROM archive_event"
    if url.startswith("postgres"):
        with psycopg.connect(url) as there:
            return repr(there.execute(query).fetchall())
    path = url.removeprefix("sqlite:///") or server.data_dir / "archive.sqlite3"
    with contextlib.closing(sqlite3.connect(path)) as here:
        return repr(here.execute(query).fetchall())


def let_go(server: Server, talk: Talk) -> int:
    """Up to where the store has let go of the room's log."""
    with server.store() as store:
        return int(store.hget(f"{talk.tags[0]}:head", "let_go") or 0)


async def until_the_follower_goes_on(server: Server, talk: Talk) -> None:
    before = await asyncio.to_thread(let_go, server, talk)
    await asyncio.to_thread(wait_for, lambda: let_go(server, talk) > before, BACK_WITHIN)


def is_bounded(server: Server, talk: Talk) -> bool:
    """Whether the store has of each log the newest alone, and of what is noted beside it no more than that."""
    with server.store() as store:
        lengths = [store.xlen(f"{tag}:log") for tag in talk.tags]
        noted = [
            store.hlen(f"{tag}:{name}") for tag in talk.tags for name in ("redacted", "superseded", "deleted", "edits")
        ]
    return bool(max(lengths) <= HOT + HOT // 8 and max(noted) <= 3 * HOT)


async def end_well(server: Server, talk: Talk) -> None:
    """The people stop. What clients read, what SQL has and what memory takes is as it must be."""
    await talk.stop()
    await talk.check()
    await asyncio.to_thread(wait_for, lambda: is_bounded(server, talk), BACK_WITHIN)
    await talk.check()
    gone = set[str]().union(*(voice.gone for voice in talk.voices))
    assert gone

    def left() -> set[str]:
        text = in_sql(server)
        return {word for word in gone if f"{word}'" in text or f'{word}"' in text}

    await asyncio.to_thread(wait_for, lambda: not left(), BACK_WITHIN)


async def test_follower_server_and_store_are_killed(start_server: StartServer) -> None:
    server = start_server(**SETTINGS)
    async with talking(server) as talk:
        await until_the_follower_goes_on(server, talk)
        followers_of(server)[0].kill()
        await talk.after(20)
        await until_the_follower_goes_on(server, talk)
        valkey_of(server).kill()
        await talk.after(20)
        await until_the_follower_goes_on(server, talk)
        for process in (*followers_of(server), valkey_of(server)):
            process.kill()
        await asyncio.to_thread(server.kill)
        server.begin()
        await asyncio.to_thread(server.wait_until_it_answers)
        await talk.after(20)
        await until_the_follower_goes_on(server, talk)
        await end_well(server, talk)


def seconds_behind(server: Server) -> float:
    """For how long something has waited to be archived, as operators are told."""
    told = httpx.get(f"{server.base_url}/metrics", timeout=15).text
    found = next(line for line in told.splitlines() if line.startswith("foyer_archive_behind_seconds "))
    return float(found.split()[1])


async def see_that_posts_go_on(server: Server, talk: Talk) -> None:
    """People go on, the store keeps what they say, and operators are told that it is not archived."""
    before = await asyncio.to_thread(let_go, server, talk)
    await talk.after(3 * HOT * len(talk.tags))
    await asyncio.to_thread(wait_for, lambda: seconds_behind(server) > 2)
    assert await asyncio.to_thread(let_go, server, talk) == before
    with server.store() as store:
        assert store.xlen(f"{talk.tags[0]}:log") > 2 * HOT
    newest = await talk.ann.rest.get(f"/room/{talk.room}/messages?limit=5")
    assert newest.status_code == 200


@pytest.fixture
def own_postgres() -> Iterator[OwnPostgres]:
    folder = binaries()
    if folder is None or not ON_POSTGRES:
        pytest.skip("PostgreSQL alone can be killed; SQLite is no process.")
    with contextlib.closing(OwnPostgres(folder)) as server:
        yield server


async def test_postgresql_is_killed_and_stays_away(start_server: StartServer, own_postgres: OwnPostgres) -> None:
    server = start_server(**SETTINGS, DATABASE_URL=own_postgres.url)
    async with talking(server) as talk:
        await until_the_follower_goes_on(server, talk)
        await talk.only_post()
        await asyncio.to_thread(own_postgres.kill)
        await see_that_posts_go_on(server, talk)
        old = await talk.ann.rest.get(f"/room/{talk.room}/messages?after=0&limit=3")
        assert (old.status_code, old.json()["code"]) == (503, "unavailable")
        assert old.json()["detail"] == "What lies further back can't be read at the moment. Try again shortly."
        assert int(old.headers["Retry-After"]) > 0
        ready = await talk.ann.rest.get("/health/ready")
        assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "away")
        await asyncio.to_thread(own_postgres.start)
        talk.do_everything()
        await until_the_follower_goes_on(server, talk)
        assert (await talk.ann.rest.get("/health/ready")).status_code == 200
        await end_well(server, talk)


class SmallDisk:
    """A disk of some megabytes, which can be filled up."""

    def __init__(self, megabytes: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="foyer-disk-"))
        guard.watch(self.folder)
        self.ballast = self.folder / "ballast"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", self.folder], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip(f"No disk can be made here: {done.stderr.decode().strip()}")

    def fill(self) -> None:
        with contextlib.suppress(OSError), self.ballast.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass

    def make_room(self) -> None:
        self.ballast.unlink()

    def close(self) -> None:
        subprocess.run(["umount", "-l", self.folder], check=True)
        self.folder.rmdir()


@pytest.fixture
def small_disk() -> Iterator[SmallDisk]:
    with contextlib.closing(SmallDisk(24)) as disk:
        yield disk


@pytest.fixture
def archive_url(small_disk: SmallDisk, request: pytest.FixtureRequest) -> str:
    """An archive that lies on the small disk."""
    if not ON_POSTGRES:
        return f"sqlite:///{small_disk.folder}/archive.sqlite3"
    postgres: OwnPostgres = request.getfixturevalue("own_postgres")
    place = small_disk.folder / "tables"
    place.mkdir()
    with contextlib.suppress(LookupError):
        shutil.chown(place, "postgres")
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLESPACE small LOCATION '{place}'".encode())
        connection.execute("CREATE DATABASE archive TABLESPACE small")
    return postgres.url.rpartition("/")[0] + "/archive"


async def test_the_disk_of_the_archive_is_full(
    start_server: StartServer, small_disk: SmallDisk, archive_url: str
) -> None:
    server = start_server(**SETTINGS, ARCHIVE_URL=archive_url)
    async with talking(server) as talk:
        await until_the_follower_goes_on(server, talk)
        await asyncio.to_thread(small_disk.fill)
        await talk.after(3 * HOT * len(talk.tags))
        await see_that_posts_go_on(server, talk)
        assert "Nothing is archived for now" in server.output()
        small_disk.make_room()
        await until_the_follower_goes_on(server, talk)
        await end_well(server, talk)
