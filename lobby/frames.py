"""The sockets of `/lobby_api` and `/join`: what they take and what they say."""

from __future__ import annotations

from rest_framework import serializers

from foyer.api.fields import StrictInteger
from foyer.realtime.declarations import Channel, ClientId, FrameShape, Nothing, event
from foyer.realtime.frames import Failure
from lobby.operations import TABLES
from lobby.serializers import (
    CredentialsSerializer,
    NewTableSerializer,
    RemovalSerializer,
    TableAddedSerializer,
    TableListSerializer,
    TableSerializer,
    TableUpdatedSerializer,
    UpdateSerializer,
)
from messaging.serializers import MessageInputSerializer

LOBBY_API = Channel(
    "lobbyApi",
    "/lobby_api",
    "Lobby tables. Anyone may open it and read; `login` signs in, and admins change the list. Frames are answered in "
    "order. A change that succeeds is answered by its event alone, to those who subscribed.",
    marker="$type",
    signed_in=False,
)


# Events: with topic and offset on the gateway, without on the socket of the lobby


event("table_added", TABLES.name)(TableAddedSerializer)
event("table_updated", TABLES.name)(TableUpdatedSerializer)


@event("table_removed", TABLES.name)
class TableRemoved(FrameShape):
    """A table is in the list no more."""

    id = serializers.IntegerField(min_value=1)
    example = {"id": 1}


# Signing in


class Login(CredentialsSerializer, FrameShape):
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


class AddTable(NewTableSerializer, FrameShape):
    """Add a table; for admins. Without `after_id` it goes to the end, without an id the server picks one."""

    client_id = ClientId()
    example = {"after_id": 1, "table": TableSerializer.example}


class UpdateTable(UpdateSerializer, FrameShape):
    """Change a table; for admins."""

    example = {"table": TableSerializer.example}


class RemoveTable(RemovalSerializer, FrameShape):
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
    "table_list": TableListSerializer,
    "table_added": TableAddedSerializer,
    "table_updated": TableUpdatedSerializer,
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


# The lobby chat, `/join`

LOBBY_CHAT = Channel(
    "lobbyChat",
    "/join",
    "The lobby chat: everyone who is in it sees who is there and what is said. Every frame, either way, has `type`, "
    "`sent_at` and `msg`; of a client's `sent_at` counts for nothing. What is said is in the room `lobby` too.",
    inside="msg",
)


class UsersOnline(FrameShape):
    """The first frame: who is in already, without the newcomer."""

    list = serializers.ListField(child=serializers.CharField())
    example = {"list": ["ann"]}


class Guest(FrameShape):
    username = serializers.CharField()
    example = {"username": "ben"}


class Joined(Guest):
    """Somebody has come in. The newcomers get this for themselves, too."""


class Left(Guest):
    """Somebody has left with the last of their sockets."""


class ChatMessage(FrameShape):
    """Somebody said something; the sender gets it back as well."""

    from_user = serializers.CharField(allow_null=True)
    text = serializers.CharField(allow_blank=True)
    example = {"from_user": "ben", "text": "Hello!"}


class Say(MessageInputSerializer, FrameShape):
    """Say something to all who are in the lobby."""

    example = {"text": "Hello!"}


LOBBY_CHAT.says("users_online", UsersOnline)
LOBBY_CHAT.says("user_joined", Joined)
LOBBY_CHAT.says("user_left", Left)
LOBBY_CHAT.says("chat_message", ChatMessage)
LOBBY_CHAT.says("error", Failure)
LOBBY_CHAT.takes("chat_message", Say, answers=("chat_message",))
