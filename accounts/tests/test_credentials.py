from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from accounts import credentials, operations, passwords, sessions
from accounts.credentials import (
    Attempt,
    Remembered,
    averify,
    remembered,
    sign_in,
    sign_in_by_email,
    try_once,
    verify,
)
from accounts.errors import TooManySignIns
from accounts.models import Account
from accounts.operations import count_failures
from accounts.tests.conftest import PASSWORD
from foyer.errors import BadCredentials, Busy
from foyer.store import steps as store

HERE = "192.0.2.1"


def fail(username: str, address: str = HERE) -> None:
    with pytest.raises(BadCredentials):
        verify(username, "wrong", address)


def test_name_and_password_prove_an_account_whatever_the_names_case(ben: Account) -> None:
    for name in ("Ben", "ben", "BEN", "\uff22\uff45\uff4e"):
        assert verify(name, PASSWORD, HERE) == ben


@pytest.mark.parametrize("username", ["ben", "nobody", "", "a/b", "\0", "x" * 1000, " ben"])
def test_what_is_wrong_is_not_told(ben: Account, username: str) -> None:
    with pytest.raises(BadCredentials) as refused:
        verify(username, "wrong", HERE)
    assert str(refused.value) == BadCredentials.detail


def test_a_disabled_account_can_not_sign_in(person: Callable[..., Account]) -> None:
    person("off", is_active=False)
    person("unusable", password=None)
    for name in ("off", "unusable"):
        with pytest.raises(BadCredentials):
            verify(name, PASSWORD, HERE)


def test_an_unknown_name_takes_as_long_as_a_wrong_password(ben: Account) -> None:
    def seconds(username: str) -> float:
        started = time.perf_counter()
        fail(username)
        return time.perf_counter() - started

    seconds("ben")
    pairs = [(seconds("ben"), seconds("nobody")) for _ in range(9)]
    known, unknown = (statistics.median(column) for column in zip(*pairs, strict=True))
    assert 0.6 < unknown / known < 1.6


@pytest.mark.parametrize("username", ["ben", "nobody"])
def test_failed_sign_ins_are_limited_whether_or_not_the_account_exists(
    ben: Account, settings: Any, username: str
) -> None:
    settings.SIGN_IN_FAILURES = 3
    for _ in range(3):
        fail(username)
    with pytest.raises(TooManySignIns) as refused:
        verify(username.upper(), PASSWORD, HERE)
    assert refused.value.retry_after
    assert 0 < refused.value.retry_after <= 60
    fail(username, "192.0.2.2")
    fail("somebody else")


def test_sign_ins_that_succeed_are_neither_limited_nor_counted(ben: Account, settings: Any) -> None:
    settings.SIGN_IN_FAILURES = settings.SIGN_IN_FAILURES_WIDE = 2
    for _ in range(4):
        credentials.check_current(ben, PASSWORD, HERE)
    fail("ben")
    credentials.check_current(ben, PASSWORD, HERE)
    fail("ben")
    with pytest.raises(TooManySignIns):
        credentials.check_current(ben, PASSWORD, HERE)


def test_past_the_limit_a_right_guess_is_refused_as_a_wrong_one_however_lately_it_was_proven(
    ben: Account, settings: Any
) -> None:
    settings.SIGN_IN_FAILURES = 3
    assert verify("ben", PASSWORD, HERE)
    for _ in range(3):
        fail("ben")
    for password in ("wrong", PASSWORD):
        with pytest.raises(TooManySignIns):
            verify("ben", password, HERE)
        with pytest.raises(TooManySignIns):
            sign_in("ben", password, HERE)


def test_guesses_from_elsewhere_lock_nobody_out_who_is_in_already(ben: Account, settings: Any) -> None:
    settings.SIGN_IN_FAILURES_WIDE = 3
    assert verify("ben", PASSWORD, HERE)
    for number in range(2, 5):
        fail("ben", f"192.0.2.{number}")
    assert verify("ben", PASSWORD, HERE)
    for elsewhere in ("192.0.2.2", "192.0.2.9"):
        with pytest.raises(TooManySignIns):
            verify("ben", PASSWORD, elsewhere)


