"""Rooms over REST."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from accounts.models import Account
from accounts.tests.conftest import Api, code
from foyer.realtime.log import read_log
from foyer.realtime.topics import room_topic

KEY = {"Idempotency_Key": "k-1"}


def make(client: Api, name: str, **more: Any) -> Any:
    answer = client.post("/rooms", {"name": name, **more})
    assert answer.status_code == 201, answer.content
    return answer.json()


def names(client: Api, query: str = "") -> list[str]:
    return [room["name"] for room in client.get(f"/rooms{query}").json()]


# Spec 2


def test_without_rooms_there_is_an_empty_list(ann: Api) -> None:
    answer = ann.get("/rooms")
    assert (answer.status_code, answer.content) == (200, b"[]")
    assert answer["Content-Type"] == "application/json"


def test_a_room_is_made_and_found_at_its_location(ann: Api, ben: Api) -> None:
    answer = ann.post("/rooms", {"name": "General"})
    assert answer.status_code == 201
    room = answer.json()
    assert list(room) == ["roomId", "name", "members_only", "owner", "created_at"]
    assert room | {"created_at": ""} == {
        "roomId": "1", "name": "General", "members_only": False, "owner": "ann", "created_at": "",
    }  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", room["created_at"])
    assert abs(datetime.fromisoformat(room["created_at"]).timestamp() - datetime.now().timestamp()) < 60
    assert answer["Location"] == "http://testserver/room/1"
    assert ben.get("/room/1").json() == room
    assert ben.get("/rooms").json() == [room]


@pytest.mark.parametrize("name", ["General", "GENERAL", "general", "\uff27eneral"])
def test_a_name_is_taken_whatever_its_case(ann: Api, ben: Api, name: str) -> None:
    make(ann, "General")
    for client in (ann, ben):
        assert code(client.post("/rooms", {"name": name})) == (409, "room_name_taken")
    assert names(ann) == ["General"]


@pytest.mark.parametrize("name", ["Straße", "ΜΆΪΟΣ", "İstanbul", " padded ", "💬", "{room:1}", "a/b", "..", "x" * 100])
def test_a_name_comes_back_as_it_was_sent(ann: Api, name: str) -> None:
    assert make(ann, name)["name"] == name
    assert names(ann) == [name]
    assert code(ann.post("/rooms", {"name": name.upper()})) == (409, "room_name_taken")


def test_of_many_who_want_a_name_at_once_one_gets_it(ann: Api, ben: Api) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda client: client.post("/rooms", {"name": "General"}), [ann, ben] * 4))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert len(names(ann)) == 1


# Retries


def test_a_retried_creation_answers_as_the_first_did(ann: Api, ben: Api) -> None:
    first, again = (ann.post("/rooms", {"name": "General"}, **KEY) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert first["Location"] == again["Location"]
    for body in ({"name": "general"}, {"name": "General", "members_only": True}):
        assert code(ann.post("/rooms", body, **KEY)) == (409, "retry_key_reused")
    assert code(ben.post("/rooms", {"name": "General"}, **KEY)) == (409, "room_name_taken")
    assert names(ann) == ["General"]


def test_a_retry_key_at_once_makes_one_room(ann: Api) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ann.post("/rooms", {"name": "General"}, **KEY), range(8)))
    assert [answer.status_code for answer in answers] == [201] * 8
    assert len({answer.content for answer in answers}) == 1
    assert names(ann) == ["General"]


def test_a_creation_that_was_refused_may_be_tried_again_with_its_key(ann: Api, ben: Api) -> None:
    make(ben, "General")
    assert code(ann.post("/rooms", {"name": "General"}, **KEY)) == (409, "room_name_taken")
    ben.delete("/room/1")
    assert ann.post("/rooms", {"name": "General"}, **KEY).status_code == 201


# Lists


def test_rooms_are_listed_by_creation_in_pages(ann: Api, ben: Api, boss: Api) -> None:
    for number in range(25):
        make(ann, f"room {number}", members_only=number % 3 == 0)
    ann.delete("/room/11")
    ann.delete("/room/14")
    every = [f"room {number}" for number in range(25) if number not in (10, 13)]
    open_ones = [name for name in every if int(name[5:]) % 3]
    for client, seen in ((ann, every), (boss, every), (ben, open_ones)):
        for limit in (1, 4, 7, 1000):
            path, found, pages = f"/rooms?limit={limit}", list[str](), 0
            while path:
                answer = client.get(path)
                assert len(answer.json()) <= limit
                found += [room["name"] for room in answer.json()]
                link = re.fullmatch(r'<http://testserver(.+)>; rel="next"', answer.get("Link", ""))
                path, pages = link[1] if link else "", pages + 1
            assert found == seen
            assert pages == -(-len(seen) // limit)


def test_rooms_are_paged_backwards_from_any_id(ann: Api, ben: Api, boss: Api) -> None:
    for number in range(25):
        make(ann, f"room {number}", members_only=number % 3 == 0)
    for room in (11, 14, 19):
        ann.delete(f"/room/{room}")
    ann.post("/room/lobby/members", {"username": "ann"})
    for client, query in ((ann, ""), (ann, "&member=me"), (boss, ""), (ben, ""), (ben, "&member=me")):
        every = names(client, f"?{query}")
        earlier = [room["name"] for room in client.get(f"/rooms?{query}").json() if int(room["roomId"]) < 19]
        for limit in (1, 4, 7, 1000):
            path, pages = f"/rooms?before=19&limit={limit}{query}", list[list[str]]()
            while path:
                answer = client.get(path)
                pages.insert(0, [room["name"] for room in answer.json()])
                link = re.fullmatch(r'<http://testserver(.+)>; rel="next"', answer.get("Link", ""))
                path = link[1] if link else ""
            assert [name for page in pages for name in page] == earlier
            assert [len(page) for page in pages[1:]] == [limit] * (len(pages) - 1)
        assert names(client, f"?before=26{query}") == every
        assert names(client, f"?before=0{query}") == names(client, f"?before=1{query}") == []


def test_a_page_begins_after_any_id(ann: Api) -> None:
    for name in "abc":
        make(ann, name)
    assert names(ann, "?after=1") == ["b", "c"]
    assert names(ann, "?after=1&limit=1") == ["b"]
    assert names(ann, "?after=3") == []
    assert names(ann, "?after=1&before=3") == ["b"]
    assert names(ann, "?after=0&before=3&limit=1") == ["a"]
    for query in ("after=4", "before=5", f"after={2**63 - 1}", "after=4&before=5"):
        assert code(ann.get(f"/rooms?{query}")) == (400, "unknown_cursor")
        assert code(ann.get(f"/rooms?member=me&{query}")) == (400, "unknown_cursor")
    for query in ("limit=0", "limit=1001", "limit=x", "after=-1", "after=1.5", f"after={2**63}", "before=x"):
        answer = ann.get(f"/rooms?{query}")
        assert code(answer) == (400, "invalid")
        assert list(answer.json()["fields"]) == [query.partition("=")[0]]


def test_a_room_is_found_by_its_exact_name(ann: Api, ben: Api) -> None:
    make(ann, "Ünï & co")
    make(ann, "Secret", members_only=True)
    assert names(ben, "?name=%C3%9Cn%C3%AF+%26+co") == ["Ünï & co"]
    for query in ("?name=%C3%BCn%C3%AF+%26+co", "?name=", "?name=other", "?name=%00", "?name=%FF", "?name=Secret"):
        assert names(ben, query) == []
    assert names(ann, "?name=Secret") == ["Secret"]


def test_ones_own_rooms_are_listed_apart(ann: Api, ben: Api, boss: Api) -> None:
    make(ann, "a")
    make(ben, "b", members_only=True)
    make(ann, "c", members_only=True)
    assert names(ann, "?member=me") == ["a", "c"]
    assert names(ben, "?member=me") == ["b"]
    assert names(boss, "?member=me") == []
    ann.delete("/room/1")
    assert names(ann, "?member=me") == ["c"]


# Changing


def test_the_owner_and_admins_change_a_room(ann: Api, ben: Api, boss: Api) -> None:
    room = make(ann, "General")
    assert ann.patch("/room/1", {"name": "Kitchen"}).json() == room | {"name": "Kitchen"}
    assert boss.patch("/room/1", {"name": "Cellar", "members_only": True}).json() == room | {
        "name": "Cellar", "members_only": True,
    }  # fmt: skip
    assert code(ben.patch("/room/1", {"name": "Mine"})) == (404, "room_not_found")
    ann.patch("/room/1", {"members_only": False})
    assert code(ben.patch("/room/1", {"name": "Mine"})) == (403, "not_the_owner")
    assert code(ben.patch("/room/1", {"members_only": True})) == (403, "not_the_owner")
    assert names(ben) == ["Cellar"]


def test_a_room_says_how_long_it_keeps_messages_once_somebody_said_it(ann: Api, ben: Api) -> None:
    room = make(ann, "General")
    assert "retention_days" not in room
    assert ann.patch("/room/1", {"retention_days": 30}).json() == room | {"retention_days": 30}
    assert ann.patch("/room/1", {"name": "Kitchen"}).json()["retention_days"] == 30
    assert [found.get("retention_days") for found in ben.get("/rooms").json()] == [30]
    assert ann.patch("/room/1", {"retention_days": None}).json()["retention_days"] is None
    heard = [event.json for event in read_log(room_topic("1"), 0, 10).events]
    assert [b'"retention_days":30' in event for event in heard] == [True, True, False]
    assert b'"retention_days":null' in heard[2]
    assert code(ben.patch("/room/1", {"retention_days": 1})) == (403, "not_the_owner")
    for wrong in (0, -1, 36_501, 1.5, "30", True):
        answer = ann.patch("/room/1", {"retention_days": wrong})
        assert code(answer) == (400, "invalid")
        assert list(answer.json()["fields"]) == ["retention_days"]
    assert code(ann.patch("/room/lobby", {"retention_days": 1})) == (403, "permanent_room")


def test_a_form_that_leaves_the_days_empty_leaves_them_as_they_are(ann: Api) -> None:
    make(ann, "General")
    form = "application/x-www-form-urlencoded"
    fields = "_method=PATCH&name=Kitchen&retention_days="
    assert "retention_days" not in ann.send("POST", "/room/1", fields, Content_Type=form).json()
    assert ann.send("POST", "/room/1", f"{fields}7", Content_Type=form).json()["retention_days"] == 7
    assert ann.send("POST", "/room/1", fields, Content_Type=form).json()["retention_days"] == 7


def test_a_rename_frees_the_old_name_and_takes_the_new(ann: Api, ben: Api) -> None:
    make(ann, "General")
    ann.patch("/room/1", {"name": "Kitchen"})
    assert code(ben.post("/rooms", {"name": "KITCHEN"})) == (409, "room_name_taken")
    make(ben, "general")
    assert code(ann.patch("/room/1", {"name": "General"})) == (409, "room_name_taken")
    assert names(ann) == ["Kitchen", "general"]


def test_a_rename_may_change_the_case_alone(ann: Api, ben: Api) -> None:
    make(ann, "General")
    for name in ("GENERAL", "general", "general"):
        assert ann.patch("/room/1", {"name": name}).json()["name"] == name
        assert names(ben, f"?name={name}") == [name]
    assert names(ben, "?name=GENERAL") == []
    assert code(ben.post("/rooms", {"name": "General"})) == (409, "room_name_taken")


def test_two_rooms_swap_their_names_by_way_of_a_third(ann: Api) -> None:
    make(ann, "a")
    make(ann, "b")
    assert code(ann.patch("/room/1", {"name": "b"})) == (409, "room_name_taken")
    for room, name in ((1, "c"), (2, "a"), (1, "b")):
        assert ann.patch(f"/room/{room}", {"name": name}).status_code == 200
    assert names(ann) == ["b", "a"]
    make(ann, "c")


def test_renames_at_once_leave_one_name(ann: Api, boss: Api) -> None:
    make(ann, "General")
    wanted = [f"name {number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda pair: pair[0].patch("/room/1", {"name": pair[1]}), zip([ann, boss] * 4, wanted, strict=True)
            )
        )
    done = [name for name, answer in zip(wanted, answers, strict=True) if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 409}
    (name,) = names(ann)
    assert name in done
    for other in {"General", *wanted} - {name}:
        make(ann, other)


# Members only


def test_a_members_only_room_is_there_for_members_and_admins_alone(ann: Api, ben: Api, boss: Api) -> None:
    room = make(ann, "Secret", members_only=True)
    for client in (ann, boss):
        assert client.get("/room/1").json() == room
        assert client.get("/rooms").json() == [room]
        assert client.get("/room/1/messages").status_code == 200
        assert client.get("/room/1/subscribe").status_code == 202
    assert ben.get("/rooms").json() == []
    missing = ben.get("/room/2")
    for method, path, body in (
        ("GET", "/room/1", None),
        ("PATCH", "/room/1", {"name": "x"}),
        ("DELETE", "/room/1", None),
        ("GET", "/room/1/messages", None),
        ("POST", "/room/1/messages", {"text": "hi"}),
        ("GET", "/room/1/messages/1", None),
        ("GET", "/room/1/subscribe", None),
    ):
        answer = ben.send(method, path, body)
        assert (answer.status_code, answer.content) == (404, missing.content), f"{method} {path}"
    assert code(ben.post("/rooms", {"name": "secret"})) == (409, "room_name_taken")


def test_a_room_that_opens_is_seen_and_one_that_closes_is_not(ann: Api, ben: Api) -> None:
    make(ann, "Kitchen", members_only=True)
    for members_only in (False, True, True, False, False):
        assert ann.patch("/room/1", {"members_only": members_only}).json()["members_only"] is members_only
        assert names(ben) == ([] if members_only else ["Kitchen"])
        assert ben.get("/room/1").status_code == (404 if members_only else 200)


# Deleting


def test_the_owner_and_admins_delete_a_room(ann: Api, ben: Api, boss: Api) -> None:
    for name in "ab":
        make(ann, name)
    assert code(ben.delete("/room/1")) == (403, "not_the_owner")
    for client, path in ((ann, "/room/1"), (boss, "/room/2")):
        answer = client.delete(path)
        assert (answer.status_code, answer.content) == (204, b"")
        for method in ("GET", "DELETE"):
            assert code(client.send(method, path)) == (404, "room_not_found")
    assert names(boss) == []


def test_a_deleted_rooms_name_can_be_taken_again(ann: Api, ben: Api) -> None:
    make(ann, "General")
    ann.post("/room/1/messages", {"text": "hi"})
    ann.delete("/room/1")
    room = make(ben, "general")
    assert room["roomId"] == "2"
    assert ben.get("/room/2/messages").json() == []


def test_the_rooms_of_a_deleted_account_stay_without_an_owner(ann: Api, ben: Api, boss: Api) -> None:
    make(ben, "General")
    Account.objects.get(username="ben").delete()
    (room,) = ann.get("/rooms").json()
    assert room["owner"] is None
    assert code(ann.delete("/room/1")) == (403, "not_the_owner")
    assert boss.patch("/room/1", {"name": "Kitchen"}).json()["name"] == "Kitchen"
    assert boss.delete("/room/1").status_code == 204


def test_without_signing_in_there_are_no_rooms(db: None, anyone_here: Api) -> None:
    for method, path in (
        ("GET", "/rooms"),
        ("POST", "/rooms"),
        ("GET", "/room/1"),
        ("PATCH", "/room/1"),
        ("DELETE", "/room/1"),
    ):
        answer = anyone_here.send(method, path, {"name": "x"})
        assert code(answer) == (401, "not_authenticated")
        assert "Bearer" in answer["WWW-Authenticate"]
        assert "Basic" in answer["WWW-Authenticate"]


@pytest.fixture
def anyone_here() -> Api:
    return Api()
