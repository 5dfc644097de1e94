from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from accounts import credentials, operations, passwords
from accounts.authentication import acaller_from_headers, is_own_origin, split_basic
from accounts.errors import ForeignOrigin
from accounts.models import Account
from accounts.tests.conftest import PASSWORD, Api, code, sign_in
from foyer.errors import BadCredentials, BadToken, NotAuthenticated
from foyer.store import steps as store

HTML = "text/html,*/*;q=0.8"
CREDENTIALS = {"username": "ben", "password": PASSWORD}


def basic(username: str, password: str = PASSWORD) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


# REST


def test_any_way_of_signing_in_will_do(ben: Account) -> None:
    browser = Client()
    browser.force_login(ben)
    ways = [sign_in("ben").get("/user/ben"), Api(basic=("bEN", PASSWORD)).get("/user/ben"), browser.get("/user/ben")]
    for answer in ways:
        assert answer.status_code == 200
        assert answer.json()["username"] == "Ben"


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer x",
        "Bearer a.b.c",
        "bearer  é",
        "Basic",
        "Basic !",
        "Basic " + base64.b64encode(b"no colon").decode(),
        basic("ben", "wrong"),
        basic("nobody"),
        basic("ben\0"),
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        "Digest x",
        "x",
    ],
)
def test_a_header_that_is_no_good_is_refused(ben: Account, header: str) -> None:
    for path in ("/user/ben", "/users"):
        answer = Api(Authorization=header).get(path)
        assert answer.status_code == 401
        assert code(answer)[1] in ("not_authenticated", "bad_token", "bad_credentials")
        assert "Bearer" in answer["WWW-Authenticate"]
        assert "Basic" in answer["WWW-Authenticate"]


@pytest.mark.parametrize("header", ["Bearer x", "Digest x", basic("ben", "wrong"), "Basic !"])
def test_where_all_are_welcome_it_counts_as_none(ben: Account, header: str) -> None:
    assert Api(Authorization=header).get("/").json() == {"message": "Hello World"}
    assert Api(Authorization=header).post("/user", {"username": "new", "password": "pass"}).status_code == 201
    assert Api(Authorization=header).post("/auth", {"username": "ben", "password": PASSWORD}).status_code == 200


def test_without_credentials_one_is_asked_to_sign_in(db: None, anyone: Api) -> None:
    for accept in ("*/*", HTML):
        answer = anyone.get("/user/ben", Accept=accept)
        assert answer.status_code == 401
        assert "Basic" in answer["WWW-Authenticate"]


def test_a_browser_that_failed_to_sign_in_is_shown_why(ben: Account) -> None:
    answer = Api(basic=("ben", "wrong")).get("/user/ben", Accept=HTML)
    assert answer.status_code == 401
    assert b"bad_credentials" in answer.content


def test_a_browser_is_shown_pages(ben: Account) -> None:
    for path in ("/user/ben", "/"):
        answer = Api(basic=("ben", PASSWORD)).get(path, Accept=HTML)
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/html")


def test_basic_credentials_are_hashed_once_in_a_while(ben: Account, monkeypatch: Any) -> None:
    client = Api(basic=("ben", PASSWORD))
    assert client.get("/user/ben").status_code == 200
    monkeypatch.setattr(credentials, "in_slot", lambda *_: pytest.fail("hashed again"))
    assert client.get("/user/ben").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_basic_credentials_of_a_disabled_or_deleted_account_stop_at_once(
    ben: Account, person: Callable[..., Account]
) -> None:
    clients = [Api(basic=("ben", PASSWORD)), Api(basic=("ann", PASSWORD))]
    ann = person("ann")
    assert [client.get("/").json().get("username") for client in clients] == ["Ben", "ann"]
    ben.is_active = False
    ben.save()
    ann.delete()
    assert [code(client.get("/user/x")) for client in clients] == [(401, "bad_credentials")] * 2


def test_a_cookie_changes_nothing_without_the_csrf_token(ben: Account) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ben)
    answer = browser.put("/user/ben", {"a": 1}, content_type="application/json")
    assert code(answer) == (403, "forbidden")
    browser.cookies["csrftoken"] = token = "a" * 32
    answer = browser.put("/user/ben", {"a": 1}, content_type="application/json", headers={"X-CSRFToken": token})
    assert answer.json()["data"] == {"a": 1}


