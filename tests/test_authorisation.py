"""Who may do what in which kind of room: a table, each cell of it asked of REST and of the gateway."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from tests.clients import Frame, Person, Socket, sign_in, sign_up_at
from tests.server import Server

MAY = "may"
UNSEEN = "room_not_found"
ALWAYS = ("stranger", "former", "left", "member", "owner", "admin")
"""The callers: `former` was a member and wrote something, `left` is the owner after leaving."""


class Row(NamedTuple):
    """What is asked of both faces, and the code each of `ALWAYS` is answered with: in open rooms, in members-only ones.

    `{room}`, `{own}` and `{other}` (messages) stand for ids, `{me}` and `{target}` for usernames.
    """

    what: str
    method: str
    path: str
    body: Frame | None
    command: Frame | None
    open_room: tuple[str, ...]
    closed_room: tuple[str, ...]


EVERYONE = (MAY,) * 6
THEY_AND_THE_OWNER = (UNSEEN, UNSEEN, MAY, MAY, MAY, MAY)
"""Whoever owns a room still sees it after leaving."""
ACTIVE = (UNSEEN, UNSEEN, "not_a_member", MAY, MAY, MAY)
ROOM = "/room/{room}"
MEMBERS = ROOM + "/members"
MESSAGES = ROOM + "/messages"

TABLE = [
    Row("see a room", "GET", ROOM, None, None, EVERYONE, THEY_AND_THE_OWNER),
    Row("see who is in", "GET", MEMBERS, None, None, EVERYONE, THEY_AND_THE_OWNER),
    Row("post", "POST", MESSAGES, {"text": "hi"}, {"type": "post", "room": "{room}", "text": "hi"},
        EVERYONE, ACTIVE),
    Row("read", "GET", MESSAGES, None, {"type": "history", "room": "{room}"}, EVERYONE, THEY_AND_THE_OWNER),
    Row("listen", "GET", ROOM + "/subscribe", None, {"type": "subscribe", "topic": "room:{room}"},
        EVERYONE, THEY_AND_THE_OWNER),
    Row("rename", "PATCH", ROOM, {"members_only": False}, None,
        ("not_the_owner", "not_the_owner", MAY, "not_the_owner", MAY, MAY),
        (UNSEEN, UNSEEN, MAY, "not_the_owner", MAY, MAY)),
    Row("delete a room", "DELETE", ROOM, None, {"type": "delete_room", "room": "{room}"},
        ("not_the_owner", "not_the_owner", MAY, "not_the_owner", MAY, MAY),
        (UNSEEN, UNSEEN, MAY, "not_the_owner", MAY, MAY)),
    Row("let somebody in", "POST", MEMBERS, {"username": "{target}"},
        {"type": "add_member", "room": "{room}", "username": "{target}"},
        ("not_a_member", "not_a_member", "not_a_member", MAY, MAY, MAY), ACTIVE),
    Row("come in", "POST", MEMBERS, {"username": "{me}"},
        {"type": "add_member", "room": "{room}", "username": "{me}"}, EVERYONE, THEY_AND_THE_OWNER),
    Row("take somebody out", "DELETE", MEMBERS + "/{inside}", None,
        {"type": "remove_member", "room": "{room}", "username": "{inside}"},
        ("not_a_member", "not_a_member", "not_a_member", MAY, MAY, MAY), ACTIVE),
    Row("take the owner out", "DELETE", MEMBERS + "/{owner}", None,
        {"type": "remove_member", "room": "{room}", "username": "{owner}"},
        ("not_a_member", "not_a_member", "not_in_room", "forbidden", MAY, MAY),
        (UNSEEN, UNSEEN, "not_in_room", "forbidden", MAY, MAY)),
    Row("leave", "DELETE", MEMBERS + "/{me}", None,
        {"type": "remove_member", "room": "{room}", "username": "{me}"},
        ("not_in_room", "not_in_room", "not_in_room", MAY, MAY, "not_in_room"),
        (UNSEEN, UNSEEN, "not_in_room", MAY, MAY, "not_in_room")),
    Row("take out one who is not in", "DELETE", MEMBERS + "/{target}", None,
        {"type": "remove_member", "room": "{room}", "username": "{target}"},
        ("not_a_member", "not_a_member", "not_a_member", "not_in_room", "not_in_room", "not_in_room"),
        (UNSEEN, UNSEEN, "not_a_member", "not_in_room", "not_in_room", "not_in_room")),
    Row("edit one's own message", "PATCH", MESSAGES + "/{own}", {"text": "x"},
        {"type": "edit", "room": "{room}", "message": "{own}", "text": "x"}, EVERYONE, THEY_AND_THE_OWNER),
    Row("edit another's message", "PATCH", MESSAGES + "/{other}", {"text": "x"},
        {"type": "edit", "room": "{room}", "message": "{other}", "text": "x"}, ("not_the_sender",) * 6,
        (UNSEEN, UNSEEN, "not_the_sender", "not_the_sender", "not_the_sender", "not_the_sender")),
    Row("delete one's own message", "DELETE", MESSAGES + "/{own}", None,
        {"type": "delete", "room": "{room}", "message": "{own}"}, EVERYONE, THEY_AND_THE_OWNER),
    Row("delete another's message", "DELETE", MESSAGES + "/{other}", None,
        {"type": "delete", "room": "{room}", "message": "{other}"},
        ("not_the_sender", "not_the_sender", MAY, "not_the_sender", MAY, MAY),
        (UNSEEN, UNSEEN, MAY, "not_the_sender", MAY, MAY)),
]  # fmt: skip


class Cast:
    """Those who play in every scene."""

    def __init__(self, server: Server) -> None:
        self.server = server

    async def gather(self) -> None:
        self.owner, self.member, self.stranger, self.inside, self.target = [
            await sign_up_at(self.server, name) for name in ("owner", "member", "stranger", "inside", "target")
        ]
        self.admin = await sign_in(self.server, "admin", "admin")

    def player(self, who: str) -> Person:
        return {"left": self.owner, "owner": self.owner, "member": self.member, "admin": self.admin}.get(
            who, self.stranger
        )

    async def scene(self, who: str, members_only: bool, row: Row) -> dict[str, str | int]:
        """A room as `who` finds it, and the ids of what `row` is about."""
        room, me = await self.owner.make_room(members_only=members_only), self.player(who)
        own = other = 1
        if who in ("member", "former"):
            await self.let_in(room, me)
        if "{own}" in row.path and not (members_only and who == "stranger"):
            own = (await me.post(room, "mine"))["id"]
        if "{other}" in row.path or "{inside}" in row.path:
            await self.let_in(room, self.inside)
        if "{other}" in row.path:
            other = (await self.inside.post(room, "not mine"))["id"]
        if who in ("former", "left"):
            answer = await self.owner.rest.delete(f"/room/{room}/members/{me.username}")
            assert answer.status_code == 204
        return {
            "room": room, "own": own, "other": other, "me": me.username, "target": self.target.username,
            "inside": self.inside.username, "owner": self.owner.username,
        }  # fmt: skip

    async def let_in(self, room: str, person: Person) -> None:
        answer = await self.owner.rest.post(f"/room/{room}/members", json={"username": person.username})
        assert answer.status_code == 201


def filled(template: Frame, ids: dict[str, str | int]) -> Frame:
    """`{own}` alone becomes a number, as it is one in frames."""
    numbers = {"{own}": ids["own"], "{other}": ids["other"]}
    return {
        key: numbers.get(value, value.format(**ids)) if isinstance(value, str) else value
        for key, value in template.items()
    }


@pytest.fixture
async def cast(server: Server) -> AsyncIterator[Cast]:
    found = Cast(server)
    await found.gather()
    yield found
    for person in (found.owner, found.member, found.stranger, found.inside, found.target, found.admin):
        await person.rest.aclose()


async def asked_of_rest(row: Row, me: Person, ids: dict[str, str | int]) -> str:
    body = None if row.body is None else filled(row.body, ids)
    answer = await me.rest.request(row.method, row.path.format(**ids), json=body)
    return MAY if answer.status_code < 300 else str(answer.json()["code"])


async def asked_of_gateway(row: Row, socket: Socket, ids: dict[str, str | int]) -> str:
    assert row.command is not None
    answer = await socket.ask(filled(row.command, ids))
    return MAY if answer["type"] == "reply" else str(answer["code"])


async def test_everyone_may_do_what_the_table_says_on_either_face(cast: Cast) -> None:
    wrong: list[str] = []
    async with contextlib.AsyncExitStack() as stack:
        sockets = {
            who: await stack.enter_async_context(cast.player(who).socket("/ws", max_queue=None)) for who in ALWAYS
        }
        cells = [(who, members_only) for members_only in (False, True) for who in ALWAYS]
        for row in TABLE:
            scenes = await asyncio.gather(*(cast.scene(*cell, row) for cell in cells for _ in ("REST", "/ws")))
            expected = (*row.open_room, *row.closed_room)
            for (who, members_only), over_rest, on_socket, code in zip(
                cells, scenes[::2], scenes[1::2], expected, strict=True
            ):
                said = [await asked_of_rest(row, cast.player(who), over_rest)]
                if row.command is not None:
                    said.append(await asked_of_gateway(row, sockets[who], on_socket))
                if set(said) != {code}:
                    wrong.append(f"{who}, {row.what}, members_only={members_only}: {said}, not {code}")
    assert not wrong, "\n".join(wrong)


async def test_nobody_does_anything_without_signing_in(cast: Cast) -> None:
    ids = await cast.scene("owner", False, TABLE[0])
    async with cast.owner.socket("/ws", additional_headers={}) as socket:
        for row in TABLE:
            cast.owner.rest.headers.pop("Authorization", None)
            assert await asked_of_rest(row, cast.owner, ids) == "not_authenticated", row.what
            if row.command is not None:
                assert await asked_of_gateway(row, socket, ids) == "not_authenticated", row.what