def test_failures_are_limited_by_address_alone(ben: Account, settings: Any) -> None:
    settings.SIGN_IN_FAILURES_WIDE = 3
    for number in range(3):
        fail(f"guess{number}")
    with pytest.raises(TooManySignIns):
        verify("another", "wrong", HERE)
    assert verify("ben", PASSWORD, "192.0.2.2")


def test_failures_are_limited_by_account_alone(ben: Account, settings: Any) -> None:
    settings.SIGN_IN_FAILURES_WIDE = 3
    for number in range(3):
        fail("ben", f"192.0.2.{number}")
    with pytest.raises(TooManySignIns):
        verify("ben", "wrong", "192.0.2.9")


def test_an_email_address_counts_as_the_account_it_belongs_to(ben: Account, settings: Any) -> None:
    settings.SIGN_IN_FAILURES = 2
    ben.replace_data({"email": "ben@example.com"})
    fail("ben")
    with pytest.raises(BadCredentials):
        sign_in_by_email("BEN@example.com", "wrong", HERE)
    with pytest.raises(TooManySignIns):
        sign_in_by_email("ben@example.com", PASSWORD, HERE)


def test_who_failed_too_often_may_try_again_after_a_while(monkeypatch: Any, settings: Any, db: None) -> None:
    settings.SIGN_IN_FAILURES = 2
    monkeypatch.setattr(credentials, "WINDOW", 400)
    fail("nobody")
    time.sleep(0.2)
    fail("nobody")
    with pytest.raises(TooManySignIns):
        verify("nobody", "wrong", HERE)
    time.sleep(0.25)  # the first failure is outside the window, the second is not
    fail("nobody")
    with pytest.raises(TooManySignIns):
        verify("nobody", "wrong", HERE)


def test_what_is_kept_of_failures_is_bounded_and_names_nobody(settings: Any, db: None) -> None:
    settings.SIGN_IN_FAILURES = settings.SIGN_IN_FAILURES_WIDE = 2
    attempt = Attempt(None, "nobody", "wrong", HERE)
    for _ in range(5):
        count_failures(attempt.limits(), credentials.WINDOW, add=True)
    client = store.client()
    for counted, most in attempt.limits():
        key = operations.counter(counted)
        assert client.llen(key) == most
        assert 0 < client.pttl(key) <= 60_000
        assert "nobody" not in key
        assert HERE not in key


def test_many_at_once_get_past_the_limit_by_no_more_than_are_hashed_at_once(db: None, settings: Any) -> None:
    settings.SIGN_IN_FAILURES = 5

    def attempt(_: int) -> bool:
        try:
            passwords.in_slot(try_once, Attempt(None, "nobody", "wrong", HERE))
        except TooManySignIns:
            return False
        except BadCredentials:
            return True
        raise AssertionError

    with ThreadPoolExecutor(20) as pool:
        hashed = sum(pool.map(attempt, range(40)))
    assert 5 <= hashed < 5 + passwords.slots().size


def test_a_verified_credential_is_hashed_once(ben: Account, monkeypatch: Any) -> None:
    verify("ben", PASSWORD, HERE)

    def hashed(*_: Any) -> Any:
        raise AssertionError("hashed again")

    monkeypatch.setattr(credentials, "in_slot", hashed)
    assert verify("ben", PASSWORD, HERE) == ben
    with pytest.raises(AssertionError):
        verify("ben", "wrong", HERE)


@pytest.mark.django_db(transaction=True)
def test_a_changed_password_or_a_disabled_account_is_not_remembered(ben: Account) -> None:
    verify("ben", PASSWORD, HERE)
    ben.change_password("another")
    fail("ben")
    with pytest.raises(BadCredentials):
        verify("ben", PASSWORD, HERE)
    assert verify("ben", "another", HERE)
    ben.is_active = False
    ben.save()
    with pytest.raises(BadCredentials):
        verify("ben", "another", HERE)


