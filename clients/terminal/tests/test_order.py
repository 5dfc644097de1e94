"""What moderators type on a terminal, and what they see."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from clients.terminal import order
from clients.terminal.gateway_client import GatewayClient
from clients.terminal.rest_client import Refused
from clients.terminal.terminal import Talk, Terminal
from tests.clients import PATIENCE, SignUp

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/mute ann 10m", {"type": "mute", "username": "ann", "until": "2026-03-04T09:10:00Z"}),
        ("/mute ann 10m don't shout", {
            "type": "mute", "username": "ann", "until": "2026-03-04T09:10:00Z", "reason": "don't shout",
        }),
        ("/ban ann", {"type": "ban", "username": "ann"}),
        ('/ban "User Name" 7d ads', {
            "type": "ban", "username": "User Name", "until": "2026-03-11T09:00:00Z", "reason": "ads",
        }),
        ("/ban ann 10 messages too many", {"type": "ban", "username": "ann", "reason": "10 messages too many"}),
        ("/unmute ann", {"type": "unmute", "username": "ann"}),
        ("/unban ann", {"type": "unban", "username": "ann"}),
        ("/role ann moderator", {"type": "set_role", "username": "ann", "role": "moderator"}),
        ("/role ann king", None), ("/unban ann now", None), ("/ban", None), ("/ban  ", None),
    ],
)  # fmt: skip
def test_a_line_becomes_a_command(line: str, command: dict[str, Any] | None) -> None:
    word, _, rest = line.partition(" ")
    assert order.command_of(word, rest, NOW) == command


async def test_a_moderator_keeps_order_and_sees_what_was_done(sign_up: SignUp) -> None:
    ann, eve = await sign_up("ann"), await sign_up("eve")
    room = await ann.make_room()
    await ann.rest.post(f"/room/{room}/members", json={"username": eve.username})
    message = await eve.post(room, "Buy now!")
    lines = asyncio.Queue[str]()

    async def token() -> str:
        return ann.token

    async def until(text: str) -> str:
        async with asyncio.timeout(PATIENCE):
            while text not in (line := await lines.get()):
                pass
        return line

    async with GatewayClient(ann.server.base_url, token) as client:
        terminal = Terminal(client, Talk("a room", {"room": room}), lines.put_nowait)
        listening = asyncio.create_task(terminal.listen())
        await terminal.joined.wait()
        await terminal.obey(f"/report {eve.username} ads")
        await until("reported the last message")
        await terminal.obey(f"/role {eve.username} moderator")
        await until(f"made {eve.username} a moderator")
        await terminal.obey("/members")
        assert "(moderator, away)" in await until(eve.username)
        await terminal.obey(f"/role {eve.username} member")
        await terminal.obey(f"/mute {eve.username} 10m loud")
        assert (await until(f"muted {eve.username} until")).endswith(": loud")
        await terminal.obey(f"/unmute {eve.username}")
        await terminal.obey(f"/ban {eve.username} ads")
        assert (await until("banned")).endswith(f"{ann.username} banned {eve.username}: ads")
        await terminal.obey(f"/unban {eve.username}")
        await until("lifted the ban")
        await terminal.obey("/ban")
        await until("/unban NAME")
        with pytest.raises(Refused, match="not banned"):
            await terminal.obey(f"/unban {eve.username}")
        listening.cancel()
    reports = (await ann.rest.get("/reports")).json()
    assert [(report["message"]["id"], report["reason"]) for report in reports] == [(message["id"], "ads")]
