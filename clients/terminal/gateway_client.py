"""A client of the gateway, to be read by those who write another; docs/clients.md goes through it.

It needs `websockets` and nothing of the server's code. A `GatewayClient` is one user's end of the conversation, over
as many connections as that takes. It promises

- every event of each topic that it follows, once and in order, or a `NotRecovered` that names the topic of which
  something may be missing;
- that what is given to `post` is stored once, however often the connection breaks before the reply is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from clients.terminal.rest_client import Refused, refusal_of, sentences

Frame = dict[str, Any]

BROKEN, RESTARTING, SIGNED_OUT, TOO_MANY = 1006, 1012, 4401, 4429
IN_VAIN = {1007, 1009, 4400, 4403, 4404}
"""Close codes after which another connection would end like this one: what the client does is wrong, or not allowed."""
TRY_AGAIN = {"account_changing", "busy", "nearly_full", "rate_limited", "unavailable"}
"""Errors that pass: the same command may be sent again, with the same `client_id`."""
LONGEST_PAUSE = 30.0
STEADY = 10.0
"""Seconds after which a connection counts as one that works, and the next pause is a short one again."""


class Interrupted(Exception):
    """The connection broke before the answer came: the command may have been carried out, or not."""


class Gap(Exception):
    """An event is not the next one of its topic. A sound server does not do that; only who counts would notice."""


class Connected(NamedTuple):
    """A connection stands; `again` if there was one before. What was missed in between follows."""

    again: bool


class Disconnected(NamedTuple):
    """There is no connection, and why; the next attempt is made in so many seconds."""

    why: str
    seconds: float


class NotRecovered(NamedTuple):
    """What was missed in a topic can't be told. What is shown of it has to be loaded afresh."""

    topic: str


Happening = Frame | Connected | Disconnected | NotRecovered


class Place:
    """How far a topic was heard: the offset of the last event, and the epoch of the log in which it is counted.

    `early` holds events that came before those that were missed; `left` is set while the user is out of the room.
    """

    def __init__(self, offset: int, epoch: str) -> None:
        self.offset = offset
        self.epoch = epoch
        self.early: deque[Frame] = deque()
        self.left = False


