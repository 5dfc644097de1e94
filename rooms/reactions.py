"""What every process does when a room changes: who may read on, and who may not."""

from __future__ import annotations

from functools import partial

import orjson

from config.errors import NotFound, UnknownCursor
from realtime.connection import CloseCode, Connection
from realtime.feed import acts_on
from realtime.hub import get_hub
from realtime.log import Event
from realtime.topics import room_topic
from rooms.membership import Membership
from rooms.models import Room


def put_out(reader: Connection, room_id: str, code: int, reason: str) -> None:
    """Take a connection off a room; one that reads nothing else is closed."""
    get_hub().unsubscribe(room_topic(room_id).tag, reader)
    if not reader.many_topics:
        reader.close(code, reason)


@acts_on("room_deleted")
async def leave_room(event: Event, readers: list[Connection]) -> None:
    """A room that is gone is heard by nobody."""
    room_id = orjson.loads(event.json)["roomId"]
    for reader in readers:
        put_out(reader, room_id, CloseCode.GONE, "the room was deleted")


@acts_on("room_updated")
async def shut_out_strangers(event: Event, readers: list[Connection]) -> None:
    """A room that is for its members from now on is not heard by others from now on."""
    room = orjson.loads(event.json)["room"]
    if not room["members_only"]:
        return
    members = await Room.amember_ids(room["roomId"])
    for reader in readers:
        if reader.caller.id not in members and not reader.caller.is_admin:
            put_out(reader, room["roomId"], CloseCode.FORBIDDEN, "the room is for its members now")


@acts_on("member_removed")
async def stop_hearing(event: Event, readers: list[Connection]) -> None:
    """One who was taken out hears nothing more of the room, but for the sockets on which anyone may listen."""
    told = orjson.loads(event.json)
    room_id = told["topic"].removeprefix("room:")
    concerned = [reader for reader in readers if reader.caller.username == told["username"]]
    anyone_listens = bool(concerned) and await Room.aopenness(room_id) == "open"
    for reader in concerned:
        if reader.many_topics or not (anyone_listens or reader.caller.is_admin):
            put_out(reader, room_id, CloseCode.FORBIDDEN, "you are no longer in the room")


@acts_on("room_added")
async def start_hearing(event: Event, readers: list[Connection]) -> None:
    """One who was let in hears the room from the event of that on, on all his gateway sockets."""
    told = orjson.loads(event.json)
    at = told["at"]
    room_id = told["room"]["roomId"]
    for reader in readers:
        if not reader.many_topics or room_topic(room_id).tag in reader.topics:
            continue
        check = partial(Membership.arequire, reader.caller.id, room_id)
        try:
            await get_hub().subscribe(room_topic(room_id), reader, at["offset"], at["epoch"], check)
        except (NotFound, UnknownCursor):
            continue  # he is out again, or the log was lost: there is nothing to go on from
