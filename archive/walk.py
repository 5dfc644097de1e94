"""Every topic that has an archive, a portion at a time: the follower looks at each now and then."""

from __future__ import annotations

from collections.abc import Iterator

from accounts.models import Account
from archive.topics import FIXED
from foyer.store.steps import Steps, operation
from rooms.operations import INDEX
from rooms.operations import LIBRARY as ROOMS

PORTION = 500


def _room_ids(after: int, most: int, listed: str = "ids") -> Steps[list[int]]:
    """Ids of rooms after an id, by creation. Reads the index of rooms, never the keys of the store.

    With `listed` "timed", of those that keep messages for some days alone, or did.
    """
    ids = yield ROOMS.call("page", [INDEX], listed, after, "", most, 0)
    return [int(room_id) for room_id in ids]


room_ids, aroom_ids = operation(_room_ids)


def timed_rooms() -> Iterator[list[str]]:
    """The tags of rooms that keep messages for some days alone."""
    last = 0
    while ids := room_ids(last, PORTION, "timed"):
        yield [f"{{room:{room_id}}}" for room_id in ids]
        last = ids[-1]


def every_topic() -> Iterator[list[str]]:
    """The tags of all topics. Rooms and accounts made meanwhile may be left out."""
    yield list(FIXED)
    last = 0
    while ids := room_ids(last, PORTION):
        yield [f"{{room:{room_id}}}" for room_id in ids]
        last = ids[-1]
    last = 0
    while accounts := list(Account.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:PORTION]):
        yield [f"{{user:{account}}}" for account in accounts]
        last = accounts[-1]
