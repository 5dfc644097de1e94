"""Topics. Each has a log: `room:12`, `user:ann`, `tables`, `online`.

A topic has a name, which clients see, and a tag, which its keys and its channel share. They differ for users, because
another account may get the same name later: the topic of a user is kept under the account's id.
"""

from __future__ import annotations

from typing import NamedTuple

import orjson


class Topic(NamedTuple):
    """`name` on the wire, `tag` in Redis: the hash tag of all its keys, braces included."""

    name: str
    tag: str

    @property
    def quoted(self) -> bytes:
        """The name as JSON, as stored functions put it into events."""
        return orjson.dumps(self.name)


def room_topic(room_id: str) -> Topic:
    return Topic(f"room:{room_id}", f"{{room:{room_id}}}")


def user_topic(user_id: int, username: str) -> Topic:
    return Topic(f"user:{username}", f"{{user:{user_id}}}")
