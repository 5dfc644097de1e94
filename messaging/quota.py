"""How much a user may say: posts and edits, in rooms and to users, are counted together, over all instances."""

from __future__ import annotations

from django.conf import settings

from accounts.callers import Caller
from foyer.realtime.quotas import Quota, Rate

MOST_AT_ONCE = 100
"""Posts in one burst."""


def rate() -> Rate:
    return Rate(settings.POSTS_PER_MINUTE, min(MOST_AT_ONCE, settings.POSTS_PER_MINUTE))


said = Quota("posts", rate)


def count_post(caller: Caller) -> None:
    """Count a post or an edit of the caller before it is made. Raises `TooManyRequests`, `Unavailable`."""
    said.take(caller.id)


async def acount_post(caller: Caller) -> None:
    """As `count_post`, on the event loop. It seldom asks the store."""
    await said.atake(caller.id)