def test_what_is_remembered_is_bounded_and_forgotten() -> None:
    memory = Remembered(most=3, seconds=0.05)
    attempts = [Attempt(None, "ben", str(number), HERE) for number in range(5)]
    for attempt in attempts:
        memory.add("hash", attempt)
    assert [memory.knows("hash", attempt) for attempt in attempts] == [False, False, True, True, True]
    assert not memory.knows("other", attempts[4])
    assert not memory.knows("hash", attempts[4]._replace(address="192.0.2.2"))
    time.sleep(0.06)
    assert not memory.knows("hash", attempts[4])
    assert b"hash" not in b"".join(memory.until)


@pytest.mark.django_db(transaction=True)
async def test_it_is_the_same_on_the_event_loop(settings: Any) -> None:
    settings.SIGN_IN_FAILURES = 2
    ben = await Account.objects.acreate(username="Ben", password=passwords.hash_password(PASSWORD))
    assert await averify("ben", PASSWORD, HERE) == ben
    for name in ("ben", "nobody", "ben"):
        with pytest.raises(BadCredentials):
            await averify(name, "wrong", HERE)
    for password in ("wrong", PASSWORD):
        with pytest.raises(TooManySignIns):
            await averify("ben", password, HERE)
    assert await averify("ben", PASSWORD, "192.0.2.2")


def test_signing_in_begins_a_session(ben: Account) -> None:
    account, session = sign_in("BEN", PASSWORD, HERE)
    assert account == ben
    assert sessions.authenticate(session.token).id == ben.pk


def test_a_password_that_changes_while_it_is_checked_signs_nobody_in(ben: Account, monkeypatch: Any) -> None:
    remembered.until.clear()
    changed: list[int] = []

    def checked(attempt: Attempt) -> Account:
        account = try_once(attempt)
        changed.append(1)
        new = passwords.hash_password("another")
        Account.objects.filter(pk=ben.pk).update(password=new)
        stamp = Account(password=new).standing.stamp
        change = operations.hold(ben.pk, end_all=True)
        operations.keep_copy(ben.standing._replace(stamp=stamp), change)
        return account

    monkeypatch.setattr(credentials, "in_slot", lambda work, attempt: checked(attempt))
    with pytest.raises(BadCredentials):
        sign_in("ben", PASSWORD, HERE)
    assert changed == [1]


@pytest.mark.django_db(transaction=True)
def test_a_hash_of_a_password_as_it_was_sent_is_renewed_and_ends_nothing(ben: Account) -> None:
    sent = "cafe\u0301 noir"
    ben.password = Argon2PasswordHasher.encode(passwords.OwaspArgon2Hasher(), sent, "salt" * 4)
    ben.save()
    for _ in range(2):
        begun = sign_in("ben", sent, HERE).session
        assert sign_in("ben", "caf\u00e9 noir", HERE)
        assert verify("ben", sent, HERE)
        assert sessions.authenticate(begun.token).id == ben.pk


def test_an_account_that_changes_all_the_time_is_told_to_come_back(ben: Account, monkeypatch: Any) -> None:
    monkeypatch.setattr(Account, "renew_copy", lambda self: None)
    operations.start_session(ben.standing._replace(stamp="newer"))
    with pytest.raises(Busy):
        sign_in("ben", PASSWORD, HERE)


@pytest.mark.django_db(transaction=True)
def test_a_copy_of_a_row_that_no_longer_exists_locks_nobody_out(ben: Account) -> None:
    operations.start_session(ben.standing._replace(stamp="as before a backup was restored", is_admin=True))
    account, session = sign_in("ben", PASSWORD, HERE)
    assert account == ben
    assert not sessions.authenticate(session.token).is_admin


def test_signing_in_to_an_account_whose_deletion_was_cut_short_deletes_it(ben: Account) -> None:
    operations.bury(ben.pk)
    with pytest.raises(BadCredentials):
        sign_in("ben", PASSWORD, HERE)
    assert not Account.objects.filter(pk=ben.pk).exists()