def test_a_token_needs_no_csrf_token_and_no_sql(ben: Account, django_assert_num_queries: Any) -> None:
    client = sign_in("ben")
    client.client.handler.enforce_csrf_checks = True
    with django_assert_num_queries(0):
        assert code(client.get("/user/somebody")) == (403, "forbidden")


def test_too_many_failures_are_told_on_every_route(ben: Account, settings: Any) -> None:
    settings.SIGN_IN_FAILURES = 2
    answers = [Api(basic=("ben", "wrong")).get(path) for path in ("/user/ben", "/", "/users", "/")]
    assert [answer.status_code for answer in answers] == [401, 200, 429, 429]
    assert int(answers[-1]["Retry-After"]) > 0
    assert code(Api().post("/auth", {"username": "ben", "password": "wrong"})) == (429, "too_many_sign_ins")


def test_the_admin_signs_in_by_the_same_rules(person: Callable[..., Account], settings: Any) -> None:
    settings.SIGN_IN_FAILURES = 2
    person("boss", is_staff=True, is_superuser=True)

    def submit(password: str) -> Any:
        browser = Client()
        return browser, browser.post("/admin/login/?next=/admin/", {"username": "BOSS", "password": password})

    browser, answer = submit(PASSWORD)
    assert answer.status_code == 302
    assert browser.get("/admin/").status_code == 200
    for _ in range(2):
        assert submit("wrong")[1].status_code == 200
    assert submit("wrong")[1].status_code == 429


# Sockets

