"""Read markers, what is unread, and who is typing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from accounts.callers import Caller
from foyer.errors import UnknownCursor
from foyer.realtime.feed import Feed
from foyer.realtime.log import Event, read_log
from foyer.realtime.tests.talk import Listener
from foyer.realtime.topics import room_topic
from messaging.operations import delete_direct, delete_message, edit_message
from messaging.reading import between, in_room, mark_read, summaries, tell_typing
from messaging.tests.said import person, post, send, user_events
from rooms.errors import RoomNotFound
from rooms.membership import add_member, remove_member
from rooms.operations import create_room, update_room
from tests.clients import Frame, Person, Socket
from tests.people import ANN, BEN, EVE


def marked(room: str, offset: int) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(mark_read(ANN, in_room(room), offset))
    return told


def summary(room: str) -> dict[str, Any]:
    (told,) = summaries(ANN, [room])
    found: dict[str, Any] = orjson.loads(b"{" + told + b"}")
    return found


@pytest.fixture
def room() -> str:
    return str(orjson.loads(create_room(BEN, "tea", False, None))["roomId"])


def test_unread_are_the_messages_of_others_after_the_marker(room: str) -> None:
    assert summary(room) == {"unread": 0, "last_message": None}
    messages = [post(BEN, text, room_id=room) for text in ("one", "two", "three")]
    assert summary(room) == {"unread": 3, "last_message": messages[-1]}
    assert marked(room, messages[1]["id"]) == {"room": room, "read": messages[1]["id"], "unread": 1}
    assert summary(room)["unread"] == 1
    assert marked(room, messages[2]["id"])["unread"] == 0
    delete_message(BEN, room, messages[2]["id"])
    assert summary(room) == {"unread": 0, "last_message": messages[1]}


def test_neither_joins_edits_own_messages_nor_deleted_ones_are_unread(room: str) -> None:
    first, second = (post(BEN, text, room_id=room)["id"] for text in ("one", "two"))
    post(ANN, "mine", room_id=room)
    add_member(BEN, room, person(EVE))
    remove_member(BEN, room, person(EVE))
    for text in ("two!", "two!!"):
        edit_message(BEN, room, second, text)
    assert summary(room)["unread"] == 2
    delete_message(BEN, room, second)
    assert summary(room)["unread"] == 1
    assert marked(room, 0) == {"room": room, "read": 0, "unread": 1}
    assert marked(room, first)["unread"] == 0


def test_who_joins_has_read_what_was_before_each_time_anew(room: str) -> None:
    ann = person(ANN)
    post(BEN, "before", room_id=room)
    add_member(BEN, room, ann)
    assert summary(room)["unread"] == 0
    post(BEN, "after", room_id=room)
    assert summary(room)["unread"] == 1
    assert marked(room, 0)["unread"] == 1
    remove_member(BEN, room, ann)
    post(BEN, "meanwhile", room_id=room)
    add_member(BEN, room, ann)
    assert summary(room)["unread"] == 0


def test_unread_is_exact_up_to_a_hundred_however_many_are_ones_own(room: str) -> None:
    for number in range(40):
        post(BEN, str(number), room_id=room)
    for number in range(520):
        post(ANN, str(number), room_id=room)
    for number in range(59):
        post(BEN, str(number), room_id=room)
    assert (summary(room)["unread"], marked(room, 0)["unread"]) == (99, 99)
    for expected in (100, 100):
        post(BEN, "more", room_id=room)
        assert (summary(room)["unread"], marked(room, 0)["unread"]) == (expected, expected)


def test_a_marker_never_goes_back_and_says_nothing_where_it_stays(room: str) -> None:
    for number in range(5):
        post(BEN, str(number), room_id=room)
    for offset in (3, 1, 3, 0):
        assert marked(room, offset)["read"] == 3
    told = [event for event in user_events(ANN) if event["type"] == "read"]
    assert told == [{"type": "read", "topic": "user:ann", "offset": 1, "room": room, "read": 3, "unread": 2}]


def test_a_marker_beyond_the_end_is_refused(room: str) -> None:
    post(BEN, "one", room_id=room)
    with pytest.raises(UnknownCursor):
        marked(room, 2)


def test_one_who_may_not_see_a_room_can_neither_read_nor_write_there(room: str) -> None:
    update_room(BEN, room, None, True)
    with pytest.raises(RoomNotFound):
        marked(room, 0)
    with pytest.raises(RoomNotFound):
        tell_typing(ANN, room_topic(room))
    assert summary(room) == {"unread": 0, "last_message": None}


def test_a_conversation_has_a_marker_in_each_ones_own_log() -> None:
    first, second = (send(BEN, ANN, text)["id"] for text in ("one", "two"))
    send(ANN, BEN, "three")
    for _ in range(3):
        send(EVE, ANN, "elsewhere")

    def stands(caller: Caller, other: Caller, offset: int) -> Any:
        return orjson.loads(mark_read(caller, between(caller, person(other)), offset))

    assert stands(ANN, BEN, 0)["unread"] == 2, "what others say in other conversations does not count"
    assert stands(ANN, BEN, first) == {"user": "ben", "read": first, "unread": 1}
    assert user_events(ANN)[-1]["user"] == "ben"
    assert stands(ANN, BEN, first + 1)["unread"] == 0
    assert stands(ANN, EVE, 0)["unread"] == 3
    assert stands(BEN, ANN, second) == {"user": "ann", "read": second, "unread": 1}
    delete_direct(ANN, person(BEN), user_events(ANN)[2]["message"]["id"])
    assert stands(BEN, ANN, second)["unread"] == 0


def test_typing_is_stored_nowhere(room: str) -> None:
    before = read_log(room_topic(room), 0, 100)
    tell_typing(ANN, room_topic(room))
    assert read_log(room_topic(room), 0, 100).head == before.head


async def test_what_is_passed_on_unstored_brings_nobody_a_message_twice() -> None:
    feed = Feed(room_topic("1"), asyncio.get_running_loop())
    early, late, last = Listener(), Listener(), Listener()
    feed.readers.update({early: 0, late: 1, last: 2})
    for line in (b"0  typing\n{}", b"1 e message\n", b"0  typing\n{}", b"2 e message\n"):
        offset = line.split(b" ")[0]
        assert feed.accept(Event(line if offset == b"0" else line + b'{"offset":%b}' % offset))
    feed.fan_out(10)
    assert [frame.get("offset") for frame in early.frames] == [None, 1, None, 2]
    assert [frame.get("offset") for frame in late.frames] == [None, None, 2]
    assert [frame.get("offset") for frame in last.frames] == [None, None]


# On a real server


@contextlib.asynccontextmanager
async def gateway(person: Person) -> AsyncIterator[Socket]:
    async with person.socket("/ws") as socket:
        assert (await socket.hear())["type"] == "welcome"
        yield socket


async def own_room(person: Person, room: str) -> Frame:
    rooms = (await person.rest.get("/rooms?member=me")).json()
    found: Frame = next(shown for shown in rooms if shown["roomId"] == room)
    return found


async def test_another_device_hears_how_far_was_read_and_the_list_shows_it(
    ann_there: Person, ben_there: Person
) -> None:
    room = await ann_there.make_room()
    message = await ben_there.post(room, "hi")
    shown = await own_room(ann_there, room)
    assert (shown["unread"], shown["last_message"]) == (message["id"], message)
    async with gateway(ann_there) as desk, gateway(ann_there) as phone:
        answer = await desk.ask({"id": 1, "type": "read", "room": room, "offset": message["id"]})
        assert answer["result"] == {"room": room, "read": message["id"], "unread": 0}
        told = await phone.hear()
        assert {key: told[key] for key in ("type", "topic", "room", "read")} == {
            "type": "read", "topic": f"user:{ann_there.username}", "room": room, "read": message["id"],
        }  # fmt: skip
    assert (await own_room(ann_there, room))["unread"] == 0
    assert "unread" not in (await ann_there.rest.get(f"/room/{room}")).json()


async def test_typing_reaches_those_who_read_the_room_and_the_one_who_is_written_to(
    ann_there: Person, ben_there: Person
) -> None:
    room = await ann_there.make_room()
    async with (
        gateway(ann_there) as ann,
        gateway(ben_there) as ben,
        ann_there.socket(f"/room/{room}/subscribe") as own,
        ann_there.stream(f"/room/{room}/subscribe") as stream,
    ):
        await ben.say({"type": "typing", "room": room})
        expected = {"type": "typing", "topic": f"room:{room}", "username": ben_there.username}
        assert await ann.hear() == await own.hear() == await stream.hear() == expected
        assert "-" in stream.last_id, "the place to go on from stays where it was"
        assert (await ben.ask({"id": 1, "type": "typing", "user": ann_there.username}))["result"] == {}
        assert await ann.hear() == expected | {"topic": f"user:{ann_there.username}"}
        await ben_there.post(room, "said")
        assert (await stream.hear() or {})["offset"] == 1
        assert stream.last_id.startswith("1-")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"type": "read"}, "invalid"), ({"type": "read", "room": "1"}, "invalid"),
        ({"type": "read", "room": "1", "offset": -1}, "invalid"),
        ({"type": "read", "room": "1", "offset": "1"}, "invalid"),
        ({"type": "read", "room": "1", "offset": True}, "invalid"),
        ({"type": "read", "room": "1", "user": "x", "offset": 1}, "invalid"),
        ({"type": "read", "room": "999999", "offset": 1}, "room_not_found"),
        ({"type": "read", "user": "nobody there", "offset": 1}, "user_not_found"),
        ({"type": "read", "room": "lobby", "offset": 2**50}, "unknown_cursor"),
        ({"type": "typing"}, "invalid"), ({"type": "typing", "room": 1}, "invalid"),
        ({"type": "typing", "room": "x"}, "room_not_found"),
        ({"type": "typing", "user": "nobody there"}, "user_not_found"),
    ],
)  # fmt: skip
async def test_a_frame_that_makes_no_sense_is_answered(ann_there: Person, frame: Frame, code: str) -> None:
    async with gateway(ann_there) as socket:
        answer = await socket.ask({"id": 7, **frame})
    assert (answer["type"], answer["code"], answer["id"]) == ("error", code, 7)
