from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account
from accounts.serializers import AccountSerializer
from accounts.tests.conftest import PASSWORD, Api, code, sign_in

BIG = 123456789012345678901234567890


def sign_up(username: str = "ben", password: str = "pass", **more: Any) -> Any:
    answer = Api().post("/user", {"username": username, "password": password, **more})
    assert answer.status_code == 201, answer.content
    return answer.json()


# Spec 5


def test_the_base_route_greets_and_knows_who_is_signed_in(ben: Account) -> None:
    assert Api().get("/").json() == {"message": "Hello World"}
    ben.replace_data({"phone": "1"})
    assert sign_in("ben").get("/").json() == {"username": "Ben", "user_type": "user", "data": {"phone": "1"}}


def test_a_user_signs_up_and_everything_comes_back(db: None, anyone: Api) -> None:
    answer = anyone.post("/user", {"username": "ben", "password": "pass", "email": "b@example.com", "data": {"n": BIG}})
    assert answer.status_code == 201
    account = answer.json()
    assert answer["Location"] == "http://testserver/user/ben"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", account["created_at"])
    datetime.fromisoformat(account["created_at"])
    assert isinstance(account["id"], str)
    assert {**account, "id": "", "created_at": ""} == {
        "id": "",
        "username": "ben",
        "user_type": "user",
        "created_at": "",
        "data": {"email": "b@example.com", "n": BIG},
    }
    assert list(account) == ["id", "username", "user_type", "created_at", "data"]
    assert sign_in("ben", "pass").get("/user/ben").json() == account


@pytest.mark.parametrize(
    ("body", "data"),
    [
        ({}, {}),
        ({"a": 1}, {"a": 1}),
        ({"data": {"a": 1}}, {"a": 1}),
        ({"a": 1, "b": 1, "data": {"b": 2, "c": 3}}, {"a": 1, "b": 2, "c": 3}),
        ({"id": "x"}, {"id": "x"}),
        ({"id": "x", "data": {}}, {}),
        ({"data": {"data": {"username": "x"}}}, {"data": {"username": "x"}}),
        ({"a": None}, {"a": None}),
    ],
)
def test_data_comes_flat_or_in_data(db: None, body: dict[str, Any], data: dict[str, Any]) -> None:
    assert sign_up(**body)["data"] == data
    client = sign_in("ben", "pass")
    assert client.put("/user/ben", {"x": 1}).json()["data"] == {"x": 1}
    assert client.put("/user/ben", body).json()["data"] == data


def test_a_form_signs_up_and_in_as_httpie_sends_it(db: None) -> None:
    browser = Client(enforce_csrf_checks=True)
    form = "application/x-www-form-urlencoded; charset=utf-8"
    answer = browser.post("/user", "username=ben&password=pass&city=K%C3%B6ln", form)
    assert answer.json()["data"] == {"city": "Köln"}
    answer = browser.post("/auth", "username=ben&password=pass", form)
    assert answer.status_code == 200
    assert set(answer.json()) == {"token", "token_type", "expires_at", "user_type"}
    assert answer.json()["token_type"] == "Bearer"
    assert answer["Cache-Control"] == "no-store"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", answer.json()["expires_at"])
    assert Api(token=answer.json()["token"]).get("/user/ben").status_code == 200


def test_a_user_updates_and_deletes_the_account(db: None) -> None:
    sign_up(a=1, b={"c": 1, "d": 2})
    client = sign_in("ben", "pass")
    assert client.patch("/user/BEN", {"a": None, "b": {"c": None}, "e": 5}).json()["data"] == {"b": {"d": 2}, "e": 5}
    assert client.patch("/user/ben", {"data": {"e": None}}).json()["data"] == {"b": {"d": 2}}
    assert client.put("/user/ben", {"z": 1, "password": "dropped"}).json()["data"] == {"z": 1}
    whole = client.get("/user/ben").json()
    assert client.put("/user/ben", whole).json() == whole
    answer = client.delete("/user/ben")
    assert (answer.status_code, answer.content) == (204, b"")
    assert client.get("/user/ben").status_code == 401
    assert code(Api().post("/auth", {"username": "ben", "password": "pass"})) == (401, "bad_credentials")


