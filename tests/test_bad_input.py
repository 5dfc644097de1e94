"""Whatever a client sends to rooms and messages is answered with an error of the one shape, never with a fault."""

from __future__ import annotations

import asyncio
import http.client
import json
from typing import Any

import pytest

from accounts.tests.conftest import Api
from foyer.api.forms import FORM
from rooms.tests.conftest import signed_in
from tests.clients import PATIENCE, Person

ROUTES = [
    ("POST", "/rooms"),
    ("PATCH", "/room/1"),
    ("POST", "/room/1/messages"),
    ("PATCH", "/room/1/messages/1"),
    ("POST", "/user/ann/messages"),
]
BODIES = [
    b"",
    b" ",
    b"{",
    b"nonsense",
    b"[]",
    b"null",
    b"5",
    b'"text"',
    b"\xff\xfe",
    b'{"text": "\xff"}',
    b'{"name": "x", "text": NaN}',
    b'{"name": "\\ud800", "text": "\\ud800"}',
    b'{"name": "a\\u0000b", "text": "a\\u0000b"}',
    b'{"name": "", "text": ""}',
    b'{"name": " ", "text": "\\n"}',
    b'{"name": 5, "text": 5}',
    b'{"name": null, "text": null}',
    b'{"name": ["x"], "text": ["x"]}',
    b'{"name": {"a": 1}, "text": {"a": 1}}',
    b'{"name": true, "text": true}',
    b'{"name": 1e400, "text": 1e400}',
    b'{"members_only": "yes", "text": false}',
    b'{"name": "%s", "text": "%s"}' % (b"x" * 101, b"x" * 4097),
    b'{"name": "x", "text": "x", "more": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    b'{"name": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b', "text": []}',
    b'{"nothing": "that is known"}',
]
PLACES = [
    "abc", "0", "-1", "1.5", "01", "999999999999999999999", "2", "{x}", "%7Bx%7D", "%7Broom:1%7D", "%00", "%0A", "1%0A",
    "..", "%2E%2E", ".", "%2F", "%FF", "%F0%9F%92%AC", "%D9%A1", "x" * 5000, "1;2", "1,2", "*", "$where",
]  # fmt: skip


@pytest.fixture
def ann(db: None) -> Api:
    """Ann, whose is room 1 with its message 1."""
    client = signed_in("ann")
    assert client.post("/rooms", {"name": "Kitchen"}).status_code == 201
    assert client.post("/room/1/messages", {"text": "hi"}).status_code == 201
    return client


def check_error(answer: Any, *statuses: int) -> str:
    assert answer.status_code in statuses, (answer.status_code, answer.content[:300])
    assert answer["Content-Type"] == "application/json"
    return check_shape(json.loads(answer.content))


def check_shape(told: dict[str, Any]) -> str:
    assert set(told) <= {"code", "detail", "fields"}
    assert isinstance(told["code"], str)
    assert told["detail"]
    assert ("fields" in told) == (told["code"] == "invalid")
    return str(told["code"])


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_body_that_is_no_good_is_refused_and_changes_nothing(ann: Api, method: str, path: str) -> None:
    before = [ann.get(where).content for where in ("/rooms", "/room/1/messages", "/messages")]
    for body in BODIES:
        assert check_error(ann.send(method, path, body), 400) in ("malformed_json", "invalid"), body[:80]
    assert check_error(ann.send(method, path, b'{"name": "%s"}' % (b"x" * 2**20)), 413) == "too_large"
    for content_type in ("text/plain", "multipart/form-data; boundary=x", FORM, "x"):
        answer = ann.send(method, path, b'{"name": "x", "text": "x"}', Content_Type=content_type)
        if method == "POST" and content_type == FORM:
            assert check_error(answer, 400) == "invalid"
        else:
            assert check_error(answer, 415) == "unsupported_media_type"
    assert [ann.get(where).content for where in ("/rooms", "/room/1/messages", "/messages")] == before


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[:20])
def test_an_address_that_leads_nowhere_is_not_found(ann: Api, place: str) -> None:
    for method, path, body in (
        ("GET", f"/room/{place}", None),
        ("PATCH", f"/room/{place}", {"name": "x"}),
        ("DELETE", f"/room/{place}", None),
        ("GET", f"/room/{place}/messages", None),
        ("POST", f"/room/{place}/messages", {"text": "x"}),
        ("GET", f"/room/{place}/subscribe", None),
        ("GET", f"/room/{place}/messages/1", None),
        ("GET", f"/room/1/messages/{place}", None),
        ("PATCH", f"/room/1/messages/{place}", {"text": "x"}),
        ("DELETE", f"/room/1/messages/{place}", None),
        ("POST", f"/user/{place}/messages", {"text": "x"}),
        ("GET", f"/user/{place}/messages", None),
    ):
        answer = ann.send(method, path, body)
        if place == "01" and path == "/room/1/messages/01":
            continue  # a number all the same
        assert check_error(answer, 404) in ("not_found", "room_not_found", "message_not_found", "user_not_found"), path


