"""What is done in Django's admin is heard on the sockets of a real server, as what is done over REST."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from foyer.realtime.connection import CloseCode
from tests.clients import Person, SignUp, Socket
from tests.server import Server
from tests.store import wait_for


class AdminPages:
    """A browser that has signed in to the admin."""

    def __init__(self, pages: httpx.AsyncClient) -> None:
        self.pages = pages

    async def sign_in(self) -> None:
        await self.pages.get("login/")
        await self.send("login/", username="admin", password="admin")

    async def send(self, path: str, **form: str) -> None:
        """Send a form, as the page does that has it."""
        form["csrfmiddlewaretoken"] = self.pages.cookies["csrftoken"]
        answer = await self.pages.post(path, data=form)
        assert answer.status_code == 302, answer.text
        assert "/login/" not in answer.headers["Location"]

    async def look(self, path: str) -> str:
        answer = await self.pages.get(path)
        assert answer.status_code == 200
        return answer.text


@pytest.fixture
async def pages(server: Server) -> AsyncIterator[AdminPages]:
    async with httpx.AsyncClient(base_url=f"{server.base_url}/admin/", timeout=30, trust_env=False) as client:
        found = AdminPages(client)
        await found.sign_in()
        yield found


@contextlib.asynccontextmanager
async def gateway(person: Person) -> AsyncIterator[Socket]:
    async with person.socket("/ws") as socket:
        assert (await socket.next_frame())["type"] == "welcome"
        yield socket


async def hear_kinds(socket: Socket, *kinds: str) -> list[str]:
    """The kinds of the next events, of those that are asked for."""
    heard: list[str] = []
    while len(heard) < len(kinds):
        frame = await socket.hear()
        if frame["type"] in kinds:
            heard.append(frame["type"])
    return heard


async def test_changes_of_a_room_are_heard_by_its_members(
    pages: AdminPages, ann_there: Person, sign_up: SignUp
) -> None:
    room = await ann_there.make_room()
    message = await ann_there.post(room, "hello")
    eve = await sign_up("eve")
    async with gateway(ann_there) as socket:
        await pages.send(f"rooms/room/{room}/members/", do="add", username=eve.username)
        await pages.send(f"rooms/room/{room}/change/", name=f"renamed {room}", members_only="on")
        await pages.send(f"messaging/message/{room}-{message['id']}/delete/", post="yes")
        await pages.send(f"rooms/room/{room}/members/", do="remove", username=eve.username)
        history = await pages.look(f"rooms/room/{room}/history/")
        await pages.send(f"rooms/room/{room}/delete/", post="yes")
        expected = ["member_added", "room_updated", "message_deleted", "member_removed", "room_deleted"]
        assert await hear_kinds(socket, *expected) == expected
    for told in ("Added member", "Changed Name and For members only.", "Deleted message 1 of", "Removed member"):
        assert told in history


@pytest.mark.parametrize("action", ["end_sessions", "disable"])
async def test_an_action_on_an_account_closes_its_sockets(pages: AdminPages, ann_there: Person, action: str) -> None:
    async with gateway(ann_there) as socket:
        account = str(ann_there.account["id"])
        await pages.send("accounts/account/", action=action, _selected_action=account, index="0")
        assert (await socket.closed())[0] == CloseCode.SIGNED_OUT
    assert (await ann_there.rest.get("/rooms")).status_code == 401


async def test_one_session_that_is_ended_closes_its_own_socket(pages: AdminPages, ann_there: Person) -> None:
    async with gateway(ann_there) as socket:
        listed = await pages.look(f"accounts/session/?q={ann_there.username}")
        (session,) = re.findall(r'name="_selected_action" value="([^"]+)"', listed)
        await pages.send("accounts/session/", action="end", _selected_action=session, index="0")
        assert (await socket.closed())[0] == CloseCode.SIGNED_OUT


async def test_who_is_connected_is_listed_and_can_be_put_out(pages: AdminPages, ann_there: Person) -> None:
    account = str(ann_there.account["id"])
    with httpx.Client(base_url=str(pages.pages.base_url), cookies=pages.pages.cookies) as other:

        def listed() -> str:
            return other.get(f"accounts/connection/?q={ann_there.username}").text

        async with gateway(ann_there) as socket:
            async with gateway(ann_there):
                wait_for(lambda: f'value="{account}"' in listed())
            await pages.send("accounts/connection/", action="end", _selected_action=account, index="0")
            assert (await socket.closed())[0] == CloseCode.SIGNED_OUT
        wait_for(lambda: "Nothing to show." in listed())