def test_signing_out_ends_the_token(ben: Account) -> None:
    one, other = sign_in("ben"), sign_in("ben")
    assert one.delete("/auth").status_code == 204
    assert code(one.get("/user/ben")) == (401, "bad_token")
    assert code(one.delete("/auth")) == (401, "bad_token")
    third = sign_in("ben")
    assert other.delete("/auth?all=true").status_code == 204
    assert third.get("/user/ben").status_code == 401


def test_signing_out_without_a_session_changes_nothing(ben: Account) -> None:
    token, basic = sign_in("ben"), Api(basic=("ben", PASSWORD))
    assert basic.delete("/auth").status_code == 204
    assert token.get("/user/ben").status_code == 200
    assert Api().delete("/auth").status_code == 401


# Others, and admins


@pytest.mark.parametrize("path", ["/user/ann", "/user/nobody", "/user/ann/password", "/user/%00", "/user/" + "x" * 200])
def test_others_are_forbidden_whether_or_not_they_exist(
    ben: Account, person: Callable[..., Account], path: str
) -> None:
    person("ann")
    client = sign_in("ben")
    methods = [client.put] if path.endswith("password") else [client.get, client.put, client.patch, client.delete]
    for method in methods:
        assert code(method(path)) == (403, "forbidden")
    assert code(client.get("/users")) == (403, "forbidden")
    assert Account.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_an_admin_reaches_every_account(ben: Account, boss: Account) -> None:
    client = sign_in("boss")
    assert client.get("/user/BEN").json()["user_type"] == "user"
    assert client.get("/user/boss").json()["user_type"] == "admin"
    assert client.put("/user/ben", {"a": 1}).json()["data"] == {"a": 1}
    assert client.put("/user/ben/password", {"new": "fresh"}).status_code == 204
    assert sign_in("ben", "fresh")
    assert client.delete("/user/ben").status_code == 204
    for path in ("/user/ben", "/user/%00", "/user/a%20%20", "/user/ben/password"):
        answer = client.put(path, {"new": "x"})
        assert code(answer) == (404, "user_not_found")


def test_only_superusers_change_superusers(person: Callable[..., Account]) -> None:
    root, other = (person(name, is_staff=True, is_superuser=True) for name in ("root", "other"))
    person("boss", is_staff=True)
    lesser = sign_in("boss")
    before = AccountSerializer(root).data
    assert lesser.get("/user/root").json()["username"] == "root"
    for method, path, body in (
        ("PUT", "/user/root/password", {"new": "taken over"}),
        ("PUT", "/user/ROOT/password", {"current": PASSWORD, "new": "taken over"}),
        ("PUT", "/user/root", {"email": "boss@example.com"}),
        ("PATCH", "/user/root", {"email": "boss@example.com"}),
        ("DELETE", "/user/root", None),
    ):
        assert code(lesser.send(method, path, body)) == (403, "forbidden"), path
    assert AccountSerializer(Account.objects.get(pk=root.pk)).data == before
    assert sign_in("root").patch("/user/other", {"a": 1}).status_code == 200
    assert sign_in("root").put("/user/root/password", {"new": "another"}).status_code == 204
    assert sign_in("other").delete("/user/root").status_code == 204
    other.is_superuser = False
    other.save()
    assert lesser.delete("/user/other").status_code == 204


def test_admins_page_through_all_accounts(boss: Account, person: Callable[..., Account]) -> None:
    for number in range(5):
        person(f"user{number}", password=None)
    client, path, seen = sign_in("boss"), "/users?limit=4", []
    while path:
        answer = client.get(path)
        seen += [account["username"] for account in answer.json()]
        link = re.fullmatch(r'<http://testserver(.+)>; rel="next"', answer.get("Link", ""))
        path = link[1] if link else ""
    assert seen == ["boss", *(f"user{number}" for number in range(5))]
    ids = [account["id"] for account in client.get("/users").json()]
    third = ids[2]
    assert [account["username"] for account in client.get(f"/users?before={third}").json()] == ["boss", "user0"]
    path, seen = f"/users?limit=4&before={int(ids[-1]) + 1}", []
    while path:
        answer = client.get(path)
        seen = [account["id"] for account in answer.json()] + seen
        link = re.fullmatch(r'<http://testserver(.+)>; rel="next"', answer.get("Link", ""))
        path = link[1] if link else ""
    assert seen == ids
    between = client.get(f"/users?after={ids[0]}&before={ids[4]}&limit=2").json()
    assert [account["id"] for account in between] == ids[1:3]
    for query in (f"after={int(ids[-1]) + 1}", f"before={int(ids[-1]) + 2}", f"before={2**63 - 1}"):
        assert code(client.get(f"/users?{query}")) == (400, "unknown_cursor")
    assert code(client.get("/users?limit=0")) == (400, "invalid")
    assert code(client.get(f"/users?after={2**63}")) == (400, "invalid")


