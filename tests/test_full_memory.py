"""A store that is full: what takes more is refused, and all that makes room, ends rights or reads goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import orjson
import pytest
import redis
from django.test import override_settings

from accounts.models import Account
from accounts.operations import start_session
from accounts.people import Person
from accounts.sessions import authenticate
from foyer.errors import BadToken, NearlyFull, Unavailable
from foyer.paging import Page
from foyer.realtime.log import is_full, read_log
from foyer.realtime.presence import ONLINE, among, arrive, beat, depart
from foyer.realtime.topics import room_topic
from foyer.store import memory
from foyer.store.fullness import fullness
from foyer.store.functions import primaries
from foyer.store.steps import client
from lobby.operations import NewTable, add_table, list_tables, remove_table
from messaging.operations import (
    delete_direct,
    delete_message,
    edit_direct,
    edit_message,
    post_message,
    read_direct,
    read_history,
    send_direct,
)
from rooms.errors import RoomNotFound
from rooms.membership import add_member, list_members, remove_member
from rooms.operations import create_room, delete_room, own_rooms, show_room
from tests.clients import sign_in, sign_up_at
from tests.people import ANN, BEN, BOSS
from tests.server import Server

NEWEST = Page(50, None, None)
TO_BEN = Person(BEN.id, BEN.username)
ROOM = room_topic("1")


@contextlib.contextmanager
def allowing(nodes: list[Any], memory: Callable[[Any], int | str]) -> Iterator[None]:
    """Nodes that may have so much memory."""
    for node in nodes:
        node.config_set("maxmemory", memory(node))
    try:
        yield
    finally:
        for node in nodes:
            node.config_set("maxmemory", 0)


def full(nodes: list[Any]) -> contextlib.AbstractContextManager[None]:
    return allowing(nodes, lambda node: "1mb")


@pytest.fixture
def stored() -> Iterator[None]:
    """A room with members and messages, conversations and tables, in a store that is full."""
    create_room(ANN, "Kitchen", False, None)
    add_member(ANN, "1", TO_BEN)
    for text in ("one", "two", "three"):
        post_message(ANN, "1", text)
        send_direct(ANN, TO_BEN, text)
    edit_message(ANN, "1", 2, "edited")
    add_table(NewTable("first", 1))
    with full(primaries()):
        assert is_full()
        yield
    assert not is_full()


GROWING: list[Callable[[], Any]] = [
    lambda: post_message(ANN, "1", "four"),
    lambda: edit_message(ANN, "1", 3, "longer"),
    lambda: send_direct(ANN, TO_BEN, "four"),
    lambda: edit_direct(ANN, TO_BEN, 2, "longer"),
    lambda: create_room(ANN, "Cellar", False, None),
    lambda: add_member(ANN, "1", Person(77, "late")),
    lambda: add_table(NewTable("second", 1)),
]


@pytest.mark.parametrize("act", GROWING)
def test_what_takes_more_is_refused(stored: None, act: Callable[[], Any]) -> None:
    with pytest.raises(Unavailable):
        act()


def test_all_is_read(stored: None) -> None:
    assert len(read_history(BEN, "1", NEWEST).messages) == 3
    assert len(read_direct(BEN, Person(ANN.id, "ann"), NEWEST).messages) == 3
    assert [member.username for member in list_members(BEN, "1")] == ["ann", "ben"]
    assert read_log(ROOM, 0, 100).whole
    assert b"first" in list_tables().json
    assert show_room(BEN, "1")


def test_messages_are_deleted_on_both_sides(stored: None) -> None:
    delete_message(ANN, "1", 2)
    delete_message(BOSS, "1", 3)
    assert len(read_history(BEN, "1", NEWEST).messages) == 1
    delete_direct(ANN, TO_BEN, 3)
    assert len(read_direct(ANN, TO_BEN, NEWEST).messages) == 2
    assert len(read_direct(BEN, Person(ANN.id, "ann"), NEWEST).messages) == 2


def test_members_leave_and_rooms_and_tables_go(stored: None) -> None:
    remove_member(BEN, "1", TO_BEN)
    assert own_rooms(BEN.id) == []
    delete_room(BOSS, "1")
    assert own_rooms(ANN.id) == []
    with pytest.raises(RoomNotFound):
        show_room(BOSS, "1")
    remove_table(1)
    assert list_tables().json == b"[]"


def test_who_is_there_is_known(stored: None) -> None:
    arrive(ONLINE, "one", [(ANN.id, "ann"), (BEN.id, "ben")])
    depart(ONLINE, "one", [BEN.id])
    assert beat(ONLINE, "one").users == 1
    assert among(ONLINE, [ANN.id, BEN.id]) == {ANN.id}


@pytest.mark.django_db(transaction=True)
def test_accounts_are_disabled_and_deleted_and_their_sessions_end() -> None:
    ann, ben = (Account.sign_up(name, "secret words", {}) for name in ("ann", "ben"))
    create_room(ann.caller, "Kitchen", False, None)
    message = post_message(ben.caller, "1", "by ben")
    with full(primaries()):
        tokens = [start_session(account.standing).token for account in (ann, ben)]
        assert [authenticate(token).username for token in tokens] == ["ann", "ben"]
        ann.is_active = False
        ann.save(update_fields=["is_active"])
        ben.delete()
        for token in tokens:
            with pytest.raises(BadToken):
                authenticate(token)
        assert message.replace(b'"ben"', b"null") in read_history(BOSS, "1", NEWEST).messages


async def test_a_user_signs_in_makes_room_and_signs_out(start_server: Callable[..., Server]) -> None:
    server = start_server()
    ann = await sign_up_at(server, "ann")
    room = await ann.make_room()
    message = await ann.post(room, "long ago")
    with server.store() as store, full(nodes_of(store)):
        again = await sign_in(server, ann.username)
        refused = await again.rest.post(f"/room/{room}/messages", json={"text": "more"})
        assert refused.status_code == 503
        assert refused.json()["code"] in ("unavailable", "nearly_full")
        async with again.socket("/ws") as socket:
            assert (await socket.hear())["type"] == "welcome"
            assert (await again.rest.delete(f"/room/{room}/messages/{message['id']}")).status_code == 204
            assert (await socket.hear())["type"] == "message_deleted"
        assert (await again.rest.delete("/auth")).status_code == 204
        assert (await again.rest.get("/rooms")).status_code == 401
        assert (await ready(server)).json()["checks"]["memory"] == "full"
        assert (await ann.rest.delete(f"/user/{ann.username}")).status_code == 204


def nodes_of(store: Any) -> list[Any]:
    if isinstance(store, redis.RedisCluster):
        return [store.get_redis_connection(node) for node in store.get_primaries()]
    return [store]


async def ready(server: Server) -> httpx.Response:
    async with httpx.AsyncClient(base_url=server.base_url, trust_env=False) as anyone:
        return await anyone.get("/health/ready")


# Nearly full


def nearly_full(nodes: list[Any]) -> contextlib.AbstractContextManager[None]:
    """Nodes that may have a little more than they have now, and refuse nothing themselves."""
    return allowing(nodes, lambda node: int(node.info("memory")["used_memory"] / 0.95))


@pytest.fixture
def nearly() -> Iterator[None]:
    create_room(ANN, "Kitchen", False, None)
    for text in ("one", "two"):
        post_message(ANN, "1", text)
        send_direct(ANN, TO_BEN, text)
    with nearly_full(primaries()):
        fullness.look()
        assert not is_full()
        yield
    fullness.look()
    assert not fullness.is_near


@pytest.mark.parametrize("act", [*GROWING[:5], lambda: Account.sign_up("eve", "secret words", {})])
def test_posts_rooms_and_sign_ups_are_refused_before_the_store_is_full(nearly: None, act: Callable[[], Any]) -> None:
    with pytest.raises(NearlyFull) as refusal:
        act()
    assert refusal.value.retry_after


def test_what_is_there_is_read_and_deleted_while_the_store_is_nearly_full(nearly: None) -> None:
    assert len(read_history(BEN, "1", NEWEST).messages) == 2
    add_member(ANN, "1", TO_BEN)
    delete_message(ANN, "1", 1)
    delete_direct(ANN, TO_BEN, 2)
    delete_room(ANN, "1")
    assert own_rooms(ANN.id) == []


async def test_a_server_whose_store_is_nearly_full_signs_in_and_goes_on_when_there_is_room(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    ann = await sign_up_at(server, "ann")
    room = await ann.make_room()
    posted = f"/room/{room}/messages"

    async def until(status: int) -> httpx.Response:
        async with asyncio.timeout(20):
            while True:
                answer = await ann.rest.post(posted, json={"text": "hi"})
                if answer.status_code == status:
                    return answer

    with server.store() as store, nearly_full(nodes_of(store)):
        assert (await until(503)).json()["code"] == "nearly_full"
        told = await ready(server)
        assert (told.status_code, told.json()["checks"]["memory"]) == (200, "nearly full")
        async with (await sign_in(server, ann.username)).socket("/ws") as socket:
            assert (await socket.hear())["type"] == "welcome"
            answer = await socket.ask({"id": 1, "type": "post", "room": room, "text": "hi"})
            assert answer["code"] == "nearly_full"
        made = await ann.rest.post("/user", json={"username": "eve", "password": "correct horse"})
        assert made.json()["code"] == "nearly_full"
        assert (await ann.rest.get(posted)).status_code == 200
    await until(201)


# What an edit costs

EDITS = 1500


def written() -> int:
    """Bytes that the store's nodes have written to their files."""
    return sum(int(node.info("persistence")["aof_current_size"]) for node in primaries())


