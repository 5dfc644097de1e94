"""Live tables in the web client: admins change them in place, everyone sees it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from web.tests.conftest import OpenWindow
from web.tests.visitors import Somebody, Window


@pytest.fixture(autouse=True)
def no_tables(admin: Somebody) -> Iterator[None]:
    """Begin and end with an empty list."""
    clear(admin)
    yield
    clear(admin)


def clear(admin: Somebody) -> None:
    for table in admin.rest.get("/lobby_api/tables").json()["tables"]:
        admin.rest.delete(f"/lobby_api/tables/{table['id']}")


def names(window: Window, *expected: str) -> None:
    expect(window.page.locator(".table-name")).to_have_text(list(expected))


def add(window: Window, name: str, participants: int) -> None:
    form = window.page.get_by_role("form", name="Add a table")
    form.get_by_label("Name").fill(name)
    form.get_by_label("Participants").fill(str(participants))
    form.get_by_role("button", name="Add table").click()


def test_an_admin_changes_tables_in_place_and_others_see_it(window: OpenWindow, admin: Somebody, ben: Somebody) -> None:
    admins, bens = window(admin), window(ben)
    admins.go("#/tables")
    bens.go("#/tables")
    expect(bens.page.locator(".tables-frame")).to_contain_text("There are no tables yet.")
    for number, name in enumerate(("chess", "go", "bridge")):
        add(admins, name, number)
        expect(bens.page.locator(".table", has_text=name)).to_contain_text(f"{number} participant")
    names(bens, "chess", "go", "bridge")
    admins.button("Move bridge up").click()
    names(bens, "chess", "bridge", "go")
    admins.button("Move chess down").click()
    names(bens, "bridge", "chess", "go")
    names(admins, "bridge", "chess", "go")
    admins.button("Change go").click()
    admins.page.keyboard.type("Go, 13 lines")
    admins.page.keyboard.press("Tab")
    admins.page.keyboard.type("7")
    admins.page.keyboard.press("Enter")
    names(bens, "bridge", "chess", "Go, 13 lines")
    expect(bens.page.locator(".table", has_text="Go, 13 lines")).to_contain_text("7 participants")
    admins.button("Remove chess").click()
    admins.button("Remove table").click()
    names(bens, "bridge", "Go, 13 lines")
    assert [table["name"] for table in admin.rest.get("/lobby_api/tables").json()["tables"]] == [
        "bridge",
        "Go, 13 lines",
    ]
    expect(bens.page.get_by_role("button", name="Change")).to_have_count(0)
    expect(bens.page.get_by_role("form")).to_have_count(0)


def test_what_the_server_refuses_is_said_at_its_field(window: OpenWindow, admin: Somebody) -> None:
    admins = window(admin)
    admins.go("#/tables")
    add(admins, "", -1)
    wrong = admins.page.locator(".wrong")
    expect(wrong).to_have_count(2)
    expect(wrong.first).to_contain_text("blank")
    add(admins, "chess", 0)
    names(admins, "chess")
    expect(wrong).to_have_count(0)
    admins.forgive("status of 400")


def test_a_form_that_is_open_keeps_what_is_typed_while_others_change_the_list(
    window: OpenWindow, admin: Somebody
) -> None:
    table = {"name": "chess", "participants": 1}
    first = admin.rest.post("/lobby_api/tables", json={"table": table}).json()["table"]["id"]
    admins = window(admin)
    admins.go("#/tables")
    admins.button("Change chess").click()
    row = admins.page.locator(".table").filter(has=admins.button("Save"))
    row.get_by_label("Name").fill("half-typ")
    admin.rest.post("/lobby_api/tables", json={"after_id": -1, "table": {"name": "go", "participants": 0}})
    admin.rest.patch(f"/lobby_api/tables/{first}", json={"participants": 5})
    names(admins, "go")
    expect(row.get_by_label("Name")).to_have_value("half-typ")
    expect(row.get_by_label("Name")).to_be_focused()
    admins.page.keyboard.press("Escape")
    names(admins, "go", "chess")
    expect(admins.page.locator(".table", has_text="chess")).to_contain_text("5 participants")
    expect(admins.button("Change chess")).to_be_focused()