@pytest.mark.parametrize("name", ["User Name", "日本", "Zoë & co?", "100%", "a+b", "...", "{user}", "o'neill"])
def test_any_name_has_an_address(db: None, name: str) -> None:
    answer = Api().post("/user", {"username": name, "password": "pass"})
    assert answer["Location"] == f"http://testserver/user/{quote(name, safe='')}"
    client = sign_in(name, "pass")
    assert client.get("/user/" + quote(name.upper(), safe="")).json()["username"] == name


# Passwords


@pytest.mark.django_db(transaction=True)
def test_a_changed_password_ends_every_session(ben: Account) -> None:
    one, other = sign_in("ben"), sign_in("ben")
    basic = Api(basic=("ben", PASSWORD))
    assert basic.get("/user/ben").status_code == 200
    answer = one.put("/user/ben/password", {"current": PASSWORD, "new": "another"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert [client.get("/user/ben").status_code for client in (one, other, basic)] == [401] * 3
    assert sign_in("ben", "another").get("/user/ben").status_code == 200


def test_a_password_is_changed_by_who_knows_the_current_one(ben: Account, boss: Account, settings: Any) -> None:
    settings.SIGN_IN_FAILURES = 3
    client = sign_in("ben")
    path = "/user/ben/password"
    assert code(client.put(path, {"new": "x"})) == (400, "invalid")
    assert code(client.put(path, {"current": PASSWORD, "new": ""})) == (400, "invalid")
    assert code(client.put(path, {"current": PASSWORD, "new": "x" * 129})) == (400, "invalid")
    for _ in range(3):
        assert code(client.put(path, {"current": "wrong", "new": "x"})) == (403, "wrong_password")
    assert code(client.put(path, {"current": PASSWORD, "new": "x"})) == (429, "too_many_sign_ins")
    assert client.get("/user/ben").status_code == 200
    assert code(sign_in("boss").put("/user/boss/password", {"current": "wrong", "new": "x"})) == (403, "wrong_password")


# Spec 3


def curl(path: str, body: str) -> Any:
    """As `curl -d` sends it: a form, it says."""
    return Api().send("POST", path, body, Content_Type="application/x-www-form-urlencoded")


def test_spec_3s_own_lines_work_as_printed(db: None) -> None:
    answer = curl("/createUser", '{"email":"igor@example.com", "username":"Igor", "password":"qwerty123456"}')
    assert answer.status_code == 201
    created = answer.json()
    assert created == {"id": created["id"], "username": "Igor", "email": "igor@example.com"}
    assert isinstance(created["id"], str)
    assert answer["Location"] == "http://testserver/user/Igor"
    answer = curl("/login", '{"email":"igor@example.com", "password":"qwerty123456"}')
    assert answer.status_code == 200
    token = answer.json()["token"]
    assert answer.json() == {"id": created["id"], "username": "Igor", "token": token}
    client = Api(token=token)
    assert client.get("/").json() == {"username": "Igor", "user_type": "user", "data": {"email": "igor@example.com"}}
    assert sign_in("igor", "qwerty123456")
    again = curl("/createUser", '{"email":"IGOR@example.com", "username":"I", "password":"p"}')
    assert code(again) == (409, "email_taken")
    again = curl("/createUser", '{"email":"i@example.com", "username":"igor", "password":"p"}')
    assert code(again) == (409, "username_taken")


def test_whoever_signed_up_with_an_address_anywhere_signs_in_by_it(db: None) -> None:
    sign_up(data={"email": "Ben@example.com"})
    for content_type in ("text/plain", "application/json", "nonsense", ""):
        body = {"email": "BEN@example.com", "password": "pass"}
        answer = Api().post("/login", body, Content_Type=content_type)
        assert answer.json()["username"] == "ben"
    for email in ("nobody@example.com", "nonsense"):
        assert code(Api().post("/login", {"email": email, "password": "pass"})) == (401, "bad_credentials")


@pytest.mark.parametrize("path", ["/createUser", "/login", "/auth", "/user"])
def test_every_missing_field_is_named(db: None, path: str, anyone: Api) -> None:
    answer = anyone.post(path, {})
    assert code(answer) == (400, "invalid")
    for sentences in answer.json()["fields"].values():
        assert sentences == ["This field is required."]
    assert "password" in answer.json()["fields"]


# Retries


def test_a_retried_sign_up_answers_as_the_first_did(db: None, anyone: Api) -> None:
    body, key = {"username": "ben", "password": "pass", "a": 1}, {"Idempotency_Key": "k-1"}
    first, again = anyone.post("/user", body, **key), anyone.post("/user", body, **key)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert first["Location"] == again["Location"]
    assert code(anyone.post("/user", body)) == (409, "username_taken")
    assert code(anyone.post("/user", {**body, "a": 2}, **key)) == (409, "retry_key_reused")
    assert code(anyone.post("/user", {**body, "password": "other"}, **key)) == (409, "retry_key_reused")
    assert code(anyone.post("/user", body, Idempotency_Key="")) == (400, "invalid")
    assert Account.objects.count() == 1


def test_retry_keys_of_one_user_are_not_another_address_own(ben: Account, anyone: Api) -> None:
    key = {"Idempotency_Key": "k-1"}
    assert anyone.post("/user", {"username": "a", "password": "pass"}, **key).status_code == 201
    client = sign_in("ben")
    assert client.post("/user", {"username": "b", "password": "pass"}, **key).status_code == 201
    assert code(client.post("/user", {"username": "c", "password": "pass"}, **key)) == (409, "retry_key_reused")
    body = {"email": "d@example.com", "username": "d", "password": "pass"}
    other = {"Idempotency_Key": "k-2"}
    assert anyone.post("/createUser", body, **other).json() == anyone.post("/createUser", body, **other).json()


# What is no good

BAD_BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b"username=ben&password=pass",
    b'{"username": "\xff", "password": "pass"}',
    b'{"username": "\\ud800", "password": "pass"}',
    b'{"username": "a\\u0000b", "password": "pass"}',
    b'{"username": "ben", "password": NaN}',
    b'{"username": ["ben"], "password": {"a": 1}}',
    b'{"username": 1, "password": true}',
    b'{"username": "ben", "password": 12345678}',
    b'{"username": "ben", "password": null}',
    b'{"username": "", "password": ""}',
    b'{"username": " ", "password": "pass"}',
    b'{"username": "a/b", "password": "pass"}',
    b'{"username": "ben", "password": "pass", "data": []}',
    b'{"username": "ben", "password": "pass", "data": null}',
    b'{"username": "ben", "password": "pass", "data": "x"}',
    b'{"username": "ben", "password": "pass", "email": "x"}',
    b'{"username": "ben", "password": "pass", "email": "a@b.de\\u0000"}',
    b'{"username": "ben", "password": "pass", "x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    b'{"username": "ben", "password": "pass", "x": ' + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}",
    b'{"username": "ben", "password": "pass", "x": "' + b"x" * 17_000 + b'"}',
    b'{"username": "ben", "password": "pass", "x": ' + b"9" * 5000 + b"}",
    b'{"username": "ben", "password": "pass", "x": 1e999}',
    b'{"username": "' + b"x" * 65 + b'", "password": "pass"}',
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=[repr(body[:50]) for body in BAD_BODIES])
def test_a_body_that_is_no_good_is_refused_and_makes_nothing(db: None, anyone: Api, body: bytes) -> None:
    answer = anyone.post("/user", body)
    assert answer.status_code == 400
    assert code(answer)[1] in ("malformed_json", "invalid")
    assert not Account.objects.exists()
    for path in ("/createUser", "/login", "/auth"):
        assert anyone.post(path, body).status_code in (400, 401)


def test_a_body_has_a_size(ben: Account) -> None:
    body = json.dumps({"username": "ann", "password": "pass", "x": "x" * 2**20})
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    for path in ("/user", "/auth", "/createUser", "/login"):
        assert code(Api().post(path, body)) == (413, "too_large")
        assert code(Api().post(path, body, **form)) == (413, "too_large")
    client = sign_in("ben")
    for path in ("/user/ben", "/user/ben/password"):
        assert code(client.put(path, body)) == (413, "too_large")


def test_data_that_users_may_keep_survives(db: None) -> None:
    data = {
        "z": 1.0,
        "a": -0.0,
        "nul": "a\0b",
        "big": BIG,
        "neg": -BIG,
        "s": "\U0001f600\u2028",
        "": [],
        "é": {"": None},
    }
    assert repr(sign_up(data=data)["data"]) == repr(data)
    assert repr(sign_in("ben", "pass").get("/user/ben").json()["data"]) == repr(data)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/user", "POST"),
        ("POST", "/", "GET"),
        ("GET", "/auth", "POST, DELETE"),
        ("POST", "/user/ben", "GET"),
        ("PUT", "/login", "POST"),
    ],
)
def test_other_methods_are_refused(ben: Account, method: str, path: str, allowed: str) -> None:
    answer = Api(basic=("ben", PASSWORD)).send(method, path, {})
    assert code(answer) == (405, "method_not_allowed")
    assert answer["Allow"].startswith(allowed)


