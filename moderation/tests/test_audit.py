"""The audit of a room."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.tests.conftest import Api, code
from foyer.api.wire import fields_of
from foyer.paging import Page
from foyer.store.steps import client
from messaging.operations import post_message
from moderation.operations import read_audit
from rooms.errors import Banned
from rooms.operations import create_room
from rooms.order import Terms, restrict
from rooms.tests.test_order import person
from tests.people import ANN, EVE
from tests.steps import crashes


def entries(client: Api, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"/room/1/audit{query}")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()
    return found


def test_it_says_who_did_what_to_whom_and_why_the_newest_first(
    ann: Api, ben: Api, eve: Api, boss: Api, room: str
) -> None:
    message = eve.post("/room/1/messages", {"text": "spam"}).json()["id"]
    own = eve.post("/room/1/messages", {"text": "oops"}).json()["id"]
    eve.delete(f"/room/1/messages/{own}")
    ben.delete(f"/room/1/messages/{message}")
    ben.put("/room/1/mutes/eve", {"until": "2126-03-05T09:00:00.000Z", "reason": "Loud"})
    ben.delete("/room/1/mutes/eve")
    ben.patch("/room/1", {"slow_mode": 5})
    boss.put("/room/1/bans/eve", {})
    boss.delete("/room/1/bans/eve")
    ann.delete("/room/1/members/ben")
    found = entries(ann)
    assert [entry.pop("id") for entry in found] == list(range(8, 0, -1))
    assert all(entry.pop("at").startswith("20") for entry in found)
    assert found == [
        {"action": "member_removed", "username": "ben", "by": "ann"},
        {"action": "member_unbanned", "username": "eve", "by": "boss"},
        {"action": "member_banned", "username": "eve", "until": None, "reason": None, "by": "boss"},
        {"action": "room_updated", "slow_mode": 5, "by": "ben"},
        {"action": "member_unmuted", "username": "eve", "by": "ben"},
        {
            "action": "member_muted", "username": "eve", "until": "2126-03-05T09:00:00.000Z", "reason": "Loud",
            "by": "ben",
        },
        {"action": "message_deleted", "username": "eve", "message": message, "by": "ben"},
        {"action": "member_updated", "username": "ben", "role": "moderator", "by": "ann"},
    ]  # fmt: skip


def test_it_is_read_in_pages_and_by_moderators_alone(ann: Api, ben: Api, eve: Api, boss: Api, room: str) -> None:
    for _ in range(5):
        ann.put("/room/1/mutes/eve", {})
        ann.delete("/room/1/mutes/eve")
    every = [entry["id"] for entry in entries(ben)]
    assert every == list(range(11, 0, -1))
    found, path = list[int](), "/room/1/audit?limit=4"
    while path:
        answer = boss.get(path)
        found += [entry["id"] for entry in answer.json()]
        path = answer.get("Link", "")[1:].partition(">")[0].removeprefix("http://testserver")
    assert found == every
    assert [entry["id"] for entry in entries(ben, "?after=8")] == [11, 10, 9]
    assert entries(ben, "?before=0") == []
    for wrong in ("after=12", "before=13"):
        assert code(ben.get(f"/room/1/audit?{wrong}")) == (400, "unknown_cursor")
    assert code(eve.get("/room/1/audit")) == (403, "not_a_moderator")
    assert code(eve.get("/room/2/audit")) == (404, "room_not_found")


def test_a_deleted_account_is_named_in_none(ann: Api, ben: Api, eve: Api, boss: Api, room: str) -> None:
    ben.put("/room/1/bans/eve", {"reason": "Ads"})
    for name in ("ben", "eve"):
        assert boss.delete(f"/user/{name}").status_code == 204
    assert [(entry["action"], entry["username"], entry["by"]) for entry in entries(ann)] == [
        ("member_banned", None, None), ("member_updated", None, "ann"),
    ]  # fmt: skip


def test_what_is_cut_short_is_in_it_if_and_only_if_it_was_done(room: str) -> None:
    rooms = list[str]()

    def ban() -> Any:
        rooms.append(str(len(rooms) + 2))
        create_room(ANN, f"room {len(rooms)}", False, None)
        return restrict.steps(ANN, rooms[-1], "bans", person(EVE), Terms())

    for _ in crashes(ban):
        found, _ = read_audit(ANN, rooms[-1], Page())
        assert bool(found) == bool(client().exists(f"{{room:{rooms[-1]}}}:bans"))


def test_a_refusal_is_not_in_it(ann: Api, eve: Api, room: str) -> None:
    before = entries(ann)
    assert code(eve.put("/room/1/bans/ben", {})) == (403, "not_a_moderator")
    assert code(ann.put("/room/1/bans/ann", {})) == (403, "forbidden")
    assert entries(ann) == before


def test_a_ban_and_its_entry_need_no_sql() -> None:
    create_room(ANN, "Kitchen", False, None)
    restrict(ANN, "1", "bans", person(EVE), Terms(reason="Ads"))
    with pytest.raises(Banned):
        post_message(EVE, "1", "hi")
    (entry,), _ = read_audit(ANN, "1", Page())
    assert fields_of(entry)["reason"] == "Ads"
