"""HTTP and WebSockets as others speak them: offers, versions, headers on several lines, methods, other sites' pages."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import httpx
import pytest
import websocket

from tests.clients import PASSWORD, Person, sign_up_at
from tests.hostile import KEY, Hostile
from tests.server import Server, servers


def needs(program: str) -> pytest.MarkDecorator:
    """Skips a test where a program is not installed, which is no reason on CI but for Java."""
    missing = shutil.which(program) is None
    return pytest.mark.skipif(
        missing and (program == "java" or os.environ.get("CI") != "true"), reason=f"there is no {program}"
    )


def curl(*args: str) -> tuple[int, str]:
    """The status and body of what curl got."""
    done = subprocess.run(
        ["curl", "--silent", "--max-time", "20", "--write-out", "\n%{http_code}", *args], capture_output=True, text=True
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


# Offers and versions of HTTP


@needs("curl")
def test_curl_that_offers_http_2_is_answered_and_its_body_kept(server: Server) -> None:
    account = json.dumps({"username": "curl-h2c", "password": PASSWORD})
    status, body = curl(
        "--http2", "-H", "Content-Type: application/json", "-d", account, f"{server.base_url}/user",
        "--next", "--silent", "--http2", "-u", f"curl-h2c:{PASSWORD}", "--write-out", "\n%{http_code}", server.base_url,
    )  # fmt: skip
    assert status == 200
    assert '"username":"curl-h2c"' in body.splitlines()[0]
    assert body.splitlines()[1].startswith("201")
    assert "Unsupported upgrade" not in server.output()


@needs("java")
def test_javas_client_that_offers_http_2_is_answered_and_its_body_kept(server: Server) -> None:
    source = Path(__file__).parent / "Offer.java"
    done = subprocess.run(["java", str(source), server.base_url], capture_output=True, text=True, timeout=60)
    first, second = done.stdout.splitlines()
    assert first.startswith('201 {"id":'), done.stderr
    assert second.startswith('400 {"code":"malformed_json"')


@pytest.mark.parametrize("rest", [True, False], ids=["at once", "later"])
def test_what_comes_after_an_offer_that_is_passed_over_is_heard(server: Server, rest: bool) -> None:
    body = json.dumps({"username": f"offer-{rest}", "password": PASSWORD}).encode()
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")
    with Hostile(server) as client:
        length = (f"Content-Length: {len(body)}", "Content-Type: application/json")
        client.ask("POST", "/user", *offer, *length, body=body if rest else body[:5])
        if not rest:
            client.send(body[5:])
        client.ask("GET", "/health/live", *offer)
        client.ask("GET", "/nowhere", "Connection: close")
        said = client.answer()
    assert [part[:3] for part in said.split(b"HTTP/1.1 ")[1:]] == [b"201", b"200", b"404"]


def test_a_client_that_takes_the_server_for_a_proxy_is_refused(server: Server) -> None:
    with Hostile(server) as client:
        client.ask("CONNECT", "example.com:443", "Upgrade: h2c", "Connection: Upgrade")
        assert client.status() == 400


@needs("curl")
def test_a_client_of_http_1_0_is_answered(server: Server) -> None:
    with Hostile(server) as client:
        client.send(b"GET /health/live HTTP/1.0\r\n\r\n")
        assert client.answer().startswith(b"HTTP/1.1 200 ")
    assert curl("--http1.0", f"{server.base_url}/health/live") == (200, '{"status":"ok"}')


async def test_an_event_stream_over_http_1_0_is_plain_text(ann_there: Person) -> None:
    room = await ann_there.make_room()
    with Hostile(ann_there.server) as client:
        lines = f"Authorization: Bearer {ann_there.token}\r\nAccept: text/event-stream\r\n\r\n"
        client.send(f"GET /room/{room}/subscribe HTTP/1.0\r\nHost: localhost\r\n{lines}".encode())
        said = b""
        while b"retry: " not in said:
            said += client.socket.recv(65536)
        await ann_there.post(room, "hi")
        while b"data: " not in said or not said.endswith(b"\n\n"):
            said += client.socket.recv(65536)
        await ann_there.rest.delete(f"/room/{room}")
        said += client.answer()
    head, _, body = said.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    lines_of_body = body.decode().splitlines()
    assert lines_of_body[0] == "retry: 1000"
    events = [json.loads(line.removeprefix("data: ")) for line in lines_of_body if line.startswith("data: ")]
    assert [event["type"] for event in events] == ["message", "room_deleted"]


# Lists and negotiation


def test_headers_on_several_lines_are_one_list(server: Server) -> None:
    with httpx.Client(base_url=server.base_url) as browser:
        page = browser.get("/sign-in")
        form = {"username": "admin", "password": "admin", "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        assert browser.post("/sign-in", data=form, headers={"Referer": str(page.url)}).status_code == 302
        session = browser.cookies["sessionid"]
    for lines in (["other=1", f"sessionid={session}"], [f"sessionid={session}", "other=1"]):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.putrequest("GET", "/users")
        for line in lines:
            connection.putheader("Cookie", line)
        connection.endheaders()
        assert connection.getresponse().status == 200
        connection.close()
    for accept in (["text/html;q=0.1", "application/json"], ["application/json", "text/html;q=0.1"]):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.putrequest("GET", "/")
        for line in accept:
            connection.putheader("Accept", line)
        connection.endheaders()
        assert connection.getresponse().headers["Content-Type"] == "application/json"
        connection.close()


async def test_a_handshake_may_have_its_lists_on_several_lines(ann_there: Person) -> None:
    with Hostile(ann_there.server) as client:
        client.ask(
            "GET", "/ws", "Connection: keep-alive", "Connection: Upgrade", "Upgrade: h2c", "Upgrade: WebSocket",
            f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: foyer.v1",
            f"Sec-WebSocket-Protocol: bearer.{ann_there.token}",
        )  # fmt: skip
        assert client.status() == 101


@pytest.mark.parametrize(
    ("accept", "is_stream"),
    [
        ("text/event-stream", True),
        ("Text/Event-Stream", True),
        ("text/event-stream, */*;q=0.1", True),
        ("application/json, text/event-stream", True),
        ("application/json;q=0.5, text/event-stream;q=0.9", True),
        ("application/json;q=0.9, text/event-stream;q=0.5", False),
        ("application/json, text/event-stream;q=0", False),
        ("application/json", False),
        ("*/*", False),
        ("x-text/event-streams", False),
    ],
)
async def test_whether_a_stream_is_wanted_the_accept_header_says(
    ann_there: Person, accept: str, is_stream: bool
) -> None:
    room = await ann_there.make_room()
    async with ann_there.rest.stream("GET", f"/room/{room}/subscribe", headers={"Accept": accept}) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream") == is_stream
        assert answer.status_code in ((200,) if is_stream else (202, 406))


# Methods


async def test_head_and_options_are_answered_wherever_get_is(ann_there: Person) -> None:
    room = await ann_there.make_room()
    await ann_there.post(room, "hi")
    paths = [
        "/", "/rooms", f"/room/{room}", f"/room/{room}/members", f"/room/{room}/messages", f"/room/{room}/messages/1",
        f"/room/{room}/subscribe", "/messages", "/messages/subscribe", f"/user/{ann_there.username}", "/schema",
        "/schema/docs", "/schema/events", "/sign-in", "/app/", "/health/live", "/health/ready", "/metrics",
        "/lobby_api/tables", "/lobby_api/health",
    ]  # fmt: skip
    for path in paths:
        got = await ann_there.rest.get(path)
        head = await ann_there.rest.head(path)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.headers.get("Content-Type") == got.headers.get("Content-Type"), path
        options = await ann_there.rest.options(path)
        assert options.status_code in (200, 204), path
        assert {"GET", "HEAD", "OPTIONS"} <= set(options.headers["Allow"].replace(" ", "").split(",")), path


async def test_head_of_a_stream_tells_of_it_and_ends(ann_there: Person) -> None:
    answer = await ann_there.rest.head("/messages/subscribe", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream")
    assert (await ann_there.rest.get("/health/live")).status_code == 200


# WebSockets


@pytest.mark.parametrize("version", ["12", "8", "", "14", "13, 12"])
def test_a_version_of_websockets_that_is_not_spoken_is_told_which_is(server: Server, version: str) -> None:
    with Hostile(server) as client:
        client.ask(
            "GET", "/ws", "Connection: Upgrade", "Upgrade: websocket", f"Sec-WebSocket-Key: {KEY}",
            *([f"Sec-WebSocket-Version: {version}"] if version else []),
        )  # fmt: skip
        head, _, body = client.answer().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 426 ")
    assert b"sec-websocket-version: 13" in head.lower()
    assert json.loads(body)["code"] == "upgrade_required"


@pytest.mark.parametrize("path", ["/ws", "/join"])
def test_a_request_at_the_address_of_a_socket_is_told_so(server: Server, path: str) -> None:
    answer = httpx.get(server.base_url + path)
    assert (answer.status_code, answer.json()["code"]) == (426, "upgrade_required")
    assert (answer.headers["Upgrade"], answer.headers["Sec-WebSocket-Version"]) == ("websocket", "13")
    page = httpx.get(server.base_url + path, headers={"Accept": "text/html"})
    assert page.status_code == 426
    assert "WebSocket at this address" in page.text


async def test_websocket_client_and_aiohttp_talk_to_the_gateway(ann_there: Person) -> None:
    address = f"{ann_there.server.ws_url}/ws"
    plain = websocket.create_connection(address, header=ann_there.headers, timeout=20)
    assert json.loads(plain.recv())["type"] == "welcome"
    plain.send('{"type": "ping", "seq": 1}')
    assert json.loads(plain.recv()) == {"type": "pong", "seq": 1}
    plain.ping("x")
    plain.close()
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(address, headers=ann_there.headers, compress=15) as other:
            assert (await other.receive_json())["type"] == "welcome"
            await other.send_json({"type": "ping", "seq": 2})
            assert await other.receive_json() == {"type": "pong", "seq": 2}
        async with session.post(
            f"{ann_there.server.base_url}/rooms", headers=ann_there.headers, json={"name": "aio"}
        ) as answer:
            assert answer.status == 201


# Cookies of others


async def test_a_cookie_of_some_other_application_counts_as_none(ann_there: Person) -> None:
    foreign = {"Cookie": "sessionid=abcdefghijklmnopqrstuvwxyz012345; csrftoken=x; theme=dark"}
    server = ann_there.server
    async with httpx.AsyncClient(base_url=server.base_url, headers=foreign) as guest:
        account = {"username": ann_there.username, "password": PASSWORD}
        assert (await guest.post("/auth", json=account)).status_code == 200
        assert (await guest.post("/rooms", json={"name": "x"})).status_code == 401
        assert (await guest.get("/")).json() == {"message": "Hello World"}
    for how in (ann_there.headers, {"Authorization": httpx.BasicAuth(ann_there.username, PASSWORD)._auth_header}):
        answer = await ann_there.rest.post("/rooms", json={"name": f"{how!r}"[:60]}, headers={**foreign, **how})
        assert answer.status_code == 201
    async with ann_there.socket("/ws", additional_headers=foreign) as socket:
        await socket.say({"type": "authenticate", "token": ann_there.token})
        assert (await socket.hear())["type"] == "welcome"


# Pages of other sites

APP = "https://app.example.com"


@pytest.fixture(scope="module")
def open_to_app() -> Iterator[Server]:
    with servers() as started:
        yield started.start(ALLOWED_ORIGINS=APP)


@pytest.mark.parametrize("path", ["/rooms", "/nowhere", "/health/live", "/auth", "/messages/subscribe"])
async def test_a_page_of_a_site_that_is_allowed_may_read_answers(open_to_app: Server, path: str) -> None:
    ann = await sign_up_at(open_to_app, "ann")
    for accept in ("application/json", "text/event-stream, */*;q=0.1"):
        for origin, allowed in ((APP, APP), ("https://evil.example", None), ("null", None)):
            headers = {"Origin": origin, "Accept": accept}
            async with ann.rest.stream("GET", path, headers=headers) as answer:
                assert answer.headers.get("Access-Control-Allow-Origin") == allowed
                assert "Access-Control-Allow-Credentials" not in answer.headers
                assert "origin" in answer.headers["Vary"].lower()
                if allowed:
                    assert "Link" in answer.headers["Access-Control-Expose-Headers"]
    preflight = {
        "Origin": APP, "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,idempotency-key,last-event-id",
    }  # fmt: skip
    async with httpx.AsyncClient(base_url=open_to_app.base_url) as page:
        answer = await page.options(path, headers=preflight)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == APP
    if path != "/health/live":
        assert {"authorization", "idempotency-key", "last-event-id"} <= set(
            answer.headers["Access-Control-Allow-Headers"].split(", ")
        )
        assert {"PUT", "PATCH", "DELETE"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    await ann.rest.aclose()


async def test_what_is_refused_before_it_gets_to_django_may_be_read_too(open_to_app: Server) -> None:
    async with httpx.AsyncClient(base_url=open_to_app.base_url, headers={"Origin": APP}) as page:
        answer = await page.post("/auth", content=b"x" * 70_000)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (413, APP)


def test_any_site_is_allowed_where_the_settings_say_so_but_never_a_cookie(
    start_server: Callable[..., Server],
) -> None:
    server = start_server(ALLOWED_ORIGINS="*")
    answer = httpx.get(f"{server.base_url}/rooms", headers={"Origin": "https://anywhere.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_no_other_site_is_allowed_unless_the_settings_say_so(server: Server) -> None:
    answer = httpx.get(f"{server.base_url}/rooms", headers={"Origin": APP})
    assert "Access-Control-Allow-Origin" not in answer.headers
