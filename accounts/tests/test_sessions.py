from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from asgiref.sync import sync_to_async
from django.db import transaction

from accounts import operations
from accounts.callers import Caller
from accounts.errors import AccountChanged, AccountChanging, AccountGone
from accounts.models import Account
from accounts.operations import (
    MOST_SESSIONS,
    Standing,
    check_sessions,
    end_all_sessions,
    end_session,
    start_session,
)
from accounts.sessions import aauthenticate, alook_again, authenticate
from accounts.tokens import Claims, read_token, write_token
from foyer.errors import BadToken, FoyerError, Unavailable
from foyer.store import steps as store

ANN = Standing.of(7, "Ann", False, True, "hash")


def begin(standing: Standing = ANN) -> str:
    return start_session(standing).token


class News:
    """What is published about sessions that end."""

    def __init__(self) -> None:
        client: Any = store.client()
        if store.is_cluster():
            client = client.get_redis_connection(client.get_primaries()[0])  # any node hears of it
        self.pubsub = client.pubsub()
        self.pubsub.subscribe("foyer:sessions")
        assert self.pubsub.get_message(timeout=5)["type"] == "subscribe"

    def next(self) -> Any:
        message = self.pubsub.get_message(timeout=5)
        return json.loads(message["data"]) if message else None


@pytest.fixture
def news() -> Any:
    found = News()
    yield found
    found.pubsub.close()


def test_a_token_says_who_is_calling() -> None:
    session = start_session(ANN)
    caller = authenticate(session.token)
    assert (caller.id, caller.username, caller.is_admin, caller.user_type) == (7, "Ann", False, "user")
    assert caller.expires_at == session.expires_at
    assert caller.session == read_token(session.token).session
    assert time.time() + 24 * 3600 - 5 < session.expires_at <= time.time() + 24 * 3600


async def test_a_token_says_so_on_the_event_loop_too() -> None:
    session = await operations.astart_session(ANN._replace(is_admin=True))
    assert (await aauthenticate(session.token)).user_type == "admin"
    await operations.aend_session(7, read_token(session.token).session)
    with pytest.raises(BadToken):
        await aauthenticate(session.token)


def test_a_token_holds_nothing_personal() -> None:
    content = jwt.decode(begin(), options={"verify_signature": False})
    assert set(content) == {"sub", "sid", "iat", "exp"}
    assert content["sub"] == "7"


def forged(**changes: Any) -> str:
    content = {"sub": "7", "sid": "x", "iat": int(time.time()), "exp": int(time.time()) + 60} | changes
    return jwt.encode(content, "another key that is long enough for it", "HS256")


@pytest.mark.parametrize("ahead", [0, 1.5, 9])
def test_a_token_of_an_instance_whose_clock_is_ahead_is_taken(ahead: float) -> None:
    now = time.time()
    assert read_token(write_token(Claims(7, "x", int(now) + 60), math.ceil(now + ahead))).session == "x"


def test_a_token_of_a_time_to_come_is_not_and_nothing_is_added_to_the_end_of_one() -> None:
    now = int(time.time())
    for begins, ends in ((now + 60, now + 120), (now - 60, now), (now - 60, now - 1), (now + 5, now - 1)):
        with pytest.raises(BadToken):
            read_token(write_token(Claims(7, "x", ends), begins))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "é.é.é",
        "\x00",
        forged(),
        jwt.encode({"sub": "7", "sid": "x", "exp": 2**40}, "", "none"),
        write_token(Claims(7, "x", int(time.time()) - 1), int(time.time()) - 100),
        "A" * 60_000,
    ],
)
def test_a_forged_or_expired_token_is_refused_without_asking_redis(token: str, monkeypatch: Any) -> None:
    def asked(*_: Any) -> Any:
        raise AssertionError("Redis was asked")

    monkeypatch.setattr(store, "run", asked)
    with pytest.raises(BadToken):
        authenticate(token)


def test_a_session_that_ended_ends_its_token_alone(news: News) -> None:
    one, other = begin(), begin()
    end_session(7, read_token(one).session)
    with pytest.raises(BadToken):
        authenticate(one)
    assert authenticate(other)
    assert news.next() == {"user": 7, "session": read_token(one).session}


def test_signing_out_everywhere_ends_every_token(news: News) -> None:
    tokens = [begin() for _ in range(3)]
    end_all_sessions(7)
    for token in tokens:
        with pytest.raises(BadToken):
            authenticate(token)
    assert news.next() == {"user": 7, "session": None}
    assert authenticate(begin())


def test_a_session_ends_when_its_time_is_over() -> None:
    claims = Claims(7, "soon", int(time.time()) + 100)
    ended = int(time.time() * 1000) - 1
    store.run(operations.LIBRARY.call("start_session", ["{user:7}"], "soon", ended, 50, 10_000, *ANN.copy))
    with pytest.raises(BadToken):
        authenticate(write_token(claims, int(time.time())))
    assert check_sessions([Caller(7, "Ann", False, "soon", 0)]) == [False]
    begin()
    assert store.client().hkeys("{user:7}:sessions") != [b"soon"]
    assert store.client().hlen("{user:7}:sessions") == 1


