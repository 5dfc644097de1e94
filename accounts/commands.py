"""How a socket of the gateway signs in."""

from __future__ import annotations

from typing import Any

import orjson
from rest_framework import serializers

from accounts.authentication import acaller_from_headers
from accounts.callers import Caller
from accounts.credentials import averify
from accounts.sessions import aauthenticate
from foyer.api.contracts import checked
from foyer.api.fields import StrictText
from foyer.realtime.declarations import FrameShape
from foyer.realtime.gateway import Frame, Gateway, Reading, UnknownTopic, at_once, command, entrance, topics
from foyer.realtime.presence import ONLINE
from foyer.realtime.topics import user_topic


class SignIn(FrameShape):
    """Say who the socket belongs to: by a token, or a username and a password. Answered, if it has an `id`, and then
    by `welcome`."""

    token = StrictText(required=False, max_length=4096)
    username = StrictText(required=False, max_length=200)
    password = StrictText(required=False, max_length=200)
    also = {"anyOf": [{"required": ["token"]}, {"required": ["username", "password"]}]}
    example = {"username": "ben", "password": "correct horse"}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "token" not in attrs and not {"username", "password"} <= attrs.keys():
            raise serializers.ValidationError({"token": ["A token is expected, or username and password."]})
        return attrs


class SignedIn(FrameShape):
    """Whose socket it is now."""

    username = serializers.CharField()
    example = {"username": "ben"}


def address_of(scope: Any) -> str:
    client = scope.get("client")
    return client[0] if client else ""


@entrance
async def caller_of_handshake(scope: Any) -> Caller:
    return await acaller_from_headers(scope["headers"], address_of(scope))


@command("authenticate", SignIn, gives=SignedIn, answers=("welcome",))
async def authenticate(gateway: Gateway, frame: Frame) -> bytes:
    """Say who the socket belongs to; once, before anything else."""
    given = checked(SignIn, frame)
    if "token" in given:
        caller = await aauthenticate(given["token"])
    else:
        account = await averify(given["username"], given["password"], address_of(gateway.scope))
        caller = account.caller
    gateway.signed_in(caller)
    return b"" if "id" not in frame else orjson.dumps({"username": caller.username})


@topics("user")
def own_reading(caller: Caller, name: str) -> Reading:
    """A user's own topic is for that user only."""
    if name != caller.username:
        raise UnknownTopic(f"There is no topic 'user:{name[:80]}' for you.")
    return Reading(user_topic(caller.id, caller.username), None)


@topics(ONLINE.name)
def online_reading(caller: Caller, rest: str) -> Reading:
    """The topic `online` is for everybody who is signed in."""
    if rest:
        raise UnknownTopic(f"There is one topic of who is online, '{ONLINE.name}'.")
    return Reading(ONLINE, None)


@at_once
async def own_topic(caller: Caller) -> list[Reading]:
    """All users hear their own topic without asking."""
    return [Reading(user_topic(caller.id, caller.username), None)]
