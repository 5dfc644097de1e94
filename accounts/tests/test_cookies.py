"""Signed in by cookie: how long it lasts, and what ends it."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.test import Client
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from accounts import operations
from accounts.models import Account
from accounts.tests.conftest import PASSWORD, Api, code, sign_in
from foyer.store.steps import client
from tests.clients import sign_up_at
from tests.server import Server

DAY = 24 * 3600
FORM = {"username": "ben", "password": PASSWORD}


def browser(**fields: str) -> Client:
    """A browser in which Ben signs in by the form."""
    found = Client()
    answer = found.post("/sign-in", {**FORM, **fields})
    assert answer.status_code == 302, answer.content
    return found


def name_in(window: Client) -> str | None:
    """Who is signed in there."""
    found: str | None = window.get("/").json().get("username")
    return found


# How long it lasts


@pytest.mark.parametrize(("fields", "age"), [({}, None), ({"stay": "on"}, 30 * DAY)])
def test_it_lasts_as_long_as_the_browser_or_thirty_days_and_no_script_reads_it(
    ben: Account, fields: dict[str, str], age: int | None
) -> None:
    cookie = browser(**fields).cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert cookie["max-age"] == ("" if age is None else pytest.approx(age, abs=5))
    (session,) = operations.list_sessions(ben.pk)
    assert session.expires_at - session.began_at == (age or DAY)
    assert client().pttl(f"{{user:{ben.pk}}}:sessions") == pytest.approx((age or DAY) * 1000, abs=5000)


def test_a_session_of_thirty_days_is_not_cut_short_by_one_of_a_day(ben: Account) -> None:
    browser(stay="on")
    sign_in("ben")
    assert client().pttl(f"{{user:{ben.pk}}}:sessions") > 29 * DAY * 1000


# What ends it


def sign_out(window: Client) -> None:
    assert window.post("/sign-out").status_code == 302


def delete_auth(window: Client) -> None:
    assert window.delete("/auth").status_code == 204


@pytest.mark.parametrize("leave", [sign_out, delete_auth])
def test_signing_out_ends_the_session_not_the_cookie_alone(ben: Account, leave: Callable[[Client], None]) -> None:
    window, other = browser(), browser()
    kept = window.cookies["sessionid"].value
    leave(window)
    window.cookies["sessionid"] = kept
    assert name_in(window) is None
    assert (name_in(other), len(operations.list_sessions(ben.pk))) == ("Ben", 1)


def change_password(ben: Account) -> None:
    ben.change_password("another horse")


def disable(ben: Account) -> None:
    ben.is_active = False
    ben.save()


def sign_out_everywhere(ben: Account) -> None:
    assert sign_in("ben").delete("/auth?all=true").status_code == 204


def end_it(ben: Account) -> None:
    (session,) = operations.list_sessions(ben.pk)
    operations.end_session(ben.pk, session.id)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", [change_password, disable, Account.delete, sign_out_everywhere, end_it])
def test_it_ends_with_the_sessions_of_its_account(ben: Account, end: Callable[[Account], Any]) -> None:
    window = browser(stay="on")
    assert name_in(window) == "Ben"
    end(ben)
    assert name_in(window) is None
    assert code(window.get("/rooms")) == (401, "not_authenticated")
    assert window.get("/admin/").status_code == 302


def test_one_that_signs_in_anew_has_one_session(ben: Account) -> None:
    window = browser()
    window.post("/sign-in", FORM)
    assert (name_in(window), len(operations.list_sessions(ben.pk))) == ("Ben", 1)


@pytest.mark.parametrize("address", ["/sign-in", "/admin/login/"])
def test_somebody_else_who_signs_in_ends_the_session_that_the_browser_had(
    ben: Account, person: Callable[..., Account], address: str
) -> None:
    person("boss", is_staff=True)
    window = browser()
    assert window.post(address, {"username": "boss", "password": PASSWORD}).status_code == 302
    assert (name_in(window), operations.list_sessions(ben.pk)) == ("boss", [])


@pytest.mark.django_db(transaction=True)
def test_a_copy_of_another_database_keeps_nobody_out(ben: Account) -> None:
    operations.keep_copy(ben.standing._replace(stamp="another"))
    assert name_in(browser()) == "Ben"


# For scripts of pages


def test_a_script_signs_in_by_the_same_form_and_is_answered_as_by_rest(ben: Account) -> None:
    script = Api()
    script.headers = {"Accept": "application/json", "X-Requested-With": "XMLHttpRequest"}

    def submit(**fields: str) -> Any:
        return script.client.post("/sign-in", fields, headers=script.headers)

    refused = submit(username="ben", password="wrong")
    assert code(refused) == (401, "bad_credentials")
    assert refused["WWW-Authenticate"] == 'Bearer realm="foyer"', "of Basic, a browser would make a dialogue of its own"
    assert code(script.get("/rooms"))[0] == 401
    assert script.get("/rooms")["WWW-Authenticate"] == 'Bearer realm="foyer"'
    missing = submit(username="ben")
    assert code(missing) == (400, "invalid")
    assert list(json.loads(missing.content)["fields"]) == ["password"]
    done = submit(**FORM)
    assert (done.status_code, done.content) == (204, b"")
    assert name_in(script.client) == "Ben"


def test_signing_in_needs_the_csrf_token(ben: Account) -> None:
    stranger = Client(enforce_csrf_checks=True)
    assert stranger.post("/sign-in", FORM).status_code == 403
    token = stranger.get("/app/").cookies["csrftoken"].value
    answer = stranger.post("/sign-in", FORM, headers={"X-CSRFToken": token, "Accept": "application/json"})
    assert answer.status_code == 204


# Sockets


async def closed(socket: ClientConnection) -> int | None:
    """The code with which the server closes it."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            await socket.recv()
    return socket.close_code


async def test_sockets_that_the_cookie_opened_close_when_it_is_signed_out(server: Server) -> None:
    ben = await sign_up_at(server, "ben")
    form = {"username": ben.username, "password": PASSWORD}
    async with httpx.AsyncClient(base_url=server.base_url, trust_env=False) as window:
        await window.get("/app/")
        headers = {"X-CSRFToken": window.cookies["csrftoken"], "Accept": "application/json"}
        assert (await window.post("/sign-in", data=form, headers=headers)).status_code == 204
        cookie = {"Cookie": f"sessionid={window.cookies['sessionid']}", "Origin": server.base_url}
        async with (
            connect(f"{server.ws_url}/ws", additional_headers=cookie, proxy=None) as gateway,
            connect(f"{server.ws_url}/join", additional_headers=cookie, proxy=None) as lobby,
            ben.socket("/ws") as phone,
        ):
            assert json.loads(await gateway.recv())["type"] == "welcome"
            assert (await phone.hear())["type"] == "welcome"
            headers["X-CSRFToken"] = window.cookies["csrftoken"]
            assert (await window.post("/sign-out", headers=headers)).status_code == 302
            assert [await closed(gateway), await closed(lobby)] == [4401, 4401]
            assert (await phone.ask({"id": 1, "type": "resume", "topics": []}))["type"] == "reply"
    await ben.rest.aclose()


async def test_a_cookie_that_is_no_good_counts_as_none_and_commands_say_so(server: Server) -> None:
    cookie = {"Cookie": f"sessionid={secrets.token_hex(16)}", "Origin": server.base_url}
    async with connect(f"{server.ws_url}/ws", additional_headers=cookie, proxy=None) as gateway:
        await gateway.send('{"id": 1, "type": "resume", "topics": []}')
        assert json.loads(await gateway.recv())["code"] == "not_authenticated"
