from __future__ import annotations

import pytest
from django.test import Client

from accounts import sessions
from accounts.models import Account
from accounts.tests.conftest import PASSWORD, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser() -> Client:
    found = Client()
    found.force_login(Account.objects.create_superuser("boss", PASSWORD))
    return found


def change(ben: Account, **fields: str) -> dict[str, str]:
    return {"data_json": ben.data_json, "is_active": "on", **fields}


def test_the_pages_about_accounts_are_shown(browser: Client, ben: Account) -> None:
    for path in ("", "add/", f"{ben.pk}/change/", f"{ben.pk}/password/", f"{ben.pk}/delete/", "?q=ben"):
        assert browser.get(f"/admin/accounts/account/{path}").status_code == 200


def test_an_account_is_added(browser: Client) -> None:
    form = {"username": "\uff21nn", "usable_password": "true", "password1": "secret", "password2": "secret"}
    assert browser.post("/admin/accounts/account/add/", form).status_code == 302
    assert sign_in("ann", "secret")
    for taken in ("ANN", "a/b"):
        assert browser.post("/admin/accounts/account/add/", {**form, "username": taken}).status_code == 200
    assert Account.objects.count() == 2


def test_a_promotion_and_new_data_take_effect(browser: Client, ben: Account) -> None:
    client = sign_in("ben")
    form = change(ben, is_staff="on", data_json='{"email": "ben@example.com", "n": 12345678901234567890123}')
    answer = browser.post(f"/admin/accounts/account/{ben.pk}/change/", form)
    assert answer.status_code == 302, answer.context["adminform"].errors
    assert client.get("/users").status_code == 200
    assert Account.objects.with_email("ben@example.com") == ben
    assert Account.objects.get(pk=ben.pk).data["n"] == 12345678901234567890123


@pytest.mark.parametrize(
    "data", ["", "{", "[]", '{"email": "nope"}', '{"email": "boss@example.com"}', '{"x": "' + "x" * 17000 + '"}']
)
def test_data_that_is_no_good_is_explained(browser: Client, ben: Account, data: str) -> None:
    Account.objects.get(username="boss").replace_data({"email": "boss@example.com"})
    answer = browser.post(f"/admin/accounts/account/{ben.pk}/change/", change(ben, data_json=data))
    assert answer.status_code == 200
    assert answer.context["adminform"].errors["data_json"]
    assert Account.objects.get(pk=ben.pk).data == {}


def test_a_disabled_account_is_signed_out(browser: Client, ben: Account) -> None:
    client = sign_in("ben")
    form = change(ben)
    del form["is_active"]
    assert browser.post(f"/admin/accounts/account/{ben.pk}/change/", form).status_code == 302
    assert client.get("/user/ben").status_code == 401


def test_a_password_is_changed_and_ends_every_session(browser: Client, ben: Account) -> None:
    client = sign_in("ben")
    form = {"usable_password": "true", "password1": "another", "password2": "another"}
    assert browser.post(f"/admin/accounts/account/{ben.pk}/password/", form).status_code == 302
    assert client.get("/user/ben").status_code == 401
    assert sign_in("ben", "another")


def test_accounts_are_deleted_with_their_sessions(browser: Client, ben: Account) -> None:
    ann = Account.objects.create_user("ann", PASSWORD)
    clients = [sign_in("ben"), sign_in("ann")]
    assert browser.post(f"/admin/accounts/account/{ben.pk}/delete/", {"post": "yes"}).status_code == 302
    form = {"action": "delete_selected", "_selected_action": str(ann.pk), "post": "yes"}
    assert browser.post("/admin/accounts/account/", form).status_code == 302
    assert [client.get("/").json() for client in clients] == [{"message": "Hello World"}] * 2
    assert sessions.is_gone(ben.pk)
    assert sessions.is_gone(ann.pk)
