"""People who post, edit and delete while something is killed, and what must be read afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from websockets.exceptions import InvalidHandshake

from tests.clients import Frame, Person, Socket, sign_up_at
from tests.server import Server
from tests.test_durability import AWAY, PAUSE

EACH = 0.03
"""Seconds between two things that somebody does."""
REFUSED = {"unavailable", "busy"}
"""Errors after which the same is asked again."""


class Voice:
    """What one person says in one place, and has to be read there. Each thing is asked for until it is acknowledged.

    `texts` is by id, in the sender's log. `gone` are all texts that a deleted message ever had.
    """

    def __init__(self, name: str, person: Person, place: Frame) -> None:
        self.name = name
        self.person = person
        self.place = place
        self.texts: dict[int, str] = {}
        self.gone: set[str] = set()
        self.said: dict[int, set[str]] = {}
        self.count = 0
        self.random = random.Random(name)
        self.acts = "pppped"

    async def act(self, ask: Callable[[Frame], Awaitable[Frame]]) -> None:
        """Post, edit or delete."""
        self.count += 1
        what, text = self.random.choice(self.acts), f"{self.name}x{self.count}"
        if what == "p" or not self.texts:
            key = f"{text}-{self.person.username}"
            message = (await ask({"type": "post", **self.place, "text": text, "client_id": key}))["result"]
            assert message["id"] not in self.said, "an id is given twice"
            self.note(message["id"], text)
            return
        which = self.random.choice(sorted(self.texts))
        if what == "e":
            await ask({"type": "edit", **self.place, "message": which, "text": text})
            self.note(which, text)
        else:
            answer = await ask({"type": "delete", **self.place, "message": which})
            assert answer["type"] == "reply" or answer["code"] == "message_not_found"  # the first answer was lost
            del self.texts[which]
            self.gone |= self.said[which]

    def note(self, message: int, text: str) -> None:
        self.texts[message] = text
        self.said.setdefault(message, set()).add(text)


class Talk:
    """A room and a conversation that are busy until `stop`."""

    def __init__(self, ann: Person, ben: Person, room: str) -> None:
        self.ann, self.ben, self.room = ann, ben, room
        self.tags = [f"{{room:{room}}}", *(f"{{user:{person.account['id']}}}" for person in (ann, ben))]
        self.in_room = [Voice(name, person, {"room": room}) for name, person in (("ra", ann), ("rb", ben))]
        self.direct = [
            Voice("da", ann, {"user": ben.username}),
            Voice("db", ben, {"user": ann.username}),
        ]
        self.done = 0
        self.progress = asyncio.Condition()
        self.stopping = False
        self.tasks = [asyncio.ensure_future(self.go_on(voice)) for voice in self.in_room + self.direct]

    @property
    def voices(self) -> list[Voice]:
        return self.in_room + self.direct

    async def go_on(self, voice: Voice) -> None:
        """Act by the gateway, over as many connections as that takes."""
        socket: Socket | None = None
        async with contextlib.AsyncExitStack() as stack:

            async def ask(frame: Frame) -> Frame:
                nonlocal socket
                while True:
                    try:
                        if socket is None:
                            await stack.aclose()
                            socket = await stack.enter_async_context(
                                voice.person.socket("/ws", open_timeout=5, max_queue=None, close_timeout=0.1)
                            )
                        answer = await socket.ask({"id": 1, **frame})
                        if answer["type"] == "reply" or answer["code"] not in REFUSED:
                            return answer
                    except (*AWAY, InvalidHandshake):
                        socket = None
                    await asyncio.sleep(PAUSE)

            while not self.stopping:
                await voice.act(ask)
                async with self.progress:
                    self.done += 1
                    self.progress.notify_all()
                await asyncio.sleep(EACH)

    async def after(self, count: int, seconds: float = 30) -> None:
        """Return when so much more was acknowledged."""
        wanted = self.done + count
        async with asyncio.timeout(seconds), self.progress:
            await self.progress.wait_for(lambda: self.done >= wanted or any(task.done() for task in self.tasks))
        assert self.done >= wanted, [task.exception() for task in self.tasks if task.done()]

    async def only_post(self) -> None:
        """From now on nobody edits or deletes: what only SQL has can't be changed while that is away."""
        begun = {voice: voice.count for voice in self.voices}
        for voice in self.voices:
            voice.acts = "p"
        while any(voice.count == count for voice, count in begun.items()):
            await self.after(1)

    def do_everything(self) -> None:
        for voice in self.voices:
            voice.acts = "pppped"

    async def stop(self) -> None:
        self.stopping = True
        await asyncio.gather(*self.tasks)

    # Afterwards

    async def check(self) -> None:
        """Clients read what was acknowledged and nothing else, however they read it."""
        gone = set[str]().union(*(voice.gone for voice in self.voices))
        said = {number: text for voice in self.in_room for number, text in voice.texts.items()}
        for person in (self.ann, self.ben):
            for newest in (False, True):
                page = await pages(person, f"/room/{self.room}/messages", newest=newest)
                assert [(message["id"], message["text"]) for message in page] == sorted(said.items())
            events = await whole_log(person, f"room:{self.room}", gone)
            assert fold(events, "message") == said
        for voice, other in zip(self.direct, reversed(self.direct), strict=True):
            me, you = voice.person, other.person
            page = await pages(me, f"/user/{you.username}/messages", newest=False)
            mine = {message["id"]: message["text"] for message in page if message["sender"] == me.username}
            assert mine == voice.texts
            got = [message["text"] for message in page if message["sender"] == you.username]
            assert got == [text for _, text in sorted(other.texts.items())]
            events = await whole_log(me, f"user:{me.username}", gone)
            assert fold(events, "direct_message") == {message["id"]: message["text"] for message in page}


