from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password

from accounts import passwords
from accounts.passwords import OwaspArgon2Hasher, ain_slot, check_new_password, hash_password, in_slot, matches


def test_passwords_are_hashed_with_argon2id_at_owasps_minimum() -> None:
    encoded = hash_password("secret")
    parameters = extract_parameters(encoded.removeprefix("argon2"))
    assert parameters.type == Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19456, 2, 1)
    assert "secret" not in encoded
    assert len(encoded) <= 128
    assert hash_password("secret") != encoded


@pytest.mark.parametrize("password", ["pass", "qwerty123456", "ä" * 128, "  a b ", "nul\0", "\U0001f600"])
def test_a_password_matches_its_hash_and_no_other(password: str) -> None:
    encoded = make_password(password)
    assert matches(password, encoded)
    assert not matches(password + " ", encoded)


@pytest.mark.parametrize(
    ("one", "other"), [("caf\u00e9", "cafe\u0301"), ("\u212bng", "\u00c5ng"), ("a\u00a0b\u3000", "a b ")]
)
def test_a_password_matches_however_it_is_composed(one: str, other: str) -> None:
    for chosen, typed in ((one, other), (other, one)):
        assert matches(typed, make_password(chosen))


@pytest.mark.parametrize("other", ["cafe", "Café", "caf\u00e9\u200d", "ｃafé"])
def test_another_password_is_another(other: str) -> None:
    assert not matches(other, make_password("caf\u00e9"))


def test_a_hash_of_a_password_as_it_was_sent_is_taken() -> None:
    sent = "cafe\u0301"
    encoded = Argon2PasswordHasher.encode(OwaspArgon2Hasher(), sent, "salt" * 4)
    assert matches(sent, encoded)
    assert not matches("caf\u00e9", encoded)


def test_no_password_matches_where_there_is_none() -> None:
    assert not matches("", None)
    assert not matches("x", "")
    assert not matches("x", make_password(None))


@pytest.mark.parametrize("password", ["", "x" * 129])
def test_a_password_has_a_length(password: str) -> None:
    with pytest.raises(ValueError, match="1 to 128"):
        check_new_password(password)


def test_the_settings_say_what_may_be_chosen(settings: Any) -> None:
    check_new_password("pass")
    validators = "django.contrib.auth.password_validation"
    settings.AUTH_PASSWORD_VALIDATORS = [
        {"NAME": f"{validators}.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
        {"NAME": f"{validators}.CommonPasswordValidator"},
    ]
    for weak in ("1234567", "password1"):
        with pytest.raises(ValueError, match="password is too"):
            check_new_password(weak)
    check_new_password("long enough and rare")


def test_no_more_than_the_cores_hash_at_once() -> None:
    lock, at_once, most = threading.Lock(), 0, 0

    def work() -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        matches("x", None)
        with lock:
            at_once -= 1

    with ThreadPoolExecutor(16) as pool:
        for future in [pool.submit(in_slot, work) for _ in range(16)]:
            future.result()
    assert most <= passwords.slots().size


async def test_the_event_loop_goes_on_while_a_password_is_hashed() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    assert not await ain_slot(matches, "x", None)
    ticking.cancel()
    assert ticks > 10
