"""The page of the web client and its headers."""

from __future__ import annotations

import httpx
import pytest

from tests.server import Server
from web.modules import APP, MODULES, STATIC


@pytest.fixture(scope="module")
def page(server: Server) -> httpx.Response:
    return httpx.get(f"{server.base_url}/app/")


def test_the_page_allows_nothing_from_elsewhere_and_nothing_inline(server: Server, page: httpx.Response) -> None:
    policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
    here = server.base_url.removeprefix("http://")
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": f"'self' ws://{here} wss://{here}",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert list(page.cookies) == ["csrftoken"]


def test_the_page_names_every_module_that_it_begins_with(page: httpx.Response) -> None:
    assert len(MODULES) > 20
    assert "/pages/" not in page.text
    assert all(f'"/static/{module}"' in page.text for module in MODULES)


def test_the_address_without_its_slash_leads_to_the_page(server: Server) -> None:
    answer = httpx.get(f"{server.base_url}/app")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/app/")


def test_other_methods_are_refused_in_the_shape_of_every_error(server: Server) -> None:
    answer = httpx.post(f"{server.base_url}/app/", json={})
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_what_is_read_first_is_small_and_no_module_touches_html() -> None:
    sources = [STATIC / module for module in MODULES]
    styles = list((STATIC / "foyer").glob("*.css"))
    assert sum(path.stat().st_size for path in (*sources, *styles)) < 175_000
    for path in APP.rglob("*.js"):
        assert "innerHTML" not in path.read_text(), path
        assert "insertAdjacentHTML" not in path.read_text(), path
