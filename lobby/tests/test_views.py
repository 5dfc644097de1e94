"""Tables over REST."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Account
from accounts.tests.conftest import PASSWORD, Api, code
from lobby.operations import NewTable, add_table
from lobby.tests.invariants import check_list, ids, tables

LIST = "/lobby_api/tables"
FIGHTERS = {"id": 3, "name": "table - Foo Fighters", "participants": 4}


def body(answer: Any) -> Any:
    return json.loads(answer.content)


def fill(*wanted: int) -> None:
    for id in wanted:
        add_table(NewTable(f"table {id}", id, id))


def invalid(answer: Any) -> Any:
    """The fields that were wrong."""
    assert code(answer) == (400, "invalid")
    return body(answer)["fields"]


# Reading


def test_the_list_is_in_order(ann: Api) -> None:
    assert body(ann.get(LIST)) == {"$type": "table_list", "tables": []}
    fill(2, 1)
    expected = [{"id": id, "name": f"table {id}", "participants": id} for id in (2, 1)]
    assert body(ann.get(LIST)) == {"$type": "table_list", "tables": expected}


def test_one_table_is_read_by_its_id(ann: Api) -> None:
    fill(1, 2)
    assert body(ann.get(f"{LIST}/2")) == {"id": 2, "name": "table 2", "participants": 2}


@pytest.mark.parametrize(
    "id", ["2", "0", "01", "-1", "x", "%00", "1.0", "9" * 30, "9007199254740992", "%D9%A1", "1%0A"]
)
def test_what_is_no_table_is_not_found(boss: Api, id: str) -> None:
    fill(1)
    for answer in (
        boss.get(f"{LIST}/{id}"),
        boss.put(f"{LIST}/{id}", {"name": "x", "participants": 1}),
        boss.patch(f"{LIST}/{id}", {"participants": 1}),
        boss.delete(f"{LIST}/{id}"),
    ):
        assert code(answer) == (404, "table_not_found")
    assert ids() == [1]


# Changing


def test_a_table_is_added_where_it_is_asked_to_be(boss: Api) -> None:
    fill(1, 2)
    answer = boss.post(LIST, {"$type": "add_table", "after_id": 1, "table": FIGHTERS})
    assert answer.status_code == 201
    assert body(answer) == {"$type": "table_added", "after_id": 1, "table": FIGHTERS}
    assert answer["Location"] == "http://testserver/lobby_api/tables/3"
    assert body(boss.get(answer["Location"].removeprefix("http://testserver"))) == FIGHTERS
    assert ids() == [1, 3, 2]


def test_place_and_id_may_be_left_out(boss: Api) -> None:
    fill(7)
    answer = boss.post(LIST, {"table": {"name": "new", "participants": 0}})
    assert body(answer) == {"$type": "table_added", "after_id": 7, "table": {"id": 8, "name": "new", "participants": 0}}
    assert answer["Location"].endswith("/lobby_api/tables/8")


def test_a_taken_id_and_a_place_that_is_gone_are_conflicts(boss: Api) -> None:
    fill(3)
    assert code(boss.post(LIST, {"table": FIGHTERS})) == (409, "table_id_taken")
    assert code(boss.post(LIST, {"after_id": 9, "table": {**FIGHTERS, "id": 4}})) == (409, "after_id_not_found")
    assert code(boss.post(LIST, {"after_id": 0, "table": {**FIGHTERS, "id": 4}})) == (409, "after_id_not_found")
    assert ids() == [3]


def in_table(table: Any) -> Any:
    return {"$type": "update_table", "table": table}


def flat(table: Any) -> Any:
    return {"$type": "update_table", **table}


@pytest.mark.parametrize("wrap", [in_table, flat])
def test_a_table_is_replaced_by_a_body_with_or_without_its_id(boss: Api, wrap: Callable[[Any], Any]) -> None:
    fill(3)
    answer = boss.put(f"{LIST}/3", wrap({"name": "new", "participants": 5}))
    assert answer.status_code == 200
    assert body(answer) == {"$type": "table_updated", "table": {"id": 3, "name": "new", "participants": 5}}
    assert body(boss.put(f"{LIST}/3", wrap(FIGHTERS))) == {"$type": "table_updated", "table": FIGHTERS}
    assert tables() == [FIGHTERS]


def test_a_part_of_a_table_is_changed(boss: Api) -> None:
    fill(3)
    fewer = {"id": 3, "name": "table 3", "participants": 0}
    assert body(boss.patch(f"{LIST}/3", {"participants": 0})) == {"$type": "table_updated", "table": fewer}
    renamed = {**fewer, "name": "x"}
    assert body(boss.patch(f"{LIST}/3", {"table": {"name": "x"}})) == {"$type": "table_updated", "table": renamed}
    check_list()


def test_a_replacement_needs_all_and_a_change_something(boss: Api) -> None:
    fill(3)
    assert invalid(boss.put(f"{LIST}/3", {"name": "x"})) == {"participants": ["This field is required."]}
    assert invalid(boss.put(f"{LIST}/3", {"table": {"participants": 1}})) == {"name": ["This field is required."]}
    assert "name" in invalid(boss.patch(f"{LIST}/3", {}))
    assert "name" in invalid(boss.patch(f"{LIST}/3", {"id": 3}))
    assert tables() == [{"id": 3, "name": "table 3", "participants": 3}]


def test_a_body_about_another_table_than_the_address_is_refused(boss: Api) -> None:
    fill(3, 4)
    for answer in (boss.put(f"{LIST}/3", {**FIGHTERS, "id": 4}), boss.patch(f"{LIST}/3", {"id": 4, "name": "x"})):
        assert "table 3" in invalid(answer)["id"][0]
    assert tables()[1]["name"] == "table 4"


def test_a_removed_table_is_gone(boss: Api) -> None:
    fill(1, 2, 3)
    answer = boss.delete(f"{LIST}/2")
    assert (answer.status_code, answer.content) == (204, b"")
    assert code(boss.delete(f"{LIST}/2")) == (404, "table_not_found")
    assert ids() == [1, 3]


def test_a_retry_adds_nothing_and_is_answered_as_the_first_was(boss: Api) -> None:
    first = boss.post(LIST, {"table": {"name": "one", "participants": 1}}, Idempotency_Key="k")
    again = boss.post(LIST, {"table": {"name": "one", "participants": 1}}, Idempotency_Key="k")
    assert (again.status_code, again.content, again["Location"]) == (201, first.content, first["Location"])
    other = boss.post(LIST, {"table": {"name": "two", "participants": 1}}, Idempotency_Key="k")
    assert code(other) == (409, "retry_key_reused")
    assert ids() == [1]


# Shapes

WRONG_TABLES = [
    ({"name": "x"}, "participants"),
    ({"participants": 1}, "name"),
    ({"name": "", "participants": 1}, "name"),
    ({"name": "x" * 101, "participants": 1}, "name"),
    ({"name": "a\nb", "participants": 1}, "name"),
    ({"name": " ", "participants": 1}, "name"),
    ({"name": "\u3164\u200d", "participants": 1}, "name"),
    ({"name": "a\ufffe", "participants": 1}, "name"),
    ({"name": "a\0b", "participants": 1}, "name"),
    ({"name": "a\x7fb", "participants": 1}, "name"),
    ({"name": "a\x85b", "participants": 1}, "name"),
    ({"name": 5, "participants": 1}, "name"),
    ({"name": None, "participants": 1}, "name"),
    ({"name": "x", "participants": -1}, "participants"),
    ({"name": "x", "participants": True}, "participants"),
    ({"name": "x", "participants": 1.0}, "participants"),
    ({"name": "x", "participants": "1"}, "participants"),
    ({"name": "x", "participants": None}, "participants"),
    ({"name": "x", "participants": 2**53}, "participants"),
    ({"name": "x", "participants": 10**400}, "participants"),
    ({"name": "x", "participants": 1, "id": 0}, "id"),
    ({"name": "x", "participants": 1, "id": -1}, "id"),
    ({"name": "x", "participants": 1, "id": True}, "id"),
    ({"name": "x", "participants": 1, "id": "3"}, "id"),
    ({"name": "x", "participants": 1, "id": 2**53}, "id"),
    ({"name": "x", "participants": 1, "id": [1]}, "id"),
]


@pytest.mark.parametrize(("table", "wrong"), WRONG_TABLES)
def test_a_table_of_another_shape_is_refused_by_field(boss: Api, table: Any, wrong: str) -> None:
    fill(3)
    assert list(invalid(boss.post(LIST, {"table": table}))["table"]) == [wrong]
    assert list(invalid(boss.put(f"{LIST}/3", table))) == [wrong]
    assert len(tables()) == 1


@pytest.mark.parametrize("given", [{}, {"table": None}, {"table": 3}, {"table": "x"}, {"table": []}, {"after_id": -1}])
def test_an_addition_without_a_table_is_refused(boss: Api, given: Any) -> None:
    assert "table" in invalid(boss.post(LIST, given))


@pytest.mark.parametrize("after_id", [True, "1", 1.0, None, [], 2**60])
def test_a_place_is_an_integer(boss: Api, after_id: Any) -> None:
    assert "after_id" in invalid(boss.post(LIST, {"after_id": after_id, "table": FIGHTERS}))


@pytest.mark.parametrize(
    "name", ["x", " x ", "x" * 100, "Ünïcødé 💬", '"\\', "{}", "👩\u200d🚀", "no\u00a0break", "a\u2028b"]
)
def test_a_name_is_kept_as_it_was_sent(boss: Api, name: str) -> None:
    boss.post(LIST, {"table": {"name": name, "participants": 2**53 - 1}})
    assert [(table["name"], table["participants"]) for table in tables()] == [(name, 2**53 - 1)]


@pytest.mark.parametrize(
    "sent", ["", "{", "[]", "nul", '{"table":{"name":"\\ud800","participants":1}}', "[" * 5000, b"\xff", b"\0"]
)
def test_what_is_no_json_object_is_refused(boss: Api, sent: str | bytes) -> None:
    fill(3)
    for method, address in (("POST", LIST), ("PUT", f"{LIST}/3"), ("PATCH", f"{LIST}/3")):
        assert boss.send(method, address, sent).status_code == 400
    assert len(tables()) == 1


# Who may

CHANGES: list[tuple[str, str, Any]] = [
    ("POST", LIST, {"table": FIGHTERS}),
    ("POST", LIST, "not even JSON"),
    ("PUT", f"{LIST}/1", {"name": "x", "participants": 1}),
    ("PATCH", f"{LIST}/1", {"participants": 1}),
    ("DELETE", f"{LIST}/1", None),
    ("DELETE", f"{LIST}/99", None),
]


@pytest.mark.parametrize(("method", "address", "sent"), CHANGES)
def test_changing_is_for_admins(ann: Api, anyone: Api, method: str, address: str, sent: Any) -> None:
    fill(1)
    before = tables()
    refused = ann.send(method, address, sent)
    assert refused.status_code == 403
    told = body(refused)
    assert told.pop("detail")
    assert told == {"$type": "not_authorized", "code": "not_authorized"}
    unknown = anyone.send(method, address, sent)
    assert code(unknown) == (401, "not_authenticated")
    assert "Basic" in unknown["WWW-Authenticate"]
    assert tables() == before


@pytest.mark.parametrize(("method", "address", "sent"), CHANGES)
def test_an_admin_who_is_demoted_may_no_longer(
    person: Callable[..., Account], method: str, address: str, sent: Any
) -> None:
    fill(1)
    account = person("chief", is_staff=True)
    basic = Api(basic=("chief", PASSWORD))
    token = json.loads(Api().post("/auth", {"username": "chief", "password": PASSWORD}).content)["token"]
    assert basic.patch(f"{LIST}/1", {"participants": 7}).status_code == 200
    before = tables()
    account.is_staff = False
    account.save()
    assert body(basic.send(method, address, sent))["$type"] == "not_authorized"
    assert Api(token=token).send(method, address, sent).status_code == 401
    assert tables() == before


def test_reading_needs_an_account_and_no_more(anyone: Api, ann: Api) -> None:
    fill(1)
    for address in (LIST, f"{LIST}/1", f"{LIST}/2"):
        assert code(anyone.get(address)) == (401, "not_authenticated")
    assert code(Api(basic=("nobody", "wrong")).get(LIST)) == (401, "bad_credentials")
    assert ann.get(LIST).status_code == 200


def test_basic_signs_in_on_every_request(person: Callable[..., Account]) -> None:
    person("ben")
    person("chief", is_staff=True)
    assert Api(basic=("chief", PASSWORD)).post(LIST, {"table": FIGHTERS}).status_code == 201
    assert body(Api(basic=("ben", PASSWORD)).get(LIST)) == {"$type": "table_list", "tables": [FIGHTERS]}
    assert Api(basic=("ben", PASSWORD)).delete(f"{LIST}/3").status_code == 403
    assert Api(basic=("chief", PASSWORD)).delete(f"{LIST}/3").status_code == 204


# For everyone


@pytest.mark.parametrize("who", [Api(), Api(token="x.y.z"), Api(basic=("nobody", "wrong"))])
def test_anyone_may_ask_whether_it_answers_and_what_is_where(who: Api) -> None:
    assert body(who.get("/lobby_api/health")) == {"status": "ok"}
    entrance = body(who.get("/lobby_api"))
    assert entrance["websocket"] == "ws://testserver/lobby_api"
    assert entrance["tables"] == "http://testserver/lobby_api/tables"


@pytest.mark.parametrize(
    ("method", "address", "allowed"),
    [
        ("PUT", LIST, "GET, POST"),
        ("POST", f"{LIST}/1", "GET, PUT, PATCH, DELETE"),
        ("POST", "/lobby_api/health", "GET"),
        ("POST", "/lobby_api", "GET"),
    ],
)
def test_other_methods_are_refused_with_those_that_are_taken(
    boss: Api, method: str, address: str, allowed: str
) -> None:
    answer = boss.send(method, address, {})
    assert code(answer) == (405, "method_not_allowed")
    assert answer["Allow"].startswith(allowed)
