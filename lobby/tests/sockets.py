"""A socket of `/lobby_api` inside the process of a test, and what is said on it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from channels.testing import WebsocketCommunicator

from accounts.tests.conftest import PASSWORD
from lobby.consumers import LobbySocket
from lobby.operations import NewTable, aadd_table
from lobby.tests.invariants import tables
from tests.frames import Dialogue

Frame = dict[str, Any]
PATIENCE = 10

FIGHTERS: Frame = {"id": 3, "name": "table - Foo Fighters", "participants": 4}
ADD = {"$type": "add_table", "after_id": -1, "table": FIGHTERS}
UPDATE = {"$type": "update_table", "table": {**FIGHTERS, "id": 1}}
REMOVE = {"$type": "remove_table", "id": 1}


def table(id: int) -> Frame:
    return {"id": id, "name": f"table {id}", "participants": id}


async def fill(*wanted: int) -> None:
    """Add tables of these ids, in this order."""
    for id in wanted:
        await aadd_table(NewTable(f"table {id}", id, id))


async def listed() -> list[Frame]:
    return await asyncio.to_thread(tables)


class LobbyClient:
    """Says and hears frames of JSON; text and bytes go as they are. What is heard is held against `/schema/events`."""

    def __init__(self) -> None:
        self.wire = WebsocketCommunicator(LobbySocket.as_asgi(), "/lobby_api")
        self.dialogue = Dialogue("/lobby_api")
        self.seq = 0

    async def open(self) -> None:
        accepted, _ = await self.wire.connect(timeout=PATIENCE)
        assert accepted

    async def say(self, frame: Any) -> None:
        kind = "bytes" if isinstance(frame, bytes) else "text"
        content = frame if isinstance(frame, bytes | str) else json.dumps(frame)
        await self.wire.send_input({"type": "websocket.receive", kind: content})

    async def hear(self) -> Frame:
        frame: Frame = json.loads(await self.wire.receive_from(timeout=PATIENCE))
        self.dialogue.heard(frame)
        return frame

    async def ask(self, frame: Any) -> Frame:
        """Say something that is answered by one frame."""
        await self.say(frame)
        return await self.hear()

    async def heard(self) -> list[Frame]:
        """All that came before the answer to a ping: what was said before it has been carried out by then."""
        self.seq += 1
        await self.say({"$type": "ping", "seq": self.seq})
        found = []
        while (frame := await self.hear()) != {"$type": "pong", "seq": self.seq}:
            found.append(frame)
        return found

    async def login(self, username: str, password: str = PASSWORD) -> Frame:
        return await self.ask({"$type": "login", "username": username, "password": password})
