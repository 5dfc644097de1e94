"""Whom a name means: found without SQL, and never the account that had the name before."""

from __future__ import annotations

import asyncio

import pytest

from accounts.errors import UserNotFound
from accounts.models import Account
from accounts.name_cache import akeep_person, akept_person
from accounts.people import Person, afind_person, find_person
from foyer.errors import Unavailable
from tests.store import store_at

pytestmark = pytest.mark.django_db(transaction=True)


def make(name: str) -> Person:
    account = Account.objects.create_user(name, None)
    return Person(account.pk, account.username)


async def test_a_name_is_looked_up_in_sql_once_for_all_who_ask() -> None:
    ann = await asyncio.to_thread(make, "Ann")
    assert await afind_person("ann") == ann
    behind_our_back = Account.objects.filter(pk=ann.id).update
    await asyncio.to_thread(behind_our_back, username="anna", username_key="anna")
    assert await afind_person("ANN") == ann  # which the row would not have said
    for name in ("nobody", "\0"):
        with pytest.raises(UserNotFound):
            await afind_person(name)


async def test_a_name_that_was_given_anew_means_the_account_that_has_it_now() -> None:
    await asyncio.to_thread(make, "ann")
    first = await afind_person("ann")
    await asyncio.to_thread(lambda: Account.objects.get(pk=first.id).delete())
    with pytest.raises(UserNotFound):
        await afind_person("ann")
    second = await asyncio.to_thread(make, "ann")
    assert await afind_person("ann") == second != first


async def test_a_name_that_was_changed_means_nobody_and_its_new_one_the_same_account() -> None:
    ann = await asyncio.to_thread(make, "ann")
    assert await afind_person("ann") == ann

    def rename(name: str) -> None:
        account = Account.objects.get(pk=ann.id)
        account.username = name
        account.save()

    await asyncio.to_thread(rename, "Ann")
    assert await afind_person("ann") == Person(ann.id, "Ann")
    await asyncio.to_thread(rename, "anna")
    with pytest.raises(UserNotFound):
        await afind_person("ann")
    assert await afind_person("anna") == Person(ann.id, "anna")


async def test_what_was_read_before_a_change_is_kept_by_nobody_after_it() -> None:
    await asyncio.to_thread(make, "ann")
    slow = await asyncio.to_thread(find_person, "ann")
    await asyncio.to_thread(lambda: Account.objects.get(pk=slow.id).delete())
    await akeep_person("ann", slow)
    assert await akept_person("ann") is None


def test_without_the_store_a_name_can_not_be_changed_as_others_would_not_know() -> None:
    ann = make("ann")
    account = Account.objects.get(pk=ann.id)
    account.username = "anna"
    with store_at("redis://127.0.0.1:9", timeout=0.2), pytest.raises(Unavailable):
        account.save()
    assert find_person("ann") == ann