def test_other_media_types_are_refused(ben: Account, anyone: Api) -> None:
    body = {"username": "ann", "password": "pass"}
    for content_type in ("text/plain", "application/xml", "multipart/form-data; boundary=x", "nonsense"):
        for path in ("/user", "/auth"):
            assert code(anyone.post(path, body, Content_Type=content_type)) == (415, "unsupported_media_type")
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    assert code(sign_in("ben").put("/user/ben", "a=1", **form)) == (415, "unsupported_media_type")


def test_accept_decides_what_may_be_answered(ben: Account, anyone: Api) -> None:
    for accept in ("*/*", "application/json", "application/json;charset=utf-8", "text/plain, */*;q=0.1", ""):
        assert anyone.get("/", Accept=accept)["Content-Type"] == "application/json"
    assert code(anyone.get("/", Accept="image/png")) == (406, "not_acceptable")
    assert sign_in("ben").get("/user/ben?format=json", Accept="text/html")["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", ["/user/", "/users/", "/auth/", "/user/a/b", "/user/a%2Fb", "/User"])
def test_paths_are_as_they_are_written(db: None, anyone: Api, path: str) -> None:
    assert code(anyone.get(path)) == (404, "not_found")


def test_a_form_that_is_no_good_is_refused(db: None, anyone: Api) -> None:
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    assert code(anyone.post("/auth", b"username=\xff&password=x", **form)) == (400, "bad_request")
    assert code(anyone.post("/auth", b"&".join([b"a=b"] * 2000), **form)) == (400, "bad_request")
    assert code(anyone.post("/auth", b"", **form)) == (400, "invalid")


