"""The socket of `/lobby_api`, frame by frame, in the process of the test."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from accounts.models import Account
from foyer.errors import Unavailable
from foyer.realtime.hub import get_hub
from foyer.store.steps import client
from lobby.listing import SharedListing
from lobby.operations import alist_tables, aremove_table
from lobby.tests.conftest import OpenSocket
from lobby.tests.invariants import ids
from lobby.tests.sockets import ADD, FIGHTERS, REMOVE, UPDATE, Frame, LobbyClient, fill, listed, table

# Pinging, and frames that are not understood


@pytest.mark.parametrize("seq", [0, 1, -1, 2**53, 2**63 - 1])
async def test_a_ping_is_answered_with_its_number(socket: LobbyClient, seq: int) -> None:
    assert await socket.ask({"$type": "ping", "seq": seq}) == {"$type": "pong", "seq": seq}


async def test_a_ping_without_a_number_is_answered_without(socket: LobbyClient) -> None:
    assert await socket.ask({"$type": "ping"}) == {"$type": "pong"}


@pytest.mark.parametrize("seq", [True, "1", 1.5, None, [], {}])
async def test_the_number_of_a_ping_is_an_integer(socket: LobbyClient, seq: Any) -> None:
    answer = await socket.ask({"$type": "ping", "seq": seq})
    assert (answer["$type"], answer["code"]) == ("error", "invalid")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("", "bad_frame"),
        ("nonsense", "bad_frame"),
        ("{", "bad_frame"),
        ("[]", "bad_frame"),
        ("null", "bad_frame"),
        ("5", "bad_frame"),
        ('"login"', "bad_frame"),
        ('{"$type":"ping","seq":NaN}', "bad_frame"),
        ('{"$type":"login","username":"\\ud800","password":"x"}', "bad_frame"),
        ("\0", "bad_frame"),
        ('{"$type":"ping\0"}', "bad_frame"),
        ("[" * 30_000, "bad_frame"),
        ('{"$type":' + '{"a":' * 5000 + "1" + "}" * 5001, "bad_frame"),
        (b"", "bad_frame"),
        (b'{"$type":"ping","seq":1}', "bad_frame"),
        (b"\xff\x00", "bad_frame"),
        ({}, "unknown_command"),
        ({"type": "ping"}, "unknown_command"),
        ({"$type": "dance"}, "unknown_command"),
        ({"$type": "PING"}, "unknown_command"),
        ({"$type": None}, "unknown_command"),
        ({"$type": 5}, "unknown_command"),
        ({"$type": ["ping"]}, "unknown_command"),
        ({"$type": {"ping": 1}}, "unknown_command"),
        ({"$type": "table_list"}, "unknown_command"),
        ({"$type": "__init__"}, "unknown_command"),
    ],
)
async def test_what_is_not_understood_is_said_and_the_socket_stays_open(
    socket: LobbyClient, frame: Any, code: str
) -> None:
    answer = await socket.ask(frame)
    assert answer.pop("detail")
    assert answer == {"$type": "error", "code": code}
    assert await socket.heard() == []


WRONG_CHANGES = [
    ({"$type": "add_table"}, "table"),
    ({"$type": "add_table", "table": 5}, "table"),
    ({"$type": "add_table", "table": {"name": "x", "participants": True}}, "table"),
    ({"$type": "add_table", "table": {"name": "x\ty", "participants": 1}}, "table"),
    ({"$type": "add_table", "table": {**FIGHTERS, "id": 0}}, "table"),
    ({**ADD, "after_id": True}, "after_id"),
    ({**ADD, "after_id": "1"}, "after_id"),
    ({**ADD, "after_id": None}, "after_id"),
    ({**ADD, "client_id": 5}, "client_id"),
    ({"$type": "update_table", "table": {"name": "x", "participants": 1}}, "table"),
    ({"$type": "update_table", "table": {"id": 1, "participants": 1}}, "table"),
    ({"$type": "update_table", "table": [1]}, "table"),
    ({"$type": "remove_table"}, "id"),
    ({"$type": "remove_table", "id": True}, "id"),
    ({"$type": "remove_table", "id": "1"}, "id"),
    ({"$type": "remove_table", "id": 0}, "id"),
]


@pytest.mark.parametrize(("frame", "wrong"), WRONG_CHANGES)
async def test_a_change_of_another_shape_is_refused_by_field(
    socket: LobbyClient, chief: Account, frame: Frame, wrong: str
) -> None:
    await fill(1)
    await socket.login("chief")
    answer = await socket.ask(frame)
    assert (answer["$type"], answer["code"], list(answer["fields"])) == ("error", "invalid", [wrong])
    assert await listed() == [table(1)]


@pytest.mark.parametrize("frame", [{"$type": "ping", "seq": 1}, {"$type": "nod"}, "nonsense", b"\x00"])
async def test_too_many_frames_are_not_carried_out_and_then_end_the_connection(
    open_socket: OpenSocket, settings: Any, frame: Any
) -> None:
    settings.FRAMES_PER_SECOND = 1
    socket = await open_socket()
    answers = [await socket.ask(frame) for _ in range(4)]
    assert all(answer.get("code") != "rate_limited" for answer in answers[:2])
    if frame != "nonsense":
        assert [answer.get("code") for answer in answers[2:]] == ["rate_limited"] * 2
    await socket.say(frame)
    closed = await socket.wire.receive_output(timeout=5)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4429)


# Reading


async def test_the_list_comes_first_and_then_every_change(open_socket: OpenSocket, chief: Account) -> None:
    reader, writer = await open_socket(), await open_socket()
    await fill(1, 2)
    assert await reader.ask({"$type": "subscribe_tables"}) == {"$type": "table_list", "tables": [table(1), table(2)]}
    await writer.login("chief")
    await writer.say({**ADD, "after_id": 1})
    assert await reader.hear() == {"$type": "table_added", "after_id": 1, "table": FIGHTERS}
    await writer.say(UPDATE)
    assert await reader.hear() == {"$type": "table_updated", "table": {**FIGHTERS, "id": 1}}
    await writer.say(REMOVE)
    assert await reader.hear() == {"$type": "table_removed", "id": 1}
    assert await writer.heard() == [], "who does not subscribe hears of nothing"


async def test_frames_are_written_as_the_page_has_them(socket: LobbyClient, chief: Account) -> None:
    await fill(1)
    await socket.say({"$type": "subscribe_tables"})
    assert await socket.wire.receive_from(5) == (
        '{"$type":"table_list","tables":[{"id":1,"name":"table 1","participants":1}]}'
    )
    await fill(2)
    assert await socket.wire.receive_from(5) == (
        '{"$type":"table_added","after_id":1,"table":{"id":2,"name":"table 2","participants":2}}'
    )
    await aremove_table(1)
    assert await socket.wire.receive_from(5) == '{"$type":"table_removed","id":1}'


async def test_a_second_subscription_gives_a_fresh_list_and_no_event_twice(socket: LobbyClient) -> None:
    await socket.ask({"$type": "subscribe_tables"})
    await fill(1)
    assert (await socket.hear())["$type"] == "table_added"
    assert await socket.ask({"$type": "subscribe_tables"}) == {"$type": "table_list", "tables": [table(1)]}
    await fill(2)
    assert (await socket.hear())["table"] == table(2)
    assert await socket.heard() == []


async def test_after_unsubscribing_nothing_comes(open_socket: OpenSocket) -> None:
    reader, other = await open_socket(), await open_socket()
    for each in (reader, other):
        await each.ask({"$type": "subscribe_tables"})
    await reader.say({"$type": "unsubscribe_tables"})
    assert await reader.heard() == []
    await fill(1)
    assert (await other.hear())["table"] == table(1)
    assert await reader.heard() == []
    await reader.say({"$type": "unsubscribe_tables"})
    assert await reader.heard() == []
    assert (await reader.ask({"$type": "subscribe_tables"}))["tables"] == [table(1)]


async def test_what_happens_between_list_and_subscription_is_heard_once(
    socket: LobbyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(1)
    newest = SharedListing.newest

    async def late(shared: SharedListing) -> Any:
        found = await newest(shared)
        await fill(2)
        return found

    monkeypatch.setattr(SharedListing, "newest", late)
    assert (await socket.ask({"$type": "subscribe_tables"}))["tables"] == [table(1)]
    assert await socket.hear() == {"$type": "table_added", "after_id": 1, "table": table(2)}
    await fill(3)
    assert (await socket.hear())["table"] == table(3)
    assert await socket.heard() == []


async def test_a_log_that_is_lost_between_list_and_subscription_gives_another_list(
    socket: LobbyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(1, 2)
    newest, asked = SharedListing.newest, 0

    async def lose_the_log_once(shared: SharedListing) -> Any:
        nonlocal asked
        asked += 1
        found = await newest(shared)
        if asked == 1:
            await asyncio.to_thread(client().flushall)
            await fill(3)
        return found

    monkeypatch.setattr(SharedListing, "newest", lose_the_log_once)
    assert (await socket.ask({"$type": "subscribe_tables"}))["tables"] == [table(1), table(2)]
    assert (await socket.hear())["tables"] == [table(3)]
    await fill(4)
    assert (await socket.hear())["table"] == table(4)


async def test_who_ask_at_once_share_a_reading_that_began_after_they_asked(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, loop_client: None
) -> None:
    shared, readings, all_asked = SharedListing(), 0, asyncio.Event()
    alist: Callable[[], Awaitable[Any]] = alist_tables

    async def count() -> Any:
        nonlocal readings
        readings += 1
        await all_asked.wait()
        return await alist()

    monkeypatch.setattr("lobby.listing.alist_tables", count)
    first = asyncio.ensure_future(shared.newest())
    await asyncio.sleep(0)
    await fill(1)
    asking = asyncio.gather(*(shared.newest() for _ in range(100)))
    await asyncio.sleep(0)
    all_asked.set()
    others = await asking
    await first
    assert readings == 2
    assert {head.offset for head, _ in others} == {1}
    assert len({id(batch) for _, batch in others}) == 1, "framed once for all"


async def test_a_reading_that_fails_fails_only_for_those_who_waited_for_it(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, loop_client: None
) -> None:
    shared = SharedListing()
    await shared.newest()

    async def away() -> Any:
        raise Unavailable

    with monkeypatch.context() as patched:
        patched.setattr("lobby.listing.alist_tables", away)
        with pytest.raises(Unavailable):
            await shared.newest()
    await fill(1)
    head, _ = await shared.newest()
    assert head.offset == 1


# Changing


async def test_a_change_is_answered_by_its_event_alone(socket: LobbyClient, chief: Account) -> None:
    await socket.login("chief")
    for frame in (ADD, {**UPDATE, "table": {**FIGHTERS, "participants": 5}}, {"$type": "remove_table", "id": 3}):
        await socket.say(frame)
    assert await socket.heard() == []
    await socket.ask({"$type": "subscribe_tables"})
    new = {"name": "new", "participants": 0}
    await socket.say({"$type": "add_table", "table": new})
    event = {"$type": "table_added", "after_id": -1, "table": {"id": 4, **new}}
    assert await socket.heard() == [event] or await socket.hear() == event


@pytest.mark.parametrize(
    ("frame", "kind", "id"),
    [
        ({**ADD, "table": {**FIGHTERS, "id": 1}}, "add_failed", 1),
        ({**ADD, "after_id": 9}, "add_failed", 3),
        ({**ADD, "after_id": 0}, "add_failed", 3),
        ({**ADD, "after_id": 3}, "add_failed", 3),
        ({"$type": "add_table", "after_id": 9, "table": {"name": "x", "participants": 1}}, "add_failed", None),
        ({"$type": "update_table", "table": FIGHTERS}, "update_failed", 3),
        ({"$type": "remove_table", "id": 3}, "removal_failed", 3),
    ],
)
async def test_a_change_that_can_not_be_made_is_told_with_the_reason(
    socket: LobbyClient, chief: Account, frame: Frame, kind: str, id: int | None
) -> None:
    await fill(1)
    await socket.login("chief")
    answer = await socket.ask(frame)
    assert answer.pop("reason")
    assert answer == {"$type": kind, "id": id}
    assert await listed() == [table(1)]


async def test_an_addition_with_a_retry_key_is_made_once(socket: LobbyClient, chief: Account) -> None:
    await socket.login("chief")
    frame = {"$type": "add_table", "client_id": "c-1", "table": {"name": "once", "participants": 1}}
    for _ in range(3):
        await socket.say(frame)
    assert await socket.heard() == []
    assert await asyncio.to_thread(ids) == [1]
    other = {**frame, "table": {"name": "other", "participants": 1}}
    assert (await socket.ask(other))["$type"] == "add_failed"


async def test_a_change_whose_outcome_is_unknown_is_an_error(
    socket: LobbyClient, chief: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise Unavailable

    await socket.login("chief")
    monkeypatch.setattr("lobby.consumers.aadd_table", away)
    answer = await socket.ask(ADD)
    assert (answer["$type"], answer["code"]) == ("error", "unavailable")


async def test_frames_are_answered_in_the_order_in_which_they_came(socket: LobbyClient, chief: Account) -> None:
    said: list[Frame] = [
        {"$type": "ping", "seq": 1},
        ADD,
        {"$type": "login", "username": "chief", "password": "correct horse"},
        {"$type": "ping", "seq": 2},
        ADD,
        ADD,
        {"$type": "dance"},
        {"$type": "subscribe_tables"},
        {"$type": "ping", "seq": 3},
    ]
    for frame in said:
        await socket.say(frame)
    kinds = [(await socket.hear())["$type"] for _ in range(8)]
    assert kinds == [
        "pong", "not_authorized", "login_successful", "pong", "add_failed", "error", "table_list", "pong",
    ]  # fmt: skip


async def test_a_socket_that_leaves_is_forgotten(open_socket: OpenSocket, chief: Account) -> None:
    hub = get_hub()
    before = {user: len(logins) for user, logins in hub.people.users.items()}
    leaving = await open_socket()
    await leaving.login("chief")
    await leaving.ask({"$type": "subscribe_tables"})
    assert hub.people.count(chief.pk) == 1
    await leaving.wire.disconnect()
    assert hub.people.count(chief.pk) == 0
    assert {user: len(logins) for user, logins in hub.people.users.items()} == before
    assert not any(feed.readers for feed in hub.feeds.values())
