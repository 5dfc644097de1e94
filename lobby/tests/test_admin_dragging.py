"""The list of tables in a real browser: put into order by dragging and by keys, which sockets hear of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page
from websockets.sync.client import connect

from tests.server import Server, servers

PASSWORD = {"username": "admin", "password": "admin"}


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """A server whose list of tables no other test changes."""
    with servers() as started:
        yield started.start()


@pytest.fixture
def admin(own_server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=own_server.base_url, timeout=30, trust_env=False) as client:
        client.headers["Authorization"] = f"Bearer {client.post('/auth', json=PASSWORD).json()['token']}"
        for table in client.get("/lobby_api/tables").json()["tables"]:
            client.delete(f"/lobby_api/tables/{table['id']}")
        for number, name in enumerate(("Chess", "Go", "Bridge", "Skat"), 1):
            client.post("/lobby_api/tables", json={"table": {"id": number, "name": name, "participants": 2}})
        yield client


@pytest.fixture
def page(browser: Browser, own_server: Server, admin: httpx.Client) -> Iterator[Page]:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{own_server.base_url}/admin/lobby/table/")
        for field, value in PASSWORD.items():
            page.fill(f"[name={field}]", value)
        page.click("[type=submit]")
        page.wait_for_url("**/admin/lobby/table/")
        yield page


def order(admin: httpx.Client) -> list[int]:
    return [table["id"] for table in admin.get("/lobby_api/tables").json()["tables"]]


def shown(page: Page) -> list[str]:
    return page.locator("#result_list .field-name").all_inner_texts()


def drag(page: Page, what: str, *, to: str, above: bool) -> None:
    """Drag a table by its handle to the upper or lower half of the row of another."""
    row = page.locator("#result_list tbody tr")
    target = row.filter(has_text=to)
    box = target.bounding_box()
    assert box
    at = {"x": box["width"] / 2, "y": box["height"] * (0.25 if above else 0.75)}
    with page.expect_navigation():
        row.filter(has_text=what).locator(".grip").drag_to(target, target_position=at)  # type: ignore[arg-type]


def test_a_table_is_dragged_to_its_place_and_sockets_hear_of_it(
    page: Page, admin: httpx.Client, own_server: Server
) -> None:
    headers = {"Authorization": admin.headers["Authorization"]}
    with connect(f"{own_server.ws_url}/ws", additional_headers=headers, proxy=None) as socket:
        socket.send(json.dumps({"type": "subscribe", "topic": "tables", "id": 1}))

        def hear(*kinds: str) -> list[Any]:
            found: list[Any] = []
            while len(found) < len(kinds):
                frame = json.loads(socket.recv(timeout=20))
                if frame["type"] in kinds:
                    found.append(frame)
            return found

        hear("reply")
        drag(page, "Skat", to="Chess", above=True)
        went, came = hear("table_removed", "table_added")
        assert (went["id"], came["after_id"], came["table"]["id"]) == (4, -1, 4)
    assert order(admin) == [4, 1, 2, 3]
    assert shown(page) == ["Skat", "Chess", "Go", "Bridge"]
    drag(page, "Chess", to="Go", above=False)
    drag(page, "Bridge", to="Chess", above=True)
    assert order(admin) == [4, 2, 3, 1]
    page.goto(f"{own_server.base_url}/admin/lobby/table/4/history/")
    assert "Moved to the beginning." in page.inner_text("#change-history")


def press_enter(page: Page) -> None:
    """Press the button that has the focus, once one has: the page puts it there after it has loaded."""
    page.locator("button:focus").wait_for()
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_table_is_moved_by_the_keyboard_alone(page: Page, admin: httpx.Client) -> None:
    page.get_by_role("button", name="Move Chess down").focus()
    for _ in range(3):
        press_enter(page)
    assert order(admin) == [2, 3, 4, 1]
    press_enter(page)  # where it goes no further down, the focus is on the way back
    assert order(admin) == [2, 3, 1, 4]


def test_a_list_that_is_searched_is_not_dragged(page: Page, own_server: Server) -> None:
    page.goto(f"{own_server.base_url}/admin/lobby/table/?q=chess")
    assert shown(page) == ["Chess"]
    assert page.locator(".grip").count() == 0
    assert page.get_by_role("button", name="Move Chess down").is_visible()
