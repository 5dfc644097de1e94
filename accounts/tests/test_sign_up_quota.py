"""Who may sign up, and how many from one address: `OPEN_SIGN_UP`, `SIGN_UPS_PER_HOUR`."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, override_settings

from accounts.models import Account
from accounts.operations import count_sign_up
from foyer.errors import TooManyRequests

pytestmark = pytest.mark.django_db(transaction=True)


def sign_up(name: str, address: str = "192.0.2.1", **headers: str) -> tuple[int, str]:
    body = {"username": name, "password": "correct horse"}
    told: Any = {"REMOTE_ADDR": address, "headers": headers}
    answer = Client().post("/user", body, "application/json", **told)
    return answer.status_code, answer.json().get("code", "")


def token_of(name: str) -> str:
    answer = Client().post("/auth", {"username": name, "password": "correct horse"}, "application/json")
    return str(answer.json()["token"])


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(Account.objects.create_superuser("boss", "correct horse"))
    return client


@override_settings(SIGN_UPS_PER_HOUR=2)
def test_an_address_has_so_many_sign_ups_in_an_hour() -> None:
    assert [sign_up(name) for name in ("ann", "ben")] == [(201, "")] * 2
    assert sign_up("eve") == (429, "rate_limited")
    assert sign_up("eve", address="192.0.2.2") == (201, "")


@override_settings(SIGN_UPS_PER_HOUR=2)
def test_networks_that_one_customer_is_given_count_as_one_address() -> None:
    for number in (1, 2):
        count_sign_up(f"2001:db8::{number}")
    with pytest.raises(TooManyRequests) as refusal:
        count_sign_up("2001:db8::3")
    assert 3590 < (refusal.value.retry_after or 0) <= 3600
    count_sign_up("2001:db8:0:1::1")


@override_settings(SIGN_UPS_PER_HOUR=1)
def test_what_makes_no_account_is_not_counted() -> None:
    Account.objects.create_user("taken", "correct horse")
    assert sign_up("taken") == (409, "username_taken")
    assert sign_up("a/b") == (400, "invalid")
    assert sign_up("ann", Idempotency_Key="k") == (201, "")
    assert sign_up("ann", Idempotency_Key="k") == (201, "")
    assert sign_up("ben") == (429, "rate_limited")


@override_settings(SIGN_UPS_PER_HOUR=1)
def test_admins_are_not_counted(boss: Client) -> None:
    token = token_of("boss")
    for name in ("ann", "ben"):
        assert sign_up(name, Authorization=f"Bearer {token}") == (201, "")


@override_settings(OPEN_SIGN_UP=False)
def test_a_closed_door_opens_for_admins_alone(boss: Client) -> None:
    assert sign_up("ann") == (403, "sign_up_closed")
    form = {"email": "ann@example.com", "username": "ann", "password": "correct horse"}
    assert Client().post("/createUser", form, "application/json").json()["code"] == "sign_up_closed"
    token = token_of("boss")
    assert sign_up("ann", Authorization=f"Bearer {token}") == (201, "")
    token = token_of("ann")
    assert sign_up("ben", Authorization=f"Bearer {token}") == (403, "sign_up_closed")
    added = {"username": "eve", "password1": "correct horse", "password2": "correct horse", "usable_password": "true"}
    boss.post("/admin/accounts/account/add/", added)
    assert Account.objects.called("eve")
