"""Accounts of earlier releases, after the database was brought up to date."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from accounts.errors import UsernameTaken
from accounts.models import Account

newer_keys = import_module("accounts.migrations.0003_newer_keys")


def with_keys(username: str, key: str, email: str | None = None) -> Account:
    """An account as it was stored by tables that told more characters apart."""
    account = Account.objects.create(username=f"account {Account.objects.count()}", email=email, email_key=email)
    Account.objects.filter(pk=account.pk).update(username=username, username_key=key)
    return Account.objects.get(pk=account.pk)


def migrate() -> None:
    newer_keys.renew_keys(apps, SimpleNamespace(connection=connection))


def test_earlier_keys_are_made_anew(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newer_keys, "PORTION", 2)
    made = [with_keys(f"Ann{n}\ufe0f", f"ann{n}\ufe0f", f"ann{n}@exa\u200bmple.com") for n in range(5)]
    migrate()
    for n, account in enumerate(made):
        assert Account.objects.called(f"aNN{n}") == account
        assert Account.objects.with_email(f"ANN{n}@example.com") == account
        with pytest.raises(UsernameTaken):
            Account.sign_up(f"ann{n}", "pass", {})
    migrate()


def test_of_two_accounts_that_have_become_one_name_both_stay(db: None) -> None:
    first, second = with_keys("ann", "ann"), with_keys("Ann\ufe0f", "ann\ufe0f")
    migrate()
    assert Account.objects.called("ann") == Account.objects.called("ANN") == first
    assert Account.objects.called("Ann\ufe0f") == second
    second = Account.objects.get(pk=second.pk)
    second.is_staff = True
    second.save()
    assert Account.objects.called("Ann\ufe0f") == second
    assert Account.objects.called("ann") == first


@pytest.mark.parametrize("name", [".", "..", "a:b"])
def test_accounts_whose_name_is_refused_by_now_stay(db: None, name: str) -> None:
    account = Account(username=name)
    account.set_password("pass")
    account.save()
    migrate()
    assert Account.objects.called(name) == account
    account.change_password("other")
    with pytest.raises(ValueError, match="A username"):
        Account.objects.create_user(name)
