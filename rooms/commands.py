"""What the gateway does about rooms: the same operations as REST, checked by the same contracts."""

from __future__ import annotations

from functools import partial

import orjson

from accounts.callers import Caller
from accounts.people import afind_person
from foyer.api.contracts import checked
from foyer.api.retry_keys import retry_key_of
from foyer.realtime.gateway import Frame, Gateway, Reading, UnknownTopic, at_once, command, topics
from foyer.realtime.topics import room_topic
from rooms import frames
from rooms.frames import room_of
from rooms.membership import aadd_member, aremove_member, arequire_member
from rooms.operations import LOBBY, acreate_room, adelete_room, aown_rooms, ashow_room, topic_of
from rooms.serializers import NewMemberSerializer, NewRoomSerializer, RoomSerializer


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
    """Everyone hears the rooms that they are a member of."""
    return [
        Reading(room_topic(room_id), partial(arequire_member, caller.id, room_id))
        for room_id in await aown_rooms(caller.id)
    ]


@command("create_room", frames.CreateRoom, gives=RoomSerializer)
async def create_room(gateway: Gateway, frame: Frame) -> bytes:
    body = checked(NewRoomSerializer, frame)
    return await acreate_room(gateway.caller, body["name"], body["members_only"], retry_key_of(frame.get("client_id")))


@command("delete_room", frames.DeleteRoom, gives=frames.Gone)
async def delete_room(gateway: Gateway, frame: Frame) -> bytes:
    room_id = room_of(frame)
    await adelete_room(gateway.caller, room_id)
    return orjson.dumps({"roomId": room_id})


@command("add_member", frames.AddMember, gives=frames.Member)
async def add_member(gateway: Gateway, frame: Frame) -> bytes:
    room_id, body = room_of(frame), checked(NewMemberSerializer, frame)
    await ashow_room(gateway.caller, room_id)
    member, _ = await aadd_member(gateway.caller, room_id, await afind_person(body["username"]))
    return orjson.dumps({"username": member.username, "joined_at": member.joined_at})


@command("remove_member", frames.RemoveMember, gives=frames.Removed)
async def remove_member(gateway: Gateway, frame: Frame) -> bytes:
    room_id, body = room_of(frame), checked(NewMemberSerializer, frame)
    await ashow_room(gateway.caller, room_id)
    person = await afind_person(body["username"])
    await aremove_member(gateway.caller, room_id, person)
    return orjson.dumps({"username": person.username})
