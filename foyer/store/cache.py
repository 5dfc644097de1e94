"""Django's cache, in the store, beside everything else that is kept there.

It uses the process' own connections, which are made when it is first used. An entry may be gone at any moment; nothing
is kept only here. While the store is away, threads get the error of redis-py and the event loop gets `Unavailable`;
both are answered 503. With `IGNORE_EXCEPTIONS`, an option of django-redis, threads find the cache empty.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import redis.cluster
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django_redis.cache import RedisCache
from django_redis.client.default import DefaultClient, glob_escape
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import OutOfMemoryError

from foyer.errors import FoyerError
from foyer.store.client import STORE_ERRORS, client
from foyer.store.functions import Plain
from foyer.store.loop_client import on_loop
from foyer.store.replies import refuse


class StoreClient(DefaultClient):
    """The client of django-redis for our store: one server or a cluster, embedded or not."""

    def get_client(self, write: bool = True, tried: list[int] | None = None) -> Any:
        try:
            return client()
        except (FoyerError, *STORE_ERRORS) as error:
            raise ConnectionInterrupted(connection=None) from error

    def get_client_with_index(self, write: bool = True, tried: list[int] | None = None) -> tuple[Any, int]:
        return self.get_client(), 0

    def get_many(self, keys: Collection[str], version: int | None = None, client: Any = None) -> dict[str, Any]:
        store = client or self.get_client()
        if isinstance(store, redis.cluster.RedisCluster) and keys:
            found = store.mget_nonatomic([self.make_key(key, version) for key in keys])
            return {key: self.decode(value) for key, value in zip(keys, found, strict=True) if value is not None}
        answer: dict[str, Any] = super().get_many(keys, version, store)
        return answer

    def keys(self, search: str, version: int | None = None, client: Any = None) -> list[Any]:
        """As `iter_keys`: the command KEYS stops the store for as long as it takes."""
        return list(self.iter_keys(search, version=version, client=client))

    def clear(self, client: Any = None) -> None:
        """Empty the cache, all versions of it, and nothing else: rooms and messages are in the same store.

        Looks at every key that there is, some at a time.
        """
        store = client or self.get_client()
        for key in store.scan_iter(match=f"{glob_escape(self._backend.key_prefix)}:*", count=1000):
            store.unlink(key)


class StoreCache(RedisCache):
    """The cache. On the event loop, methods for one entry use the loop's own line and take no thread."""

    def bar(self, key: str, mark: Any, seconds: float) -> None:
        """Put a mark in the place of an entry that may be wrong from now on. Raises `Unavailable`.

        If the store's memory is full, the entry is removed instead; nobody can put it back then.
        """
        try:
            try:
                self.set(key, mark, seconds)
            except OutOfMemoryError:
                self.delete(key)
        except STORE_ERRORS as error:
            refuse(error)

    async def aget(self, key: str, default: Any = None, version: int | None = None) -> Any:
        value = await self.ask(key, version, "GET")
        return default if value is None else self.client.decode(value)

    async def aset(
        self,
        key: str,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - Django's name for when it expires
        version: int | None = None,
    ) -> bool:
        expires = self.expiry(timeout)
        if expires is None:
            return await self.adelete(key, version)
        return await self.ask(key, version, "SET", self.client.encode(value), *expires) is not None

    async def aadd(
        self,
        key: str,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - as above
        version: int | None = None,
    ) -> bool:
        expires = self.expiry(timeout)
        if expires is None:
            return not await self.ask(key, version, "EXISTS")
        return await self.ask(key, version, "SET", self.client.encode(value), *expires, "NX") is not None

    async def adelete(self, key: str, version: int | None = None) -> bool:
        return bool(await self.ask(key, version, "DEL"))

    async def ask(self, key: str, version: int | None, command: str, *words: Any) -> Any:
        place = str(self.client.make_key(key, version))
        return await on_loop().call(Plain((command, place, *words), place))

    def expiry(self, timeout: Any) -> tuple[str | int, ...] | None:
        """How the store is told when an entry expires; None for one that has expired already."""
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        if seconds is None:
            return ()
        return ("PX", max(int(seconds * 1000), 1)) if seconds > 0 else None
