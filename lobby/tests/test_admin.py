from __future__ import annotations

from typing import Any

import orjson
import pytest
from django.test import Client

from accounts.models import Account
from accounts.tests.pages import answers, browser_of, links, log, rows, staff, told
from foyer.realtime.log import read_log
from lobby.operations import TABLES, NewTable, add_table, list_tables, move_table, show_table

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/lobby/table/"


@pytest.fixture
def boss() -> Account:
    return Account.objects.create_superuser("boss", None)


@pytest.fixture
def browser(boss: Account) -> Client:
    return browser_of(boss)


def add(*names: str) -> None:
    """Tables with the ids 1, 2 …"""
    for name in names:
        add_table(NewTable(name, 4))


def order() -> list[int]:
    return [table["id"] for table in orjson.loads(list_tables().json)]


def events() -> list[tuple[str, Any]]:
    found = [orjson.loads(event.json) for event in read_log(TABLES, 0, 1000).events]
    return [(event["type"], event.get("id") or (event.get("after_id"), event["table"]["id"])) for event in found]


def test_tables_are_listed_in_their_order_page_by_page(browser: Client) -> None:
    add(*(f"table {number}" for number in range(1, 251)))
    move_table(250, -1)
    first = browser.get(LIST)
    second = browser.get(LIST + links(first)["After"])
    third = browser.get(LIST + links(second)["After"])
    listed = [(table.position, table.pk) for page in (first, second, third) for table in rows(page)]
    assert listed == list(enumerate([250, *range(1, 250)], 1))
    assert list(links(third)) == ["Before"]
    assert [table.previous for table in (rows(first)[0], rows(second)[0])] == [-1, 99]


def test_a_table_is_found_by_its_id_and_by_part_of_its_name(browser: Client) -> None:
    add("Chess", "Go", "chess 960")
    assert [table.pk for table in rows(browser.get(LIST, {"q": "CHESS"}))] == [1, 3]
    assert [table.pk for table in rows(browser.get(LIST, {"q": "2"}))] == [2]


def test_a_table_is_added_at_the_end_or_after_another(browser: Client) -> None:
    for form in (
        {"name": "Chess", "participants": "2"},
        {"name": " Go ", "participants": "0", "after_id": "-1"},
        {"name": "Bridge", "participants": "4", "table_id": "77", "after_id": "2"},
    ):
        assert browser.post(f"{LIST}add/", form).status_code == 302
    assert order() == [2, 77, 1]
    assert orjson.loads(show_table(2)) == {"id": 2, "name": " Go ", "participants": 0}
    assert log() == [("table", "Chess", "Added."), ("table", " Go ", "Added."), ("table", "Bridge", "Added.")]


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": "x" * 101, "participants": "1"}, "name"),
        ({"name": "a\x07b", "participants": "1"}, "name"),
        ({"name": "Chess", "participants": "-1"}, "participants"),
        ({"name": "Chess", "participants": ""}, "participants"),
        ({"name": "Chess", "participants": str(2**53)}, "participants"),
        ({"name": "Chess", "participants": "1", "table_id": "0"}, "table_id"),
        ({"name": "Chess", "participants": "1", "table_id": "1"}, "__all__"),
        ({"name": "Chess", "participants": "1", "after_id": "9"}, "__all__"),
    ],
)
def test_what_is_wrong_with_a_new_table_is_said_beside_the_form(
    browser: Client, form: dict[str, str], field: str
) -> None:
    add("Go")
    answer = browser.post(f"{LIST}add/", form)
    assert answer.status_code == 200
    assert list(answer.context["adminform"].errors) == [field]
    assert order() == [1]


def test_a_table_is_changed_in_its_place(browser: Client) -> None:
    add("Chess", "Go")
    assert browser.post(f"{LIST}1/change/", {"name": "Draughts", "participants": "4"}).status_code == 302
    assert orjson.loads(list_tables().json)[0] == {"id": 1, "name": "Draughts", "participants": 4}
    answer = browser.post(f"{LIST}1/change/", {"name": "a\x07b", "participants": "4"})
    assert list(answer.context["adminform"].errors) == ["name"]
    assert log() == [("table", "Draughts", "Changed Name.")]
    assert events()[2:] == [("table_updated", (None, 1))]


def test_a_table_is_removed(browser: Client) -> None:
    add("Chess", "Go")
    assert browser.post(f"{LIST}1/delete/", {"post": "yes"}).status_code == 302
    form = {"action": "delete_selected", "_selected_action": "2", "post": "yes"}
    assert browser.post(LIST, form).status_code == 302
    assert order() == []
    assert [what for _, what, _ in log()] == ["Chess", "Go"]


def test_buttons_move_a_table_up_and_down_and_keep_the_focus(browser: Client) -> None:
    add("a", "b", "c")
    _, _, last = rows(browser.get(LIST))
    for expected in ([1, 3, 2], [3, 1, 2]):
        answer = browser.post(f"{LIST}3/move/", {"after": str(last.up_after)}, follow=True)
        assert order() == expected
        (last,) = [table for table in rows(answer) if table.pk == 3]
        assert answer.content.decode().count("autofocus") == 1
    assert (last.up_after, last.focus) == (None, "up")
    answer = browser.post(f"{LIST}3/move/", {"after": str(last.down_after)}, follow=True)
    assert [table.focus for table in rows(answer)] == ["", "down", ""]
    assert order() == [1, 3, 2]
    assert log() == [
        ("table", "c", "Moved after table 1."),
        ("table", "c", "Moved to the beginning."),
        ("table", "c", "Moved after table 1."),
    ]


def test_a_move_that_is_refused_is_explained(browser: Client) -> None:
    add("a", "b")
    for after in ("9", "x", "", "-5"):
        assert told(browser.post(f"{LIST}1/move/", {"after": after}, follow=True))
    assert browser.post(f"{LIST}9/move/", {"after": "1"}).status_code == 404
    assert order() == [1, 2]
    assert log() == []


def test_who_may_do_what_follows_from_his_permissions(boss: Account) -> None:
    add("a", "b")
    who = {
        "nobody": None,
        "a user": Account.objects.create_user("ann", None),
        "staff without permissions": staff("porter"),
        "view-only staff": staff("viewer", "lobby.view_table"),
        "staff": staff("keeper", "lobby.view_table", "lobby.change_table"),
        "superuser": boss,
    }
    requests: dict[str, tuple[str, dict[str, str] | None]] = {
        "list": (LIST, None),
        "see": (f"{LIST}1/change/", None),
        "change": (f"{LIST}1/change/", {"name": "c", "participants": "1"}),
        "move": (f"{LIST}2/move/", {"after": "-1"}),
        "add": (f"{LIST}add/", {"name": "c", "participants": "1"}),
        "remove": (f"{LIST}1/delete/", {"post": "yes"}),
    }
    everything = tuple(requests)

    def only(*allowed: str, otherwise: str = "refused") -> str:
        return ", ".join(f"{what} {'ok' if what in allowed else otherwise}" for what in everything)

    assert answers(who, requests) == {
        "nobody": only(otherwise="sign in"),
        "a user": only(otherwise="sign in"),
        "staff without permissions": only(),
        "view-only staff": only("list", "see"),
        "staff": only("list", "see", "change", "move"),
        "superuser": only(*everything),
    }
    page = browser_of(Account.objects.get(username="viewer")).get(LIST).content.decode()
    assert "formaction" not in page
    assert 'class="grip"' not in page
