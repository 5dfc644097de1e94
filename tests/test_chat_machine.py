"""Rooms, members, messages, and sockets that drop and come back: driven at random, compared with a plain model.

The model is what the contract says, in lists and sets. Whatever was done, each socket has heard exactly what its user
was to hear, and one that comes back has what it missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.clients import Frame, Person, Socket, sign_up_at
from tests.server import Server

NAMES = ("ann", "ben", "eve")
who = st.sampled_from(NAMES)
which = st.integers(0, 7)
"""One of the rooms, or messages, there are, counted round."""


class ModelRoom:
    """A members-only room: who is in, its messages, and its log as types of events."""

    def __init__(self, room_id: str, owner: str) -> None:
        self.id, self.owner = room_id, owner
        self.topic = f"room:{room_id}"
        self.members = {owner}
        self.messages: dict[int, tuple[str, str]] = {}
        self.log: list[str] = []
        self.gone = False


class ModelPerson:
    """What a user should hear (`due`), has heard, and how far in each topic; `socket` is None while they are away."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.socket: Socket | None = None
        self.due: dict[str, list[str]] = {}
        self.heard: dict[str, list[str]] = {}
        self.stands: dict[str, Frame] = {}

    def take(self, frame: Frame) -> None:
        topic = frame["topic"]
        place = self.stands.get(topic)
        assert place is not None, f"{self.person.username} was told of no {topic}: {frame}"
        assert frame["offset"] == place["offset"] + 1, f"{self.person.username} stands at {place}: {frame}"
        self.stands[topic] = {**place, "offset": frame["offset"]}
        if topic.startswith("room:"):
            self.heard.setdefault(topic, []).append(frame["type"])
        if frame["type"] == "room_added":
            self.stands.setdefault(frame["at"]["topic"], frame["at"])
        mine = frame.get("username") == self.person.username
        if frame["type"] == "room_deleted" or (frame["type"] == "member_removed" and mine):
            del self.stands[topic]

    async def settle(self) -> None:
        """Hear all that is due."""
        assert self.socket is not None
        while sum(map(len, self.heard.values())) < sum(map(len, self.due.values())):
            self.take(await self.socket.hear())
        assert {topic: kinds for topic, kinds in self.heard.items() if kinds} == {
            topic: kinds for topic, kinds in self.due.items() if kinds
        }

    async def ask(self, frame: Frame) -> str:
        """The answer to a command: 'reply', or the code of an error. While the user is away, another socket asks."""
        if self.socket is not None:
            self.last = await self.socket.ask(frame)
        else:
            async with self.person.socket("/ws") as socket:
                self.last = await socket.ask(frame)
        return str(self.last.get("code", self.last["type"]))


