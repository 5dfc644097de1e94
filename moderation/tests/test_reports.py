"""Reports of messages."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from accounts.models import Account
from accounts.tests.conftest import Api, code
from foyer.errors import Unavailable
from moderation import reports
from moderation.models import Report


@pytest.fixture
def spam(ann: Api, eve: Api, room: str) -> int:
    """The id of a message of eve's in the room."""
    return int(eve.post("/room/1/messages", {"text": "Buy now!"}).json()["id"])


def listed(client: Api, query: str = "") -> list[int]:
    answer = client.get(f"/reports{query}")
    assert answer.status_code == 200, answer.content
    return [report["id"] for report in answer.json()]


def test_who_can_read_a_message_reports_it_once(ann: Api, ben: Api, eve: Api, boss: Api, spam: int) -> None:
    address = f"/room/1/messages/{spam}/report"
    answer = boss.post(address, {"reason": "Ads"})
    assert answer.status_code == 201, answer.content
    told = answer.json()
    message = ann.get(f"/room/1/messages/{spam}").json()
    assert told | {"id": 0, "at": ""} == {
        "id": 0, "state": "open", "message": message, "reason": "Ads", "by": "boss", "at": "",
    }  # fmt: skip
    again = boss.post(address, {"reason": "Ads, again"})
    assert (again.status_code, again.json()) == (200, told)
    assert ann.post(address, {"reason": "Ads"}).status_code == 201
    for wrong in ({}, {"reason": ""}, {"reason": " "}, {"reason": "x" * 1001}, {"reason": 3}):
        assert code(ann.post(address, wrong)) == (400, "invalid")


def test_who_can_not_read_a_message_can_not_report_it(ann: Api, ben: Api, eve: Api, boss: Api, spam: int) -> None:
    ben.put("/room/1/bans/eve", {})
    assert code(eve.post(f"/room/1/messages/{spam}/report", {"reason": "x"})) == (403, "banned")
    ann.patch("/room/1", {"members_only": True})
    assert code(eve.post(f"/room/1/messages/{spam}/report", {"reason": "x"})) == (404, "room_not_found")
    for message in ("99", "x"):
        assert code(ann.post(f"/room/1/messages/{message}/report", {"reason": "x"})) == (404, "message_not_found")


def test_a_report_has_the_message_as_it_was(ann: Api, eve: Api, boss: Api, spam: int) -> None:
    report = ann.post(f"/room/1/messages/{spam}/report", {"reason": "Ads"}).json()
    eve.patch(f"/room/1/messages/{spam}", {"text": "Nothing to see"})
    eve.delete(f"/room/1/messages/{spam}")
    assert boss.get("/reports").json() == [report]


def test_a_report_that_is_repeated_is_the_same_when_the_message_is_gone(
    ann: Api, ben: Api, eve: Api, boss: Api, spam: int
) -> None:
    eve.post("/user/ann/messages", {"text": "psst"})
    (received,) = ann.get("/user/eve/messages").json()
    addresses = f"/room/1/messages/{spam}/report", f"/user/eve/messages/{received['id']}/report"
    made = [ann.post(address, {"reason": "Ads"}).json() for address in addresses]
    eve.delete(f"/room/1/messages/{spam}")
    (sent,) = eve.get("/user/ann/messages").json()
    eve.delete(f"/user/ann/messages/{sent['id']}")
    for address, report in zip(addresses, made, strict=True):
        again = ann.post(address, {"reason": "Ads"})
        assert (again.status_code, again.json()) == (200, report)
        assert code(boss.post(address, {"reason": "Ads"})) == (404, "message_not_found")
    assert code(ann.post(addresses[1].replace("eve", "ben"), {"reason": "Ads"})) == (404, "message_not_found")
    ben.put("/room/1/bans/eve", {})
    assert code(eve.post(addresses[0], {"reason": "Ads"})) == (403, "banned")


def test_a_direct_message_is_reported_by_its_id_in_ones_own_log(ann: Api, ben: Api, eve: Api, boss: Api) -> None:
    eve.post("/user/ben/messages", {"text": "not this"})
    eve.post("/user/ann/messages", {"text": "psst"})
    (received,) = ann.get("/user/eve/messages").json()
    report = ann.post(f"/user/eve/messages/{received['id']}/report", {"reason": "Rude"}).json()
    assert report["message"] == received
    assert code(ann.post("/user/eve/messages/99/report", {"reason": "x"})) == (404, "message_not_found")
    assert code(ann.post(f"/user/ben/messages/{received['id']}/report", {"reason": "x"})) == (404, "message_not_found")
    assert code(ann.post("/user/nobody/messages/1/report", {"reason": "x"})) == (404, "user_not_found")
    assert listed(boss) == [report["id"]]
    assert listed(ann) == listed(eve) == []


