from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import FieldError

from accounts import operations, sessions
from accounts.errors import AccountGone
from accounts.models import Account, Connection, Session
from foyer.errors import BadToken
from foyer.realtime.presence import ONLINE, arrive
from foyer.store.models import NotInRedis
from tests.steps import round_trips

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ann() -> Account:
    return Account.objects.create_user("ann", None)


@pytest.fixture
def ben() -> Account:
    return Account.objects.create_user("ben", None)


def arrived(count: int) -> None:
    for number in range(1, count + 1):
        arrive(ONLINE, "one", [(number, f"user {number}")])


def test_a_session_is_begun_for_an_account_and_its_token_is_told_once(ann: Account) -> None:
    session = Session.objects.create(account=ann)
    assert sessions.authenticate(session.token).id == ann.pk
    assert abs(session.ends_at - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=1)
    found = Session.objects.get(pk=session.pk)
    assert (found, found.account, found.began_at, found.token) == (session, ann, session.began_at, "")


def test_sessions_of_an_account_are_listed_the_latest_first(ann: Account, ben: Account, settings: Any) -> None:
    made = []
    for hours in (3, 1, 2):
        settings.SESSION_LIFETIME = timedelta(hours=hours)
        made.append(Session.objects.create(account=ann))
    longest, shortest, middle = made
    Session.objects.create(account=ben)
    for of_ann in (ann.sessions.all(), Session.objects.filter(account=ann), Session.objects.filter(account=ann.pk)):
        assert list(of_ann) == [longest, middle, shortest]
        assert list(of_ann.reverse()) == [shortest, middle, longest]
    assert ann.sessions.first() == longest
    with pytest.raises(NotInRedis, match=r"Say which: filter\(account=…\)"):
        list(Session.objects.all())


def test_ending_a_session_ends_its_token_alone(ann: Account) -> None:
    first, second = (Session.objects.create(account=ann) for _ in range(2))
    assert first.delete() == (1, {"accounts.Session": 1})
    with pytest.raises(BadToken):
        sessions.authenticate(first.token)
    assert sessions.authenticate(second.token)
    with pytest.raises(Session.DoesNotExist):
        first.refresh_from_db()


def test_nothing_about_a_session_can_be_changed(ann: Account) -> None:
    session = Session.objects.create(account=ann)
    session.ends_at += timedelta(days=365)
    with pytest.raises(NotInRedis, match=r"to set ends_at .* What can be set: nothing\."):
        session.save()
    with pytest.raises(NotInRedis, match=r"What can be set: account_id\."):
        Session.objects.create(account=ann, ends_at=datetime.now(UTC))


def test_no_session_begins_for_an_account_that_is_gone(ann: Account) -> None:
    operations.bury(ann.pk)
    with pytest.raises(AccountGone):
        Session.objects.create(account=ann)


@pytest.mark.parametrize("pk", ["", "x", "1", "1-", "1-x", "-x", "²-x", "99-x", "9" * 30 + "-x", None])
def test_what_is_no_id_of_a_session_belongs_to_none(ann: Account, pk: Any) -> None:
    with pytest.raises(Session.DoesNotExist):
        Session.objects.get(pk=pk)


def test_sql_knows_no_way_from_accounts_to_sessions() -> None:
    lookup: dict[str, Any] = {"sessions__ends_at": None}
    with pytest.raises(FieldError, match="Cannot resolve keyword 'sessions'"):
        Account.objects.filter(**lookup)


def test_deleting_an_account_takes_no_sql_about_its_sessions(ann: Account) -> None:
    Session.objects.create(account=ann)
    ann.delete()
    assert not Account.objects.exists()


async def test_sessions_can_be_awaited(ann: Account) -> None:
    session = await Session.objects.acreate(account=ann)
    assert str(await Session.objects.aget(pk=session.pk)) == str(session)
    assert [found async for found in Session.objects.filter(account=ann)] == [session]
    await session.adelete()
    assert not await Session.objects.filter(account=ann).aexists()


def test_who_is_connected_is_listed_the_latest_first_from_any_place() -> None:
    arrived(5)
    assert Connection.objects.count() == 5
    assert round_trips(Connection.objects.count) == 1
    assert {connection.pk for connection in Connection.objects.all()} == {1, 2, 3, 4, 5}
    whole = list(Connection.objects.all())
    assert [connection.since for connection in whole] == sorted((one.since for one in whole), reverse=True)
    assert list(Connection.objects.all()[1:3]) == whole[1:3]
    assert list(Connection.objects.all()[3:]) == whole[3:]
    assert list(Connection.objects.all().iterator(chunk_size=2)) == whole
    assert Connection.objects.all()[1:3].count() == 2
    with pytest.raises(NotInRedis, match="The latest come first"):
        Connection.objects.last()


def test_a_connection_is_found_by_its_account(ann: Account) -> None:
    arrive(ONLINE, "one", [(ann.pk, "ann")])
    arrive(ONLINE, "two", [(ann.pk, "ann")])
    found = Connection.objects.get(pk=ann.pk)
    assert (found.username, found.instances) == ("ann", 2)
    assert [line.partition(",")[0] for line in found.places.splitlines()] == ["one", "two"]
    for nobody in (99, "x", "", None, "²"):
        assert not Connection.objects.filter(pk=nobody).exists()


def test_ending_a_connection_ends_the_sessions_of_its_user(ann: Account) -> None:
    token = Session.objects.create(account=ann).token
    arrive(ONLINE, "one", [(ann.pk, "ann")])
    Connection.objects.get(pk=ann.pk).delete()
    with pytest.raises(BadToken):
        sessions.authenticate(token)


def test_connections_come_and_go_by_themselves(ann: Account) -> None:
    with pytest.raises(NotInRedis, match="come and go by themselves"):
        Connection.objects.create()
