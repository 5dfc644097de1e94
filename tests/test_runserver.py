"""`manage.py runserver` on a fresh folder: every face of Foyer, on the server that Django developers know."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import httpx
import pytest

from tests.clients import PASSWORD, sign_up_at
from tests.server import DevelopmentServer, Server, servers


class FreshServer(DevelopmentServer):
    """As `docs/tour.md` says: first the tables, then the server."""

    def begin(self) -> None:
        self.manage("migrate", "--verbosity", "0")
        super().begin()


@pytest.fixture(scope="module")
def development() -> Iterator[Server]:
    with servers() as started:
        yield started.start(kind=FreshServer)


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "application/json"),
        ("/app/", "text/html"),
        ("/admin/login/", "text/html"),
        ("/sign-in", "text/html"),
        ("/schema", "application/json"),
        ("/schema/docs", "text/html"),
        ("/schema/events", "application/json"),
        ("/health/ready", "application/json"),
        ("/static/admin/css/base.css", "text/css"),
    ],
)
def test_pages_and_descriptions_are_there(development: Server, path: str, media_type: str) -> None:
    answer = httpx.get(development.base_url + path, trust_env=False)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(media_type)


def test_the_web_client_finds_its_files(development: Server) -> None:
    page = httpx.get(f"{development.base_url}/app/", trust_env=False).text
    files = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert files
    assert {httpx.get(development.base_url + file, trust_env=False).status_code for file in files} == {200}


async def test_every_socket_and_stream_works(development: Server) -> None:
    ann = await sign_up_at(development, "ann")
    room = await ann.make_room()
    async with (
        ann.socket("/ws") as gateway,
        ann.socket(f"/room/{room}/subscribe") as in_room,
        ann.socket("/messages/subscribe") as inbox,
        ann.stream(f"/room/{room}/subscribe") as stream,
        ann.socket("/join") as chat,
        ann.socket("/lobby_api", additional_headers={}) as lobby,
    ):
        assert (await gateway.hear())["type"] == "welcome"
        assert (await chat.hear())["type"] == "users_online"
        await lobby.say({"$type": "login", "username": ann.username, "password": PASSWORD})
        assert (await lobby.hear())["$type"] == "login_successful"
        reply = await gateway.ask({"type": "post", "room": room, "text": "hi"})
        for event in (await gateway.hear(), await in_room.hear(), await stream.hear()):
            assert event
            assert event["message"] == reply["result"]
        await ann.rest.post(f"/user/{ann.username}/messages", json={"text": "to myself"})
        assert (await inbox.hear())["message"]["text"] == "to myself"
    await ann.rest.aclose()


def test_it_stops_and_takes_its_store_along(development: Server) -> None:
    assert development.stop(signal.SIGINT) == 0
    if not development.environment["REDIS_URL"]:
        assert not (development.data_dir / "valkey/valkey.sock").exists()
