from __future__ import annotations

import pytest
from django.test import Client, override_settings

from accounts.models import Account
from accounts.tests.conftest import Api
from accounts.tests.pages import browser_of
from tests.store import store_at

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = [
    "rooms/room/",
    "rooms/room/1/change/",
    "messaging/message/?room=1",
    "lobby/table/",
    "accounts/connection/",
    "archive/copied/",
]


def test_the_admin_has_a_name_and_leads_to_the_site() -> None:
    page = browser_of(Account.objects.create_superuser("boss", None)).get("/admin/").content.decode()
    assert "Administration | Foyer</title>" in page
    assert '<a href="/">View site</a>' in page
    assert "foyer/admin.css" in page
    for model in ("Accounts", "Sessions", "Live connections", "Rooms", "Messages", "Tables", "Archive"):
        assert f">{model}</a>" in page


@pytest.mark.parametrize("page", PAGES)
def test_a_store_that_is_away_is_told_by_every_page_with_503(page: str) -> None:
    browser = browser_of(Account.objects.create_superuser("boss", None))
    with store_at("redis://127.0.0.1:9", timeout=0.2):
        answer = browser.get(f"/admin/{page}")
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert answer["Cache-Control"].startswith("max-age=0")
    assert "The store is away" in answer.content.decode()
    assert "Traceback" not in answer.content.decode()


def test_a_sign_in_that_the_store_can_not_count_is_told_so() -> None:
    with store_at("redis://127.0.0.1:9", timeout=0.2):
        answer = Client().post("/admin/login/", {"username": "boss", "password": "wrong"})
    assert answer.status_code == 503
    assert "The store is away" in answer.content.decode()


def test_a_change_that_the_store_did_not_take_is_in_no_history() -> None:
    boss = Account.objects.create_superuser("boss", None)
    browser = browser_of(boss)
    with store_at("redis://127.0.0.1:9", timeout=0.2):
        answer = browser.post("/admin/rooms/room/add/", {"name": "kitchen"})
        assert answer.status_code == 503
    assert not boss.logentry_set.exists()


@override_settings(SIGN_IN_FAILURES=3)
def test_sign_ins_are_limited_as_everywhere_else() -> None:
    Account.objects.create_superuser("boss", "correct horse")
    browser, form = Client(), {"username": "boss", "password": "wrong"}
    assert [browser.post("/admin/login/", form).status_code for _ in range(3)] == [200] * 3
    answer = browser.post("/admin/login/", {**form, "password": "correct horse"})
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) <= 60
    assert "script-src 'self';" in answer["Content-Security-Policy"]
    assert "Too many sign-ins failed" in answer.content.decode()
    assert Api().post("/auth", form).status_code == 429


def test_pages_run_no_script_that_is_in_themselves() -> None:
    browser = browser_of(Account.objects.create_superuser("boss", None))
    for page in ("", "rooms/room/", "lobby/table/", "lobby/table/add/", "accounts/account/"):
        answer = browser.get(f"/admin/{page}")
        assert "script-src 'self';" in answer["Content-Security-Policy"]
        text = answer.content.decode()
        assert text.count("<script") == text.count("<script src=") + text.count("<script id=")
        assert " onclick=" not in text
