"""What the gateway does about rooms: the same operations as REST, checked by the same contracts."""

from __future__ import annotations

from functools import partial

import orjson

from accounts.callers import Caller
from accounts.people import Person, afind_person
from foyer.api.contracts import checked
from foyer.api.retry_keys import retry_key_of
from foyer.realtime.gateway import Frame, Gateway, Reading, UnknownTopic, at_once, command, topics
from foyer.realtime.topics import room_topic
from rooms import frames
from rooms.frames import room_of
from rooms.membership import aadd_member, aremove_member, arequire_member
from rooms.operations import LOBBY, acreate_room, adelete_room, aown_rooms, ashow_room, topic_of
from rooms.order import Restriction, Terms, alift, arestrict, aset_role
from rooms.serializers import (
    NewMemberSerializer,
    NewRoomSerializer,
    RestrictionSerializer,
    RoleSerializer,
    RoomSerializer,
    TermsSerializer,
)


@topics("room")
def room_reading(caller: Caller, room_id: str) -> Reading:
    return Reading(topic_of(room_id), partial(ashow_room, caller, room_id))


@topics(LOBBY)
def lobby_reading(caller: Caller, rest: str) -> Reading:
    """The lobby goes by its own name too. Its topic, as of every room, is `room:<id>`."""
    if rest:
        raise UnknownTopic(f"There is one lobby, '{LOBBY}'.")
    return room_reading(caller, LOBBY)


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
    room_id, person = await person_in(gateway, frame)
    member, _ = await aadd_member(gateway.caller, room_id, person)
    return orjson.dumps({"username": member.username, "joined_at": member.joined_at})


@command("remove_member", frames.RemoveMember, gives=frames.Removed)
async def remove_member(gateway: Gateway, frame: Frame) -> bytes:
    room_id, person = await person_in(gateway, frame)
    await aremove_member(gateway.caller, room_id, person)
    return orjson.dumps({"username": person.username})


@command("set_role", frames.SetRole, gives=frames.MemberWithRole)
async def set_role(gateway: Gateway, frame: Frame) -> bytes:
    role = checked(RoleSerializer, frame)["role"]
    room_id, person = await person_in(gateway, frame)
    member = await aset_role(gateway.caller, room_id, person, role)
    return orjson.dumps({"username": member.username, "joined_at": member.joined_at, "role": member.role})


@command("ban", frames.Ban, gives=RestrictionSerializer)
async def ban(gateway: Gateway, frame: Frame) -> bytes:
    return await impose(gateway, frame, "bans")


@command("unban", frames.Unban, gives=frames.Lifted)
async def unban(gateway: Gateway, frame: Frame) -> bytes:
    return await end(gateway, frame, "bans")


@command("mute", frames.Mute, gives=RestrictionSerializer)
async def mute(gateway: Gateway, frame: Frame) -> bytes:
    return await impose(gateway, frame, "mutes")


@command("unmute", frames.Unmute, gives=frames.Lifted)
async def unmute(gateway: Gateway, frame: Frame) -> bytes:
    return await end(gateway, frame, "mutes")


async def impose(gateway: Gateway, frame: Frame, which: Restriction) -> bytes:
    body = checked(TermsSerializer, frame)
    room_id, person = await person_in(gateway, frame)
    return await arestrict(gateway.caller, room_id, which, person, Terms(body.get("until"), body.get("reason")))


async def end(gateway: Gateway, frame: Frame, which: Restriction) -> bytes:
    room_id, person = await person_in(gateway, frame)
    await alift(gateway.caller, room_id, which, person)
    return orjson.dumps({"username": person.username})


async def person_in(gateway: Gateway, frame: Frame) -> tuple[str, Person]:
    """The room and the user that a frame names. Callers who may not see the room don't learn which accounts exist."""
    room_id, body = room_of(frame), checked(NewMemberSerializer, frame)
    await ashow_room(gateway.caller, room_id)
    return room_id, await afind_person(body["username"])
