"""The socket of `/lobby_api`: what it takes and what it says."""

from __future__ import annotations

from rest_framework import serializers

from config.fields import StrictInteger
from lobby.models import TABLES
from lobby.serializers import Addition, Credentials, Removal, Update
from realtime.declarations import Channel, FrameShape, Nothing, RetryKey, event
from realtime.frames import Failure

LOBBY_API = Channel(
    "lobbyApi",
    "/lobby_api",
    "Lobby tables. Anyone may open it and read; `login` signs in, and admins change the list. Frames are answered in "
    "order. A change that succeeds is answered by its event alone, to those who subscribed.",
    marker="$type",
    signed_in=False,
)


class Table(FrameShape):
    """A table of the lobby."""

    id = serializers.IntegerField(min_value=1)
    name = serializers.CharField()
    participants = serializers.IntegerField(min_value=0)
    example = {"id": 3, "name": "table - Foo Fighters", "participants": 4}


# Events: with topic and offset on the gateway, without on the socket of the lobby


@event("table_added", TABLES.name)
class TableAdded(FrameShape):
    """A table is in the list, behind the one that is named; -1 is the beginning."""

    after_id = serializers.IntegerField(min_value=-1)
    table = Table()
    example = {"after_id": 1, "table": Table.example}


@event("table_updated", TABLES.name)
class TableUpdated(FrameShape):
    """A table has another name, or other participants."""

    table = Table()
    example = {"table": Table.example}


@event("table_removed", TABLES.name)
class TableRemoved(FrameShape):
    """A table is in the list no more."""

    id = serializers.IntegerField(min_value=1)
    example = {"id": 1}


class TableList(FrameShape):
    """All tables, in order."""

    tables = Table(many=True)
    example = {"tables": [{"id": 1, "name": "table - James Bond", "participants": 7}, Table.example]}


# Signing in


class Login(Credentials, FrameShape):
    """Sign in. Whoever was signed in on this socket is so no longer, whether or not it succeeds."""

    example = {"username": "user1234", "password": "password1234"}


class LoginSuccessful(FrameShape):
    """Signed in, until the socket closes or the account's sessions are ended."""

    user_type = serializers.ChoiceField(["admin", "user"])
    example = {"user_type": "admin"}


class LoginFailed(Nothing):
    """Name and password are those of no account, or too many sign-ins failed."""


class NotAuthorized(Nothing):
    """Only admins may do this."""


# Commands


class Ping(FrameShape):
    """Ask for a `pong`."""

    seq = StrictInteger(required=False)
    example = {"seq": 1}


class Pong(FrameShape):
    """The answer to `ping`, with its number."""

    seq = serializers.IntegerField(required=False)
    example = {"seq": 1}


class SubscribeTables(Nothing):
    """Get the list, then every change of it."""


class UnsubscribeTables(Nothing):
    """Get no more changes. It has no answer."""


class AddTable(Addition, FrameShape):
    """Add a table; for admins. Without `after_id` it goes to the end, without an id the server picks one."""

    client_id = RetryKey()
    example = {"after_id": 1, "table": Table.example}


class UpdateTable(Update, FrameShape):
    """Change a table; for admins."""

    example = {"table": Table.example}


class RemoveTable(Removal, FrameShape):
    """Take a table out of the list; for admins."""

    example = {"id": 1}


class Refusal(FrameShape):
    """A change that was understood can't be made."""

    id = serializers.IntegerField(allow_null=True, help_text="That of the table; null where none was named.")
    reason = serializers.CharField()
    example = {"id": 3, "reason": "There is no table with that id."}


class AddFailed(Refusal):
    """The id is taken, or `after_id` is not in the list."""

    example = {"id": 3, "reason": "A table with that id exists."}


class UpdateFailed(Refusal):
    """There is no such table."""


class RemovalFailed(Refusal):
    """There is no such table."""


for kind, shape in {
    "login_successful": LoginSuccessful,
    "login_failed": LoginFailed,
    "pong": Pong,
    "table_list": TableList,
    "table_added": TableAdded,
    "table_updated": TableUpdated,
    "table_removed": TableRemoved,
    "add_failed": AddFailed,
    "update_failed": UpdateFailed,
    "removal_failed": RemovalFailed,
    "not_authorized": NotAuthorized,
    "error": Failure,
}.items():
    LOBBY_API.says(kind, shape)

LOBBY_API.takes("login", Login, answers=("login_successful", "login_failed"))
LOBBY_API.takes("ping", Ping, answers=("pong",))
LOBBY_API.takes("subscribe_tables", SubscribeTables, answers=("table_list",))
LOBBY_API.takes("unsubscribe_tables", UnsubscribeTables)
LOBBY_API.takes("add_table", AddTable, answers=("table_added", "add_failed", "not_authorized"))
LOBBY_API.takes("update_table", UpdateTable, answers=("table_updated", "update_failed", "not_authorized"))
LOBBY_API.takes("remove_table", RemoveTable, answers=("table_removed", "removal_failed", "not_authorized"))