class Chat(RuleBasedStateMachine):
    loop: ClassVar[asyncio.AbstractEventLoop]
    server: ClassVar[Server]

    def __init__(self) -> None:
        super().__init__()
        self.people = {name: ModelPerson(self.do(sign_up_at(self.server, name))) for name in NAMES}
        self.rooms: list[ModelRoom] = []
        self.do(*(self.open(person) for person in self.people.values()))

    def do(self, *works: Coroutine[Any, Any, Any]) -> Any:
        async def one_after_another() -> list[Any]:
            return [await work for work in works]

        return self.loop.run_until_complete(one_after_another())[-1]

    def teardown(self) -> None:
        try:
            for person in self.people.values():
                if person.socket is None:
                    self.do(self.open(person))
                self.do(person.settle())
        finally:
            for person in self.people.values():
                if person.socket is not None:
                    self.do(person.socket.connection.close())
                self.do(person.person.rest.aclose())

    async def open(self, person: ModelPerson) -> None:
        """Come back, and resume what was heard before; what can't be is taken up at the welcome."""
        person.socket = Socket(await person.person.connect("/ws"))
        welcome = await person.socket.hear()
        now = {place["topic"]: place for place in welcome["topics"]}
        mine = {room.topic for room in self.rooms if person.person.username in room.members and not room.gone}
        assert set(now) == {f"user:{person.person.username}", *mine}
        # An owner who left a room may read on there, as anyone in an open room; the model follows only members.
        left = {room.topic for room in self.rooms if self.is_outside(person, room)}
        asked = [place for topic, place in person.stands.items() if topic not in left]
        told = await person.socket.ask({"type": "resume", "topics": asked})
        recovered = {each["topic"] for each in told["result"]["topics"] if each["recovered"]}
        assert recovered == (set(person.stands) - left) & set(now)
        for room in self.rooms:
            if room.topic in recovered:
                missed = room.log[person.stands[room.topic]["offset"] :]
                person.due.setdefault(room.topic, []).extend(missed)
        person.stands = {topic: person.stands.get(topic, place) for topic, place in now.items()}

    def happened(self, room: ModelRoom, kind: str, also: str = "") -> None:
        room.log.append(kind)
        for person in self.people.values():
            if person.socket is not None and person.person.username in {*room.members, also}:
                person.due.setdefault(room.topic, []).append(kind)

    def room(self, number: int) -> ModelRoom:
        return self.rooms[number % len(self.rooms)]

    def expected(self, person: ModelPerson, room: ModelRoom) -> str:
        """Who owns a room and left it still sees it."""
        sees = person.person.username in {*room.members, room.owner}
        return "reply" if sees and not room.gone else "room_not_found"

    def is_outside(self, person: ModelPerson, room: ModelRoom) -> bool:
        """Whether somebody sees a room without being in it, as its owner who left it does."""
        return person.person.username == room.owner and person.person.username not in room.members

    @rule(name=who)
    def make_room(self, name: str) -> None:
        person = self.people[name]
        key = f"{person.person.username} {len(self.rooms)}"
        assert self.do(person.ask({"type": "create_room", "name": key, "members_only": True})) == "reply"
        self.rooms.append(ModelRoom(person.last["result"]["roomId"], person.person.username))

    @precondition(lambda self: self.rooms)
    @rule(name=who, number=which)
    def delete_room(self, name: str, number: int) -> None:
        person, room = self.people[name], self.room(number)
        expected = self.expected(person, room)
        if expected == "reply" and room.owner != person.person.username:
            expected = "not_the_owner"
        assert self.do(person.ask({"type": "delete_room", "room": room.id})) == expected
        if expected == "reply":
            self.happened(room, "room_deleted")
            room.gone = True

    @precondition(lambda self: self.rooms)
    @rule(name=who, other=who, number=which)
    def add(self, name: str, other: str, number: int) -> None:
        person, room, username = self.people[name], self.room(number), self.people[other].person.username
        expected = self.expected(person, room)
        if expected == "reply" and self.is_outside(person, room) and username not in {*room.members, room.owner}:
            expected = "not_a_member"
        assert self.do(person.ask({"type": "add_member", "room": room.id, "username": username})) == expected
        if expected == "reply" and username not in room.members:
            room.members.add(username)
            self.happened(room, "member_added")

    @precondition(lambda self: self.rooms)
    @rule(name=who, other=who, number=which)
    def remove(self, name: str, other: str, number: int) -> None:
        person, room, username = self.people[name], self.room(number), self.people[other].person.username
        expected = self.expected(person, room)
        if expected == "reply" and self.is_outside(person, room) and username != room.owner:
            expected = "not_a_member"
        elif expected == "reply" and username not in room.members:
            expected = "not_in_room"
        elif expected == "reply" and username == room.owner and username != person.person.username:
            expected = "forbidden"
        assert self.do(person.ask({"type": "remove_member", "room": room.id, "username": username})) == expected
        if expected == "reply":
            room.members.discard(username)
            self.happened(room, "member_removed", username)

    @precondition(lambda self: self.rooms)
    @rule(name=who, number=which, count=st.integers(1, 5))
    def post(self, name: str, number: int, count: int) -> None:
        person, room = self.people[name], self.room(number)
        for text in map(str, range(count)):
            expected = self.expected(person, room)
            if expected == "reply" and self.is_outside(person, room):
                expected = "not_a_member"
            assert self.do(person.ask({"type": "post", "room": room.id, "text": text})) == expected
            if expected == "reply":
                self.happened(room, "message")
                assert person.last["result"]["id"] == len(room.log)
                room.messages[len(room.log)] = (name, text)

    @precondition(lambda self: any(room.messages for room in self.rooms))
    @rule(name=who, number=which, nth=which, text=st.sampled_from(["", "x", "y"]))
    def edit_or_delete(self, name: str, number: int, nth: int, text: str) -> None:
        """Delete where there is no text."""
        with_messages = [room for room in self.rooms if room.messages]
        room = with_messages[number % len(with_messages)]
        message = list(room.messages)[nth % len(room.messages)]
        sender, before = room.messages[message]
        person = self.people[name]
        command = {"type": "edit", "text": text} if text else {"type": "delete"}
        expected = self.expected(person, room)
        if expected == "reply" and sender != name and (text or room.owner != person.person.username):
            expected = "not_the_sender"
        assert self.do(person.ask({**command, "room": room.id, "message": message})) == expected
        if expected != "reply" or text == before:
            return
        self.happened(room, "message_edited" if text else "message_deleted")
        if text:
            room.messages[message] = (sender, text)
        else:
            del room.messages[message]

    @rule(name=who, at_once=st.booleans())
    def drop_or_come_back(self, name: str, at_once: bool) -> None:
        person = self.people[name]
        if person.socket is None:
            self.do(self.open(person))
            return
        if not at_once:
            self.do(person.settle())
        for frame in person.socket.heard:
            person.take(frame)
        person.socket.connection.transport.abort()
        self.do(person.socket.connection.wait_closed())
        person.socket = None
        for topic, kinds in person.due.items():
            heard = person.heard.setdefault(topic, [])
            assert heard == kinds[: len(heard)]
        person.due = {topic: list(kinds) for topic, kinds in person.heard.items()}

    @rule()
    def everyone_heard_all_that_was_due(self) -> None:
        for person in self.people.values():
            if person.socket is not None:
                self.do(person.settle())

    @precondition(lambda self: self.rooms)
    @rule(number=which)
    def history_is_what_the_model_says(self, number: int) -> None:
        room = self.room(number)
        for name, person in self.people.items():
            if self.expected(person, room) == "reply":
                assert self.do(person.ask({"type": "history", "room": room.id})) == "reply"
                found = {message["id"]: message["text"] for message in person.last["result"]["messages"]}
                assert found == {message: text for message, (_, text) in room.messages.items()}, name


@pytest.fixture
def chat(server: Server) -> Iterator[type[Chat]]:
    Chat.server, Chat.loop = server, asyncio.new_event_loop()
    yield Chat
    Chat.loop.close()


def test_every_socket_hears_what_the_model_says(chat: type[Chat]) -> None:
    run_state_machine_as_test(
        chat,
        settings=settings(
            max_examples=6, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