def test_nothing_is_kept_longer_than_a_session(settings: Any) -> None:
    begin()
    for key in ("sessions", "account"):
        assert 0 < store.client().pttl(f"{{user:7}}:{key}") <= 24 * 3600 * 1000


def test_of_too_many_sessions_the_oldest_ends(news: News) -> None:
    client = store.client()
    now = int(time.time() * 1000)
    for number in range(MOST_SESSIONS):
        client.hset("{user:7}:sessions", f"s{number:02}", now + 100_000 + number)
    token = begin()
    assert client.hlen("{user:7}:sessions") == MOST_SESSIONS
    assert not client.hexists("{user:7}:sessions", "s00")
    assert client.hexists("{user:7}:sessions", "s01")
    assert news.next() == {"user": 7, "session": "s00"}
    assert authenticate(token)


def test_a_step_that_is_repeated_changes_nothing() -> None:
    call = next(operations._start_session(ANN))
    assert isinstance(call, store.Call)
    assert [store.run(call), store.run(call)] == [1, 1]


def test_sessions_are_looked_at_together() -> None:
    other = Standing.of(8, "Bo", False, True, "hash")
    tokens = [begin(), begin(other), begin()]
    callers = [authenticate(token) for token in tokens]
    end_session(7, callers[2].session or "")
    without = [Caller(7, "Ann", False), Caller(9, "Cy", False)]
    assert check_sessions([*callers, *without]) == [True, True, False, True, True]
    assert check_sessions([]) == []


async def test_sessions_are_looked_at_on_the_event_loop() -> None:
    caller = await aauthenticate((await operations.astart_session(ANN)).token)
    assert await operations.acheck_sessions([caller, Caller(7, "Ann", False, "other", 0)]) == [True, False]


@pytest.mark.django_db(transaction=True)
async def test_who_signed_in_by_password_is_signed_out_by_another_one_also_where_the_copy_is_gone(
    ben: Account,
) -> None:
    caller = ben.caller
    for drop_copy in (False, True):
        await operations.astart_session(ben.standing)
        if drop_copy:
            store.client().delete(f"{{user:{ben.pk}}}:account")
        assert await alook_again([caller]) == [True]
    await sync_to_async(ben.change_password)("another one")
    for drop_copy in (False, True):
        if drop_copy:
            store.client().delete(f"{{user:{ben.pk}}}:account")
        assert await alook_again([caller, ben.caller]) == [False, True]


def test_while_the_row_changes_no_session_starts_and_the_row_is_asked(ben: Account) -> None:
    token = begin(ben.standing)
    change = operations.hold(ben.pk, end_all=False)
    with pytest.raises(AccountChanging):
        begin(ben.standing)
    Account.objects.filter(pk=ben.pk).update(is_staff=True)
    assert authenticate(token).is_admin
    assert store.client().hkeys(f"{{user:{ben.pk}}}:account") == [b"hold"]
    ben.refresh_from_db()
    operations.keep_copy(ben.standing, change)
    assert store.client().hget(f"{{user:{ben.pk}}}:account", "is_admin") == b"1"
    assert authenticate(token).is_admin
    assert begin(ben.standing)


def test_a_hold_that_was_left_behind_ends_by_itself(ben: Account) -> None:
    token = begin(ben.standing)
    operations.hold(ben.pk, end_all=False)
    assert 0 < store.client().pttl(f"{{user:{ben.pk}}}:account") <= operations.HOLD
    store.client().delete(f"{{user:{ben.pk}}}:account")  # as its expiry does
    assert authenticate(token).username == "Ben"
    assert store.client().hget(f"{{user:{ben.pk}}}:account", "username") == b"Ben"


def test_a_reader_of_an_outdated_row_replaces_no_copy() -> None:
    begin(ANN._replace(is_admin=True))
    operations.keep_copy(ANN)
    change = operations.hold(7, end_all=False)
    operations.keep_copy(ANN)
    operations.keep_copy(ANN, "another change")
    assert store.client().hget("{user:7}:account", "hold") == change.encode()


def test_a_sign_in_with_an_outdated_password_begins_no_session() -> None:
    begin(ANN)
    with pytest.raises(AccountChanged):
        begin(Standing.of(7, "Ann", False, True, "older hash"))
    operations.keep_copy(ANN._replace(is_active=False), operations.hold(7, end_all=True))
    with pytest.raises(AccountChanged):
        begin(ANN)


@pytest.mark.django_db(transaction=True)
async def test_a_missing_copy_is_filled_on_the_event_loop() -> None:
    ann = await Account.objects.acreate(username="Ann", password="!")
    token = (await operations.astart_session(ann.standing)).token
    await asyncio.to_thread(store.client().delete, f"{{user:{ann.pk}}}:account")
    assert (await aauthenticate(token)).username == "Ann"
    assert await asyncio.to_thread(store.client().exists, f"{{user:{ann.pk}}}:account")


