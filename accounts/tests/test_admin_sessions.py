from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client
from django.utils.html import escape

from accounts import operations, tokens
from accounts.models import Account
from accounts.tests.pages import answers, browser_of, links, log, rows, staff, told
from foyer.errors import BadToken
from foyer.realtime.presence import ONLINE, arrive, beat, depart

pytestmark = pytest.mark.django_db(transaction=True)

SESSIONS, CONNECTIONS = "/admin/accounts/session/", "/admin/accounts/connection/"


@pytest.fixture
def boss() -> Account:
    return Account.objects.create_superuser("boss", None)


@pytest.fixture
def ann() -> Account:
    return Account.objects.create_user("Ann", None)


@pytest.fixture
def browser(boss: Account) -> Client:
    return browser_of(boss)


def is_good(session: operations.NewSession) -> bool:
    return operations.ask(tokens.read_token(session.token)) is not None


def test_the_sessions_of_an_account_are_listed_and_one_is_ended(browser: Client, ann: Account) -> None:
    first, second = (operations.start_session(ann.standing) for _ in range(2))
    assert rows(browser.get(SESSIONS)) == []
    assert len(rows(browser.get(SESSIONS, {"q": "ann"}))) == 2
    ended = f"{ann.pk}-{tokens.read_token(first.token).session}"
    assert "Ann" in browser.get(f"{SESSIONS}{ended}/change/").content.decode()
    assert "Yes, end it" in browser.get(f"{SESSIONS}{ended}/delete/").content.decode()
    assert browser.post(f"{SESSIONS}{ended}/delete/", {"post": "yes"}).status_code == 302
    (left,) = rows(browser.get(SESSIONS, {"q": "ANN"}))
    assert left.pk == f"{ann.pk}-{tokens.read_token(second.token).session}"
    assert is_good(second)
    with pytest.raises(BadToken):
        is_good(first)
    assert log()[0][:2] == ("account", "Ann")
    assert log()[0][2].startswith("Ended a session of Ann since")
    assert "Ended a session" in browser.get(f"/admin/accounts/account/{ann.pk}/history/").content.decode()


def test_sessions_are_ended_together(browser: Client, ann: Account) -> None:
    for _ in range(3):
        operations.start_session(ann.standing)
    chosen = [session.pk for session in rows(browser.get(SESSIONS, {"q": "Ann"}))]
    form = {"action": "end", "_selected_action": chosen[:2], "index": "0"}
    assert browser.post(f"{SESSIONS}?q=Ann", form).status_code == 302
    assert [session.pk for session in rows(browser.get(SESSIONS, {"q": "Ann"}))] == chosen[2:]


def test_a_page_of_a_session_shows_no_token(browser: Client, ann: Account) -> None:
    token = operations.start_session(ann.standing).token
    (session,) = rows(browser.get(SESSIONS, {"q": "Ann"}))
    for address in (f"{SESSIONS}?q=Ann", f"{SESSIONS}{session.pk}/change/"):
        page = browser.get(address).content.decode()
        assert token not in page
        assert token.split(".")[2] not in page


@pytest.mark.parametrize("pk", ["x", "1-x", "99-x", "-", "_5F"])
def test_a_session_that_is_not_there_is_not_found(browser: Client, boss: Account, pk: str) -> None:
    assert browser.get(f"{SESSIONS}{pk}/change/").status_code == 302


def test_who_is_connected_is_listed_the_latest_first_page_by_page(browser: Client) -> None:
    for number in range(1, 121):
        arrive(ONLINE, "one", [(number, f"user {number}")])
    arrive(ONLINE, "two", [(120, "user 120"), (121, "user 121")])
    first = browser.get(CONNECTIONS)
    assert first.context["title"] == "Live connections of 121 users"
    second = browser.get(CONNECTIONS + links(first)["Earlier"])
    third = browser.get(CONNECTIONS + links(second)["Earlier"])
    listed = [row for page in (first, second, third) for row in rows(page)]
    assert len(listed) == 121
    assert {row.username for row in listed} == {f"user {number}" for number in range(1, 122)}
    assert [row.since for row in listed] == sorted((row.since for row in listed), reverse=True)
    assert {row.username: row.instances for row in listed if row.instances > 1} == {"user 120": 2}
    assert links(third) == {"Later": "?from=50"}


def test_somebody_is_listed_from_his_first_connection_to_his_last(browser: Client, ann: Account) -> None:
    arrive(ONLINE, "one", [(ann.pk, "Ann")])
    (before,) = rows(browser.get(CONNECTIONS))
    arrive(ONLINE, "two", [(ann.pk, "Ann")])
    depart(ONLINE, "one", [ann.pk])
    (row,) = rows(browser.get(CONNECTIONS, {"q": "ANN"}))
    assert (row.since, row.instances) == (before.since, 1)
    assert row.places.startswith("two, ")
    assert "two, " in browser.get(f"{CONNECTIONS}{ann.pk}/change/").content.decode()
    depart(ONLINE, "two", [ann.pk])
    assert rows(browser.get(CONNECTIONS)) == []
    assert browser.get(f"{CONNECTIONS}{ann.pk}/change/").status_code == 302