class Command:
    """A frame that was not answered yet, and the future of its answer."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.sent = False
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    @property
    def may_be_sent(self) -> bool:
        """Not twice, unless its `client_id` lets the server see that it is the same one."""
        return not self.sent or "client_id" in self.frame


class GatewayClient:
    """One user's end of the gateway of the server at `url`, as `http://…` or `https://…`. To be used `async with`.

    `sign_in` gives a token, and is asked for another when that is no good any more. `async for` over the client gives
    what happens, and raises `Refused` when there is no point in going on; what is not taken waits in memory.
    """

    def __init__(self, url: str, sign_in: Callable[[], Awaitable[str]]) -> None:
        self.url = url
        self.sign_in = sign_in
        self.token = ""
        self.username = ""
        self.welcomed = False
        self.places: dict[str, Place] = {}
        self.subscribed: set[str] = set()
        self.unanswered: dict[int, Command] = {}
        self.last_id = 0
        self.socket: ClientConnection | None = None
        self.happenings: asyncio.Queue[Happening | Refused] = asyncio.Queue()
        self.ended: Refused | None = None

    async def __aenter__(self) -> GatewayClient:
        self.task = asyncio.create_task(self.stay_connected())
        return self

    async def __aexit__(self, *error: object) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task
        for command in self.unanswered.values():
            command.answer.cancel()

    async def __aiter__(self) -> AsyncIterator[Happening]:
        while True:
            happening = await self.happenings.get()
            if isinstance(happening, Refused):
                raise happening
            yield happening

    # Commands

    async def ask(self, kind: str, **fields: Any) -> Any:
        """Send a command, now or as soon as there is a connection. Returns the `result` of the reply.

        Raises `Refused` with what the server answers, `Interrupted` if it does not get to.
        """
        if self.ended is not None:
            raise self.ended
        self.last_id += 1
        number, command = self.last_id, Command({"id": self.last_id, "type": kind, **fields})
        self.unanswered[number] = command
        try:
            if self.socket is not None:
                await self.send(self.socket, command)
            return await command.answer
        finally:
            self.unanswered.pop(number, None)

    async def post(self, text: str, **where: str) -> Frame:
        """Post to a `room` or a `user`. Returns the message once it is stored.

        Raises `Refused` where trying again would not help.
        """
        client_id = secrets.token_urlsafe(12)
        while True:
            try:
                message: Frame = await self.ask("post", **where, text=text, client_id=client_id)
                return message
            except Refused as error:
                if error.code not in TRY_AGAIN:
                    raise
            await asyncio.sleep(random.uniform(1, 3))  # noqa: S311 - spreads load, guards nothing

    async def subscribe(self, topic: str) -> None:
        """Follow a topic that one does not hear anyway: an open room, `lobby`, `online`, `tables`."""
        await self.ask("subscribe", topic=topic)

    async def send(self, socket: ClientConnection, command: Command) -> None:
        command.sent = True
        with contextlib.suppress(ConnectionClosed):  # `stay_connected` sees it too
            await socket.send(json.dumps(command.frame))

    # Staying connected

    async def stay_connected(self) -> None:
        """Connect again and again, until that is in vain."""
        loop, failures = asyncio.get_running_loop(), 0
        while self.ended is None:
            began = loop.time()
            try:
                await self.connect()
            except (ConnectionClosed, InvalidHandshake, Refused, Gap, OSError) as error:
                failures = 1 if loop.time() - began > STEADY else failures + 1
                why, pause = self.what_now(error, failures)
            self.socket = None
            if pause is None:
                self.end(why)
            else:
                self.interrupt()
                self.happenings.put_nowait(Disconnected(str(why), pause))
                await asyncio.sleep(pause)

    async def connect(self) -> None:
        """A connection from its beginning to its end, which is always an exception."""
        self.token = self.token or await self.sign_in()
        async with connect(
            self.url.replace("http", "ws", 1) + "/ws",
            subprotocols=[Subprotocol("foyer.v1")],
            additional_headers={"Authorization": f"Bearer {self.token}"},
            compression=None,  # the server does not offer it
            max_size=None,  # a page of history may be large
            close_timeout=2,
        ) as socket:  # pings and pongs are the library's business
            await self.begin(socket)
            while True:
                self.take(json.loads(await socket.recv()))

    async def begin(self, socket: ClientConnection) -> None:
        """Be welcomed, ask for what was missed, and send what was not answered."""
        welcome = json.loads(await socket.recv())
        self.happenings.put_nowait(Connected(again=bool(self.username)))
        self.username, self.welcomed = welcome["username"], True
        topics, early = await self.all_topics(socket, welcome)
        now = {told["topic"]: Place(told["offset"], told["epoch"]) for told in topics}
        known = {topic: place for topic, place in self.places.items() if topic in now or topic in self.subscribed}
        self.places = now | known
        if known:
            await self.resume(socket, known)
        for frame in early:
            self.take(frame)
        self.socket = socket  # from here on `ask` sends by itself
        for command in list(self.unanswered.values()):
            await self.send(socket, command)

    async def all_topics(self, socket: ClientConnection, told: Frame) -> tuple[list[Frame], list[Frame]]:
        """Where the topics stand, of which there may be several portions, and the events that came between them."""
        topics, early = list(told["topics"]), []
        while told.get("more"):
            frame = json.loads(await socket.recv())
            if frame["type"] == "welcome_topics":
                told = frame
                topics += frame["topics"]
            else:
                early.append(frame)
        return topics, early

    async def resume(self, socket: ClientConnection, known: dict[str, Place]) -> None:
        """Ask for what was missed. It comes as ordinary frames after the reply, and ends where the welcome said.

        What happens between welcome and reply comes at once, so before what was missed: it is put aside.
        """
        for place in known.values():
            place.left = False
            place.early.clear()
        topics = [{"topic": topic, "offset": place.offset, "epoch": place.epoch} for topic, place in known.items()]
        await socket.send(json.dumps({"id": "resume", "type": "resume", "topics": topics}))
        while (frame := json.loads(await socket.recv())).get("id") != "resume":
            self.note_rooms(frame)
            if "offset" not in frame:
                self.happenings.put_nowait(frame)
            elif frame["topic"] in self.places:
                self.places[frame["topic"]].early.append(frame)
        if frame["type"] == "error":
            raise Refused(frame["code"], frame["detail"], 503)
        for told in frame["result"]["topics"]:
            place = known[told["topic"]]
            place.epoch = told["epoch"]
            if not told["recovered"]:
                place.offset = told["offset"]
                if not told["epoch"]:  # it is gone, or no longer for this user
                    self.subscribed.discard(told["topic"])
                self.happenings.put_nowait(NotRecovered(told["topic"]))
        for place in self.places.values():
            self.tell_early(place)

    def interrupt(self) -> None:
        """The connection is gone: what may not be sent again remains without an answer."""
        for command in list(self.unanswered.values()):
            if not command.may_be_sent and not command.answer.done():
                command.answer.set_exception(Interrupted("The connection broke before the answer came."))

    def end(self, error: Refused) -> None:
        self.ended = error
        self.happenings.put_nowait(error)
        for command in self.unanswered.values():
            if not command.answer.done():
                command.answer.set_exception(error)

    def what_now(self, error: Exception, failures: int) -> tuple[Refused, float | None]:
        """What ended a connection, and how long to wait before the next one; None if that would be in vain.

        Waits grow, and are left to chance: when a server restarts, all its clients want to come back at once.
        """
        pause = random.uniform(0, min(LONGEST_PAUSE, 2.0 ** (failures - 1)))  # noqa: S311 - spreads load, guards nothing
        if isinstance(error, InvalidStatus):
            answer = error.response
            error = refusal_of(answer.status_code, bytes(answer.body), answer.headers.get("Retry-After"))
        if isinstance(error, Refused):
            if error.status == 401 and self.was_signed_out():
                return error, pause
            return error, max(pause, error.retry_after) if error.status in (429, 500, 502, 503, 504) else None
        if not isinstance(error, ConnectionClosed):
            return Refused("", str(error) or type(error).__name__), pause
        code, reason = (error.rcvd.code, error.rcvd.reason) if error.rcvd else (BROKEN, "the connection broke")
        why = Refused("", f"closed with {code}: {reason}")
        if code in IN_VAIN or (code == SIGNED_OUT and not self.was_signed_out()):
            return why, None
        least = {RESTARTING: random.uniform(0, 5), TOO_MANY: random.uniform(5, 10)}.get(code, 0.0)  # noqa: S311
        return why, max(pause, least)

    def was_signed_out(self) -> bool:
        """Whether the token was good before and is not now, so that signing in again may help."""
        before, self.welcomed, self.token = self.welcomed, False, ""
        return before

    # Hearing

    def take(self, frame: Frame) -> None:
        if frame["type"] in ("reply", "error", "pong"):
            self.take_answer(frame)
        else:
            self.take_event(frame)

    def take_answer(self, frame: Frame) -> None:
        command = self.unanswered.get(frame.get("id", 0))
        if command is None or command.answer.done():
            return  # nobody waits for it any more
        if frame["type"] == "error":
            command.answer.set_exception(Refused(frame["code"], sentences(frame)))
            return
        result: Any = frame.get("result")
        if command.frame["type"] == "subscribe":
            self.places[result["topic"]] = Place(result["offset"], result["epoch"])
            self.subscribed.add(result["topic"])
        command.answer.set_result(result)

    def take_event(self, event: Frame) -> None:
        """Tell of an event if it is the next one of its topic. Raises `Gap` if others are missing before it."""
        self.note_rooms(event)
        if "offset" not in event:
            self.happenings.put_nowait(event)  # `typing` and `notice`, which are stored nowhere
            return
        place = self.places.get(event["topic"])
        if place is None or event["offset"] <= place.offset:
            return  # heard before
        if event["offset"] > place.offset + 1:
            raise Gap(f"{event['topic']} went from {place.offset} to {event['offset']}")
        self.tell(place, event)
        self.tell_early(place)

    def tell(self, place: Place, event: Frame) -> None:
        place.offset = event["offset"]
        self.happenings.put_nowait(event)

    def tell_early(self, place: Place) -> None:
        while place.early and place.early[0]["offset"] <= place.offset + 1:
            event = place.early.popleft()
            if event["offset"] > place.offset:
                self.tell(place, event)

    def note_rooms(self, event: Frame) -> None:
        """Whoever comes into a room hears it from then on: `at` says where its log stood."""
        if event["type"] == "room_removed" and (place := self.places.get(event["at"]["topic"])):
            place.left = True
            self.subscribed.discard(event["at"]["topic"])
        if event["type"] == "room_added":
            at = event["at"]
            place = self.places.setdefault(at["topic"], Place(at["offset"], at["epoch"]))
            if place.left:
                place.offset, place.epoch, place.left = max(place.offset, at["offset"]), at["epoch"], False