def test_a_token_of_a_row_that_is_gone_or_disabled_is_refused(ben: Account) -> None:
    token = begin(ben.standing)
    operations.hold(ben.pk, end_all=False)
    Account.objects.filter(pk=ben.pk).update(is_active=False)
    with pytest.raises(BadToken):
        authenticate(token)
    Account.objects.filter(pk=ben.pk).delete()
    with pytest.raises(BadToken):
        authenticate(token)


def test_a_buried_account_is_written_to_no_more(news: News) -> None:
    token = begin()
    operations.bury(7)
    operations.bury(7)
    assert news.next() == {"user": 7, "session": None}
    attempts: list[Callable[[], str]] = [begin, lambda: operations.hold(7, end_all=False)]
    for attempt in attempts:
        with pytest.raises(AccountGone):
            attempt()
    operations.keep_copy(ANN)
    with pytest.raises(BadToken):
        authenticate(token)
    assert check_sessions([Caller(7, "Ann", False)]) == [False]
    assert store.client().keys("{user:7}*") == [b"{user:7}:gone"]
    assert operations.is_gone(7)
    assert not operations.is_gone(8)
    assert 29 < store.client().ttl("{user:7}:gone") / 86400 <= 30


# The row and its copy, kept in step by `Account.save`


@pytest.mark.django_db(transaction=True)
def test_a_promotion_is_seen_by_tokens_at_once(ben: Account) -> None:
    token = begin(ben.standing)
    ben.is_staff = True
    ben.save()
    assert authenticate(token).is_admin


@pytest.mark.django_db(transaction=True)
def test_who_is_admin_no_more_is_signed_out(boss: Account, news: News) -> None:
    token = begin(boss.standing)
    boss.is_staff = False
    boss.save(update_fields=["is_staff"])
    assert news.next() == {"user": boss.pk, "session": None}
    with pytest.raises(BadToken):
        authenticate(token)
    assert not authenticate(begin(boss.standing)).is_admin


@pytest.mark.django_db(transaction=True)
def test_a_disabled_account_is_signed_out_and_stays_out(ben: Account, news: News) -> None:
    token, enabled = begin(ben.standing), ben.standing
    ben.is_active = False
    ben.save()
    assert news.next() == {"user": ben.pk, "session": None}
    with pytest.raises(BadToken):
        authenticate(token)
    with pytest.raises(AccountChanged):
        begin(enabled)
    assert check_sessions([Caller(ben.pk, "Ben", False)]) == [False]
    ben.is_active = True
    ben.save()
    assert authenticate(begin(ben.standing))


@pytest.mark.django_db(transaction=True)
def test_other_changes_end_nothing_and_hold_nothing(ben: Account) -> None:
    token = begin(ben.standing)
    ben.replace_data({"a": 1})
    ben.save(update_fields=["last_login"])
    assert authenticate(token)
    assert store.client().hexists(f"{{user:{ben.pk}}}:account", "stamp")
    ben.save()  # everything, as the admin does
    assert authenticate(token)


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_leaves_no_outdated_copy(ben: Account) -> None:
    token = begin(ben.standing)
    ben.is_staff = True
    with transaction.atomic():
        ben.save()
        transaction.set_rollback(True)
    assert not authenticate(token).is_admin


@pytest.mark.django_db(transaction=True)
def test_a_crash_between_any_two_steps_of_a_change_leaves_no_outdated_copy(ben: Account, monkeypatch: Any) -> None:
    token = begin(ben.standing)

    def crash(*_: Any, **__: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("django.contrib.auth.models.AbstractBaseUser.save", crash)  # after the hold, before the row
        ben.is_staff = True
        with pytest.raises(SystemExit):
            ben.save()
    assert not authenticate(token).is_admin
    store.client().delete(f"{{user:{ben.pk}}}:account")
    assert not authenticate(token).is_admin

    with monkeypatch.context() as patch:
        patch.setattr(operations, "keep_copy", crash)  # after the row, before the copy
        with pytest.raises(SystemExit):
            ben.save()
    assert authenticate(token).is_admin


@pytest.mark.django_db(transaction=True)
def test_nothing_changes_while_the_store_is_away(ben: Account, monkeypatch: Any) -> None:
    def away(*_: Any) -> Any:
        raise Unavailable

    monkeypatch.setattr(store, "run", away)
    ben.is_staff = True
    for change in (ben.save, ben.delete):
        with pytest.raises(Unavailable):
            change()
    assert not Account.objects.get(pk=ben.pk).is_staff


def test_every_refusal_of_the_stored_functions_has_a_name() -> None:
    for text in ("account_gone", "account_changing", "account_changed", "bad_token"):
        assert text in FoyerError.by_code