async def pages(person: Person, path: str, *, newest: bool) -> list[Any]:
    """All messages, read page by page from the oldest or from the newest."""
    found: list[Any] = []
    while True:
        place = "" if newest else "&after=0"
        if found:
            place = f"&before={found[0]['id']}" if newest else f"&after={found[-1]['id']}"
        answer = await person.rest.get(f"{path}?limit=40{place}")
        assert answer.status_code == 200, answer.text
        found = answer.json() + found if newest else found + answer.json()
        if "Link" not in answer.headers:
            return found


async def whole_log(person: Person, topic: str, gone: set[str]) -> list[Frame]:
    """Every event of a topic, as one who resumes from its beginning hears it; none has a text that is gone."""
    async with person.socket("/ws", max_queue=None) as socket:
        place = next(place for place in (await socket.hear())["topics"] if place["topic"] == topic)
        answer = await socket.ask({"id": 1, "type": "resume", "topics": [{**place, "offset": 0}]})
        assert answer["result"]["topics"][0]["recovered"]
        events = await socket.hear_many(place["offset"])
    assert [event["offset"] for event in events] == list(range(1, place["offset"] + 1))
    texts = {event["message"].get("text") for event in events if isinstance(event.get("message"), dict)}
    assert not texts & gone
    return events


def fold(events: list[Frame], kind: str) -> dict[int, str]:
    """The messages that are left after some events."""
    found: dict[int, str] = {}
    for event in events:
        message: Any = event.get("message")
        if event["type"] == kind:
            assert message["id"] not in found
            found[message["id"]] = message["text"]
        elif event["type"] == "message_edited":
            assert message["id"] in found
            found[message["id"]] = message["text"]
        elif event["type"] == "message_deleted":
            del found[message["id"]]
    return found


@contextlib.asynccontextmanager
async def talking(server: Server) -> AsyncIterator[Talk]:
    ann, ben = await sign_up_at(server, "ann"), await sign_up_at(server, "ben")
    room = await ann.make_room()
    joined = await ann.rest.post(f"/room/{room}/members", json={"username": ben.username})
    assert joined.status_code == 201
    talk = Talk(ann, ben, room)
    try:
        yield talk
    finally:
        for task in talk.tasks:
            task.cancel()
        await asyncio.gather(*talk.tasks, return_exceptions=True)
        await asyncio.gather(ann.rest.aclose(), ben.rest.aclose())
