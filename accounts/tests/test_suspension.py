"""Suspended accounts: sessions end, nobody signs in by any way, and it is over by time alone."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from django.test import Client
from django.utils import timezone

from accounts.callers import Caller
from accounts.credentials import sign_in
from accounts.errors import AccountChanged, Suspended
from accounts.models import Account
from accounts.operations import bury, start_session
from accounts.sessions import alook_again, authenticate
from accounts.signals import suspension_changed
from foyer.times import time_text
from tests import clients
from tests.clients import PASSWORD, Person, sign_up_at
from tests.server import Server

database = pytest.mark.django_db(transaction=True)


@pytest.fixture
def eve() -> Account:
    return Account.objects.create_user("eve", PASSWORD)


def boss() -> Account:
    return Account.objects.create_superuser("boss", PASSWORD)


def later(seconds: float = 3600) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)


@database
def test_sessions_end_and_tokens_say_why(eve: Account) -> None:
    token, until = start_session(eve.standing).token, later()
    assert authenticate(token).username == "eve"
    eve.suspend(None, until, "spam")
    for _ in range(2):  # from the copy, then from the row
        with pytest.raises(Suspended, match=f"suspended until {time_text(until)}: spam$"):
            authenticate(token)
    with pytest.raises(Suspended):
        sign_in("eve", PASSWORD, "192.0.2.1")
    eve.lift_suspension(None)
    assert sign_in("eve", PASSWORD, "192.0.2.1")


@database
def test_a_suspension_is_over_by_time_alone(eve: Account) -> None:
    eve.suspend(None, later(0.3), "")
    with pytest.raises(Suspended):
        sign_in("eve", PASSWORD, "192.0.2.1")
    time.sleep(0.35)
    assert authenticate(sign_in("eve", PASSWORD, "192.0.2.1").session.token).username == "eve"


@database
def test_who_does_not_know_the_password_is_not_told(eve: Account) -> None:
    eve.suspend(None, None, "spam")
    answer = Client().post("/auth", {"username": "eve", "password": "wrong"}, "application/json")
    assert answer.json()["code"] == "bad_credentials"
    answer = Client().post("/auth", {"username": "eve", "password": PASSWORD}, "application/json")
    assert (answer.status_code, answer.json()) == (
        403,
        {"code": "suspended", "detail": "This account is suspended: spam"},
    )


@database
def test_a_session_that_was_about_to_begin_does_not(eve: Account) -> None:
    before = eve.standing
    eve.suspend(None, None, "")
    with pytest.raises(AccountChanged):
        start_session(before)


@database
@pytest.mark.parametrize("stale", ["password", "data_json"])
def test_a_row_that_was_read_before_does_not_lift_it(eve: Account, stale: str) -> None:
    other = Account.objects.get(pk=eve.pk)
    token = start_session(eve.standing).token
    eve.suspend(None, None, "")
    other.save(update_fields=[stale])
    with pytest.raises(Suspended):
        authenticate(token)


@database
async def test_who_signed_in_without_a_session_is_not_signed_in_any_more() -> None:
    eve = await asyncio.to_thread(Account.objects.create_user, "eve", PASSWORD)
    callers = [Caller(eve.pk, "eve", False, stamp=eve.standing.stamp)]
    assert await alook_again(callers) == [True]
    await asyncio.to_thread(eve.suspend, None, None, "")
    assert await alook_again(callers) == [False]


@database
def test_a_cookie_of_a_suspended_account_is_refused_and_others_can_sign_in(eve: Account) -> None:
    browser = Client()
    assert browser.login(username="eve", password=PASSWORD)
    assert browser.get("/rooms").status_code == 200
    eve.suspend(None, None, "spam")
    assert browser.get("/rooms").json()["code"] == "suspended"
    assert browser.get("/").status_code == 200
    boss()
    assert browser.login(username="boss", password=PASSWORD)
    assert browser.get("/rooms").status_code == 200


@database
def test_admins_suspend_whom_they_may_reach() -> None:
    admin = Account.objects.create_user("mod", PASSWORD, is_staff=True)
    eve, root = Account.objects.create_user("eve", PASSWORD), boss()
    until = "2999-01-01T00:00:00Z"

    def put(account: Account, name: str, body: Any) -> tuple[int, Any]:
        headers: Any = {"headers": {"Authorization": f"Bearer {start_session(account.standing).token}"}}
        answer = Client().put(f"/user/{name}/suspension", body, "application/json", **headers)
        return answer.status_code, answer.json()

    status, told = put(admin, "eve", {"until": until, "reason": "spam"})
    assert status == 200
    assert told == {
        "username": "eve", "until": "2999-01-01T00:00:00.000Z", "reason": "spam", "by": "mod", "at": told["at"]
    }  # fmt: skip
    assert put(admin, "eve", {})[1]["until"] is None
    assert put(admin, "mod", {})[0] == 403
    assert put(admin, "boss", {})[0] == 403
    assert put(root, "mod", {})[0] == 200
    assert put(root, "nobody", {})[0] == 404
    assert put(root, "eve", {"until": "2020-01-01T00:00:00Z"})[1]["fields"].keys() == {"until"}
    assert put(root, "eve", {"until": 5})[0] == 400
    assert put(root, "eve", {"reason": "x" * 501})[0] == 400
    for none in ({}, {"reason": None}, {"reason": ""}):
        assert put(root, "eve", none)[1]["reason"] is None
    eve.refresh_from_db()
    eve.lift_suspension(None)
    assert put(eve, "mod", {})[0] == 403
    bury(eve.pk)
    status, refused = put(root, "eve", {})
    assert (status, refused["code"]) == (404, "user_not_found")


@database
def test_other_apps_hear_of_it(eve: Account) -> None:
    heard = []

    def hear(sender: Any, account: Account, by: Caller | None, suspension: Any, **_: Any) -> None:
        heard.append((account.username, by and by.username, suspension and suspension.reason))

    suspension_changed.connect(hear)
    admin = boss().caller
    try:
        eve.suspend(admin, None, "spam")
        eve.lift_suspension(admin)
        eve.lift_suspension(admin)
    finally:
        suspension_changed.disconnect(hear)
    assert heard == [("eve", "boss", "spam"), ("eve", "boss", None)]


@database
def test_an_account_whose_admin_is_deleted_stays_suspended(eve: Account) -> None:
    admin = boss()
    eve.suspend(admin.caller, None, "")
    admin.delete()
    eve.refresh_from_db()
    assert eve.suspension
    assert eve.suspended_by is None


@database
def test_the_admin_suspends_and_lifts_and_shows_it(eve: Account) -> None:
    root, browser = boss(), Client()
    browser.force_login(root)
    page = f"/admin/accounts/account/{eve.pk}/change/"
    token = start_session(eve.standing).token
    form = {"data_json": "{}", "is_active": "on", "suspended": "on", "suspension_reason": "spam"}
    moment = {"suspended_until_0": "2020-01-01", "suspended_until_1": "00:00"}
    assert b"This moment is over." in browser.post(page, form | moment).content
    assert browser.post(page, form | {**moment, "suspended_until_0": "2999-01-01"}).status_code == 302
    with pytest.raises(Suspended, match=r"until 2999-01-01T00:00:00\.000Z: spam"):
        authenticate(token)
    eve.refresh_from_db()
    assert eve.suspended_by == root
    assert (
        b'name="suspended" aria-describedby="id_suspended_helptext" id="id_suspended" checked'
        in browser.get(page).content
    )
    assert browser.post(page, {"data_json": "{}", "is_active": "on"}).status_code == 302
    eve.refresh_from_db()
    assert eve.suspension is None
    own = browser.get(f"/admin/accounts/account/{root.pk}/change/").content
    assert b"suspension_reason" not in own


async def test_sockets_are_closed_and_every_door_says_why(start_server: Callable[..., Server]) -> None:
    server = start_server()
    eve = await sign_up_at(server, "eve")
    admin = await clients.sign_in(server, "admin", "admin")
    basic = {"Authorization": "Basic " + base64.b64encode(f"{eve.username}:{PASSWORD}".encode()).decode()}
    path = f"/user/{eve.username}/suspension"
    async with eve.socket("/ws") as token_socket, eve.socket("/ws", additional_headers=basic) as basic_socket:
        await token_socket.hear()
        await basic_socket.hear()
        until = datetime.now(UTC) + timedelta(hours=1)
        assert (await admin.rest.put(path, json={"until": time_text(until), "reason": "späm"})).status_code == 200
        assert (await token_socket.closed())[0] == (await basic_socket.closed())[0] == 4401
    told = {"code": "suspended", "detail": f"This account is suspended until {time_text(until)}: späm"}
    refusals = [
        await eve.rest.get("/rooms"),
        await eve.rest.post("/auth", json={"username": eve.username, "password": PASSWORD}),
        await refused_handshake(eve, eve.headers),
        await refused_handshake(eve, basic),
        await ask(server, "GET", "/rooms", basic),
    ]
    assert [(answer.status_code, answer.json()) for answer in refusals] == [(403, told)] * len(refusals)
    assert (await admin.rest.delete(path)).status_code == 204
    assert (await ask(server, "GET", "/rooms", basic)).status_code == 200
    assert (await eve.rest.get("/rooms")).status_code == 401


async def ask(server: Server, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    async with httpx.AsyncClient(base_url=server.base_url, headers=headers, trust_env=False) as anyone:
        return await anyone.request(method, path)


async def refused_handshake(person: Person, headers: dict[str, str]) -> httpx.Response:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
    }
    return await ask(person.server, "GET", "/ws", upgrade | headers)


@database
def test_the_page_for_signing_in_says_it_too(eve: Account) -> None:
    eve.suspend(None, None, "spam")
    form = {"username": "eve", "password": PASSWORD}
    answer = Client().post("/sign-in", form, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (403, "suspended")
    for page in ("/sign-in", "/admin/login/"):
        shown = Client().post(page, form, headers={"Accept": "text/html"})
        assert b"This account is suspended: spam" in shown.content
