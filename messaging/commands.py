"""What the gateway does about messages: the same operations as REST, checked by the same contracts."""

from __future__ import annotations

from typing import Any

import orjson

from accounts.callers import Caller
from accounts.errors import UserNotFound
from accounts.people import afind_person
from foyer.api.contracts import checked
from foyer.api.wire import as_json_list
from foyer.errors import InvalidInput
from foyer.paging import Page
from foyer.realtime.declarations import Nothing
from foyer.realtime.gateway import Frame, Gateway, command
from foyer.realtime.topics import user_topic
from messaging import frames
from messaging.blocks import ablock, aunblock
from messaging.operations import (
    adelete_direct,
    adelete_message,
    aedit_direct,
    aedit_message,
    apost_message,
    aread_direct,
    aread_history,
    asend_direct,
)
from messaging.quota import acount_post
from messaging.reading import amark_read, atell_typing, between, in_room
from messaging.serializers import (
    MOST_MESSAGES,
    NEWEST,
    BlockSerializer,
    MessageInputSerializer,
    UserSerializer,
    check_post,
)
from rooms.frames import room_of
from rooms.operations import topic_of

TRUTH = {True: b"true", False: b"false"}


def is_direct(frame: Frame) -> bool:
    """Whether a frame is about a user, not a room. Raises `InvalidInput` unless it names one of them."""
    if ("room" in frame) == ("user" in frame):
        raise InvalidInput({"room": ["Name a room, or a user, not both."]})
    if "user" in frame and not isinstance(frame["user"], str):
        raise InvalidInput({"user": ["A username is expected: a string."]})
    return "user" in frame


def number(frame: Frame, name: str, least: int, most: int) -> int | None:
    """A whole number of a frame, None where there is none. Raises `InvalidInput`."""
    value: Any = frame.get(name)
    if value is not None and not (type(value) is int and least <= value <= most):
        raise InvalidInput({name: [f"A whole number from {least} to {most} is expected."]})
    return value


@command("post", frames.Post, gives=frames.Message)
async def post(gateway: Gateway, frame: Frame) -> bytes:
    """A message to a room or a user; answered when it is stored."""
    direct = is_direct(frame)
    text, retry_key = check_post(frame)
    await acount_post(gateway.caller)
    if direct:
        return await send_to(gateway.caller, frame["user"], text, retry_key)
    return await apost_message(gateway.caller, room_of(frame), text, retry_key)


async def send_to(caller: Caller, name: str, text: str, retry_key: str | None) -> bytes:
    """Send a direct message to whoever has a name now, also where it is given to somebody else meanwhile."""
    person = await afind_person(name)
    try:
        return await asend_direct(caller, person, text, retry_key)
    except UserNotFound:
        successor = await afind_person(name)
        if successor.id == person.id:
            raise
        return await asend_direct(caller, successor, text, retry_key)


@command("history", frames.History, gives=frames.Page)
async def history(gateway: Gateway, frame: Frame) -> bytes:
    """A page of messages, as over REST; `more` says whether there are others beyond it.

    Of a page around an id `more` are newer ones, and `earlier` says whether there are older ones.
    """
    cursors = {name: number(frame, name, 0, 2**53) for name in ("before", "after", "around")}
    asked = Page(number(frame, "limit", 1, MOST_MESSAGES) or NEWEST, **cursors)
    if asked.around is not None and (asked.before, asked.after) != (None, None):
        raise InvalidInput({"around": ["Ask for messages around one, or before and after, not both."]})
    if is_direct(frame):
        page = await aread_direct(gateway.caller, await afind_person(frame["user"]), asked)
    else:
        page = await aread_history(gateway.caller, room_of(frame), asked)
    told = b'{"messages":%b,"more":%b' % (as_json_list(page.messages), TRUTH[page.more])
    return told + (b"}" if asked.around is None else b',"earlier":%b}' % TRUTH[page.earlier])


@command("edit", frames.Edit, gives=frames.Message)
async def edit(gateway: Gateway, frame: Frame) -> bytes:
    """Give a message another text, wherever it was said; its sender may."""
    direct = is_direct(frame)
    message_id, text = message_of(frame), checked(MessageInputSerializer, frame)["text"]
    await acount_post(gateway.caller)
    if direct:
        return await aedit_direct(gateway.caller, await afind_person(frame["user"]), message_id, text)
    return await aedit_message(gateway.caller, room_of(frame), message_id, text)


@command("delete", frames.Delete, gives=frames.DeletedId)
async def delete(gateway: Gateway, frame: Frame) -> bytes:
    """Take a message away, wherever it was said."""
    message_id = message_of(frame)
    if is_direct(frame):
        await adelete_direct(gateway.caller, await afind_person(frame["user"]), message_id)
    else:
        await adelete_message(gateway.caller, room_of(frame), message_id)
    return orjson.dumps({"id": message_id})


def message_of(frame: Frame) -> int:
    found = number(frame, "message", 0, 2**53)
    if found is None:
        raise InvalidInput({"message": ["The id of a message is expected."]})
    return found


@command("block", frames.BlockUser, gives=BlockSerializer)
async def block(gateway: Gateway, frame: Frame) -> bytes:
    """Take no direct messages from a user."""
    person = await afind_person(checked(UserSerializer, frame)["username"])
    return orjson.dumps((await ablock(gateway.caller, person))._asdict())


@command("unblock", frames.UnblockUser, gives=UserSerializer)
async def unblock(gateway: Gateway, frame: Frame) -> bytes:
    """Take direct messages from a user again."""
    person = await afind_person(checked(UserSerializer, frame)["username"])
    await aunblock(gateway.caller, person)
    return orjson.dumps({"username": person.username})


@command("typing", frames.TypingIn, gives=Nothing)
async def typing(gateway: Gateway, frame: Frame) -> bytes:
    """Tell a room or a user that the caller is writing. Answered only if the frame has an `id`."""
    if is_direct(frame):
        person = await afind_person(frame["user"])
        topic = user_topic(person.id, person.username)
    else:
        topic = topic_of(room_of(frame))
    await atell_typing(gateway.caller, topic)
    return b"{}" if "id" in frame else b""


@command("read", frames.ReadUpTo, gives=frames.Unread)
async def read(gateway: Gateway, frame: Frame) -> bytes:
    """Note how far the caller has read; their other devices are told."""
    offset = number(frame, "offset", 0, 2**53)
    if offset is None:
        raise InvalidInput({"offset": ["The offset up to which was read is expected: a whole number."]})
    direct = is_direct(frame)
    place = between(gateway.caller, await afind_person(frame["user"])) if direct else in_room(room_of(frame))
    return await amark_read(gateway.caller, place, offset)
