"""Live messages: the socket of a room, that of the inbox, and both as server-sent events."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import parse_qs

import orjson

from accounts.authentication import acaller_from_headers
from accounts.callers import Caller
from foyer.api.wire import encode
from foyer.errors import InvalidInput, UnknownCommand
from foyer.realtime.connection import NOTICE, Dialect
from foyer.realtime.consumer import PROTOCOL, EventStream, SocketConsumer
from foyer.realtime.hub import Check
from foyer.realtime.log import Event
from foyer.realtime.topics import Topic, user_topic
from messaging.operations import apost_message
from messaging.quota import acount_post
from messaging.serializers import check_post
from rooms.operations import ashow_room, topic_of


def received_only(event: Event) -> bytes | None:
    """Direct messages to the user, from others and from the user, and notices. None for other events of their topic."""
    if event.kind == NOTICE:
        return event.json
    if event.kind != "direct_message":
        return None
    told = orjson.loads(event.json)
    return event.json if told["topic"] == f"user:{told['message']['to']}" else None


INBOX = Dialect("inbox", received_only)


async def acaller_of(scope: Any) -> Caller:
    """Who opens a socket or a stream."""
    client = scope.get("client")
    return await acaller_from_headers(scope["headers"], client[0] if client else "")


class Position:
    """From where a client wants to go on: `?after=` and `?epoch=`, or the id of the last event of a stream."""

    def __init__(self, scope: Any, last_event_id: str = "") -> None:
        query = parse_qs(scope["query_string"].decode("latin-1"))
        offset, _, epoch = last_event_id.partition("-")
        text = offset if last_event_id else query.get("after", [""])[-1]
        self.epoch = epoch or query.get("epoch", [""])[-1]
        self.after: int | None = None
        if text or last_event_id:
            if not (text.isascii() and text.isdigit() and len(text) <= 15):
                raise InvalidInput({"after": [f"The offset of an event is expected, not {text[:40]!r}."]})
            self.after = int(text)


class CallersSocket(SocketConsumer):
    """A socket whose caller signs in as for REST."""

    caller: Caller

    async def identify(self) -> Caller:
        self.caller = await acaller_of(self.scope)
        return self.caller

    async def join(self, topic: Topic, check: Check | None = None) -> None:
        """Accept the socket and subscribe it, so that it hears all that comes after it knows that it is open.

        `check` raises for a caller who may not read the topic.
        """
        protocol = PROTOCOL if PROTOCOL in self.scope["subprotocols"] else None
        position = Position(self.scope)
        if position.after is None:
            await self.hub.subscribe(topic, self.connection, check=check)
            await self.accept(protocol)
            return
        if check is not None:
            await check()
        await self.hub.check(topic, position.after, position.epoch)
        await self.accept(protocol)
        await self.hub.subscribe(topic, self.connection, position.after, position.epoch, check)


class RoomSocket(CallersSocket):
    """`/room/{roomId}/subscribe`: every later event of the room; takes posts."""

    kind = "room"

    async def open(self) -> None:
        self.room_id = self.scope["url_route"]["kwargs"]["room_id"]
        await self.join(topic_of(self.room_id), partial(ashow_room, self.caller, self.room_id))

    async def take(self, command: dict[str, Any]) -> None:
        if command.get("type") != "post":
            raise UnknownCommand(f"This socket takes frames of type 'post', not {command.get('type')!r:.40}.")
        text, retry_key = check_post(command)
        await acount_post(self.caller)
        message = await apost_message(self.caller, self.room_id, text, retry_key)
        told = b'"id":' + encode(command["id"]) + b"," if "id" in command else b""
        self.connection.reply(b"{" + told + b'"type":"reply","result":' + message + b"}")


class InboxSocket(CallersSocket):
    """`/messages/subscribe`: direct messages to the caller."""

    kind = "inbox"
    dialect = INBOX

    async def open(self) -> None:
        await self.join(user_topic(self.caller.id, self.caller.username))

    async def take(self, command: dict[str, Any]) -> None:
        raise UnknownCommand("This socket takes no commands.")


def as_stream_event(event: Event) -> bytes:
    """An event as the stream's format has it: its id tells offset and epoch, for `Last-Event-ID`, if it is stored."""
    if not event.offset:
        return b"data: %s\n\n" % event.json
    return b"id: %d-%s\ndata: %s\n\n" % (event.offset, event.epoch.encode(), event.json)


def as_inbox_event(event: Event) -> bytes | None:
    return as_stream_event(event) if received_only(event) else None


class CallersStream(EventStream):
    """A stream whose caller signs in as for REST."""

    caller: Caller

    async def identify(self) -> Caller:
        self.caller = await acaller_of(self.scope)
        return self.caller

    async def join(self, topic: Topic, check: Check | None = None) -> None:
        """Subscribe and start the stream. `check` raises for a caller who may not read the topic."""
        headers = dict(self.scope["headers"])
        position = Position(self.scope, headers.get(b"last-event-id", b"").decode("latin-1"))
        if check is not None:
            await check()
        if position.after is not None:
            await self.hub.check(topic, position.after, position.epoch)
            await self.start()
        head = await self.hub.subscribe(topic, self.connection, position.after, position.epoch, check)
        if position.after is None:
            await self.start(b"%d-%s" % (head.offset, head.epoch.encode()))


class RoomStream(CallersStream):
    dialect = Dialect("room stream", as_stream_event)

    async def open(self) -> None:
        room_id = self.scope["url_route"]["kwargs"]["room_id"]
        await self.join(topic_of(room_id), partial(ashow_room, self.caller, room_id))


class InboxStream(CallersStream):
    dialect = Dialect("inbox stream", as_inbox_event)

    async def open(self) -> None:
        await self.join(user_topic(self.caller.id, self.caller.username))