HOST = (b"host", b"localhost:9000")
OWN = (b"origin", b"http://localhost:9000")
FOREIGN = (b"origin", b"https://evil.example")


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("http://localhost:9000", "localhost:9000", True),
        ("https://LOCALHOST", "localhost", True),
        ("http://localhost:9001", "localhost:9000", False),
        ("null", "localhost", False),
        ("", "", False),
        ("http://evil.example", "evil.example", False),
        ("https://app.example.com", "localhost", True),
        ("http://app.example.com", "localhost", False),
        ("https://example.org", "localhost", True),
        ("https://evilexample.com", "localhost", False),
        ("http://[", "localhost", False),
    ],
)
def test_whose_page_it_is(origin: str, host: str, own: bool, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://*.example.com", "https://example.org"]
    assert is_own_origin(origin, host) == own


def test_basic_credentials_may_hold_colons_and_any_character() -> None:
    assert split_basic(base64.b64encode("Zoë:a:b".encode()).decode()) == ("Zoë", "a:b")
    assert split_basic(base64.b64encode("Zoë:x".encode("latin-1")).decode()) == ("Zoë", "x")


ANN = operations.Standing.of(7, "Ann", False, True, "hash")


@pytest.mark.parametrize("origin", [[], [OWN], [FOREIGN]])
async def test_a_token_opens_a_socket_from_anywhere(origin: list[tuple[bytes, bytes]]) -> None:
    token = (await operations.astart_session(ANN)).token.encode()
    ways = [(b"authorization", b"Bearer " + token), (b"sec-websocket-protocol", b"foyer.v1, bearer." + token)]
    for way in ways:
        caller = await acaller_from_headers([HOST, *origin, way], "192.0.2.1")
        assert (caller.id, caller.username) == (7, "Ann")


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ((b"x", b"y"), NotAuthenticated),
        ((b"authorization", b"Bearer x"), BadToken),
        ((b"authorization", b"Digest x"), NotAuthenticated),
        ((b"authorization", b"\xff\xfe"), NotAuthenticated),
        ((b"sec-websocket-protocol", b"foyer.v1, bearer.x"), BadToken),
        ((b"sec-websocket-protocol", b"foyer.v1"), NotAuthenticated),
        ((b"cookie", b"a=b; \xff"), NotAuthenticated),
    ],
)
async def test_a_socket_without_good_credentials_is_refused(
    header: tuple[bytes, bytes], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await acaller_from_headers([HOST, header], "192.0.2.1")


@pytest.mark.django_db(transaction=True)
async def test_basic_credentials_open_a_socket_but_not_from_a_foreign_page() -> None:
    ben = await Account.objects.acreate(username="Ben", password=passwords.hash_password(PASSWORD))
    good, bad = (b"authorization", basic("ben").encode()), (b"authorization", basic("ben", "wrong").encode())
    for origin in ([], [OWN]):
        assert await acaller_from_headers([HOST, *origin, good], "192.0.2.1") == ben.caller
    with pytest.raises(ForeignOrigin):
        await acaller_from_headers([HOST, FOREIGN, good], "192.0.2.1")
    with pytest.raises(BadCredentials):
        await acaller_from_headers([HOST, bad], "192.0.2.1")


@pytest.mark.django_db(transaction=True)
async def test_a_cookie_opens_a_socket_from_our_own_pages_only() -> None:
    ben = await Account.objects.acreate(username="Ben", password="!")
    browser = Client()
    await browser.aforce_login(ben)
    cookie = (b"cookie", b"sessionid=" + browser.cookies["sessionid"].value.encode())
    caller = await acaller_from_headers([HOST, OWN, cookie], "192.0.2.1")
    (session,) = await operations.alist_sessions(ben.pk)
    assert (caller.id, caller.session) == (ben.pk, session.id)
    assert caller.expires_at
    for origin in ([], [FOREIGN]):
        with pytest.raises(ForeignOrigin):
            await acaller_from_headers([HOST, *origin, cookie], "192.0.2.1")
    for origin in ([], [OWN], [FOREIGN]):  # that of some other application
        with pytest.raises(NotAuthenticated) as refused:
            await acaller_from_headers([HOST, *origin, (b"cookie", b"sessionid=unknown")], "192.0.2.1")
        assert not isinstance(refused.value, BadToken)


@pytest.mark.django_db(transaction=True)
async def test_headers_on_several_lines_are_one_list() -> None:
    ben = await Account.objects.acreate(username="Ben", password="!")
    browser = Client()
    await browser.aforce_login(ben)
    cookies = [(b"cookie", b"a=b"), (b"cookie", b"sessionid=" + browser.cookies["sessionid"].value.encode())]
    for lines in (cookies, cookies[::-1]):
        assert (await acaller_from_headers([HOST, OWN, *lines], "192.0.2.1")).id == ben.pk
    token = (await operations.astart_session(ben.standing)).token.encode()
    offers = [(b"sec-websocket-protocol", b"bearer." + token), (b"sec-websocket-protocol", b"foyer.v1")]
    for lines in (offers, offers[::-1]):
        assert (await acaller_from_headers([HOST, *lines], "192.0.2.1")).id == ben.pk


async def test_a_token_costs_one_call_and_neither_sql_nor_a_thread(monkeypatch: Any) -> None:
    token = (await operations.astart_session(ANN)).token
    calls: list[Any] = []
    call = store.LoopClient.call

    def counted(self: store.LoopClient, made: store.Call) -> Any:
        calls.append(made)
        return call(self, made)

    monkeypatch.setattr(store.LoopClient, "call", counted)
    monkeypatch.setattr("accounts.sessions.database_sync_to_async", lambda *_: pytest.fail("a thread was used"))
    await acaller_from_headers([HOST, (b"authorization", f"Bearer {token}".encode())], "192.0.2.1")
    assert len(calls) == 1


def test_while_the_store_is_away_one_is_told_to_come_back(ben: Account, settings: Any) -> None:
    token, home = sign_in("ben"), settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    store.forget_clients()
    try:
        answers = [token.get("/user/ben"), token.get("/"), Api().post("/auth", {"username": "ben", "password": "x"})]
        answers += [token.get("/user/ben", Accept=HTML), Api(basic=("nobody", PASSWORD)).delete("/user/ben")]
    finally:
        settings.REDIS_URL = home
        store.forget_clients()
    for answer in answers:
        assert answer.status_code == 503
        assert answer["Retry-After"]
    assert code(answers[0]) == (503, "unavailable")
    assert token.get("/user/ben").status_code == 200


def test_while_the_database_is_away_one_is_told_to_come_back(ben: Account, monkeypatch: Any) -> None:
    client = sign_in("ben")

    def away(*_: Any) -> Any:
        raise OperationalError("no connection")

    monkeypatch.setattr("django.db.models.query.QuerySet.first", away)
    for answer in (client.get("/user/ben"), Api(basic=("ben", "x")).get("/"), Api().post("/auth", CREDENTIALS)):
        assert code(answer) == (503, "unavailable")
        assert answer["Retry-After"]
