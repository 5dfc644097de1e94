"""Gives rooms of earlier releases the keys by which this release compares names.

A process does so when it begins to serve, once for each way of making keys. Every step may be repeated, and several
processes may do it at once. A room is found under its earlier key until it is under its new one. If two rooms get the
same key, both stay: the second keeps its earlier key, and is found by its whole name.
"""

from __future__ import annotations

import asyncio
import secrets

from foyer.errors import FoyerError
from foyer.realtime.topics import room_topic
from foyer.store.steps import Steps, operation
from foyer.text import UNICODE, key_of
from rooms.errors import RoomNameTaken, RoomNotFound
from rooms.operations import INDEX, LIBRARY, claim_for, release

KEYS = f"1 {UNICODE}"
"""How this release makes keys. If this text changes, all names of the index are looked at again."""
AGAIN_AFTER = 5.0
"""Seconds until another try, where the store did not answer."""
PORTION = 500
"""Names that are looked at in one call."""


def _renew_keys() -> Steps[None]:
    """Put every room under the key of this release, and note that it was done."""
    if (yield LIBRARY.call("keyed", [INDEX], "")) == KEYS.encode():
        return
    cursor = b"0"
    while True:
        cursor, *held = yield LIBRARY.call("claims", [INDEX], cursor, PORTION)
        for earlier, room_id, claim in zip(held[0::3], held[1::3], held[2::3], strict=True):
            if (key := key_of(earlier.decode())) != earlier.decode():
                yield from renew_key(room_id.decode(), earlier.decode(), key, claim)
        if cursor == b"0":
            break
    yield LIBRARY.call("keyed", [INDEX], KEYS)


def renew_key(room_id: str, earlier: str, key: str, earlier_claim: bytes) -> Steps[None]:
    """Put one room under `key`, unless it is gone, was renamed meanwhile, or another room has that."""
    tag, token = room_topic(room_id).tag, secrets.token_urlsafe(12)
    try:
        yield LIBRARY.call("intend", [tag], 0, 1, key, token)
        claim = yield from claim_for(room_id, key, key)
    except (RoomNotFound, RoomNameTaken):
        return
    if (yield LIBRARY.call("rekey", [tag], earlier, key, token, claim)):
        yield release(earlier, room_id, earlier_claim)
    else:
        yield release(key, room_id, claim)


renew_keys, arenew_keys = operation(_renew_keys)


async def renew_at_start() -> None:
    """Renew keys, as soon as the store is there."""
    while True:
        try:
            return await arenew_keys()
        except FoyerError:
            await asyncio.sleep(AGAIN_AFTER)
