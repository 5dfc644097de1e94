"""The log of a real server: one object a line, the id of the request in it, and nothing secret however it is sent."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from foyer.logs import JsonFormatter, LineFormatter, begin_request, request_id, template
from tests.server import Server, servers
from tests.store import wait_for

SECRETS = ["corrEct-horse-1", "corrEct-horse-2", "metrics-sEcret-3"]
"""Passwords and the like; tokens are added as they are handed out."""


@pytest.fixture(scope="module")
def talkative() -> Iterator[Server]:
    """A server that logs all it can."""
    with servers() as started:
        yield started.start(WORKERS="2", LOG_FORMAT="json", LOG_LEVEL="DEBUG", METRICS_TOKEN=SECRETS[2])


@pytest.fixture(scope="module")
def token(talkative: Server) -> str:
    account = {"username": "logged", "password": SECRETS[0]}
    assert httpx.post(f"{talkative.base_url}/user", json=account).status_code == 201
    return str(httpx.post(f"{talkative.base_url}/auth", json=account).json()["token"])


def lines(server: Server) -> list[dict[str, Any]]:
    """What was logged: every line that is no JSON was written before the log began, or is printed by `serve`."""
    return [json.loads(line) for line in server.output().splitlines() if line.startswith("{")]


def about(server: Server, request: str) -> list[dict[str, Any]]:
    return [line for line in lines(server) if line.get("request_id") == request]


ANSWERS = [
    ("GET", "/", 200, "/"),
    ("GET", "/rooms", 200, "/rooms"),
    ("GET", "/room/none/messages", 404, "/room/{room_id}/messages"),
    ("GET", "/nowhere/at/all", 404, "other"),
    ("POST", "/rooms", 400, "/rooms"),
    ("GET", "/static/admin/css/base.css", 200, "static"),
    ("GET", "/admin/login/", 200, "/admin/login/"),
]


@pytest.mark.parametrize(("method", "path", "status", "route"), ANSWERS)
def test_a_clients_request_id_comes_back_and_is_in_the_log(
    talkative: Server, token: str, method: str, path: str, status: int, route: str
) -> None:
    mine = f"mine {method} {path}"
    headers = {"X-Request-ID": mine, "Authorization": f"Bearer {token}"}
    answer = httpx.request(method, f"{talkative.base_url}{path}", headers=headers)
    assert (answer.status_code, answer.headers.get_list("X-Request-ID")) == (status, [mine])
    wait_for(lambda: about(talkative, mine), seconds=2)
    (line,) = about(talkative, mine)
    assert (line["method"], line["route"], line["status"], line["logger"]) == (method, route, status, "foyer.access")
    assert line["level"] == "INFO"
    assert line["duration_ms"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert isinstance(line["user"], int) if path in ("/", "/rooms") else True
    assert not {"username", "client", "address", "path"} & set(line)


@pytest.mark.parametrize("unfit", ["", "x" * 65, "caf\xe9", "tab\there"])
def test_a_request_id_that_is_not_fit_is_replaced(talkative: Server, unfit: str) -> None:
    answer = httpx.get(f"{talkative.base_url}/", headers=[(b"X-Request-ID", unfit.encode("latin-1"))])
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-ID"])


def test_every_other_kind_of_answer_has_the_id_too(talkative: Server, token: str) -> None:
    headers = {"X-Request-ID": "mine", "Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=talkative.base_url, headers=headers) as client:
        for path in ("/health/live", "/health/ready", "/metrics"):
            assert client.get(path).headers["X-Request-ID"] == "mine"
        assert client.post("/rooms", content=b"x" * 70_000).headers["X-Request-ID"] == "mine"  # 413
        assert client.get("/rooms", headers={"Host": "elsewhere"}).headers["X-Request-ID"] == "mine"  # 400
        with client.stream("GET", "/messages/subscribe", headers={"Accept": "text/event-stream"}) as stream:
            assert (stream.status_code, stream.headers["X-Request-ID"]) == (200, "mine")
        refused = client.get("/room/none/subscribe", headers={"Accept": "text/event-stream"})
        assert (refused.status_code, refused.headers["X-Request-ID"]) == (404, "mine")
    with connect(f"{talkative.ws_url}/ws", additional_headers=headers) as socket:
        assert socket.response is not None
        assert socket.response.headers["X-Request-ID"] == "mine"
    with pytest.raises(InvalidStatus) as refusal:
        connect(f"{talkative.ws_url}/room/none/subscribe", additional_headers=headers)
    assert refusal.value.response.headers["X-Request-ID"] == "mine"
    refusals = [(line["route"], line["status"]) for line in about(talkative, "mine") if "route" in line]
    assert refusals[-1] == ("room", 404)


def test_a_socket_is_logged_when_it_is_over(talkative: Server, token: str) -> None:
    headers = {"X-Request-ID": "my socket", "Authorization": f"Bearer {token}"}
    with connect(f"{talkative.ws_url}/ws", additional_headers=headers) as socket:
        socket.recv()
    wait_for(lambda: about(talkative, "my socket"), seconds=5)
    (line,) = about(talkative, "my socket")
    assert (line["kind"], line["closed"]) == ("gateway", "client")
    assert isinstance(line["user"], int)


def send_secrets_everywhere(server: Server, token: str) -> None:
    """Credentials, good and bad, by every way that a client might choose, rightly or not."""
    password, wrong, metrics = SECRETS
    bearer = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=server.base_url) as client:
        for headers in (bearer, {"Authorization": f"Bearer {token}x"}, {"Authorization": f"Token {token}"}):
            client.get("/rooms", headers=headers)
            client.get("/messages/subscribe", headers=headers)
        client.get("/rooms", auth=("logged", password))
        client.get("/rooms", auth=("logged", wrong))
        client.get("/rooms", params={"token": token, "password": password})
        client.get(f"/user/{token}")
        client.get(f"/{token}/{password}", params={"access_token": token})
        client.post("/auth", json={"username": "logged", "password": wrong})
        client.post("/auth", data={"username": "logged", "password": password})
        client.post("/auth", content=b'{"password": "' + password.encode())
        client.post("/login", json={"email": "a@example.com", "password": wrong})
        client.put("/user/logged/password", json={"current": wrong, "new": password}, headers=bearer)
        client.post("/user", json={"username": "logged", "password": wrong})
        client.post("/rooms", content=password.encode() * 7000, headers=bearer)
        client.get("/metrics", headers={"Authorization": f"Bearer {metrics}"})
        client.get("/metrics", params={"token": metrics}, headers=bearer)
        page = client.get("/admin/login/")
        form = {"username": "logged", "password": password, "csrfmiddlewaretoken": client.cookies["csrftoken"]}
        assert page.status_code == 200
        client.post("/admin/login/", data=form)
        for header in ("Origin", "Referer", "X-CSRFToken", "Cookie"):
            sent = {header: f"https://{token}.example/{password}", "X-Forwarded-Proto": "https"}
            for path in ("/admin/login/", "/sign-in", "/sign-out"):
                client.post(path, data=form, headers=sent)
                client.post(path, data={"username": "logged"}, headers=sent)
        client.post("/admin/login/", data=form | {"csrfmiddlewaretoken": token})
    for subprotocol in (f"bearer.{token}", f"bearer.{token}x"):
        with connect(f"{server.ws_url}/ws?token={token}", subprotocols=["foyer.v1", subprotocol]) as socket:  # type: ignore[list-item]
            socket.recv() if subprotocol.endswith(token) else None
    with connect(f"{server.ws_url}/ws") as socket:
        for frame in (
            {"type": "authenticate", "token": token + "x"},
            {"type": "authenticate", "username": "logged", "password": wrong},
            {"type": password, "token": token},
            {"type": "authenticate", "username": "logged", "password": password},
            {"type": "authenticate", "token": token},
            {"type": "post", "room": token, "text": password},
        ):
            socket.send(json.dumps(frame))
        for text in (f'{{"token": "{token}', token, password):
            socket.send(text)
        for _ in range(9):  # what came of them
            socket.recv(timeout=10)
        socket.send(password.encode())
    with connect(f"{server.ws_url}/lobby_api") as socket:
        for secret in (password, wrong):
            socket.send(json.dumps({"$type": "login", "username": "logged", "password": secret}))
            socket.recv(timeout=10)


def test_a_refusal_for_safety_says_why_and_nothing_that_the_client_sent(talkative: Server) -> None:
    sent = {"Origin": "https://evil.example", "X-Request-ID": "from elsewhere"}
    with httpx.Client(base_url=talkative.base_url) as client:
        client.get("/sign-in", headers={"Accept": "text/html"})
        refused = client.post("/sign-in", data={"username": "logged"}, headers=sent | {"Accept": "text/html"})
    assert refused.status_code == 403
    assert "too old, or another site" in refused.text
    assert "default-src 'none'" in refused.headers["Content-Security-Policy"]
    wait_for(lambda: len(about(talkative, "from elsewhere")) == 2, seconds=5)
    why = [line["message"] for line in about(talkative, "from elsewhere") if line["logger"] == "django.security.csrf"]
    assert why == ["Origin checking failed"]
    assert "evil" not in talkative.output()


def test_no_token_and_no_password_is_ever_in_the_log(talkative: Server, token: str) -> None:
    send_secrets_everywhere(talkative, token)
    httpx.get(f"{talkative.base_url}/", headers={"X-Request-ID": "the last"})
    wait_for(lambda: about(talkative, "the last"), seconds=5)
    said = talkative.output()
    for secret in [*SECRETS, token, *token.split(".")[1:]]:
        assert secret not in said
    assert "logged" not in said  # nor is the name of who sent them
    assert len(lines(talkative)) > 20


# The two ways to write a line


def record(message: str, **more: Any) -> logging.LogRecord:
    made = logging.LogRecord("foyer.access", logging.WARNING, "file.py", 1, message, (), more.pop("exc_info", None))
    vars(made).update(more)
    return made


def test_a_line_of_json_stays_one_line_whatever_is_in_it() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        text = JsonFormatter().format(record("a\nb \ud800", exc_info=sys.exc_info(), fields={"status": 500}))
    assert "\n" not in text
    told = json.loads(text)
    assert (told["message"], told["level"], told["status"]) == ("a\nb \ud800", "WARNING", 500)
    assert told["exception"].endswith("ValueError: two\nlines")
    assert "request_id" not in told


def test_a_line_for_people_ends_with_the_id_of_the_request() -> None:
    assert LineFormatter().format(record("hello")).endswith("WARNING foyer.access: hello")
    before = request_id.set("")
    begin_request({"headers": [(b"x-request-id", b"mine")]})
    assert LineFormatter().format(record("hello")).endswith("WARNING foyer.access: hello [mine]")
    request_id.reset(before)


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ("", "/"),
        ("user/<str:username>/messages", "/user/{username}/messages"),
        ("lobby_api/tables/<int:id>", "/lobby_api/tables/{id}"),
        ("admin/(?P<url>.*)$", "/admin/{url}"),
        ("admin/accounts/account/<path:object_id>/change/", "/admin/accounts/account/{object_id}/change/"),
    ],
)
def test_a_route_is_told_as_a_template(route: str, expected: str) -> None:
    assert template(route) == expected
