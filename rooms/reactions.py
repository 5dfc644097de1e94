"""What every process does when a room changes: it stops or starts the reading of those whose rights changed."""

from __future__ import annotations

import asyncio
from functools import partial

import orjson

from accounts.operations import user_tag
from foyer.errors import Unavailable, UnknownCursor
from foyer.realtime.connection import CloseCode, Connection
from foyer.realtime.feed import acts_on
from foyer.realtime.hub import get_hub
from foyer.realtime.log import Event, Head
from foyer.realtime.topics import room_topic
from rooms.membership import amembers_among
from rooms.operations import aopenness

REMOVALS = frozenset({"member_removed", "member_banned"})
"""Events by which a membership ends."""


def put_out(reader: Connection, room_id: str, code: int, reason: str) -> None:
    """Take a connection off a room. If it reads nothing else, it is closed."""
    get_hub().unsubscribe(room_topic(room_id).tag, reader)
    if not reader.many_topics:
        reader.close(code, reason)


@acts_on("room_deleted", ends=True)
async def leave_room(event: Event, readers: list[Connection]) -> None:
    """Nobody reads a room that is deleted."""
    room_id = orjson.loads(event.json)["roomId"]
    for reader in readers:
        put_out(reader, room_id, CloseCode.GONE, "the room was deleted")


@acts_on("room_updated")
async def shut_out_strangers(event: Event, readers: list[Connection]) -> None:
    """A room that is for its members from now on is not heard by others from now on; by its owner it is."""
    room = orjson.loads(event.json)["room"]
    if not room["members_only"]:
        return
    members = await amembers_among(room["roomId"], list({reader.caller.id for reader in readers}))
    for reader in readers:
        is_owner = reader.caller.username == room["owner"]
        if not (reader.caller.id in members or is_owner or reader.caller.is_admin):
            put_out(reader, room["roomId"], CloseCode.FORBIDDEN, "the room is for its members now")


@acts_on("member_removed")
async def stop_hearing(event: Event, readers: list[Connection]) -> None:
    """A user who was removed stops reading the room, except on sockets on which anyone may listen."""
    told = orjson.loads(event.json)
    room_id = told["topic"].removeprefix("room:")
    concerned = [reader for reader in readers if reader.caller.username == told["username"]]
    anyone_listens = bool(concerned) and await aopenness(room_id) == "open"
    for reader in concerned:
        if reader.many_topics or not (anyone_listens or reader.caller.is_admin):
            put_out(reader, room_id, CloseCode.FORBIDDEN, "you are no longer in the room")


@acts_on("member_banned")
async def shut_out(event: Event, readers: list[Connection]) -> None:
    """A user who is banned hears nothing more of the room, on no socket; an admin may everything."""
    told = orjson.loads(event.json)
    room_id = told["topic"].removeprefix("room:")
    for reader in readers:
        if reader.caller.username == told["username"] and not reader.caller.is_admin:
            put_out(reader, room_id, CloseCode.FORBIDDEN, "you are banned from the room")


@acts_on("room_removed")
async def finish_hearing(event: Event, readers: list[Connection]) -> None:
    """A user who was removed gets that event in the room before they are told that they were added again."""
    at = orjson.loads(event.json)["at"]
    topic = room_topic(at["topic"].removeprefix("room:"))
    if any(reader.many_topics and topic.tag in reader.topics for reader in readers):
        await get_hub().settle(topic, at["offset"] + 1)


@acts_on("room_added")
async def start_hearing(event: Event, readers: list[Connection]) -> None:
    """A user who was added hears the room from that event on, on all their gateway sockets.

    A socket from which that event is kept back hears the room after it.
    """
    told = orjson.loads(event.json)
    room_id, at = told["room"]["roomId"], Head(told["at"]["offset"], told["at"]["epoch"])
    at_once: list[Connection] = []
    for reader in readers:
        if reader.many_topics and reader.keeps_back(user_tag(reader.caller.id)):
            reader.do_later(partial(hear_room, reader, room_id, at, patient=True))
        elif reader.many_topics:
            at_once.append(reader)
    await asyncio.gather(*(hear_room(reader, room_id, at, patient=False) for reader in at_once))


async def hear_room(reader: Connection, room_id: str, at: Head, *, patient: bool) -> None:
    """Subscribe a socket to the room that its user came into right after `at`."""
    hub, topic = get_hub(), room_topic(room_id)
    if topic.tag in reader.topics:
        await hub.settle(topic, at.offset)  # it may be about to be put out, for an earlier removal
    if topic.tag in reader.topics or reader.closing:
        return

    def is_removal(event: Event) -> bool:
        name = reader.caller.username
        return event.kind in REMOVALS and bool(orjson.loads(event.json)["username"] == name)

    try:
        await hub.subscribe(topic, reader, at.offset, at.epoch, until=is_removal, patient=patient)
    except UnknownCursor:  # the room was deleted, or its log lost
        if await aopenness(room_id):
            reader.close(CloseCode.RESTARTING, "the room could not be read; reconnect")
    except Unavailable:
        reader.close(CloseCode.RESTARTING, "the room could not be read; reconnect")
