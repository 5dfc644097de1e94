"""What a process does when a room changes, in processes that are late: cut off from the store, or slow to hear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from accounts.people import Person
from foyer.realtime.connection import CloseCode
from foyer.realtime.hub import Hub, get_hub, hubs
from foyer.realtime.log import Event, aread_log
from foyer.realtime.tests.talk import Listener, Somebody
from foyer.realtime.topics import room_topic, user_topic
from foyer.store.steps import on_loop
from messaging.operations import apost_message
from rooms.membership import aadd_member, aremove_member, arequire_member
from rooms.operations import adelete_room, aupdate_room
from rooms.tests.invariants import create
from tests.people import ANN, BEN

ROOM, BENS = room_topic("1"), user_topic(BEN.id, BEN.username)
BEN_THERE = Person(BEN.id, BEN.username)


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    create(ANN, "Kitchen", members_only=True)
    found = get_hub()
    yield found
    await found.close()
    await on_loop().close()
    hubs.clear()


def bens_socket() -> Listener:
    """A socket of the gateway."""
    reader = Listener(Somebody(BEN.id))
    reader.caller.username = BEN.username  # type: ignore[misc]
    reader.many_topics = True
    return reader


def kinds(reader: Listener) -> list[str]:
    return [frame["type"] for frame in reader.frames]


async def test_a_deletion_is_heard_by_a_process_that_was_cut_off_meanwhile(hub: Hub) -> None:
    gateway, socket = bens_socket(), Listener()
    await aadd_member(ANN, "1", BEN_THERE)
    for reader in (gateway, socket):
        await hub.subscribe(ROOM, reader)
    for link in hub.subscribers.by_node.values():
        link.result().close()
    for text in "abc":
        await apost_message(ANN, "1", text)
    await adelete_room(ANN, "1")
    for reader in (gateway, socket):
        await reader.until(lambda reader: "room_deleted" in kinds(reader))
        assert kinds(reader)[-1] == "room_deleted"
    await socket.until(lambda reader: reader.closed_with == CloseCode.GONE)
    assert not gateway.topics
    assert not gateway.closing


async def test_a_socket_that_comes_after_its_user_was_let_in_again_stays_when_the_removal_is_heard(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    await aadd_member(ANN, "1", BEN_THERE)
    witness, late = Listener(Somebody(ANN.id)), bens_socket()
    await hub.subscribe(ROOM, witness)
    heard: list[tuple[bytes, bytes]] = []
    for link in hub.subscribers.by_node.values():  # what the store announces is on its way still
        monkeypatch.setattr(link.result(), "heard", lambda channel, message: heard.append((channel, message)))
    await aremove_member(ANN, "1", BEN_THERE)
    await aadd_member(ANN, "1", BEN_THERE)
    await hub.subscribe(ROOM, late, check=partial(arequire_member, BEN.id, "1"))
    for offset, event in enumerate(("member_removed", "member_added"), 2):
        assert await announced(hub, offset) == event
    await witness.until(lambda reader: len(reader.frames) == 2)
    message = await apost_message(ANN, "1", "hi")
    assert b'"id":4' in message
    assert await announced(hub, 4) == "message"
    await late.until(lambda reader: kinds(reader) == ["message"])


async def announced(hub: Hub, offset: int) -> str:
    """Have the hub hear an event that is in the log."""
    event: Event = (await aread_log(ROOM, offset - 1, 1)).events[0]
    line = f"{event.offset} {event.epoch} {event.kind}\n".encode()
    hub.heard(ROOM.tag.encode(), line + event.json)
    return event.kind


async def test_one_who_is_let_in_hears_the_room_from_there_on_every_socket(hub: Hub) -> None:
    sockets = [bens_socket() for _ in range(3)]
    for socket in sockets:
        await hub.subscribe(BENS, socket)
    await apost_message(ANN, "1", "before")
    await aadd_member(ANN, "1", BEN_THERE)
    posts = [asyncio.ensure_future(apost_message(ANN, "1", str(number))) for number in range(700)]
    await asyncio.gather(*posts)
    await aremove_member(ANN, "1", BEN_THERE)
    await apost_message(ANN, "1", "after")
    for socket in sockets:
        await socket.until(lambda reader: "member_removed" in kinds(reader) and "room_removed" in kinds(reader))
        in_room = [frame for frame in socket.frames if frame["topic"] == "room:1"]
        assert [frame["offset"] for frame in in_room] == list(range(2, 704))
        assert (in_room[0]["type"], in_room[-1]["type"]) == ("member_added", "member_removed")
        assert socket.topics == {BENS.tag}
        assert kinds(socket)[0] == "room_added"


async def test_what_the_process_fails_to_do_about_an_event_ends_the_topic_for_its_readers(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Listener(Somebody(ANN.id))
    await hub.subscribe(ROOM, reader)

    async def fail(room_id: str, user_ids: list[int]) -> set[int]:
        raise RuntimeError(room_id)

    monkeypatch.setattr("rooms.reactions.amembers_among", fail)
    await aupdate_room(ANN, "1", None, False)
    await aupdate_room(ANN, "1", None, True)
    await reader.until(lambda reader: reader.closed_with == CloseCode.RESTARTING)
    assert ROOM.tag.encode() not in hub.feeds
