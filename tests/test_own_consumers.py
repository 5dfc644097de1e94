"""What `docs/extending.md` says about consumers of one's own, done as it says, in a project of one's own."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.clients import PATIENCE, narrow_connection, sign_up_at
from tests.markdown import blocks
from tests.server import DevelopmentServer, Server, servers
from tests.settings import ROOT

PAGE = ROOT / "docs/extending.md"


def files_of_the_page() -> dict[str, str]:
    """The files that the page prints, by name."""
    text = PAGE.read_text().partition("\n## Consumers of your own\n")[2].partition("\n## ")[0]
    names = re.findall(r"^`([\w/]+\.py)`(?=:| puts)", text, re.MULTILINE)
    return dict(zip(names, blocks(text, "python"), strict=True))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the roof of the project and an app of one's own; the rest of Foyer is found by Python."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "manage.py", folder)
    shutil.copytree(ROOT / "config", folder / "config", ignore=shutil.ignore_patterns("tests", "__pycache__"))
    files = files_of_the_page()
    added, listed = re.split(r"(?=^websocket_routes)", files.pop("config/asgi.py"), flags=re.MULTILINE)
    asgi = folder / "config/asgi.py"
    assert asgi.read_text().count("\nwebsocket_routes = [\n") == 1
    asgi.write_text(asgi.read_text().replace("websocket_routes = [\n", added + listed, 1))
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def both(project: Path) -> Iterator[tuple[Server, Server]]:
    """Two instances of the project, on one store and one database: as in production, and as in development."""

    class Ours(Server):
        root = project

    class Theirs(DevelopmentServer):
        root = project

    with servers() as started:
        yield (
            started.start(kind=Ours, PYTHONPATH=str(ROOT)),
            started.start(kind=Theirs, PYTHONPATH=str(ROOT)),
        )


async def hear(socket: ClientConnection) -> str | bytes:
    async with asyncio.timeout(PATIENCE):
        return await socket.recv()


async def test_a_group_reaches_every_process_and_so_does_the_cache(both: tuple[Server, Server]) -> None:
    here, there = both
    ann = await sign_up_at(here, "ann")
    async with ann.connect("/match/7") as one, ann.at(there).connect("/match/7") as other:
        assert [await hear(one), await hear(other)] == ['{"score": 0}'] * 2
        for number, socket in enumerate((one, other, one), 1):
            await socket.send(f'{{"score": {number}}}')
            assert [await hear(one), await hear(other)] == [f'{{"score": {number}}}'] * 2
    async with ann.at(there).connect("/match/7") as late, ann.connect("/match/8") as elsewhere:
        assert (await hear(late), await hear(elsewhere)) == ('{"score": 3}', '{"score": 0}')
    await ann.rest.aclose()


async def test_a_topic_is_heard_in_every_process_by_those_who_may(both: tuple[Server, Server]) -> None:
    here, there = both
    ann, ben = await sign_up_at(here, "ann"), await sign_up_at(here, "ben")
    room = await ann.make_room(members_only=True)
    async with ann.connect(f"/ticker/{room}") as one, ann.at(there).connect(f"/ticker/{room}") as other:
        texts = [f"number {number}" for number in range(100)]
        for text in texts:
            await ann.post(room, text)
        for socket in (one, other):
            assert [await hear(socket) for _ in texts] == texts
        with pytest.raises(InvalidStatus) as refused:
            await ben.connect(f"/ticker/{room}")
        assert refused.value.response.status_code == 404
        assert b'"code":"room_not_found"' in (refused.value.response.body or b"")
        with pytest.raises(InvalidStatus) as nobody:
            await ann.connect(f"/ticker/{room}", additional_headers={})
        assert nobody.value.response.status_code == 401
        await ann.rest.delete("/auth")
        for socket in (one, other):
            with pytest.raises(ConnectionClosed):
                await hear(socket)
            assert socket.close_code == 4401
    for person in (ann, ben):
        await person.rest.aclose()


async def test_a_room_that_goes_closes_those_who_hear_it(both: tuple[Server, Server]) -> None:
    ann = await sign_up_at(both[0], "ann")
    room = await ann.make_room()
    async with ann.connect(f"/ticker/{room}") as one, ann.at(both[1]).connect(f"/ticker/{room}") as other:
        await ann.post(room, "last words")
        await ann.rest.delete(f"/room/{room}")
        for socket in (one, other):
            assert await hear(socket) == "last words"
            with pytest.raises(ConnectionClosed):
                await hear(socket)
            assert socket.close_code == 4404
    await ann.rest.aclose()


async def test_a_client_that_does_not_read_is_closed_and_holds_up_nobody(both: tuple[Server, Server]) -> None:
    here, _ = both
    ann, ben = await sign_up_at(here, "ann"), await sign_up_at(here, "ben")
    room = await ann.make_room()
    text = "💬" * 4096
    async with (
        narrow_connection(ann, f"/ticker/{room}") as slow,
        ben.connect(f"/ticker/{room}") as quick,
        ben.socket(f"/room/{room}/subscribe") as posting,
    ):
        posted = 0
        while posted < 1200 and (posted % 20 or "consumer closed (4408)" not in here.output()):
            posted += 1
            assert (await posting.ask({"type": "post", "text": text}))["type"] == "reply"
            assert await hear(quick) == text
        heard = 0
        with contextlib.suppress(ConnectionClosed):
            while await hear(slow) == text:
                heard += 1
        assert slow.close_code == 4408
        assert 0 < heard < posted
    for person in (ann, ben):
        await person.rest.aclose()
