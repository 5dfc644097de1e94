"""Notices are stored, then told to every process, which tells its sockets and streams.

If a process has no connection to the store at that moment, its clients find the notice in the list only. The list is
cached, and never older than what is stored: before a change it is barred, for longer than anybody takes from reading
the rows to keeping them.
"""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import orjson
from django.core.cache import caches
from django.utils import timezone

from accounts.callers import Caller
from accounts.operations import user_tag
from foyer.realtime.connection import NOTICE
from foyer.realtime.control import tell_everybody
from foyer.realtime.retries import Attempt, remembered_creation
from foyer.store.client import STORE_ERRORS
from foyer.store.steps import Query, Steps, operation
from foyer.times import time_text
from moderation.notices.errors import NoticeNotFound
from moderation.notices.models import Notice

if TYPE_CHECKING:
    from foyer.store.cache import StoreCache

PLACE = "notices"
KEPT_FOR, BARRED_FOR = 60, 10
"""Seconds."""


def _publish(caller: Caller, text: str, level: str, until: datetime | None, retry_key: str | None) -> Steps[bytes]:
    """Make a notice and tell everybody. Returns it as JSON. Raises `RetryKeyReused`, `Unavailable`."""
    told = None if until is None else time_text(until)

    def create(attempt: Attempt) -> Steps[bytes]:
        row = yield Query(store, (attempt.token, caller.id or None, text, level, until))
        notice: bytes = orjson.dumps(row.as_json())
        yield Query(tell_everybody, (b'{"type":"%b",%b' % (NOTICE.encode(), notice[1:]),))
        return notice

    request = orjson.dumps([text, level, told])
    return (yield from remembered_creation(user_tag(caller.id), "notice", retry_key, request, create))


def store(token: str, by: int | None, text: str, level: str, until: datetime | None) -> Notice:
    """The notice that a creation made, or makes now."""
    list_cache().bar(PLACE, (), BARRED_FOR)
    given = {"by_id": by, "text": text, "level": level, "until": until}
    notice: Notice = Notice.objects.get_or_create(token=token, defaults=given)[0]
    return notice


publish, _ = operation(_publish)


def withdraw(notice_id: int) -> None:
    """Delete a notice. Raises `NoticeNotFound`, `Unavailable`."""
    list_cache().bar(PLACE, (), BARRED_FOR)
    if not Notice.objects.filter(pk=notice_id).delete()[0]:
        raise NoticeNotFound


def in_force() -> list[dict[str, Any]]:
    """The notices that hold now, the first first, as clients see them."""
    kept = list_cache().get(PLACE)
    if not isinstance(kept, list):
        kept = [notice.as_json() for notice in Notice.objects.in_force(timezone.now())]
        with contextlib.suppress(*STORE_ERRORS):  # a store that is full keeps nothing more
            list_cache().add(PLACE, kept, KEPT_FOR)
    now = time_text(timezone.now())
    return [notice for notice in kept if notice["until"] is None or notice["until"] > now]


def list_cache() -> StoreCache:
    return cast("StoreCache", caches["default"])
