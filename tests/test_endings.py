"""What a sign-in opened ends with it: a token's time, a page that is signed out of, another password."""

from __future__ import annotations

import time

import httpx
import jwt
import pytest
from django.utils.crypto import salted_hmac

from tests.clients import PASSWORD, Person, SignUp
from tests.server import Server


def secret_of(server: Server) -> str:
    return (server.data_dir / "secret-key").read_text()


async def person_until(server: Server, person: Person, seconds: float) -> Person:
    """The same session with a token that ends soon."""
    key = salted_hmac("foyer.token", "signing key", secret=secret_of(server), algorithm="sha256").digest()
    claims = jwt.decode(person.token, key, ["HS256"])
    token = jwt.encode({**claims, "exp": int(time.time() + seconds)}, key, "HS256")
    return Person(server, person.username, token, person.account)


@pytest.mark.parametrize("path", ["/ws", "/messages/subscribe", "/join"])
async def test_a_socket_is_closed_within_a_second_of_the_end_of_its_token(ann_there: Person, path: str) -> None:
    soon = await person_until(ann_there.server, ann_there, 3)
    async with soon.socket(path) as socket:
        assert await socket.closed() == (4401, "the token expired")
        late = time.time() - jwt.decode(soon.token, options={"verify_signature": False})["exp"]
    assert 0 <= late < 1.5


async def test_a_stream_ends_with_its_token_too(ann_there: Person) -> None:
    soon = await person_until(ann_there.server, ann_there, 3)
    async with soon.stream("/messages/subscribe") as stream:
        assert await stream.hear() is None
    assert time.time() - jwt.decode(soon.token, options={"verify_signature": False})["exp"] < 1.5
    await soon.rest.aclose()


async def test_signing_out_of_a_page_ends_what_its_cookie_opened_and_nothing_else(sign_up: SignUp) -> None:
    ann = await sign_up("ann")
    server = ann.server
    async with httpx.AsyncClient(base_url=server.base_url, headers={"Origin": server.base_url}) as browser:
        await browser.get("/sign-in")
        form = {"username": ann.username, "password": PASSWORD, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        assert (await browser.post("/sign-in", data=form)).status_code == 302
        headers = {"Origin": server.base_url, "Cookie": f"sessionid={browser.cookies['sessionid']}"}
        async with (
            ann.socket("/ws", additional_headers=headers) as page,
            ann.socket("/messages/subscribe", additional_headers=headers) as inbox,
            ann.socket("/ws") as other,
        ):
            assert (await page.hear())["type"] == "welcome"
            form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
            assert (await browser.post("/sign-out", data=form)).status_code == 302
            assert (await page.closed())[0] == 4401
            assert (await inbox.closed())[0] == 4401
            await other.say({"type": "ping", "seq": 1})
            assert [(await other.hear())["type"] for _ in range(2)] == ["welcome", "pong"]
