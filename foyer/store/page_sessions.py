"""Sessions of pages, the admin's among them: Django's `cached_db`, for a store that may be away.

The row in SQL is the session; the cache spares reading it again for a while. While the store is away the row alone is
read and written. Who signs out is signed out everywhere at once: the session is marked as ended in the cache before its
row goes, and the mark stays for longer than anything that was read before. Without the store nobody can sign out, so
that no session comes back with it: `Unavailable`, and it goes on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends import cached_db
from django.contrib.sessions.backends.db import SessionStore as Rows

from foyer.errors import FoyerError
from foyer.store.client import STORE_ERRORS

if TYPE_CHECKING:
    from foyer.store.cache import StoreCache

KEPT_FOR = 300
"""Seconds, at most, for which a session is not read again."""
ENDED_FOR = 2 * KEPT_FOR
AWAY = (*STORE_ERRORS, FoyerError)


class SessionStore(cached_db.SessionStore):
    _cache: StoreCache
    _session: dict[str, Any]
    _get_session_from_db: Callable[[], Any]

    def load(self) -> dict[str, Any]:
        place, ended = self.cache_key, self.cache_key + ".ended"
        with contextlib.suppress(*AWAY):
            found = self._cache.get_many([place, ended])
            if ended in found:
                Rows.delete(self)  # a crash may have left it
                self._session_key = None
                return {}
            if place in found:
                return dict(found[place])
        row = self._get_session_from_db()
        if row is None:
            return {}
        data = self.decode(row.session_data)
        self.keep(data, self.get_expiry_age(expiry=row.expire_date))
        return data

    def save(self, must_create: bool = False) -> None:
        Rows.save(self, must_create)
        self.keep(self._session, self.get_expiry_age())

    def keep(self, data: dict[str, Any], lasts: int) -> None:
        with contextlib.suppress(*AWAY):
            self._cache.set(self.cache_key, data, min(lasts, KEPT_FOR))

    def exists(self, session_key: str) -> bool:
        return Rows.exists(self, session_key)

    def delete(self, session_key: str | None = None) -> None:
        """End the session. Raises `Unavailable`, and nothing has happened."""
        key = session_key or self.session_key
        if key is None:
            return
        place = self.cache_key_prefix + key
        self._cache.bar(f"{place}.ended", 1, ENDED_FOR, kept=place)
        Rows.delete(self, key)

    async def aload(self) -> dict[str, Any]:
        return await sync_to_async(self.load)()

    async def asave(self, must_create: bool = False) -> None:
        await sync_to_async(self.save)(must_create)

    async def aexists(self, session_key: str) -> bool:
        return await sync_to_async(self.exists)(session_key)

    async def adelete(self, session_key: str | None = None) -> None:
        await sync_to_async(self.delete)(session_key)
