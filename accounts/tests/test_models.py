from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import models, operations, passwords, sessions
from accounts.credentials import verify
from accounts.errors import EmailTaken, UsernameTaken, UserNotFound
from accounts.models import DATA_SIZE, Account, before_deletion, fingerprint, merged
from accounts.serializers import AccountSerializer
from accounts.tests.conftest import PASSWORD
from foyer.api.retry_keys import RetryKey
from foyer.errors import BadToken, InvalidInput, RetryKeyReused, Unavailable

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=8
)
objects = st.dictionaries(text.filter(lambda name: name != "email"), values, max_size=4)

KEY = RetryKey("address 192.0.2.1", "k-1")


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What `work` returns or raises, for each of `count` threads that start together."""
    start = threading.Barrier(count)

    def run(number: int) -> Any:
        try:
            start.wait(10)
            return work(number)
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(objects)
def test_data_comes_out_as_it_went_in(data: dict[str, Any]) -> None:
    account, _ = Account.objects.get_or_create(username="ann")
    account.replace_data(data)
    found = Account.objects.get(pk=account.pk).data
    assert found == data
    assert repr(found) == repr(data)  # the order of keys, and 1.0 is not 1


@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.text(st.characters(), max_size=66))
def test_a_name_comes_out_as_it_is_stored_and_is_found_in_any_case(name: str) -> None:
    try:
        account = Account.draft(name, "pass", {})
    except InvalidInput:
        assert Account.objects.called(name) is None
        return
    account.save()
    assert Account.objects.get(pk=account.pk).username == account.username
    assert Account.objects.called(name) == Account.objects.called(account.username.swapcase().casefold()) == account
    Account.objects.filter(pk=account.pk).delete()


def test_signing_up_makes_an_account(db: None) -> None:
    account = Account.sign_up("User Name", "pass", {"phone": 2**70, "email": "u@example.com"})
    stored = Account.objects.get(pk=account.pk)
    assert AccountSerializer(stored).data == {
        "id": str(account.pk),
        "username": "User Name",
        "user_type": "user",
        "created_at": stored.created_at,
        "data": {"phone": 2**70, "email": "u@example.com"},
    }
    assert stored.email == "u@example.com"
    assert "pass" not in stored.password.split("$")
    assert verify("user name", "pass", "") == account


def test_everything_that_is_wrong_is_told_at_once(db: None) -> None:
    with pytest.raises(InvalidInput) as refused:
        Account.sign_up("a/b", "x" * 200, {"email": "nope"})
    assert set(refused.value.fields) == {"username", "password", "email"}


@pytest.mark.parametrize("email", ["", 5, [], {}, False, "a@b", "a@example.com" + "m" * 300, "é@example.com"])
def test_an_address_that_is_none_is_refused(db: None, email: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        Account.sign_up("ann", "pass", {"email": email})
    assert set(refused.value.fields) == {"email"}


def test_an_address_may_be_null(db: None) -> None:
    for name in ("ann", "bo"):
        assert Account.sign_up(name, "pass", {"email": None}).data == {"email": None}


def test_data_has_a_size(db: None) -> None:
    fits = {"x": "é" * ((DATA_SIZE - 8) // 2)}
    assert Account.sign_up("ann", "pass", fits).data == fits
    with pytest.raises(InvalidInput):
        Account.sign_up("bo", "pass", {"x": "é" * (DATA_SIZE // 2)})


def test_names_and_addresses_are_taken_whatever_their_case(db: None) -> None:
    Account.sign_up("Ann", "pass", {"email": "Ann@Example.com"})
    with pytest.raises(UsernameTaken):
        Account.sign_up("aNN", "pass", {})
    with pytest.raises(EmailTaken):
        Account.sign_up("bo", "pass", {"email": "ann@example.COM"})
    bo = Account.sign_up("bo", "pass", {})
    for change in (bo.replace_data, bo.merge_data):
        with pytest.raises(EmailTaken):
            change({"email": "ann@example.com"})
    assert Account.objects.get(pk=bo.pk).data == {}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("field", ["username", "email"])
def test_of_two_who_want_one_name_at_once_one_gets_it(field: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(Account, "refuse_if_taken", lambda self: None)  # leave it to the database
    race = {
        "username": lambda number: Account.sign_up("AnN" if number % 2 else "ann", "pass", {}),
        "email": lambda number: Account.sign_up(f"ann{number}", "pass", {"email": "a@example.com"}),
    }
    results = at_once(4, race[field])
    assert sum(isinstance(result, Account) for result in results) == 1
    assert Account.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_loses_the_race_is_told_that_the_name_is_taken() -> None:
    results = at_once(4, lambda number: Account.sign_up("ann", "pass", {}))
    assert sorted(type(result).__name__ for result in results) == ["Account"] + ["UsernameTaken"] * 3


# Retries


def test_a_retried_sign_up_finds_the_account_it_made(db: None) -> None:
    first = Account.sign_up("ann", "pass", {"a": 1, "b": 2}, KEY)
    again = Account.sign_up("ann", "pass", {"b": 2, "a": 1}, KEY)
    assert again == first
    assert Account.objects.count() == 1


@pytest.mark.parametrize(
    "other", [("bo", "pass", {"a": 1}), ("ann", "other", {"a": 1}), ("ann", "pass", {"a": 2}), ("ann", "pass", {})]
)
def test_a_retry_key_with_another_body_is_refused(db: None, other: tuple[str, str, dict[str, Any]]) -> None:
    Account.sign_up("ann", "pass", {"a": 1}, KEY)
    with pytest.raises(RetryKeyReused):
        Account.sign_up(*other, KEY)
    assert Account.objects.count() == 1


def test_a_retry_key_belongs_to_who_sent_it(db: None) -> None:
    Account.sign_up("ann", "pass", {}, KEY)
    assert Account.sign_up("bo", "pass", {}, KEY._replace(sender="user 1")).username == "bo"


def test_a_retry_key_is_forgotten_after_a_day(db: None) -> None:
    first = Account.sign_up("ann", "pass", {}, KEY)
    aged = first.created_at - django_settings.RETRY_KEY_LIFETIME - timedelta(seconds=1)
    Account.objects.filter(pk=first.pk).update(created_at=aged)
    assert Account.sign_up("bo", "pass", {}, KEY).username == "bo"
    first.refresh_from_db()
    assert first.retry_key is None


def test_what_is_stored_of_a_retry_tells_nothing(db: None) -> None:
    account = Account.sign_up("ann", "pass", {}, KEY)
    assert account.retry_key is not None
    assert len(account.retry_key) == len(account.retry_request) == 64
    assert account.retry_request == fingerprint("ann", {})  # without the password


@pytest.mark.django_db(transaction=True)
def test_of_two_retries_at_once_both_get_the_one_account() -> None:
    results = at_once(4, lambda number: Account.sign_up("ann", "pass", {"a": 1}, KEY))
    assert len({result.pk for result in results}) == 1
    assert Account.objects.count() == 1


# Data


@pytest.mark.parametrize(
    ("old", "patch", "new"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({}, {"a": None}, {}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": None, "d": 3}}, {"a": {"c": 2, "d": 3}}),
        ({"a": [1]}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": [None]}, {"a": [None]}),
    ],
)
def test_a_patch_is_merged(old: Any, patch: Any, new: Any) -> None:
    assert merged(old, patch) == new


@pytest.mark.django_db(transaction=True)
def test_of_patches_made_at_once_none_is_lost() -> None:
    ann = Account.objects.create_user("ann")
    results = at_once(6, lambda number: Account.objects.get(pk=ann.pk).merge_data({f"k{number}": number}))
    assert results == [None] * 6
    assert Account.objects.get(pk=ann.pk).data == {f"k{number}": number for number in range(6)}


def test_an_address_comes_and_goes_with_the_data(ben: Account) -> None:
    ben.merge_data({"email": "B@example.com"})
    assert Account.objects.with_email("b@EXAMPLE.com") == ben
    ben.merge_data({"email": None})
    assert Account.objects.with_email("b@example.com") is None
    assert Account.objects.with_email("nope") is None


def test_an_account_that_is_gone_is_not_written(ben: Account) -> None:
    Account.objects.filter(pk=ben.pk).delete()
    changes: list[Callable[[], None]] = [
        lambda: ben.replace_data({}),
        lambda: ben.change_password("new"),
        ben.save,
    ]
    for change in changes:
        with pytest.raises(UserNotFound):
            change()


# Passwords


@pytest.mark.django_db(transaction=True)
def test_a_changed_password_ends_every_session(ben: Account) -> None:
    tokens = [operations.start_session(ben.standing).token for _ in range(2)]
    ben.change_password("another")
    for token in tokens:
        with pytest.raises(BadToken):
            sessions.authenticate(token)
    assert verify("ben", "another", "")
    assert operations.start_session(ben.standing)


def test_a_password_that_may_not_be_is_refused(ben: Account) -> None:
    with pytest.raises(InvalidInput) as refused:
        ben.change_password("")
    assert set(refused.value.fields) == {"new"}


# Leaving


@pytest.fixture
def told() -> Iterator[list[int]]:
    """Who was told of as leaving, by a hook of this test."""
    found: list[int] = []
    before_deletion.append(found.append)
    yield found
    before_deletion.remove(found.append)


@pytest.mark.django_db(transaction=True)
def test_deleting_an_account_ends_its_sessions_and_tells_the_other_apps(ben: Account, told: list[int]) -> None:
    token, number = operations.start_session(ben.standing).token, ben.pk
    ben.delete()
    assert told == [number]
    assert not Account.objects.filter(pk=number).exists()
    with pytest.raises(BadToken):
        sessions.authenticate(token)
    again = Account.sign_up("Ben", "pass", {})
    assert again.pk != number


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", ["bury", "hook", "row"])
def test_a_deletion_that_was_cut_short_anywhere_can_be_repeated(
    ben: Account, told: list[int], step: str, monkeypatch: Any
) -> None:
    number = ben.pk

    def crash(*_: Any, **__: Any) -> Any:
        raise SystemExit

    with monkeypatch.context() as patch:
        if step == "bury":
            patch.setattr(operations, "bury", crash)
        elif step == "hook":
            patch.setattr(models, "before_deletion", [crash])
        else:
            patch.setattr("django.db.models.Model.delete", crash)
        with pytest.raises(SystemExit):
            ben.delete()
    row = Account.objects.get(pk=number)
    if step == "bury":
        assert operations.start_session(row.standing)  # nothing has happened
    assert verify("ben", PASSWORD, "") == row
    row.delete()
    assert not Account.objects.filter(pk=number).exists()
    assert told[-1] == number


def test_the_name_of_an_account_whose_deletion_was_cut_short_is_free(ben: Account, told: list[int]) -> None:
    operations.bury(ben.pk)
    assert Account.sign_up("ben", "pass", {}).pk != ben.pk
    assert told == [ben.pk]


def test_nothing_is_deleted_while_the_store_is_away(ben: Account, told: list[int], monkeypatch: Any) -> None:
    def away(*_: Any) -> None:
        raise Unavailable

    monkeypatch.setattr(operations, "bury", away)
    with pytest.raises(Unavailable):
        ben.delete()
    assert told == []
    assert Account.objects.filter(pk=ben.pk).exists()


# What Django's own commands use


def test_a_superuser_is_an_admin(db: None) -> None:
    admin = Account.objects.create_superuser("admin", "admin")
    assert (admin.user_type, admin.is_superuser) == ("admin", True)
    assert Account.objects.get_by_natural_key("ADMIN") == admin
    assert str(admin) == "admin"


def test_an_account_without_a_password_can_not_sign_in(db: None) -> None:
    assert not Account.objects.create_user("robot").has_usable_password()
    assert not passwords.matches("", Account.objects.get(username="robot").password)


def test_many_accounts_may_be_made_at_once(db: None) -> None:
    Account.objects.bulk_create([Account(username=f"Bench {number}") for number in range(3)])
    assert Account.objects.called("bench 2") is not None