@pytest.mark.parametrize("key", ["", " " * 300, "k" * 256, "kéy", "a\tb"])
def test_a_retry_key_that_is_none_is_refused(ann: Api, key: str) -> None:
    for path in ("/rooms", "/room/1/messages", "/user/ann/messages"):
        answer = ann.post(path, {"name": "x", "text": "x"}, Idempotency_Key=key)
        assert check_error(answer, 400) == "invalid"
        assert list(answer.json()["fields"]) == ["Idempotency-Key"]


@pytest.mark.parametrize("path", ["/rooms", "/room/1/messages", "/user/ann/messages", "/messages"])
@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=x", "limit=", "after=x", "after=-1", "before=1.5", "after=%00", "limit=%D9%A1"],
)
def test_a_page_that_is_none_is_refused_by_field(ann: Api, path: str, query: str) -> None:
    answer = ann.get(f"{path}?{query}")
    assert check_error(answer, 400) == "invalid"
    assert list(answer.json()["fields"]) == [query.partition("=")[0]]


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/rooms", "PUT PATCH DELETE"),
        ("/room/1", "POST PUT"),
        ("/room/1/messages", "PUT PATCH DELETE"),
        ("/room/1/messages/1", "POST PUT"),
        ("/room/1/subscribe", "POST PUT PATCH DELETE"),
        ("/messages", "POST PUT PATCH DELETE"),
        ("/messages/subscribe", "POST PUT PATCH DELETE"),
        ("/user/ann/messages", "PUT PATCH DELETE"),
    ],
)
def test_other_methods_are_refused(ann: Api, path: str, methods: str) -> None:
    for method in methods.split():
        answer = ann.send(method, path, {})
        assert check_error(answer, 405) == "method_not_allowed"
        assert answer["Allow"]


# The same over the wire, where what is too large or too odd never reaches Django


def ask(person: Person, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, Any]]:
    """The answer to a request whose path and body are sent as they are."""
    connection = http.client.HTTPConnection("127.0.0.1", person.server.port, timeout=PATIENCE)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, {"Content-Type": "application/json", **person.headers, **named})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content) if content else {}


async def test_the_server_refuses_what_is_too_large_or_leads_nowhere(ann_there: Person) -> None:
    room = await ann_there.make_room()
    for path in ("/rooms", f"/room/{room}/messages", f"/user/{ann_there.username}/messages"):
        for body in (b'{"text": "%s"}' % (b"x" * 2**20), b"[" * 2**20, b"\0" * (2**16 + 1)):
            status, told = await asyncio.to_thread(ask, ann_there, "POST", path, body)
            assert (status, check_shape(told)) == (413, "too_large")
    for place in (*PLACES, "../..", "//", "%", "%GG", "?", "#"):
        if place == "2":
            continue  # there may be one by now
        for path in (
            f"/room/{place}",
            f"/room/{place}/messages",
            f"/room/{place}/subscribe",
            f"/user/{place}/messages",
        ):
            assert (await asyncio.to_thread(ask, ann_there, "GET", path))[0] == 404, path
    assert "Traceback" not in ann_there.server.output()


async def test_the_server_outlives_bytes_that_mean_nothing(ann_there: Person) -> None:
    for number in range(20):
        noise = bytes((number * 37 + n * n) % 256 for n in range(200 * number))
        reader, writer = await asyncio.open_connection("127.0.0.1", ann_there.server.port)
        writer.write(noise + b"\r\n\r\n")
        writer.write_eof()
        async with asyncio.timeout(PATIENCE):
            await reader.read()
        writer.close()
    assert (await ann_there.rest.get("/rooms")).status_code == 200
