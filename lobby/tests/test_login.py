"""Logins on a socket of `/lobby_api`: who is signed in, for how long, and with which rights."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async

from accounts import operations, sessions
from accounts.models import Account
from foyer.errors import Busy, Unavailable
from foyer.realtime.hub import get_hub
from lobby import login as login_module
from lobby.tests.conftest import OpenSocket
from lobby.tests.sockets import ADD, REMOVE, UPDATE, Frame, LobbyClient, fill, listed, table

NOT_AUTHORIZED = {"$type": "not_authorized"}

# Signing in


async def test_a_login_says_what_the_account_is(socket: LobbyClient, chief: Account, guest: Account) -> None:
    assert await socket.login("chief") == {"$type": "login_successful", "user_type": "admin"}
    assert await socket.login("GUEST") == {"$type": "login_successful", "user_type": "user"}


@pytest.mark.parametrize(
    ("username", "password"),
    [("chief", "wrong"), ("nobody", "wrong"), ("", ""), ("chief", ""), ("a/b", "x"), ("x" * 9000, "y" * 9000)],
)
async def test_a_login_that_fails_says_no_more_than_that(
    socket: LobbyClient, chief: Account, username: str, password: str
) -> None:
    assert await socket.login(username, password) == {"$type": "login_failed"}
    assert await socket.heard() == []


@pytest.mark.parametrize(
    ("frame", "wrong"),
    [
        ({"$type": "login"}, ["username", "password"]),
        ({"$type": "login", "username": "chief"}, ["password"]),
        ({"$type": "login", "username": 5, "password": "x"}, ["username"]),
        ({"$type": "login", "username": "chief", "password": None}, ["password"]),
        ({"$type": "login", "username": ["chief"], "password": {}}, ["username", "password"]),
        ({"$type": "login", "username": "chief", "password": "a\0b"}, ["password"]),
    ],
)
async def test_a_login_of_another_shape_is_no_attempt(
    socket: LobbyClient, chief: Account, frame: Frame, wrong: list[str]
) -> None:
    await socket.login("chief")
    answer = await socket.ask(frame)
    assert (answer["$type"], answer["code"], list(answer["fields"])) == ("error", "invalid", wrong)
    await socket.say(ADD)
    assert await socket.heard() == []
    assert len(await listed()) == 1, "who was signed in still is"


async def test_a_login_replaces_the_one_before(socket: LobbyClient, chief: Account, guest: Account) -> None:
    await socket.login("chief")
    await socket.login("guest")
    assert await socket.ask(ADD) == NOT_AUTHORIZED
    await socket.login("chief")
    await socket.say(ADD)
    assert await socket.heard() == []


async def test_a_login_that_fails_signs_out(socket: LobbyClient, chief: Account) -> None:
    await socket.login("chief")
    await socket.login("chief", "wrong")
    assert await socket.ask(ADD) == NOT_AUTHORIZED


@pytest.mark.parametrize("error", [Busy(), Unavailable()])
async def test_a_login_that_can_not_be_checked_has_failed(
    socket: LobbyClient, chief: Account, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(login_module, "averify", refuse)
    assert await socket.login("chief") == {"$type": "login_failed"}


async def test_one_socket_may_not_try_too_often(
    open_socket: OpenSocket, chief: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket, other = await open_socket(), await open_socket()
    await socket.login("chief")
    for _ in range(login_module.AT_ONCE - 1):
        await socket.login("chief")
    assert await socket.login("chief") == {"$type": "login_failed"}
    assert (await other.login("chief"))["$type"] == "login_successful"
    monkeypatch.setattr(login_module, "AGAIN_AFTER", 1e-6)
    assert (await socket.login("chief"))["$type"] == "login_successful"


async def test_failed_logins_count_against_account_and_address_like_all_others(
    open_socket: OpenSocket, chief: Account, settings: Any
) -> None:
    settings.SIGN_IN_FAILURES = 2
    for _ in range(2):
        socket = await open_socket()
        assert await socket.login("chief", "wrong") == {"$type": "login_failed"}
    assert await (await open_socket()).login("chief") == {"$type": "login_failed"}


async def test_a_login_that_takes_long_holds_up_nobody_else(
    open_socket: OpenSocket, chief: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = asyncio.Event()

    async def take_long(*_: object) -> Account:
        await checked.wait()
        return chief

    monkeypatch.setattr(login_module, "averify", take_long)
    slow, other = await open_socket(), await open_socket()
    await slow.say({"$type": "login", "username": "chief", "password": "x"})
    await slow.say({"$type": "ping", "seq": 1})
    assert await other.heard() == []
    checked.set()
    assert (await slow.hear())["$type"] == "login_successful"
    assert await slow.hear() == {"$type": "pong", "seq": 1}


# Who may


@pytest.mark.parametrize("frame", [ADD, UPDATE, REMOVE, {"$type": "add_table"}, {**REMOVE, "id": 99}])
async def test_changing_is_for_admins(socket: LobbyClient, guest: Account, frame: Frame) -> None:
    await fill(1)
    assert await socket.ask(frame) == NOT_AUTHORIZED
    await socket.login("guest")
    assert await socket.ask(frame) == NOT_AUTHORIZED
    assert await listed() == [table(1)]


def demote(account: Account) -> None:
    account.is_staff = False
    account.save()


def disable(account: Account) -> None:
    account.is_active = False
    account.save()


def change_password(account: Account) -> None:
    account.change_password("another one")


def delete(account: Account) -> None:
    account.delete()


def sign_out_everywhere(account: Account) -> None:
    operations.end_all_sessions(account.pk)


ENDS = [demote, disable, change_password, delete]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("frame", [ADD, UPDATE, REMOVE])
@pytest.mark.parametrize("used", [True, False])
async def test_rights_are_looked_at_when_a_command_comes(
    socket: LobbyClient, chief: Account, end: Callable[[Account], None], frame: Frame, used: bool
) -> None:
    await fill(1)
    await socket.login("chief")
    if used:
        await socket.say({"$type": "update_table", "table": table(1)})
        assert await socket.heard() == []
    await database_sync_to_async(end)(chief)
    assert await socket.ask(frame) == NOT_AUTHORIZED
    assert await listed() == [table(1)]


@pytest.mark.parametrize("end", [*ENDS, sign_out_everywhere])
async def test_a_login_that_ended_leaves_the_socket_open_to_read(
    socket: LobbyClient, chief: Account, end: Callable[[Account], None]
) -> None:
    await socket.login("chief")
    await socket.ask({"$type": "subscribe_tables"})
    await get_hub().subscribers.listening.wait()
    await database_sync_to_async(end)(chief)
    await until_refused(socket)
    await fill(1)
    assert await socket.hear() == {"$type": "table_added", "after_id": -1, "table": table(1)}


async def until_refused(socket: LobbyClient) -> None:
    """A sign-out everywhere is heard of by announcement, so a moment later."""
    async with asyncio.timeout(5):
        while await socket.ask({"$type": "remove_table", "id": 9}) != NOT_AUTHORIZED:
            pass


async def test_who_is_promoted_may_at_once(socket: LobbyClient, guest: Account) -> None:
    await socket.login("guest")
    assert await socket.ask(ADD) == NOT_AUTHORIZED
    guest.is_staff = True
    await database_sync_to_async(guest.save)()
    await socket.say(ADD)
    assert await socket.heard() == []


async def test_rights_are_known_without_asking_sql(
    socket: LobbyClient, chief: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    await socket.login("chief")
    await socket.say({"$type": "add_table", "table": table(1)})
    assert await socket.heard() == []
    monkeypatch.setattr(sessions, "standing_by_row", None)
    await socket.say({"$type": "add_table", "table": table(2)})
    assert await socket.heard() == []
    assert await listed() == [table(1), table(2)]


async def test_while_an_account_is_being_changed_its_row_says_what_it_may(socket: LobbyClient, chief: Account) -> None:
    await socket.login("chief")
    await asyncio.to_thread(operations.hold, chief.pk, end_all=False)
    await socket.say(ADD)
    assert await socket.heard() == []
    assert len(await listed()) == 1
