"""Errors outside REST views."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory
from rest_framework.response import Response

from foyer.api.handlers import ErrorAnswers, bad_request, forbidden, not_found, server_fault
from foyer.errors import Unavailable

JSON, HTML = "application/json", "text/html"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


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