NAMES = st.sampled_from(["username", "password", "email", "data", "current", "new", "id", "x"])
TEXT = st.text(st.characters(), max_size=12)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | TEXT, inner, max_size=4)
)
ROUTES = [
    ("POST", "/user"),
    ("POST", "/auth"),
    ("POST", "/createUser"),
    ("POST", "/login"),
    ("PUT", "/user/boss"),
    ("PATCH", "/user/boss"),
    ("PUT", "/user/boss/password"),
    ("GET", "/users"),
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    route=st.sampled_from(ROUTES),
    body=st.dictionaries(NAMES, ANYTHING, max_size=5).map(json.dumps)
    | ANYTHING.map(json.dumps)
    | st.binary(max_size=60),
    query=st.dictionaries(st.sampled_from(["limit", "after", "before", "format", "all"]), TEXT.filter(str.isprintable)),
    header=st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=20),
)
def test_nothing_a_client_sends_is_a_fault_of_ours(
    boss: Account, route: tuple[str, str], body: str | bytes, query: dict[str, str], header: str
) -> None:
    method, path = route
    client = Api(basic=("boss", PASSWORD))
    address = f"{path}?{urlencode(query)}" if query else path
    answers = [
        client.send(method, address, body, Idempotency_Key=header, Accept=header),
        client.send(method, address, body, Content_Type=header),
        Api(Authorization=header).send(method, address, body),
    ]
    assert all(answer.status_code < 500 for answer in answers)
    Account.objects.exclude(pk=boss.pk).delete()
