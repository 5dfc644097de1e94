"""REST as far as a client of the gateway needs it: to sign in, and to find its room."""

from __future__ import annotations

import asyncio
import http.client
import json
import urllib.error
import urllib.request
from typing import Any

PATIENCE = 30
"""Seconds to wait for an answer."""


class Refused(Exception):
    """The server does not do what it was asked. `code` is stable, the text is for people.

    `status` is that of HTTP, 0 where a frame was answered; `retry_after` is in seconds.
    """

    def __init__(self, code: str, detail: str, status: int = 0, retry_after: float = 0) -> None:
        super().__init__(detail)
        self.code = code
        self.status = status
        self.retry_after = retry_after


def sentences(error: dict[str, Any]) -> str:
    """What an error says to people: its detail, and what is wrong with each field."""
    fields = error.get("fields", {}).items()
    return " ".join([error["detail"], *(f"{name}: {' '.join(map(str, said))}" for name, said in fields)])


def refusal_of(status: int, body: bytes, retry_after: str | None) -> Refused:
    """The error in an HTTP answer. What stands between client and server may have answered with another body."""
    try:
        error = json.loads(body)
        code, detail = str(error["code"]), sentences(error)
    except (ValueError, TypeError, KeyError, AttributeError):
        code, detail = "", f"The answer was {status}."
    return Refused(code, detail, status, int(retry_after) if retry_after and retry_after.isdecimal() else 0)


async def request(url: str, method: str, path: str, token: str = "", body: Any = None) -> Any:
    """The answer to a request, from JSON. Raises `Refused`, `OSError` where no server answers."""
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    sent = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url + path, sent, headers, method=method)  # noqa: S310 - whoever runs this says where
    return await asyncio.to_thread(answer_to, asked)


def answer_to(asked: urllib.request.Request) -> Any:
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise refusal_of(error.code, error.read(), error.headers.get("Retry-After")) from None
    except http.client.HTTPException as error:
        raise ConnectionError(f"The answer could not be read: {error!r}") from None
    except ValueError:
        raise Refused("", "The answer is not JSON; this may not be the address of Foyer.") from None


async def sign_in(url: str, username: str, password: str) -> str:
    """A token, which is good for 24 hours. Raises `Refused`."""
    answer = await request(url, "POST", "/auth", body={"username": username, "password": password})
    return str(answer["token"])
