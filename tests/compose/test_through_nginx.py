"""What clients of nginx see: the same as of the server itself, and nothing that they can make it believe."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect as connect_blocking

from tests.clients import PASSWORD, Person, sign_in, sign_up_at
from tests.compose.stack import FAILURES, LOOPBACK, Nginx, Stack
from tests.markdown import blocks
from tests.server import Server
from tests.settings import ROOT
from tests.store import free_port

pytestmark = pytest.mark.compose
LARGEST = 64 * 1024


def guest(server: Server, address: str = LOOPBACK, **options: Any) -> httpx.Client:
    """Somebody who comes from an address of this machine."""
    transport = httpx.HTTPTransport(local_address=address, **options)
    return httpx.Client(base_url=server.base_url, transport=transport, timeout=30)


async def test_rooms_and_messages_work_over_rest_with_addresses_that_lead_back_to_nginx(nginx: Nginx) -> None:
    ann, ben = await sign_up_at(nginx, "Ann B."), await sign_up_at(nginx, "ben")
    made = await ann.rest.post("/rooms", json={"name": secrets.token_hex(8)})
    assert made.headers["Location"] == f"{nginx.base_url}/room/{made.json()['roomId']}"
    path = f"/room/{made.json()['roomId']}"
    for number in range(3):
        await ben.post(made.json()["roomId"], f"message {number}")
    page = await ann.rest.get(f"{path}/messages?limit=2")
    assert [message["text"] for message in page.json()] == ["message 1", "message 2"]
    assert page.headers["Link"].startswith(f"<{nginx.base_url}{path}/messages?")
    told = (await ann.rest.get(f"{path}/subscribe")).json()
    assert told == {"websocket": f"{nginx.ws_url}{path}/subscribe", "events": f"{nginx.base_url}{path}/subscribe"}
    assert (await ann.rest.get(f"/user/{ann.username}")).json()["username"] == ann.username
    for person in (ann, ben):
        await person.rest.aclose()


async def test_sockets_and_streams_hear_at_once_and_streams_resume(nginx: Nginx) -> None:
    ann = await sign_up_at(nginx, "ann")
    room = await ann.make_room()
    path = f"/room/{room}/subscribe"
    async with ann.socket("/ws") as gateway, ann.socket(path) as socket, ann.stream(path) as stream:
        assert f"room:{room}" in [topic["topic"] for topic in (await gateway.hear())["topics"]]
        first = (await gateway.ask({"id": 1, "type": "post", "room": room, "text": "by the gateway"}))["result"]
        second = (await socket.ask({"id": 2, "type": "post", "text": "by the room's socket"}))["result"]
        readers: list[Any] = [gateway, socket, stream]
        for reader in readers:
            told = await reader.hear_many(2)
            assert [event["message"] for event in told] == [first, second]
        assert "X-Accel-Buffering" not in stream.response.headers
    third = await ann.post(room, "while the stream was away")
    async with ann.stream(path, stream.last_id) as stream:
        event = await stream.hear()
        assert event
        assert event["message"] == third
    await ann.rest.aclose()


async def test_a_browsers_way_to_sign_in_and_the_other_sockets_get_through(nginx: Nginx) -> None:
    ann = await sign_up_at(nginx, "ann")
    protocols: Any = ["foyer.v1", f"bearer.{ann.token}"]
    async with ann.connect("/ws", additional_headers={}, subprotocols=protocols) as browser:
        assert browser.subprotocol == "foyer.v1"
        assert json.loads(await browser.recv())["username"] == ann.username
    async with ann.socket("/join") as lobby:
        assert (await lobby.hear())["type"] == "users_online"
    async with ann.socket("/lobby_api", additional_headers={}) as tables:
        await tables.say({"$type": "ping", "seq": 1})
        assert await tables.hear() == {"$type": "pong", "seq": 1}
    await ann.rest.aclose()


def test_the_sign_in_limit_counts_the_clients_own_address_whatever_the_client_says(stack: Stack) -> None:
    username = f"ann-{secrets.token_hex(4)}"
    right, wrong = ({"username": username, "password": word} for word in (PASSWORD, "wrong"))
    with guest(stack.nginx, "127.0.0.51") as ann, guest(stack.nginx, "127.0.0.52") as other:
        assert ann.post("/user", json=right).status_code == 201
        for number in range(FAILURES):
            forged = {"X-Forwarded-For": f"203.0.113.{number}", "Forwarded": f"for=203.0.113.{number}"}
            assert ann.post("/auth", json=wrong, headers=forged).status_code == 401
        refused = ann.post("/auth", json=right, headers={"X-Forwarded-For": "203.0.113.99"})
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_sign_ins")
        assert other.post("/auth", json=right).status_code == 200
        framed = other.post("/auth", json=right, headers={"X-Forwarded-For": "127.0.0.51"})
        assert framed.status_code == 200
    with guest(stack.instances[0], "127.0.0.51") as direct:
        forged = {"X-Forwarded-For": "203.0.113.99"}  # nginx is believed, at its address; this is another
        assert direct.post("/auth", json=wrong, headers=forged).status_code == 429


def test_a_client_can_not_pretend_that_it_came_by_https(nginx: Nginx) -> None:
    with guest(nginx) as ann:
        account = {"username": f"ann-{secrets.token_hex(4)}", "password": PASSWORD}
        made = ann.post("/user", json=account, headers={"X-Forwarded-Proto": "https"})
        assert made.headers["Location"].startswith(nginx.base_url)


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "in chunks"])
def test_a_body_of_64_kib_gets_through_and_one_byte_more_is_refused_as_the_server_does(
    nginx: Nginx, chunked: bool
) -> None:
    def post(size: int) -> httpx.Response:
        body = json.dumps({"username": "x", "password": ""}).encode().ljust(size)
        with guest(nginx) as ann:
            content: Any = (body[start : start + 9000] for start in range(0, size, 9000)) if chunked else body
            return ann.post("/user", content=content, headers={"Content-Type": "application/json"})

    assert (post(LARGEST).status_code, post(LARGEST).json()["code"]) == (400, "invalid")
    refused = post(LARGEST + 1)
    assert (refused.status_code, refused.headers["Content-Type"]) == (413, "application/json")
    assert refused.json() == {"code": "too_large", "detail": "A body may have 64 KiB."}


def test_operators_routes_and_pages_get_through_and_metrics_only_with_their_token(nginx: Nginx) -> None:
    with guest(nginx) as ann:
        assert ann.get("/health/ready").json()["status"] == "ok"
        told = ann.get("/health/live", headers={"X-Request-ID": "of-the-client"})
        assert (told.status_code, told.json()) == (200, {"status": "ok"})
        assert ann.get("/", headers={"X-Request-ID": "of-the-client"}).headers["X-Request-ID"] == "of-the-client"
        assert ann.get("/metrics").status_code == 403
        page = ann.get("/admin/login/")
        styles = re.findall(r'href="(/static/[^"]+\.css)"', page.text)
        assert styles
        assert {ann.get(style).headers["Content-Type"].partition(";")[0] for style in styles} == {"text/css"}


async def test_a_frame_of_64_kib_gets_through_and_one_byte_more_closes_the_socket(nginx: Nginx) -> None:
    ann = await sign_up_at(nginx, "ann")
    async with ann.socket("/ws") as gateway:
        await gateway.hear()
        assert (await gateway.ask(json.dumps({"id": 1, "type": "nod"}).ljust(LARGEST)))["code"] == "unknown_command"
        # The head of a frame alone: a server that closes while it is being sent more may be heard or not.
        gateway.connection.transport.write(b"\x81\xff" + (LARGEST + 1).to_bytes(8, "big") + b"mask")
        assert (await gateway.closed())[0] == 1009
    await ann.rest.aclose()


def test_where_no_instance_answers_clients_are_told_to_come_back(stack: Stack) -> None:
    alone = Nginx(stack.folder / "alone", [free_port()])
    try:
        with guest(alone) as ann:
            answer = ann.get("/rooms")
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert answer.headers["Retry-After"] == "1"
    finally:
        alone.stop()


@pytest.fixture
def secure_nginx(stack: Stack, tmp_path: Path) -> Iterator[tuple[Nginx, ssl.SSLContext]]:
    """An nginx with the listen.conf that the documentation shows, and a client's trust in its certificate."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    (listen,) = blocks((ROOT / "docs/production.md").read_text(), "nginx")
    folder = tmp_path / "tls"
    folder.mkdir()
    key, certificate = folder / "privkey.pem", folder / "fullchain.pem"
    request = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=foyer -addext subjectAltName=IP:{LOOPBACK}"
    subprocess.run([*request.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    assert "/etc/foyer/tls" in listen
    listen = listen.replace("/etc/foyer/tls", str(folder))
    nginx = Nginx(stack.folder / f"tls-{secrets.token_hex(4)}", [each.port for each in stack.instances], listen, True)
    try:
        yield nginx, ssl.create_default_context(cafile=str(certificate))
    finally:
        nginx.stop()


def test_the_documented_tls_works_and_addresses_say_so(secure_nginx: tuple[Nginx, ssl.SSLContext]) -> None:
    nginx, trust = secure_nginx
    with guest(nginx, verify=trust) as ann:
        account = {"username": f"ann-{secrets.token_hex(4)}", "password": PASSWORD}
        made = ann.post("/user", json=account)
        assert made.headers["Location"] == f"{nginx.base_url}/user/{account['username']}"
        token = ann.post("/auth", json=account).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        room = ann.post("/rooms", json={"name": secrets.token_hex(8)}, headers=headers).json()["roomId"]
        told = ann.get(f"/room/{room}/subscribe", headers=headers).json()["websocket"]
        assert told.startswith("wss://")
        with connect_blocking(told, ssl=trust, additional_headers=headers, open_timeout=30) as socket:
            socket.send('{"type": "post", "text": "psst"}')
            assert json.loads(socket.recv(timeout=30))["type"] in ("message", "reply")


async def test_a_session_that_ends_closes_its_sockets_on_both_instances(stack: Stack) -> None:
    ann = await sign_up_at(stack.nginx, "ann")
    there: list[Person] = [ann.at(instance) for instance in stack.instances]
    async with there[0].socket("/messages/subscribe") as one, there[1].socket("/messages/subscribe") as other:
        assert (await ann.rest.delete("/auth")).status_code == 204
        assert [(await socket.closed())[0] for socket in (one, other)] == [4401, 4401]
    again = await sign_in(stack.nginx, ann.username)
    for person in (ann, again, *there):
        await person.rest.aclose()
