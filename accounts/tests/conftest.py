"""What the tests of accounts share: a client that speaks JSON, and people who have signed up."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account

PASSWORD = "correct horse"


class Api:
    """A client of the REST interface. Signs in by `token` or by `basic`, a pair of username and password."""

    def __init__(self, token: str | None = None, basic: tuple[str, str] | None = None, **headers: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = headers
        if token is not None:
            self.headers["Authorization"] = f"Bearer {token}"
        if basic is not None:
            self.headers["Authorization"] = "Basic " + base64.b64encode(":".join(basic).encode()).decode()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send `body` as JSON; bytes and text go as they are."""
        content = body if isinstance(body, bytes | str) else b"" if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Content-Type": "application/json", **self.headers, **named}
        content_type = sent.pop("Content-Type")
        return self.client.generic(method, path, content, content_type, headers=sent)

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("PUT", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.send("DELETE", path, **headers)


def code(answer: Any) -> tuple[int, str]:
    """Status and error code, and that the answer has the shape of an error."""
    content = json.loads(answer.content)
    assert content["detail"]
    assert set(content) <= {"code", "detail", "fields"}
    return answer.status_code, content["code"]


def sign_in(username: str, password: str = PASSWORD) -> Api:
    answer = Api().post("/auth", {"username": username, "password": password})
    assert answer.status_code == 200, answer.content
    return Api(token=json.loads(answer.content)["token"])


@pytest.fixture
def anyone() -> Api:
    """A client that has not signed in."""
    return Api()


@pytest.fixture
def person(db: None) -> Callable[..., Account]:
    """Makes an account: `person("ben", is_staff=True)`."""

    def make(username: str, password: str = PASSWORD, **fields: Any) -> Account:
        return Account.objects.create_user(username, password, **fields)

    return make


@pytest.fixture
def ben(person: Callable[..., Account]) -> Account:
    return person("Ben")


@pytest.fixture
def boss(person: Callable[..., Account]) -> Account:
    return person("boss", is_staff=True)