def test_those_of_an_instance_that_died_are_listed_no_longer(
    browser: Client, ann: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(ONLINE, "one", [(ann.pk, "Ann")])
    monkeypatch.setattr("foyer.realtime.presence.DEAD_AFTER", -1)
    beat(ONLINE, "two")
    assert rows(browser.get(CONNECTIONS)) == []


def test_ending_a_connection_ends_the_sessions_of_its_user(browser: Client, ann: Account) -> None:
    session = operations.start_session(ann.standing)
    arrive(ONLINE, "one", [(ann.pk, "Ann")])
    form = {"action": "end", "_selected_action": str(ann.pk), "index": "0"}
    assert browser.post(CONNECTIONS, form).status_code == 302
    with pytest.raises(BadToken):
        is_good(session)
    assert log()[0] == ("account", "Ann", "Ended all sessions and connections.")


def test_who_may_do_what_follows_from_his_permissions(ann: Account, boss: Account) -> None:
    arrive(ONLINE, "one", [(ann.pk, "Ann")])
    key = f"{ann.pk}-{tokens.read_token(operations.start_session(ann.standing).token).session}"
    who = {
        "nobody": None,
        "a user": ann,
        "staff without permissions": staff("porter"),
        "view-only staff": staff("viewer", "accounts.view_session", "accounts.view_connection"),
        "staff": staff("keeper", "accounts.view_session", "accounts.delete_session"),
        "superuser": boss,
    }
    assert answers(
        who,
        {
            "sessions": (f"{SESSIONS}?q=Ann", None),
            "end one": (f"{SESSIONS}{key}/delete/", {"post": "yes"}),
            "connections": (CONNECTIONS, None),
            "end all": (f"{CONNECTIONS}{ann.pk}/delete/", {"post": "yes"}),
        },
    ) == {
        "nobody": "sessions sign in, end one sign in, connections sign in, end all sign in",
        "a user": "sessions sign in, end one sign in, connections sign in, end all sign in",
        "staff without permissions": "sessions refused, end one refused, connections refused, end all refused",
        "view-only staff": "sessions ok, end one refused, connections ok, end all refused",
        "staff": "sessions ok, end one ok, connections refused, end all refused",
        "superuser": "sessions ok, end one ok, connections ok, end all ok",
    }


def test_only_superusers_end_the_sessions_of_one(ann: Account, boss: Account) -> None:
    arrive(ONLINE, "one", [(boss.pk, "boss"), (ann.pk, "Ann")])
    session, other = operations.start_session(boss.standing), operations.start_session(ann.standing)
    key = f"{boss.pk}-{tokens.read_token(session.token).session}"
    kinds = ("session", "connection")
    lesser = browser_of(staff("keeper", *(f"accounts.{verb}_{kind}" for verb in ("view", "delete") for kind in kinds)))
    assert lesser.post(f"{SESSIONS}{key}/delete/", {"post": "yes"}).status_code == 403
    assert lesser.post(f"{CONNECTIONS}{boss.pk}/delete/", {"post": "yes"}).status_code == 403
    for address, pk in ((f"{SESSIONS}?q=boss", key), (CONNECTIONS, str(boss.pk))):
        answer = lesser.post(address, {"action": "end", "_selected_action": pk, "index": "0"}, follow=True)
        assert told(answer) == ["Only a superuser ends the sessions of one."]
    assert is_good(session)
    form = {"action": "end", "_selected_action": [str(boss.pk), str(ann.pk)], "index": "0"}
    assert len(told(lesser.post(CONNECTIONS, form, follow=True))) == 2
    assert is_good(session)
    with pytest.raises(BadToken):
        is_good(other)


@pytest.mark.parametrize("name", ["who? me", "a#b", "50%", "ü", "a&b=c", '"<b>'])
def test_links_lead_to_whoever_is_meant_whatever_they_are_called(browser: Client, name: str) -> None:
    odd = Account.objects.create_user(name, None)
    arrive(ONLINE, "one", [(odd.pk, name)])
    operations.start_session(odd.standing)
    page = browser.get(f"{CONNECTIONS}{odd.pk}/change/").content.decode()
    to_sessions = next(link for link in re.findall(r'href="([^"]*)"', page) if "session/?q=" in link)
    (session,) = rows(browser.get(unescape(to_sessions)))
    page = browser.get(f"{SESSIONS}{session.pk}/change/").content.decode()
    assert f'<a href="/admin/accounts/account/{odd.pk}/change/">{escape(name)}</a>' in page
