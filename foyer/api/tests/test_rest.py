from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest
from django.test import Client, RequestFactory
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from foyer.api.handlers import ErrorAnswers, bad_request, forbidden, not_found, server_fault
from foyer.api.rest import Page, answer_error, page_of, preferred, retry_key, with_next_link
from foyer.errors import InvalidInput, Unavailable

JSON, HTML = "application/json", "text/html"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/json", JSON),
        ("application/json; charset=utf-8", JSON),
        ("APPLICATION/JSON", JSON),
        ("application/*", JSON),
        ("application/json, */*;q=0.5", JSON),
        ("text/plain, */*", JSON),
        (BROWSER, HTML),
        ("text/html", HTML),
        ("text/*", HTML),
        ("text/html;q=0.1, application/json;q=0.2", JSON),
        ("text/html;q=x", HTML),
        ("nonsense", None),
        ("image/png", None),
        ("application/json;q=0", None),
        ("*/*;q=0", None),
        ("application/json;q=0, */*", HTML),
        (",;q=;,", JSON),
    ],
)
def test_json_is_preferred_unless_html_is_asked_for(accept: str, chosen: str | None) -> None:
    assert preferred(accept, (JSON, HTML)) == chosen


def query(text: str, **headers: str) -> Request:
    return Request(RequestFactory().get(f"/rooms?{text}", headers=headers))


def test_a_page_is_read_from_the_query() -> None:
    assert page_of(query(""), default=50, most=100) == Page(50, None, None)
    assert page_of(query("limit=100&after=7&before=0"), default=50, most=100) == Page(100, 0, 7)


@pytest.mark.parametrize(
    "text", ["limit=0", "limit=101", "limit=-1", "limit=x", "limit=", "after=1.5", "before=%D9%A1", "after=" + "9" * 30]
)
def test_a_page_that_is_none_is_refused_by_field(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        page_of(query(text), default=50, most=100)
    assert list(refused.value.fields) == [text.partition("=")[0]]


def test_the_next_page_keeps_the_rest_of_the_query() -> None:
    answer = with_next_link(Response(), query("limit=2&after=3&name=a%20%26%C3%A9"), after=17)
    assert answer["Link"] == '<http://testserver/rooms?limit=2&after=17&name=a+%26%C3%A9>; rel="next"'


def test_a_retry_key_is_printable_and_short() -> None:
    assert retry_key(query("")) is None
    assert retry_key(query("", **{"Idempotency-Key": "a b~" + "k" * 251})) == "a b~" + "k" * 251
    for key in ("", "k" * 256, "kéy", "a\tb"):
        with pytest.raises(InvalidInput):
            retry_key(query("", **{"Idempotency-Key": key}))


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.AuthenticationFailed(), 401, "not_authenticated"),
        (exceptions.PermissionDenied(), 403, "forbidden"),
        (exceptions.NotFound(), 404, "not_found"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.NotAcceptable(), 406, "not_acceptable"),
        (exceptions.UnsupportedMediaType("a/b"), 415, "unsupported_media_type"),
        (exceptions.Throttled(3), 429, "rate_limited"),
        (exceptions.ParseError("no"), 400, "bad_request"),
        (exceptions.ValidationError({"name": ["no"]}), 400, "invalid"),
        (exceptions.ValidationError("no"), 400, "invalid"),
        (OperationalError("gone"), 503, "unavailable"),
        (Unavailable(), 503, "unavailable"),
    ],
)
def test_every_error_has_one_shape(error: Exception, status: int, code: str) -> None:
    answer = answer_error(error, {"request": query("")})
    assert answer is not None
    assert (answer.status_code, answer.data["code"]) == (status, code)
    assert answer.data["detail"]
    assert ("WWW-Authenticate" in answer) == (status == 401)
    assert ("Retry-After" in answer) == (status in (429, 503))


def test_a_fault_of_ours_is_left_to_be_reported() -> None:
    assert answer_error(KeyError("x"), {"request": query("")}) is None


@pytest.mark.parametrize("accept", ["*/*", "image/png"])
def test_an_unknown_address_is_answered_in_json(accept: str) -> None:
    for method in ("get", "post", "delete"):
        answer = getattr(Client(enforce_csrf_checks=True), method)("/no/such", headers={"Accept": accept})
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("path", ["/no/such", "/admin/no/such", "/static/no/such.js"])
def test_an_unknown_address_shows_a_browser_a_page(path: str, debug: bool, settings: Any, admin_client: Client) -> None:
    settings.DEBUG = debug
    answer = admin_client.get(path, headers={"Accept": BROWSER})
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert b"not_found" in answer.content
    assert admin_client.get(path).json()["code"] == "not_found"


@pytest.mark.parametrize("accept", [BROWSER, JSON])
def test_what_comes_without_the_csrf_token_is_refused_in_json_or_on_a_page(accept: str) -> None:
    stranger = Client(enforce_csrf_checks=True)
    for path in ("/sign-in", "/sign-out", "/admin/login/"):
        answer = stranger.post(path, {"username": "x"}, headers={"Accept": accept})
        assert answer.status_code == 403
        if accept == JSON:
            assert answer.json()["code"] == "forbidden"
        else:
            assert "default-src 'none'" in answer["Content-Security-Policy"]
            assert b"another site" in answer.content


@pytest.mark.parametrize("debug", [False, True])
def test_a_foreign_host_is_refused_in_json(debug: bool, settings: Any) -> None:
    settings.DEBUG = debug
    answer = Client().get("/users", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_request"


def test_handlers_answer_in_json_or_html() -> None:
    plain, browser = RequestFactory().get("/"), RequestFactory().get("/", headers={"Accept": BROWSER})
    for request, kind in ((plain, JSON), (browser, HTML)):
        answers = [handler(request, ValueError()) for handler in (bad_request, forbidden, not_found)]
        answers.append(server_fault(request))
        assert [answer.status_code for answer in answers] == [400, 403, 404, 500]
        assert all(answer["Content-Type"].startswith(kind) for answer in answers)
        assert all(("Content-Security-Policy" in answer) == (kind == HTML) for answer in answers)


def test_what_the_admin_raises_is_answered_too() -> None:
    middleware = ErrorAnswers(lambda request: Response())
    request: HttpRequest = RequestFactory().get("/admin/")
    answer = middleware.process_exception(request, Unavailable())
    assert answer is not None
    assert (answer.status_code, json.loads(answer.content)["code"]) == (503, "unavailable")
    assert middleware.process_exception(request, KeyError()) is None
    shown = middleware.process_exception(RequestFactory().get("/", headers={"Accept": HTML}), Unavailable())
    assert shown is not None
    assert shown["Content-Type"].startswith(HTML)
    assert shown["Retry-After"]
