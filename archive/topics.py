"""Which topics have an archive, and the number by which SQL knows each.

The number is made from the topic's tag alone, so no table of names is needed: the id of a room or of an account,
shifted by two bits that say which of them it is. Who is online is not archived: such a list counts at its moment only.
"""

from __future__ import annotations

import re

TAG = re.compile(r"\{(room|user):([1-9][0-9]{0,15})\}")
ROOM, USER, OTHER = 0, 1, 2
FIXED = {"{room:lobby}": 0, "{tables}": 1 << 2 | OTHER}
NAMES = {number: tag for tag, number in FIXED.items()}


def number_of(tag: str) -> int | None:
    """The number of a topic, given its tag; None for one that is not archived."""
    found = TAG.fullmatch(tag)
    if found is None:
        return FIXED.get(tag)
    kind, number = found.groups()
    return int(number) << 2 | (ROOM if kind == "room" else USER)


def tag_of(number: int) -> str:
    """The tag of the topic with that number."""
    if number in NAMES:
        return NAMES[number]
    return f"{{{'user' if number & 3 == USER else 'room'}:{number >> 2}}}"
