"""Somebody with a browser that runs no scripts: pages, cookies, and forms as browsers send them."""

from __future__ import annotations

import json
import re
import secrets
from html import unescape
from typing import Any

import httpx

from tests.clients import PASSWORD
from tests.server import Server

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Visitor:
    """Looks at a server's pages. `sign_up` makes an account for the visitor."""

    def __init__(self, server: Server, username: str = "") -> None:
        self.username = username or f"visitor-{secrets.token_hex(4)}"
        self.client = httpx.Client(base_url=server.base_url, headers={"Accept": BROWSER}, timeout=30, trust_env=False)

    def sign_up(self) -> None:
        body = {"username": self.username, "password": PASSWORD}
        answer = self.client.post("/user", json=body, headers={"Accept": "*/*"})
        assert answer.status_code == 201, answer.text

    def look(self, path: str, status: int = 200) -> str:
        """A page."""
        answer = self.client.get(path)
        assert answer.status_code == status, (path, answer.text[-2000:])
        return page(answer)

    def sign_in(self, password: str = PASSWORD, following: str = "/") -> httpx.Response:
        """Fill in the form."""
        form = self.look(f"/sign-in?next={following}")
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
        return self.client.post("/sign-in", data={**hidden, "username": self.username, "password": password})

    def send(
        self, method: str, path: str, body: Any = None, *, seen: str = "/", token: str | None = None
    ) -> httpx.Response:
        """Send the raw data form for a method, with the CSRF token of the page `seen`, or another one."""
        content = {} if body is None else {"_content": json.dumps(body)}
        return self.fill_in(method, path, content, seen=seen, token=token)

    def fill_in(
        self, method: str, path: str, fields: dict[str, Any], *, seen: str = "/", token: str | None = None
    ) -> httpx.Response:
        """Send the form for a method with these fields."""
        hidden = {"csrfmiddlewaretoken": csrf_token(self.look(seen)) if token is None else token, "_method": method}
        return self.client.post(path, data={**hidden, **fields})


def page(answer: httpx.Response) -> str:
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    return answer.text


def csrf_token(text: str) -> str:
    found = re.search(r'<input type="hidden" name="csrfmiddlewaretoken" value="(\w+)">', text)
    assert found
    return found[1]


def answer_in(text: str) -> tuple[int, str]:
    """The status and the body that a page of the API shows."""
    status = re.search(r'data-status="(\d+)"', text)
    body = re.search(r"<pre[^>]*>(.*?)</pre>", text, re.DOTALL)
    assert status
    return int(status[1]), unescape(re.sub(r"<[^>]+>", "", body[1])) if body else ""


def methods_in(text: str) -> list[str]:
    """The methods for which a page has forms."""
    found = re.findall(r'<input type="hidden" name="_method" value="(\w+)">', text)
    return [method for method in dict.fromkeys(found) if method != "OPTIONS"]


def links_in(text: str) -> list[str]:
    return [unescape(address) for address in re.findall(r'<a [^>]*href="([^"]+)"', text)]