def test_moderators_see_and_close_those_of_their_rooms_and_admins_all(
    ann: Api, ben: Api, eve: Api, boss: Api, spam: int
) -> None:
    report = boss.post(f"/room/1/messages/{spam}/report", {"reason": "Ads"}).json()["id"]
    eve.post("/rooms", {"name": "Elsewhere"})
    eve.post("/room/2/messages", {"text": "hi"})
    other = boss.post("/room/2/messages/1/report", {"reason": "?"}).json()["id"]
    assert listed(boss) == [report, other]
    assert listed(ann) == listed(ben, "?state=open") == [report]
    assert listed(eve) == [other]
    assert code(ben.patch(f"/reports/{other}", {"state": "resolved"})) == (404, "report_not_found")
    closed = ben.patch(f"/reports/{report}", {"state": "resolved", "note": "Banned"}).json()
    assert (closed["state"], closed["note"], closed["closed_by"]) == ("resolved", "Banned", "ben")
    assert (listed(ben, "?state=open"), listed(ben, "?state=resolved")) == ([], [report])
    last = ann.get("/room/1/audit?limit=1").json()[0]
    assert last | {"id": 0, "at": ""} == {
        "id": 0, "at": "", "action": "report_resolved", "username": "eve", "report": report, "note": "Banned",
        "by": "ben",
    }  # fmt: skip
    assert boss.patch(f"/reports/{report}", {"state": "dismissed"}).json()["note"] is None
    assert ann.get("/room/1/audit?limit=1").json()[0]["action"] == "report_dismissed"
    ann.patch("/room/1/members/ben", {"role": "member"})
    assert listed(ben) == []
    assert code(ben.patch(f"/reports/{report}", {"state": "resolved"})) == (404, "report_not_found")
    for wrong in ({}, {"state": "open"}, {"state": "gone"}, {"state": "resolved", "note": 3}):
        assert code(boss.patch(f"/reports/{report}", wrong)) == (400, "invalid")
    assert code(boss.get("/reports?state=gone")) == (400, "invalid")
    assert code(boss.patch("/reports/x", {"state": "resolved"})) == (404, "report_not_found")


def test_nobody_closes_a_report_of_what_they_wrote(ann: Api, ben: Api, eve: Api, boss: Api, room: str) -> None:
    message = ben.post("/room/1/messages", {"text": "hm"}).json()["id"]
    report = eve.post(f"/room/1/messages/{message}/report", {"reason": "Rude"}).json()["id"]
    assert code(ben.patch(f"/reports/{report}", {"state": "dismissed"})) == (403, "forbidden")
    assert listed(boss, "?state=open") == [report]


def test_reports_come_in_pages(ann: Api, eve: Api, boss: Api, room: str) -> None:
    for _ in range(9):
        message = eve.post("/room/1/messages", {"text": "spam"}).json()["id"]
        ann.post(f"/room/1/messages/{message}/report", {"reason": "Ads"})
    every = listed(boss)
    found, path = list[int](), "/reports?state=open&limit=4"
    while path:
        answer = boss.get(path)
        found += [report["id"] for report in answer.json()]
        path = answer.get("Link", "")[1:].partition(">")[0].removeprefix("http://testserver")
    assert found == every == sorted(every)
    assert listed(boss, f"?before={every[-1]}&limit=2") == every[-3:-1]


def test_too_many_open_reports_of_one_user_are_refused(
    ann: Api, eve: Api, boss: Api, spam: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "MOST_OPEN", 1)
    other = eve.post("/room/1/messages", {"text": "more"}).json()["id"]
    report = ann.post(f"/room/1/messages/{spam}/report", {"reason": "Ads"}).json()["id"]
    refused = ann.post(f"/room/1/messages/{other}/report", {"reason": "Ads"})
    assert code(refused) == (429, "rate_limited")
    assert refused["Retry-After"]
    assert ann.post(f"/room/1/messages/{spam}/report", {"reason": "Ads"}).status_code == 200
    boss.patch(f"/reports/{report}", {"state": "resolved"})
    assert ann.post(f"/room/1/messages/{other}/report", {"reason": "Ads"}).status_code == 201


def test_a_deleted_account_is_named_in_none_and_reports_of_a_deleted_room_stay_with_the_admins(
    ann: Api, ben: Api, eve: Api, boss: Api, spam: int
) -> None:
    report = ben.post(f"/room/1/messages/{spam}/report", {"reason": "Ads"}).json()["id"]
    ann.delete("/room/1")
    assert boss.patch(f"/reports/{report}", {"state": "resolved"}).json()["closed_by"] == "boss"
    for name in ("ben", "eve"):
        assert boss.delete(f"/user/{name}").status_code == 204
    (found,) = boss.get("/reports").json()
    assert (found["message"]["sender"], found["message"]["text"], found["by"]) == (None, "Buy now!", None)
    Account.objects.create_user("eve", None)
    assert boss.get("/reports").json() == [found]


def test_a_report_whose_closing_can_not_be_noted_stays_open(
    ann: Api, eve: Api, boss: Api, spam: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = ann.post(f"/room/1/messages/{spam}/report", {"reason": "Ads"}).json()["id"]

    def away(*_: Any) -> None:
        raise Unavailable

    monkeypatch.setattr(reports, "note_report", away)
    assert code(boss.patch(f"/reports/{report}", {"state": "resolved"})) == (503, "unavailable")
    assert Report.objects.get(pk=report).state == "open"


@pytest.mark.django_db(transaction=True)
def test_the_same_report_at_once_is_one(ann: Api, eve: Api, spam: int) -> None:
    def report(_: int) -> int:
        try:
            return int(ann.post(f"/room/1/messages/{spam}/report", {"reason": "Ads"}).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(report, range(4)))
    assert sorted(codes) == [200, 200, 200, 201]
    assert Report.objects.count() == 1
