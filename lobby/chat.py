"""The lobby chat, `/join`: everyone who is in it sees the other users and all messages.

Every frame, in both directions, is `{"type", "sent_at", "msg"}`. Messages are in the room `lobby`. Users who come and
go are in a topic of its own, in the room's slot of the store. So no message of a user comes before they joined or after
they left.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import orjson

from foyer.errors import FoyerError, InvalidInput, Unavailable, UnknownCommand, UnknownCursor
from foyer.realtime.connection import NOTICE, Dialect
from foyer.realtime.consumer import PROTOCOL, BadFrame
from foyer.realtime.hub import ANSWER_WITHIN
from foyer.realtime.log import Event, aread_head
from foyer.realtime.presence import Present, kept
from foyer.realtime.topics import Topic
from foyer.times import now_text
from messaging.consumers import CallersSocket
from messaging.operations import apost_message
from messaging.quota import acount_post
from messaging.serializers import check_post
from rooms.operations import LOBBY, ashow_room, topic_of

CHAT = topic_of(LOBBY)
GUESTS = Topic(LOBBY, f"{CHAT.tag}:guests")
"""The users in the lobby chat."""

kept.append(GUESTS)


def framed(kind: str, msg: bytes, sent_at: str = "") -> bytes:
    """A frame whose `msg` is JSON already."""
    return b'{"type":"%b","sent_at":"%b","msg":%b}' % (kind.encode(), (sent_at or now_text()).encode(), msg)


class LobbyDialect(Dialect):
    """Frames name one user each, so an event that tells of several becomes as many."""

    def __init__(self) -> None:
        super().__init__("lobby chat", lambda event: None)

    def texts(self, event: Event) -> list[bytes]:
        told = orjson.loads(event.json)
        if event.kind in ("user_joined", "user_left"):
            names = told.get("usernames") or [told["username"]]
            return [framed(event.kind, orjson.dumps({"username": name})) for name in names]
        if event.kind == "message":
            said = told["message"]
            msg = orjson.dumps({"from_user": said["sender"], "text": said["text"]})
            return [framed("chat_message", msg, said["sent_at"])]
        if event.kind == NOTICE:
            del told["type"]
            return [framed(NOTICE, orjson.dumps(told))]
        return []


class JoinSocket(CallersSocket):
    """Opened, it joins its user to the lobby; the list of who is there comes first, then what happens."""

    kind = "join"
    dialect = LobbyDialect()

    async def open(self) -> None:
        guests, may_enter = self.hub.people.presence(GUESTS), partial(ashow_room, self.caller, LOBBY)
        await may_enter()
        present, said = await asyncio.gather(guests.present(), aread_head(CHAT))
        await self.accept(PROTOCOL if PROTOCOL in self.scope["subprotocols"] else None)
        self.tell_who_is_there(present)
        if self.connection.closing:
            return
        guests.enter(self.connection)
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await guests.told(self.caller.id)
            # The user's own coming is in the log by now, so it is read from there before any later message.
            await self.hub.subscribe(GUESTS, self.connection, *present.head)
            await self.hub.subscribe(CHAT, self.connection, *said, check=may_enter)
        except (TimeoutError, UnknownCursor):
            raise Unavailable from None

    def tell_who_is_there(self, present: Present) -> None:
        """Send the list of users without this one. If another connection of the user is in already, the event of their
        coming is sent all the same."""
        name = orjson.dumps(self.caller.username)
        others, is_in = present.without(name)
        self.connection.reply(framed("users_online", b'{"list":%b}' % others))
        if is_in:
            self.connection.reply(framed("user_joined", b'{"username":%b}' % name))

    async def take(self, command: dict[str, Any]) -> None:
        if command.get("type") != "chat_message":
            raise UnknownCommand(f"This socket takes frames of type 'chat_message', not {command.get('type')!r:.40}.")
        msg = command.get("msg")
        if not isinstance(msg, dict):
            raise InvalidInput({"msg": ['An object is expected: {"text": "…"}.']})
        given = {"client_id": command["client_id"]} if "client_id" in command else {}
        text, retry_key = check_post(given | {"text": msg["text"]} if "text" in msg else given)
        await acount_post(self.caller)
        await apost_message(self.caller, LOBBY, text, retry_key)

    def reply_error(self, error: FoyerError, command: dict[str, Any] | None) -> None:
        self.connection.reply(framed("error", orjson.dumps(error.as_json())))

    def take_binary(self) -> None:
        self.reply_error(BadFrame("A frame is a JSON object in a text frame, this one is binary."), None)
