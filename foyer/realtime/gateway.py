"""The gateway, `/ws`: one socket for everything a user hears and does.

It knows connections, topics and commands. The apps say in their `commands.py` what those mean. `@command("post")` says
what a frame of that type does. `@topics("room")` says who may read the topics whose names begin with `room`. `@at_once`
says which topics a user hears without asking.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

import orjson
from django.conf import settings

from foyer.api.wire import encode
from foyer.errors import (
    Conflict,
    Forbidden,
    FoyerError,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    TooManyRequests,
    UnknownCommand,
)
from foyer.realtime.connection import NOBODY
from foyer.realtime.consumer import PROTOCOL, SocketConsumer
from foyer.realtime.declarations import Kind
from foyer.realtime.frames import (
    GATEWAY,
    Ping,
    Resume,
    Resumed,
    Subscribe,
    Subscribed,
    Unsubscribe,
    Unsubscribed,
)
from foyer.realtime.hub import Check
from foyer.realtime.log import MOST_READ, Head
from foyer.realtime.resume import Resumption, finish, resume
from foyer.realtime.topics import Topic

SIGN_IN_WITHIN = 10.0
"""Seconds that a client has to say who it is."""
PORTION = 1000
"""Topics in one frame that says where they stand."""
JOINED_AT_ONCE = 500
"""Topics that a new socket subscribes to together. A socket with more takes turns with the calls of others."""
HEARTBEAT = 25
"""Seconds after which the server pings a socket; a client that hears nothing for twice as long is cut off."""

Frame = dict[str, Any]
Place = dict[str, Any]
Command = Callable[["Gateway", Frame], Awaitable[bytes]]


class Reading(NamedTuple):
    """A topic, and what raises for a caller who may not read it."""

    topic: Topic
    check: Check | None


commands: dict[str, Command] = {}
doors: list[Callable[[Any], Awaitable[Any]]] = []
readings: dict[str, Callable[[Any, str], Reading]] = {}
defaults: list[Callable[[Any], Awaitable[list[Reading]]]] = []


def command(
    kind: str, takes: Kind, gives: Kind | None = None, answers: tuple[str, ...] = ()
) -> Callable[[Command], Command]:
    """Register what a frame of a type does: `run(gateway, frame)` gives the result as JSON, or raises `FoyerError`.

    `takes` declares the frame, `gives` the result; `answers` are the types of what it says beside, or instead.
    """
    GATEWAY.takes(kind, takes, gives, answers)
    return partial(keep, commands, kind)


def topics(prefix: str) -> Callable[[Callable[[Any, str], Reading]], Callable[[Any, str], Reading]]:
    """Register the topics named `prefix` or `prefix:<rest>`: `find(caller, rest)` gives the `Reading` for a caller."""
    return partial(keep, readings, prefix)


def at_once(find: Callable[[Any], Awaitable[list[Reading]]]) -> Callable[[Any], Awaitable[list[Reading]]]:
    """Register topics that a caller hears from the start: `await find(caller)`."""
    defaults.append(find)
    return find


def keep(registry: dict[str, Any], name: str, value: Any) -> Any:
    registry[name] = value
    return value


def entrance(find: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
    """Register who opens a socket, by its handshake: `await find(scope)`, which raises `NotAuthenticated`."""
    doors.append(find)
    return find


class UnknownTopic(NotFound):
    code = "unknown_topic"
    detail = "There is no such topic."


class AlreadySignedIn(Conflict):
    code = "already_signed_in"
    detail = "This socket is signed in; open another one to sign in as somebody else."


def find_reading(caller: Any, name: Any) -> Reading:
    """The topic of a name on the wire. Raises `UnknownTopic`."""
    if not isinstance(name, str):
        raise InvalidInput({"topic": ["The name of a topic is expected."]})
    prefix, _, rest = name.partition(":")
    if prefix not in readings:
        raise UnknownTopic(f"There is no topic '{name[:80]}'.")
    return readings[prefix](caller, rest)


class Gateway(SocketConsumer):
    """One socket. `caller` is its user, once it is signed in."""

    kind = "gateway"
    caller: Any = NOBODY

    async def serve(self, receive: Any) -> None:
        self.receive = receive
        await super().serve(receive)

    async def identify(self) -> Any:
        """The user that the handshake names. A bad token in a subprotocol is answered by a close code, because browsers
        can read that."""
        try:
            self.caller = await doors[0](self.scope)
        except NotAuthenticated as error:
            if any(name == b"authorization" for name, _ in self.scope["headers"]):
                raise
            if any(protocol.startswith("bearer.") for protocol in self.scope["subprotocols"]):
                self.rejected: FoyerError | None = error
                return self.caller
        self.rejected = None
        return self.caller

    async def open(self) -> None:
        self.connection.many_topics = True
        await self.accept(PROTOCOL if PROTOCOL in self.scope["subprotocols"] else None)
        if self.rejected is not None:
            raise self.rejected
        if not self.caller.id:
            await self.wait_for_sign_in()
        if not self.connection.closing:
            await self.welcome()

    async def wait_for_sign_in(self) -> None:
        """Take nothing but `authenticate` frames until one is good. Raises `NotAuthenticated` when time is up."""
        try:
            async with asyncio.timeout(SIGN_IN_WITHIN):
                while not self.caller.id:
                    message = await self.receive()
                    if message["type"] != "websocket.receive":
                        self.connection.closing = True
                        return
                    await self.answer(message.get("text"))
                    if self.connection.closing:
                        return
        except TimeoutError:
            raise NotAuthenticated(f"No sign-in within {SIGN_IN_WITHIN:.0f} s.") from None

    async def take(self, command: Frame) -> None:
        kind = command.get("type")
        if not self.caller.id and kind not in ("authenticate", "ping"):
            raise NotAuthenticated("Sign in first: a frame of type 'authenticate'.")
        run = commands.get(kind) if isinstance(kind, str) else None
        if run is None:
            raise UnknownCommand(f"There is no command of type {str(kind)[:40]!r}.")
        result = await run(self, command)
        if result:
            self.connection.reply(self.reply_frame(command, result))

    @staticmethod
    def reply_frame(command: Frame, result: bytes) -> bytes:
        told = b'"id":' + encode(command["id"]) + b"," if "id" in command else b""
        return b"{" + told + b'"type":"reply","result":' + result + b"}"

    def signed_in(self, caller: Any) -> None:
        """From here on the socket is `caller`'s. Raises `Conflict` where it is somebody's already."""
        if self.caller.id:
            raise AlreadySignedIn
        self.hub.people.limit(caller, self.connection.network)
        self.caller = caller
        self.hub.people.belongs_to(self.connection, caller)
        self.hub.people.came_online(self.connection)

    async def welcome(self) -> None:
        """Subscribe to what the user hears at once, and say where each topic stands, before any event of it.

        The socket hears the user's own topic before their rooms are looked up. So a room that they join meanwhile is
        either among those rooms, or comes as an event of their own topic. A user in very many rooms is told of them in
        portions.
        """
        places: list[Place] = []
        kind, asked = "welcome", 0
        try:
            for find in defaults:
                readings = await find(self.caller)
                for start in range(0, len(readings), JOINED_AT_ONCE):
                    if asked >= PORTION:
                        await self.greet(kind, places, more=True)
                        places, kind, asked = [], "welcome_topics", 0
                    some = readings[start : start + JOINED_AT_ONCE]
                    asked += len(some)
                    heads = await asyncio.gather(*map(self.join, some))
                    places += [
                        {"topic": reading.topic.name, "offset": head.offset, "epoch": head.epoch}
                        for reading, head in zip(some, heads, strict=True)
                        if head is not None
                    ]
            await self.greet(kind, places, more=False)
            self.connection.is_open = True
        finally:
            self.connection.kept_back = None

    async def greet(self, kind: str, places: list[Place], *, more: bool) -> None:
        """Say where the topics stand, then what happened in them meanwhile."""
        told: dict[str, Any] = {"type": kind}
        if kind == "welcome":
            user = self.caller
            told |= {"username": user.username, "user_type": user.user_type, "heartbeat": HEARTBEAT}
        told["topics"] = places
        if more or kind != "welcome":
            told["more"] = more
        self.connection.reply(orjson.dumps(told))
        await self.connection.hand_out(keep_on=more)
        await self.connection.room_to_write()

    async def join(self, reading: Reading) -> Any:
        """Subscribe; what happens meanwhile is kept back. None for a topic that is read already, or may not be read any
        more."""
        if reading.topic.tag in self.connection.topics:
            return None
        self.connection.keep_back(reading.topic.tag)
        try:
            return await self.hub.subscribe(reading.topic, self.connection, check=reading.check)
        except NotFound:
            return None


@command("ping", Ping, answers=("pong",))
async def ping(gateway: Gateway, frame: Frame) -> bytes:
    told = {"id": frame["id"]} if "id" in frame else {}
    seq = {"seq": frame["seq"]} if "seq" in frame else {}
    gateway.connection.reply(encode({**told, "type": "pong", **seq}))
    return b""


@command("subscribe", Subscribe, gives=Subscribed)
async def subscribe(gateway: Gateway, frame: Frame) -> bytes:
    """Read a topic from now on, or from `offset` on."""
    reading = find_reading(gateway.caller, frame.get("topic"))
    position = position_of(frame) if "offset" in frame else None
    head = await read_on(gateway, reading)
    told: dict[str, Any] = {"topic": reading.topic.name, "offset": head.offset, "epoch": head.epoch}
    if position is None:
        return orjson.dumps(told)
    try:
        resumption = await resume(gateway.hub, gateway.connection, reading.topic, *position)
        told.update(recovered=resumption.recovered, **resumption.head._asdict())
        gateway.connection.reply(gateway.reply_frame(frame, orjson.dumps(told)))
        await finish(gateway.connection, resumption)
    finally:
        await gateway.connection.hand_out()
    return b""


async def read_on(gateway: Gateway, reading: Reading) -> Head:
    """Subscribe the connection, unless it reads too much already."""
    topics = gateway.connection.topics
    if reading.topic.tag not in topics and len(topics) >= settings.SUBSCRIPTIONS_PER_CONNECTION:
        raise TooManyRequests("This connection reads too many topics; unsubscribe from one first.", retry_after=5)
    return await gateway.hub.subscribe(reading.topic, gateway.connection, check=reading.check)


@command("unsubscribe", Unsubscribe, gives=Unsubscribed)
async def unsubscribe(gateway: Gateway, frame: Frame) -> bytes:
    reading = find_reading(gateway.caller, frame.get("topic"))
    gateway.hub.unsubscribe(reading.topic.tag, gateway.connection)
    return orjson.dumps({"topic": reading.topic.name})


@command("resume", Resume, gives=Resumed)
async def resume_topics(gateway: Gateway, frame: Frame) -> bytes:
    """Give what was missed of topics since the offsets named, before what happens from now on."""
    wanted = frame.get("topics")
    if not isinstance(wanted, list) or not all(isinstance(item, dict) for item in wanted):
        raise InvalidInput({"topics": ["A list of {topic, offset, epoch} is expected."]})
    positions = [position_of(item) for item in wanted]
    begun: dict[str, Resumption] = {}
    try:
        told = [
            as_told(name, await come_back(gateway, name, at, begun))
            for name, at in zip((item.get("topic") for item in wanted), positions, strict=True)
        ]
        gateway.connection.reply(gateway.reply_frame(frame, orjson.dumps({"topics": told})))
        while begun:
            await finish(gateway.connection, begun.pop(next(iter(begun))))
    finally:
        await gateway.connection.hand_out()
    return b""


async def come_back(
    gateway: Gateway, name: Any, at: tuple[int, str], begun: dict[str, Resumption]
) -> Resumption | None:
    """Begin to resume one topic; None for one that is gone, or is not the caller's to read any more.

    Of a topic that is named twice the first place counts. All together read little ahead of what is written.
    """
    try:
        reading = find_reading(gateway.caller, name)
        tag = reading.topic.tag
        if tag not in gateway.connection.topics:
            await read_on(gateway, reading)
    except (NotFound, Forbidden):
        return None
    if tag not in begun:
        ahead = sum(resumption.size for resumption in begun.values())
        most = max(MOST_READ - ahead, 0)
        begun[tag] = await resume(gateway.hub, gateway.connection, reading.topic, *at, most)
    return begun[tag]


def as_told(name: Any, resumption: Resumption | None) -> dict[str, Any]:
    if resumption is None:
        return {"topic": name, "recovered": False, "offset": 0, "epoch": ""}
    return {"topic": name, "recovered": resumption.recovered, **resumption.head._asdict()}


def position_of(frame: Frame) -> tuple[int, str]:
    """Offset and epoch of a frame. Raises `InvalidInput`."""
    offset, epoch = frame.get("offset"), frame.get("epoch", "")
    if type(offset) is not int or not 0 <= offset < 2**53:
        raise InvalidInput({"offset": ["The offset of an event is expected: a whole number."]})
    if not isinstance(epoch, str):
        raise InvalidInput({"epoch": ["The epoch that came with the offset is expected: a string."]})
    return offset, epoch
