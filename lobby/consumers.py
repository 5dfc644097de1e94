"""The socket of `/lobby_api`: lobby tables, live. Its frames have their type in `$type`."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from foyer.api.contracts import checked
from foyer.api.retry_keys import RetryKey, retry_key_of
from foyer.api.wire import encode
from foyer.errors import FoyerError, InvalidInput, RetryKeyReused, Unavailable, UnknownCommand, UnknownCursor
from foyer.realtime.connection import NOBODY, NOTICE, Dialect, Identity
from foyer.realtime.consumer import BadFrame, SocketConsumer
from foyer.realtime.log import Event
from lobby.errors import NotAuthorized, PlaceGone, TableIdTaken, TableNotFound
from lobby.listing import LIST, shared_listing
from lobby.login import Door, Login
from lobby.operations import TABLES, aadd_table, aremove_table, aupdate_table
from lobby.serializers import (
    CredentialsSerializer,
    RemovalSerializer,
    UpdateSerializer,
    new_table,
    typed,
)

CHANGES = frozenset({"table_added", "table_updated", "table_removed"})
REFUSALS = (TableNotFound, TableIdTaken, PlaceGone, RetryKeyReused)
"""Errors of a change whose frame was right. They are answered by a frame of their own, such as `add_failed`."""
ATTEMPTS = 3
"""Lists sent to a new subscriber, at most. A second one is needed only if the log was lost since the first."""


def as_frame(event: Event) -> bytes | None:
    """The list unchanged; a change as the log has it, without topic and offset; a notice."""
    if event.kind == LIST:
        return event.json
    if event.kind == NOTICE:
        return typed(NOTICE, event.json[len(b'{"type":"notice",') : -1])
    if event.kind not in CHANGES:
        return None
    head = b'{"type":"%s","topic":"tables","offset":%d,' % (event.kind.encode(), event.offset)
    return typed(event.kind, event.json[len(head) : -1])


LOBBY = Dialect("lobby", as_frame)


class LobbySocket(SocketConsumer):
    """Anyone may open it and read. `login` signs in; the commands that change tables are for admins."""

    kind = "lobby"
    dialect = LOBBY
    login: Login | None = None

    async def identify(self) -> Identity:
        return NOBODY

    async def open(self) -> None:
        client = self.scope.get("client")
        self.door = Door(client[0] if client else "")
        await self.accept()

    async def serve(self, receive: Any) -> None:
        try:
            await super().serve(receive)
        finally:
            self.sign_out()

    async def take(self, command: dict[str, Any]) -> None:
        kind = command.get("$type")
        carry_out = COMMANDS.get(kind) if isinstance(kind, str) else None
        if carry_out is None:
            raise UnknownCommand(f"$type is one of {', '.join(COMMANDS)}, not {kind!r:.40}.")
        await carry_out(self, command)

    def reply_error(self, error: FoyerError, command: dict[str, Any] | None) -> None:
        if isinstance(error, NotAuthorized):
            self.reply("not_authorized")
        else:
            self.reply("error", **error.as_json())

    def take_binary(self) -> None:
        self.reply_error(BadFrame("A frame is a JSON object in a text frame, this one is binary."), None)

    def reply(self, kind: str, **fields: Any) -> None:
        self.connection.reply(encode({"$type": kind, **fields}))

    # Signing in

    async def sign_in(self, command: dict[str, Any]) -> None:
        """Sign in. An earlier login on this socket ends, whether or not this one succeeds."""
        credentials = checked(CredentialsSerializer, command)
        self.sign_out()
        try:
            account = await self.door.prove(**credentials)
        except FoyerError:
            self.reply("login_failed")
            return
        self.login = Login(account)
        self.hub.people.connected(self.login)
        self.reply("login_successful", user_type=account.user_type)

    def sign_out(self) -> None:
        if self.login is not None:
            self.hub.people.disconnected(self.login)
            self.login = None

    async def admin(self) -> Identity:
        """The user who is signed in, if they are an admin at this moment. Raises `NotAuthorized`."""
        if self.login is None or not await self.login.is_admin():
            raise NotAuthorized
        return self.login.caller

    # Reading

    async def ping(self, command: dict[str, Any]) -> None:
        seq = command.get("seq", 0)
        if type(seq) is not int:
            raise InvalidInput({"seq": ["A whole number is expected."]})
        self.reply("pong", **({"seq": seq} if "seq" in command else {}))

    async def subscribe(self, command: dict[str, Any]) -> None:
        """The list, then every change that came after it."""
        self.hub.unsubscribe(TABLES.tag, self.connection)
        await self.connection.room_to_write()  # one list at a time waits for a client that does not read
        for _ in range(ATTEMPTS):
            head, listing = await shared_listing().newest()
            self.connection.deliver(listing)
            with contextlib.suppress(UnknownCursor):
                await self.hub.subscribe(TABLES, self.connection, head.offset, head.epoch)
                return
        raise Unavailable

    async def unsubscribe(self, command: dict[str, Any]) -> None:
        self.hub.unsubscribe(TABLES.tag, self.connection)

    # Changing; the event is the answer

    async def add(self, command: dict[str, Any]) -> None:
        admin = await self.admin()
        table, key = new_table(command), retry_key_of(command.get("client_id"))
        with self.telling_refusal("add_failed", table.id):
            await aadd_table(table, RetryKey(admin.id, key) if key else None)

    async def update(self, command: dict[str, Any]) -> None:
        await self.admin()
        table = checked(UpdateSerializer, command)["table"]
        with self.telling_refusal("update_failed", table["id"]):
            await aupdate_table(table["id"], table["name"], table["participants"])

    async def remove(self, command: dict[str, Any]) -> None:
        await self.admin()
        table_id = checked(RemovalSerializer, command)["id"]
        with self.telling_refusal("removal_failed", table_id):
            await aremove_table(table_id)

    @contextlib.contextmanager
    def telling_refusal(self, kind: str, table_id: int | None) -> Iterator[None]:
        try:
            yield
        except REFUSALS as error:
            self.reply(kind, id=table_id, reason=str(error))


COMMANDS: dict[str, Callable[[LobbySocket, dict[str, Any]], Awaitable[None]]] = {
    "login": LobbySocket.sign_in,
    "ping": LobbySocket.ping,
    "subscribe_tables": LobbySocket.subscribe,
    "unsubscribe_tables": LobbySocket.unsubscribe,
    "add_table": LobbySocket.add,
    "update_table": LobbySocket.update,
    "remove_table": LobbySocket.remove,
}
