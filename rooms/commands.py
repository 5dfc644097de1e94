"""What the gateway does about rooms: the same operations as REST, checked by the same contracts."""

from __future__ import annotations

from functools import partial
from typing import Any

import orjson
from rest_framework import serializers

from accounts.people import afind_person
from accounts.sessions import Caller
from foyer.api.retry_keys import retry_key_of
from foyer.errors import InvalidInput
from foyer.realtime.gateway import Frame, Gateway, Reading, UnknownTopic, at_once, command, topics
from foyer.realtime.topics import room_topic
from foyer.store.steps import on_loop
from rooms import frames
from rooms.membership import aadd_member, aremove_member, arequire_member
from rooms.operations import LIBRARY, LOBBY, acreate_room, adelete_room, ashow_room, topic_of, user_tag
from rooms.serializers import NewMember, NewRoom


def checked(contract: type[serializers.Serializer[Any]], frame: Frame) -> dict[str, Any]:
    """What a frame says, by the contract of the same REST body. Raises `InvalidInput`."""
    body = contract(data=frame)
    if not body.is_valid():
        raise InvalidInput(dict(body.errors))
    valid: dict[str, Any] = body.validated_data
    return valid


def room_of(frame: Frame) -> str:
    """The room that a frame names. Raises `InvalidInput`."""
    room_id = frame.get("room")
    if not isinstance(room_id, str):
        raise InvalidInput({"room": ["The id of a room is expected: a string."]})
    return room_id


@topics("room")
def room_reading(caller: Caller, room_id: str) -> Reading:
    return Reading(topic_of(room_id), partial(ashow_room, caller, room_id))


@topics(LOBBY)
def lobby_reading(caller: Caller, rest: str) -> Reading:
    """The lobby goes by its own name too. Its topic, as of every room, is `room:<id>`."""
    if rest:
        raise UnknownTopic(f"There is one lobby, '{LOBBY}'.")
    return Reading(topic_of(LOBBY), None)


@at_once
async def own_rooms(caller: Caller) -> list[Reading]:
    """Everyone hears the rooms he is a member of."""
    found: list[Reading] = []
    after = -1
    while page := await on_loop().call(LIBRARY.call("page", [user_tag(caller.id)], "rooms", after, "", 1000, 0)):
        after = 0 if page[-1] == LOBBY.encode() else int(page[-1])
        found.extend(
            Reading(room_topic(room_id.decode()), partial(arequire_member, caller.id, room_id.decode()))
            for room_id in page
        )
    return found


@command("create_room", frames.CreateRoom, gives=frames.Room)
async def create_room(gateway: Gateway, frame: Frame) -> bytes:
    body = checked(NewRoom, frame)
    return await acreate_room(gateway.caller, body["name"], body["members_only"], retry_key_of(frame.get("client_id")))


@command("delete_room", frames.DeleteRoom, gives=frames.Gone)
async def delete_room(gateway: Gateway, frame: Frame) -> bytes:
    room_id = room_of(frame)
    await adelete_room(gateway.caller, room_id)
    return orjson.dumps({"roomId": room_id})


@command("add_member", frames.AddMember, gives=frames.Member)
async def add_member(gateway: Gateway, frame: Frame) -> bytes:
    room_id, body = room_of(frame), checked(NewMember, frame)
    await ashow_room(gateway.caller, room_id)
    member, _ = await aadd_member(gateway.caller, room_id, await afind_person(body["username"]))
    return orjson.dumps({"username": member.username, "joined_at": member.joined_at})


@command("remove_member", frames.RemoveMember, gives=frames.Removed)
async def remove_member(gateway: Gateway, frame: Frame) -> bytes:
    room_id, body = room_of(frame), checked(NewMember, frame)
    await ashow_room(gateway.caller, room_id)
    person = await afind_person(body["username"])
    await aremove_member(gateway.caller, room_id, person)
    return orjson.dumps({"username": person.username})