def test_the_thousandth_edit_costs_what_the_first_did() -> None:
    create_room(ANN, "Kitchen", False, None)
    post_message(ANN, "1", "x" * 1000)
    send_direct(ANN, TO_BEN, "x" * 1000)
    costs = []
    for number in range(EDITS):
        before = written()
        edit_message(ANN, "1", 1, f"{number:04}")
        edit_direct(ANN, TO_BEN, 2, f"{number:04}")
        costs.append(written() - before)
    assert max(costs[-100:]) <= 1.2 * max(costs[1:101])
    for key in (f"{ROOM.tag}:log", f"{ROOM.tag}:edits"):
        assert int(client().memory_usage(key) or 0) < 10_000, f"{key} grows with every edit"


def texts_after(offset: int) -> list[tuple[int, str]]:
    """What the room's log tells of messages, whole from an offset on."""
    found, last = list[tuple[int, str]](), offset
    while events := read_log(ROOM, last, 100).events:
        assert [event.offset for event in events] == list(range(last + 1, last + 1 + len(events)))
        last = events[-1].offset
        told = [(event.offset, orjson.loads(event.json).get("message", {})) for event in events]
        found += [(offset, message["text"]) for offset, message in told if "text" in message]
    return found


def test_whoever_catches_up_is_told_every_edit_with_the_newest_text() -> None:
    create_room(ANN, "Kitchen", False, None)
    post_message(ANN, "1", "first")
    for number in range(250):
        edit_message(ANN, "1", 1, f"edit {number}")
    assert texts_after(0) == [(1, "first"), *((offset, "edit 249") for offset in range(2, 252))]
    assert texts_after(200) == [(offset, "edit 249") for offset in range(201, 252)]
    delete_message(ANN, "1", 1)
    assert {text for _, text in texts_after(0)} == {""}


