"""What the tests of this package talk with: topics of their own, and readers that keep what they hear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from foyer.realtime.connection import EVENTS, Batch, Connection, Dialect
from foyer.realtime.log import PRELUDE
from foyer.realtime.presence import BEAT_EVERY, DEAD_AFTER
from foyer.realtime.topics import Topic
from foyer.store.steps import Library, Steps, operation
from tests.server import Server

LIBRARY = Library("talk", PRELUDE, Path(__file__).parent / "lua")


def _say(topic: Topic, text: str, kind: str = "message") -> Steps[int]:
    offset: int = yield LIBRARY.call("say", [topic.tag], topic.quoted, kind, b'"text":' + orjson.dumps(text))
    return offset


def _whisper(topic: Topic, text: str) -> Steps[int]:
    offset: int = yield LIBRARY.call("whisper", [topic.tag], "message", b'"text":' + orjson.dumps(text))
    return offset


say, asay = operation(_say)
whisper, awhisper = operation(_whisper)


def let_time_pass(server: Server, topic: Topic) -> None:
    """Have no instance been heard of, where it is kept who is in a topic, for as long as makes one count as dead.

    The one that lives, which is to be one alone, says so at its next beat and clears the others away.
    """
    assert DEAD_AFTER + 2 * BEAT_EVERY <= 30, "the seconds that clients are promised"
    with server.store() as store:
        for instance in store.zrange(f"{topic.tag}:beats", 0, -1):
            store.zincrby(f"{topic.tag}:beats", -1000 * DEAD_AFTER, instance)


class Somebody:
    """Who is connected."""

    def __init__(self, user_id: int = 1, session: str | None = None, expires_at: float | None = None) -> None:
        self.id, self.session, self.expires_at = user_id, session, expires_at
        self.username, self.is_admin = f"user {user_id}", False


class Listener(Connection):
    """A connection that keeps what it is given. `until` waits for something to be heard."""

    def __init__(self, who: Somebody | None = None, dialect: Dialect = EVENTS) -> None:
        super().__init__(dialect, who or Somebody(), self.note_close)
        self.frames: list[dict[str, Any]] = []
        self.heard = asyncio.Event()
        self.closed_with: int | None = None

    def deliver(self, batch: Batch) -> None:
        self.frames.extend(map(orjson.loads, batch.texts(self.dialect)))
        self.heard.set()

    def reply(self, text: bytes) -> None:
        self.frames.append(orjson.loads(text))
        self.heard.set()

    def note_close(self, code: int, reason: str) -> None:
        self.closed_with = code
        self.heard.set()

    @property
    def offsets(self) -> list[int]:
        return [frame["offset"] for frame in self.frames]

    async def until(self, condition: Callable[[Listener], bool], seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while not condition(self):
                self.heard.clear()
                await self.heard.wait()
