"""Browsers that look at Django's admin, signed in as whoever a test needs."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.test import Client

from accounts.models import Account


def browser_of(account: Account | None) -> Client:
    """A browser in which somebody has signed in, or nobody."""
    found = Client()
    if account is not None:
        found.force_login(account)
    return found


def staff(username: str, *permissions: str) -> Account:
    """An admin who may do in the admin's pages what `permissions` say, such as rooms.view_room."""
    account = Account.objects.create_user(username, None, is_staff=True)
    for permission in permissions:
        app, codename = permission.split(".")
        account.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return account


def rows(answer: Any) -> list[Any]:
    """What a list shows."""
    assert answer.status_code == 200, answer.content
    found: list[Any] = answer.context["cl"].result_list
    return found


def links(answer: Any) -> dict[str, str]:
    """Where the links below a list lead."""
    return dict(answer.context["cl"].page_links)


def told(answer: Any) -> list[str]:
    """What the page after a change says."""
    return [str(message) for message in answer.context["messages"]]


def log() -> list[tuple[str, str, str]]:
    """The admin's log: what kind of thing, which, and what was done."""
    models = {kind.pk: kind.model for kind in ContentType.objects.all()}
    entries = LogEntry.objects.order_by("pk")
    return [(models[entry.content_type_id or 0], entry.object_repr, entry.get_change_message()) for entry in entries]


def answers(who: dict[str, Account | None], requests: dict[str, tuple[str, dict[str, str] | None]]) -> dict[str, str]:
    """For each user, what each request gives: ok, refused, or sent to the sign-in page.

    A request is an address and, for a POST, its form.
    """
    table = {}
    for name, account in who.items():
        browser, told = browser_of(account), []
        for what, (address, form) in requests.items():
            answer = browser.get(address) if form is None else browser.post(address, form)
            signs_in = answer.status_code == 302 and "/login/" in answer["Location"]
            word = "sign in" if signs_in else "ok" if answer.status_code in (200, 302) else "refused"
            assert answer.status_code in (200, 302, 403), (name, what, answer.content)
            told.append(f"{what} {word}")
        table[name] = ", ".join(told)
    return table