def test_edits_that_the_release_before_kept_are_let_go_of_in_portions() -> None:
    create_room(ANN, "Kitchen", False, None)
    post_message(ANN, "1", "first")
    for number in range(251):
        edit_message(ANN, "1", 1, f"edit {number}")
    as_the_release_before_left_it(251)
    for number, left in enumerate((152, 53, 1, 1)):
        edit_message(ANN, "1", 1, f"later {number}")
        listed = (client().hget(f"{ROOM.tag}:edits", "1:events") or b"").split()
        assert len(listed) == left
    assert {text for _, text in texts_after(1)} == {"later 3"}
    delete_message(ANN, "1", 1)
    assert {text for _, text in texts_after(0)} == {""}


def as_the_release_before_left_it(edits: int) -> None:
    """Every edit with its own text in the log, and listed."""
    store: Any = client()
    tag = ROOM.tag
    store.delete(f"{tag}:log", f"{tag}:redacted", f"{tag}:superseded")
    body = (
        b'"message":{"id":%b,"roomId":"1","sender":\x01,"text":"%b",'
        b'"sent_at":"2026-01-01T00:00:00.000Z","edited_at":null}'
    )
    first = ("type", "message", "by", ANN.id, "body", body % (b"\0", b"first"))
    store.execute_command("XADD", f"{tag}:log", "1-0", *first)
    for offset in range(2, edits + 2):
        fields = ("type", "message_edited", "by", ANN.id, "body", body % (b"1", b"old %d" % offset))
        store.execute_command("XADD", f"{tag}:log", f"{offset}-0", *fields)
    store.hset(f"{tag}:edits", "1:events", "".join(f"{offset} " for offset in range(2, edits + 2)))


@pytest.mark.parametrize(("set_to", "most"), [(None, memory.available() // 2), (0, 0), (5 * 1024**2, 5 * 1024**2)])
def test_the_embedded_store_has_a_bound(set_to: int | None, most: int) -> None:
    with override_settings(REDIS_MAXMEMORY=set_to):
        assert memory.most() == most
