"""The commands for back-ups in docs/production.md, carried out as they stand on what `make test-compose` runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.clients import sign_in, sign_up_at
from tests.compose.stack import Stack, a_valkey, production, program
from tests.markdown import blocks, section
from tests.postgres import binaries
from tests.server import Servers, a_database
from tests.settings import ROOT

pytestmark = pytest.mark.compose

DOCKER = """
docker() {  # docker compose exec OPTIONS SERVICE COMMAND: the command, here; nothing else is done
    shift
    case "$1" in exec | run) ;; *) return ;; esac
    shift
    while [[ "$1" == -* ]]; do shift; done
    shift
    "$@"
}
"""


class Containers:
    """The programs of the containers `valkey` and `postgres`, where their data is in this test."""

    def __init__(self, folder: Path, data: Path, redis_url: str, database_url: str) -> None:
        self.folder = folder
        self.data = data
        store, database = urlsplit(redis_url), urlsplit(database_url)
        self.environment = {
            **os.environ,
            "PATH": f"{folder}:{os.environ['PATH']}",
            "REDISCLI_AUTH": store.password or "",
            "PGHOST": database.hostname or "",
            "PGPORT": str(database.port),
        }
        client = program("valkey-cli") or program("redis-cli")
        self.add("valkey-cli", f'exec {client} -p {store.port} "$@"')
        for name in ("pg_dump", "psql"):  # the last word is the name of the database
            self.add(name, f'exec {binaries()}/{name} "${{@:1:$#-1}}" {database.path[1:]}')

    def add(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)

    def run(self, lines: str) -> None:
        script = DOCKER + lines.replace("/data/", f"{self.data}/")
        subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", script], check=True, cwd=self.folder, env=self.environment
        )


@pytest.fixture
def documented() -> tuple[str, str, str]:
    """The commands that save, those that restore while the store is stopped, and those for when it runs again."""
    if (program("valkey-cli") or program("redis-cli")) is None:
        assert os.environ.get("CI") != "true"
        pytest.skip("neither valkey-cli nor redis-cli is installed")
    save, restore = blocks(section(ROOT / "docs/production.md", "Back-ups"), "sh docker")
    start = "docker compose up --detach --wait valkey postgres\n"
    assert restore.count(start) == 1
    stopped, running = restore.split(start)
    return save, stopped, running


async def test_what_was_saved_is_there_again_and_who_saw_more_is_told(
    stack: Stack, tmp_path: Path, documented: tuple[str, str, str]
) -> None:
    save, restore_stopped, restore_running = documented
    there = Containers(tmp_path, stack.folder / "valkey", stack.redis_url, stack.database_url)

    ann = await sign_up_at(stack.nginx, "ann")
    room = await ann.make_room()
    saved = [await ann.post(room, f"before {number}") for number in range(3)]
    async with ann.socket("/ws") as socket:
        epoch = next(t["epoch"] for t in (await socket.hear())["topics"] if t["topic"] == f"room:{room}")
    there.run(save)
    lost = await ann.post(room, "after the back-up")
    assert lost["id"] == 4

    shutil.copytree(tmp_path, elsewhere := tmp_path / "elsewhere")
    data = elsewhere / "data"
    data.mkdir()
    Containers(elsewhere, data, stack.redis_url, stack.database_url).run(restore_stopped)
    with a_valkey(elsewhere, data) as redis_url, a_database() as database_url:
        Containers(elsewhere, data, redis_url, database_url).run(restore_running)
        servers = Servers(production(redis_url, database_url))
        try:
            again = await sign_in(servers.start(), ann.username)
            assert await again.history(room) == saved
            news = [await again.post(room, f"afterwards {number}") for number in range(2)]
            assert [message["id"] for message in news] == [4, 5]
            async with again.socket("/ws") as socket:
                await socket.hear()
                for offset, whole in ((4, False), (3, True)):
                    place = {"topic": f"room:{room}", "offset": offset, "epoch": epoch}
                    answer = await socket.ask({"type": "resume", "topics": [place]})
                    assert answer["result"]["topics"][0]["recovered"] is whole
                assert [event["message"] for event in await socket.hear_many(2)] == news
            for person in (ann, again):
                await person.rest.aclose()
        finally:
            servers.stop()
