from __future__ import annotations

import pytest
from django.test import Client

from accounts import operations
from accounts.models import Account
from accounts.tests.conftest import PASSWORD, Api, sign_in
from accounts.tests.pages import answers, browser_of, log, staff, told

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


def test_one_who_is_promoted_may_do_in_the_admin_what_admins_may_by_rest(browser: Client, ben: Account) -> None:
    def act(action: str) -> None:
        form = {"action": action, "_selected_action": [ben.pk]}
        assert browser.post("/admin/accounts/account/", form).status_code == 302

    act("promote")
    bens = browser_of(Account.objects.get(pk=ben.pk))
    for page in ("", "accounts/account/", "rooms/room/", "rooms/room/add/", "lobby/table/add/", "messaging/message/"):
        assert bens.get(f"/admin/{page}").status_code == 200, page
    assert bens.get("/admin/auth/group/").status_code in (403, 404), "who may do what superusers say"
    act("demote")
    ben = Account.objects.get(pk=ben.pk)
    assert (ben.is_staff, ben.groups.count(), ben.has_perm("rooms.change_room")) == (False, 0, False)


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
    assert operations.is_gone(ben.pk)
    assert operations.is_gone(ann.pk)


def select(browser: Client, action: str, *accounts: Account) -> list[str]:
    form = {"action": action, "_selected_action": [str(account.pk) for account in accounts], "index": "0"}
    return told(browser.post("/admin/accounts/account/", form, follow=True))


def test_all_sessions_of_those_who_are_selected_end(browser: Client, ben: Account) -> None:
    clients = [sign_in("ben"), sign_in("ben")]
    assert select(browser, "end_sessions", ben) == ["Ended all sessions and connections: Ben."]
    assert [client.get("/user/ben").status_code for client in clients] == [401, 401]
    assert log() == [("account", "Ben", "Ended all sessions and connections.")]
    assert "Ended all sessions" in browser.get(f"/admin/accounts/account/{ben.pk}/history/").content.decode()


def test_a_selected_account_is_disabled_and_enabled(browser: Client, ben: Account) -> None:
    client = sign_in("ben")
    assert select(browser, "disable", ben) == ["Disabled: Ben."]
    assert client.get("/user/ben").status_code == 401
    assert Api().post("/auth", {"username": "ben", "password": PASSWORD}).status_code == 401
    assert select(browser, "disable", ben) == ["Nothing had to be changed."]
    assert select(browser, "enable", ben) == ["Enabled: Ben."]
    assert sign_in("ben")
    assert [what for _, _, what in log()] == ["Disabled.", "Enabled."]


def test_a_selected_account_is_promoted_and_demoted(browser: Client, ben: Account) -> None:
    assert select(browser, "promote", ben) == ["Promoted to admin: Ben."]
    client = sign_in("ben")
    assert client.get("/users").status_code == 200
    assert select(browser, "demote", ben) == ["Demoted from admin: Ben."]
    assert client.get("/users").status_code == 401
    assert sign_in("ben").get("/users").status_code == 403


@pytest.mark.parametrize("action", ["disable", "demote"])
def test_nobody_locks_himself_out(browser: Client, ben: Account, action: str) -> None:
    boss = Account.objects.get(username="boss")
    ben.is_staff = True
    ben.save()
    assert "Your own account was left as it is." in select(browser, action, boss, ben)
    boss.refresh_from_db()
    ben.refresh_from_db()
    assert (boss.is_active, boss.is_staff) == (True, True)
    assert not (ben.is_active and ben.is_staff)


def test_only_superusers_change_superusers_and_make_some(browser: Client, ben: Account) -> None:
    boss = Account.objects.get(username="boss")
    keeper = staff("keeper", *(f"accounts.{verb}_account" for verb in ("view", "change", "delete")))
    lesser = browser_of(keeper)
    form = change(ben, is_superuser="on", is_staff="on", user_permissions="1")
    assert lesser.post(f"/admin/accounts/account/{ben.pk}/change/", form).status_code == 302
    ben.refresh_from_db()
    assert (ben.is_staff, ben.is_superuser, ben.user_permissions.count()) == (True, False, 0)
    password = {"usable_password": "true", "password1": "another", "password2": "another"}
    assert lesser.post(f"/admin/accounts/account/{boss.pk}/password/", password).status_code == 403
    assert lesser.post(f"/admin/accounts/account/{boss.pk}/change/", change(boss)).status_code == 403
    assert lesser.post(f"/admin/accounts/account/{boss.pk}/delete/", {"post": "yes"}).status_code == 403
    everyone = {"action": "delete_selected", "_selected_action": str(boss.pk), "post": "yes"}
    lesser.post("/admin/accounts/account/", everyone)
    assert "Only a superuser changes the account of one: boss." in select(lesser, "disable", boss)
    boss.refresh_from_db()
    assert boss.is_active
    assert boss.check_password(PASSWORD)


def test_who_may_do_what_follows_from_his_permissions(ben: Account) -> None:
    who = {
        "nobody": None,
        "a user": ben,
        "staff without permissions": staff("porter"),
        "view-only staff": staff("viewer", "accounts.view_account"),
        "staff": staff("keeper", "accounts.view_account", "accounts.change_account"),
        "superuser": Account.objects.create_superuser("boss", PASSWORD),
    }
    here = "/admin/accounts/account/"
    end_all = {"action": "end_sessions", "_selected_action": str(ben.pk), "index": "0"}
    assert answers(
        who,
        {
            "list": (here, None),
            "see": (f"{here}{ben.pk}/change/", None),
            "change": (f"{here}{ben.pk}/change/", change(ben)),
            "delete": (f"{here}{ben.pk}/delete/", None),
        },
    ) == {
        "nobody": "list sign in, see sign in, change sign in, delete sign in",
        "a user": "list sign in, see sign in, change sign in, delete sign in",
        "staff without permissions": "list refused, see refused, change refused, delete refused",
        "view-only staff": "list ok, see ok, change refused, delete refused",
        "staff": "list ok, see ok, change ok, delete refused",
        "superuser": "list ok, see ok, change ok, delete ok",
    }
    client = sign_in("ben")
    browser_of(who["view-only staff"]).post(here, end_all)
    assert client.get("/user/ben").status_code == 200
