"""A server archives what happens, by itself; `kill -9` of its follower does not keep it from that."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
from collections.abc import Callable
from typing import Any

import psutil
import psycopg

from tests.clients import sign_up_at
from tests.server import Server
from tests.store import wait_for

StartServer = Callable[..., Server]


def followers_of(server: Server) -> list[psutil.Process]:
    return [child for child in psutil.Process(server.pid).children() if "follow" in child.cmdline()]


def archived(server: Server) -> list[str]:
    """The texts in the archive of a server, in order."""
    query = 'SELECT text FROM archive_event WHERE text IS NOT NULL ORDER BY topic, "offset"'
    url = server.environment["DATABASE_URL"]
    if url:
        with psycopg.connect(url) as there:
            return [text for (text,) in there.execute(query)]
    with contextlib.closing(sqlite3.connect(server.data_dir / "archive.sqlite3")) as here:
        return [text for (text,) in here.execute(query)]


async def test_what_is_posted_is_in_the_archive_soon(start_server: StartServer) -> None:
    server = start_server()
    person = await sign_up_at(server, "p")
    room = await person.make_room()
    for number in range(3):
        await person.post(room, f"text {number}")
    wait_for(lambda: archived(server) == ["text 0", "text 1", "text 2"], 20)
    (follower,) = followers_of(server)
    follower.kill()
    await person.post(room, "after the kill")
    wait_for(lambda: archived(server)[-1] == "after the kill", 15)
    assert "ended with code -9; starting it again" in server.output()
    await person.rest.aclose()
    (follower,) = followers_of(server)
    server.stop(signal.SIGTERM)
    assert not follower.is_running()


async def test_of_two_servers_one_follows_and_the_other_takes_over(start_server: StartServer) -> None:
    servers = start_server(), start_server()
    person = await sign_up_at(servers[1], "p")
    room = await person.make_room()
    await person.post(room, "one")
    wait_for(lambda: archived(servers[0]) == ["one"], 20)

    def at_work() -> list[Any]:
        return [server for server in servers if "archives what happens" in server.output()]

    assert len(at_work()) == 1
    first, second = at_work()[0], next(server for server in servers if server not in at_work())
    followers = followers_of(first)
    first.kill()
    for process in followers:
        process.kill()
    other = await sign_up_at(second, "q")
    await other.post(await other.make_room(), "two")
    wait_for(lambda: "two" in archived(second), 10)
    await person.rest.aclose()
    await other.rest.aclose()
