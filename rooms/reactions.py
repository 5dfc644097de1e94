"""What every process does when a room changes: who may read on, and who may not."""

from __future__ import annotations

import orjson

from realtime.connection import CloseCode, Connection
from realtime.feed import acts_on
from realtime.log import Event
from realtime.topics import room_topic
from rooms.models import Room


@acts_on("room_deleted")
async def leave_room(event: Event, readers: list[Connection]) -> None:
    tag = room_topic(orjson.loads(event.json)["roomId"]).tag
    for reader in readers:
        reader.shut_out(tag, CloseCode.GONE, "the room was deleted")


@acts_on("room_updated")
async def shut_out_strangers(event: Event, readers: list[Connection]) -> None:
    """A room that is for its members from now on is not heard by others from now on."""
    room = orjson.loads(event.json)["room"]
    if not room["members_only"]:
        return
    members = await Room.amember_ids(room["roomId"])
    for reader in readers:
        if reader.caller.id not in members and not reader.caller.is_admin:
            reader.shut_out(room_topic(room["roomId"]).tag, CloseCode.FORBIDDEN, "the room is for its members now")
