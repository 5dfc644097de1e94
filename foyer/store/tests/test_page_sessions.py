"""Sessions of pages: read once in a while, there without the store, and ended everywhere at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore as Rows
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext

from foyer.errors import Unavailable
from foyer.store.page_sessions import SessionStore
from tests.store import store_at

pytestmark = pytest.mark.django_db
AWAY = "redis://127.0.0.1:9"


def begin(**data: Any) -> str:
    """The key of a new session."""
    made = SessionStore()
    made.update(data)
    made.create()
    assert made.session_key
    return made.session_key


def content(key: str) -> dict[str, Any]:
    return dict(SessionStore(key).items())


@pytest.fixture
def queries() -> Iterator[CaptureQueriesContext]:
    with CaptureQueriesContext(connection) as found:
        yield found


def test_a_session_is_read_from_the_cache_by_everyone_after_the_first(queries: CaptureQueriesContext) -> None:
    key = begin(user=5)
    SessionStore(key)._cache.clear()
    assert content(key) == {"user": 5}
    before = len(queries)
    assert content(key) == {"user": 5}
    assert len(queries) == before


def test_what_is_changed_is_read_by_all_from_then_on() -> None:
    key = begin(user=5)
    found = SessionStore(key)
    found["user"] = 6
    found.save()
    assert content(key) == {"user": 6}
    assert Session.objects.get(pk=key).get_decoded() == {"user": 6}


def test_without_the_store_sessions_are_read_and_written_in_sql() -> None:
    key = begin(user=5)
    with store_at(AWAY, timeout=0.2):
        found = SessionStore(key)
        assert found["user"] == 5
        found["user"] = 6
        found.save()
        assert content(key) == {"user": 6}
        assert content(begin(user=7)) == {"user": 7}


def test_a_session_that_ended_is_nobodys_whoever_had_read_it_before() -> None:
    key = begin(user=5)
    slow = SessionStore(key)
    assert slow["user"] == 5
    SessionStore(key).flush()
    slow.keep({"user": 5}, 3600)  # as if it had read the row before that was deleted
    late = SessionStore(key)
    assert not list(late.items())
    assert late.session_key is None
    assert not Session.objects.filter(pk=key).exists()


def test_without_the_store_nobody_signs_out_for_the_session_would_come_back_with_it() -> None:
    key = begin(user=5)
    with store_at(AWAY, timeout=0.2), pytest.raises(Unavailable):
        SessionStore(key).flush()
    assert content(key) == {"user": 5}
    SessionStore(key).flush()
    assert content(key) == {}


def test_a_crash_while_signing_out_leaves_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    key = begin(user=5)

    def crash(*args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Rows, "delete", crash)
        with pytest.raises(KeyboardInterrupt):
            SessionStore(key).flush()
    assert Session.objects.filter(pk=key).exists()
    assert content(key) == {}
    assert not Session.objects.filter(pk=key).exists()


def test_a_session_is_not_kept_for_longer_than_it_lasts() -> None:
    key = begin(user=5)
    found = SessionStore(key)
    found.set_expiry(20)
    found.save()
    assert 0 < found._cache.ttl(found.cache_key) <= 20


@pytest.mark.django_db(transaction=True)
async def test_asynchronous_views_have_the_same_sessions() -> None:
    made = SessionStore()
    await made.aset("user", 5)
    await made.acreate()
    key = made.session_key
    assert key
    assert await SessionStore(key).aget("user") == 5
    await SessionStore(key).aflush()
    assert await SessionStore(key).aget("user") is None
    assert not await SessionStore(key).aexists(key)
