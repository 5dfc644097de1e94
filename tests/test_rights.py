"""Who may do what to whom, to keep order: each cell of the table, in both kinds of room, on REST and on the gateway."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

import pytest

from rooms.rights import RIGHTS
from tests.clients import Frame, Person, Socket, sign_in, sign_up_at
from tests.server import Server

MAY = "may"
WHO = ("stranger", "member", "moderator", "owner", "admin")
WHOM = ("stranger", "member", "moderator", "owner", "themselves")
LACKING = {"member": "not_a_member", "moderator": "not_a_moderator", "owner": "not_the_owner"}


class Deed(NamedTuple):
    """Something that the table gives a right to, and those to whom it can be done at all (`to`).

    A `before` is done first, by an admin. `absent` is the answer to who may do it, about somebody who is not in the
    room, and `lacking` that to who may not, if it is a code of its own.
    """

    right: str
    method: str
    path: str
    body: Frame | None = None
    command: str = ""
    to: tuple[str, ...] = WHOM
    before: str = ""
    absent: str = MAY
    lacking: str = ""


DEEDS = [
    Deed("set_role", "PATCH", "members/{whom}", {"role": "member"}, "set_role", absent="not_in_room"),
    Deed("ban", "PUT", "bans/{whom}", {}, "ban"),
    Deed("ban", "DELETE", "bans/{whom}", None, "unban", to=("stranger",), before="bans"),
    Deed("ban", "GET", "bans", to=()),
    Deed("mute", "PUT", "mutes/{whom}", {}, "mute"),
    Deed("mute", "DELETE", "mutes/{whom}", None, "unmute", to=("stranger", "member", "moderator"), before="mutes"),
    Deed("mute", "GET", "mutes", to=()),
    Deed("slow_mode", "PATCH", "", {"slow_mode": 0}, to=()),
    Deed("remove_member", "DELETE", "members/{whom}", None, "remove_member", to=WHOM[:-1], absent="not_in_room"),
    Deed(
        "delete_message", "DELETE", "messages/{message}", None, "delete", to=("member", "moderator", "owner"),
        lacking="not_the_sender",
    ),
]  # fmt: skip


class Cell(NamedTuple):
    deed: Deed
    who: str
    whom: str
    members_only: bool

    @property
    def expected(self) -> str:
        right = RIGHTS[self.deed.right]
        if self.members_only and self.who == "stranger":
            return "room_not_found"
        if not right.given_to(self.who):
            if self.deed.right == "remove_member" and self.whom == "stranger" and self.who == "member":
                return self.deed.absent
            return self.deed.lacking or LACKING[right.least]
        if self.whom == "themselves":
            return "forbidden"
        if self.whom in ("moderator", "owner") and not right.given_to(self.who, self.whom):
            return "forbidden"
        return self.deed.absent if self.whom == "stranger" else MAY

    def __str__(self) -> str:
        kind = "members-only" if self.members_only else "open"
        return f"{self.who}: {self.deed.method} {self.deed.path} to {self.whom or 'nobody'} in a room that is {kind}"


CELLS = [
    Cell(deed, who, whom, members_only)
    for deed in DEEDS
    for who in WHO
    for whom in (deed.to or ("",))
    for members_only in (False, True)
    if not who == whom == "owner"  # that is "themselves"
]


class Cast:
    """Two of each role, so that each can act on another of the same."""

    def __init__(self, server: Server) -> None:
        self.server = server

    async def gather(self) -> None:
        names = ("stranger", "member", "moderator", "owner")
        self.actors = {name: await sign_up_at(self.server, name) for name in names}
        self.others = {name: await sign_up_at(self.server, f"other-{name}") for name in names[:-1]}
        self.actors["admin"] = await sign_in(self.server, "admin", "admin")
        self.others["owner"] = self.actors["owner"]

    async def scene(self, cell: Cell) -> Frame:
        """A room with those in it whom it is about, and what the deed needs. Returns what its templates name."""
        owner, boss = self.actors["owner"], self.actors["admin"]
        room = await owner.make_room(members_only=cell.members_only)
        for cast, role in ((self.actors, cell.who), (self.others, cell.whom)):
            if role in ("member", "moderator"):
                name = cast[role].username
                await done(owner, "POST", f"/room/{room}/members", {"username": name})
                await done(owner, "PATCH", f"/room/{room}/members/{name}", {"role": role})
        whom = self.actors[cell.who] if cell.whom == "themselves" else self.others.get(cell.whom, owner)
        if cell.deed.before:
            await done(boss, "PUT", f"/room/{room}/{cell.deed.before}/{whom.username}", {})
        message = (await whom.post(room, "hi"))["id"] if cell.deed.right == "delete_message" else 0
        return {"room": room, "whom": whom.username, "message": message}


async def done(by: Person, method: str, path: str, body: Frame) -> None:
    answer = await by.rest.request(method, path, json=body)
    assert answer.status_code < 300, answer.text


@pytest.fixture
async def cast(start_server: Callable[..., Server]) -> AsyncIterator[Cast]:
    found = Cast(start_server())
    await found.gather()
    yield found
    for person in (*found.actors.values(), *found.others.values()):
        await person.rest.aclose()


async def over_rest(cell: Cell, me: Person, ids: Frame) -> str:
    path = f"/room/{ids['room']}/{cell.deed.path}".format(**ids).rstrip("/")
    answer = await me.rest.request(cell.deed.method, path, json=cell.deed.body)
    return MAY if answer.status_code < 300 else str(answer.json()["code"])


async def on_gateway(cell: Cell, socket: Socket, ids: Frame) -> str:
    about: dict[str, Any] = {"room": ids["room"], **(cell.deed.body or {})}
    about |= {"message": ids["message"]} if cell.deed.command == "delete" else {"username": ids["whom"]}
    answer = await socket.ask({"id": 1, "type": cell.deed.command, **about})
    return MAY if answer["type"] == "reply" else str(answer["code"])


def test_the_table_has_a_row_for_each_right_that_is_asked_for() -> None:
    assert {deed.right for deed in DEEDS} | {"read_audit", "read_reports"} == set(RIGHTS)


async def test_everyone_may_do_to_whom_the_table_says_on_either_face(cast: Cast) -> None:
    wrong: list[str] = []
    async with contextlib.AsyncExitStack() as stack:
        sockets = {who: await stack.enter_async_context(cast.actors[who].socket("/ws", max_queue=None)) for who in WHO}
        for first in range(0, len(CELLS), 20):
            some = CELLS[first : first + 20]
            asked = [(cell, face) for cell in some for face in ("REST", "/ws") if face == "REST" or cell.deed.command]
            scenes = await asyncio.gather(*(cast.scene(cell) for cell, _ in asked))
            for (cell, face), ids in zip(asked, scenes, strict=True):
                if face == "REST":
                    said = await over_rest(cell, cast.actors[cell.who], ids)
                else:
                    said = await on_gateway(cell, sockets[cell.who], ids)
                if said != cell.expected:
                    wrong.append(f"{cell}, {face}: {said}, not {cell.expected}")
    assert not wrong, "\n".join(wrong)
