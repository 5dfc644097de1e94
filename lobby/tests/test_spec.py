"""The page that describes `/lobby_api`, frame by frame, on a server as `make run` starts it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.server import Server

BOND = {"id": 1, "name": "table - James Bond", "participants": 7}
MISSION = {"id": 2, "name": "table - Mission Impossible", "participants": 4}
FIGHTERS = {"id": 3, "name": "table - Foo Fighters", "participants": 4}


def say(socket: ClientConnection, frame: dict[str, Any]) -> None:
    socket.send(json.dumps(frame))


def hear(socket: ClientConnection) -> Any:
    return json.loads(socket.recv(timeout=10))


def nothing_came(socket: ClientConnection) -> bool:
    """Whether the answer to a ping is the next frame: those of one connection are answered in order."""
    say(socket, {"$type": "ping", "seq": 99})
    return bool(hear(socket) == {"$type": "pong", "seq": 99})


def test_every_frame_of_the_page(start_server: Callable[..., Server]) -> None:
    address = f"{start_server().ws_url}/lobby_api"
    with connect(address) as admin, connect(address) as watcher:
        say(admin, {"$type": "login", "username": "user1234", "password": "password1234"})
        assert hear(admin) == {"$type": "login_failed"}
        say(admin, {"$type": "add_table", "after_id": -1, "table": BOND})
        assert hear(admin) == {"$type": "not_authorized"}
        say(admin, {"$type": "login", "username": "admin", "password": "admin"})
        assert hear(admin) == {"$type": "login_successful", "user_type": "admin"}

        say(admin, {"$type": "ping", "seq": 1})
        assert hear(admin) == {"$type": "pong", "seq": 1}

        say(admin, {"$type": "add_table", "after_id": -1, "table": BOND})
        say(admin, {"$type": "add_table", "after_id": 1, "table": MISSION})
        say(admin, {"$type": "subscribe_tables"})
        assert hear(admin) == {"$type": "table_list", "tables": [BOND, MISSION]}
        say(watcher, {"$type": "subscribe_tables"})
        assert hear(watcher) == {"$type": "table_list", "tables": [BOND, MISSION]}

        say(admin, {"$type": "add_table", "after_id": 1, "table": FIGHTERS})
        for socket in (admin, watcher):
            assert hear(socket) == {"$type": "table_added", "after_id": 1, "table": FIGHTERS}
        updated = {**FIGHTERS, "participants": 5}
        say(admin, {"$type": "update_table", "table": updated})
        for socket in (admin, watcher):
            assert hear(socket) == {"$type": "table_updated", "table": updated}
        say(admin, {"$type": "remove_table", "id": 1})
        for socket in (admin, watcher):
            assert hear(socket) == {"$type": "table_removed", "id": 1}

        say(watcher, {"$type": "unsubscribe_tables"})
        assert nothing_came(watcher)
        say(admin, {"$type": "remove_table", "id": 3})
        assert hear(admin) == {"$type": "table_removed", "id": 3}
        assert nothing_came(watcher)
        say(watcher, {"$type": "subscribe_tables"})
        assert hear(watcher) == {"$type": "table_list", "tables": [MISSION]}


def test_the_same_over_rest_with_basic_on_every_request(start_server: Callable[..., Server]) -> None:
    base = start_server().base_url
    assert httpx.get(f"{base}/lobby_api/health").json() == {"status": "ok"}
    with httpx.Client(base_url=f"{base}/lobby_api", auth=("admin", "admin")) as admin:
        assert admin.get("/tables").json() == {"$type": "table_list", "tables": []}
        for table, after_id in ((BOND, -1), (MISSION, 1), (FIGHTERS, 1)):
            added = admin.post("/tables", json={"after_id": after_id, "table": table})
            assert added.status_code == 201
            assert added.json() == {"$type": "table_added", "after_id": after_id, "table": table}
            assert added.headers["Location"] == f"{base}/lobby_api/tables/{table['id']}"
        assert admin.get("/tables").json() == {"$type": "table_list", "tables": [BOND, FIGHTERS, MISSION]}
        updated = {**FIGHTERS, "participants": 5}
        assert admin.put("/tables/3", json={"table": updated}).json() == {"$type": "table_updated", "table": updated}
        assert admin.delete("/tables/1").status_code == 204
        assert admin.get("/tables").json() == {"$type": "table_list", "tables": [updated, MISSION]}
