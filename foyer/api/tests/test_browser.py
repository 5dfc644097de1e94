"""The browsable API and Swagger UI in a real browser."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from foyer.api.tests.visitor import Visitor
from tests.clients import PASSWORD
from tests.server import Server

OpenPage = Callable[..., Page]
WITHOUT_SCRIPTS: dict[str, Any] = {"java_script_enabled": False}
GRAVE = frozenset({"serious", "critical"})


@pytest.fixture
def open_page(browser: Browser, server: Server) -> Iterator[OpenPage]:
    """Opens windows. In the end nothing may have been asked of another host, or refused by the pages' own policy."""
    asked: list[str] = []
    complaints: list[str] = []
    contexts = []

    def make(**options: Any) -> Page:
        context = browser.new_context(base_url=server.base_url, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        return page

    yield make
    for context in contexts:
        context.close()
    assert [url for url in asked if not url.startswith((server.base_url, "data:"))] == []
    assert complaints == []


@pytest.fixture
def ben(server: Server) -> Iterator[str]:
    """The name of somebody with an account."""
    visitor = Visitor(server)
    visitor.sign_up()
    yield visitor.username
    visitor.client.close()


def sign_in(page: Page, username: str, password: str = PASSWORD) -> None:
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def form(page: Page, method: str) -> Any:
    return page.locator(f"section[aria-labelledby='{method}-title']")


def path_of(page: Page) -> str:
    return urlsplit(page.url).path


def test_one_signs_in_makes_a_room_says_something_and_leaves(open_page: OpenPage, ben: str) -> None:
    page, name = open_page(**WITHOUT_SCRIPTS), f"Room {secrets.token_hex(4)}"
    page.goto("/rooms")
    sign_in(page, ben)
    expect(page.get_by_role("heading", name="Room List", exact=True)).to_be_visible()

    form(page, "POST").get_by_label("Name").fill(name)
    form(page, "POST").get_by_label("Members only").check()
    form(page, "POST").get_by_role("button", name="POST", exact=True).click()
    expect(page.locator("#answer")).to_contain_text("HTTP 201 Created")
    expect(page.locator("#answer")).to_contain_text(name)

    page.locator("#answer .headers").get_by_role("link").click()
    room = path_of(page)
    page.get_by_role("link", name="Message List", exact=True).click()
    form(page, "POST").get_by_label("Text").fill("<b>Hello</b>\nthere")
    form(page, "POST").get_by_role("button", name="POST", exact=True).click()
    expect(page.locator("#answer")).to_contain_text(r'"<b>Hello</b>\nthere"')
    page.get_by_role("link", name="GET", exact=True).click()
    expect(page.locator("#answer")).to_contain_text(r'"<b>Hello</b>\nthere"')

    page.get_by_label("Where you are").get_by_role("link", name="Room Instance").click()
    assert path_of(page) == room
    expect(form(page, "PATCH").get_by_label("Name")).to_have_value(name)
    expect(form(page, "PATCH").get_by_label("Members only")).to_be_checked()
    form(page, "PATCH").get_by_label("Members only").uncheck()
    form(page, "PATCH").get_by_role("button", name="PATCH", exact=True).click()
    expect(page.locator("#answer")).to_contain_text('"members_only": false')
    expect(form(page, "PATCH").get_by_label("Members only")).not_to_be_checked()
    form(page, "DELETE").get_by_text("DELETE…").click()
    form(page, "DELETE").get_by_role("button", name="Yes, DELETE").click()
    expect(page.locator("#answer")).to_contain_text("HTTP 204 No Content")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_what_is_wrong_is_told_beside_the_field(open_page: OpenPage, ben: str) -> None:
    page = open_page(**WITHOUT_SCRIPTS)
    page.goto("/sign-in?next=/rooms")
    sign_in(page, ben)
    form(page, "POST").get_by_label("Name").fill("x" * 101)
    form(page, "POST").get_by_role("button", name="POST", exact=True).click()
    name = form(page, "POST").get_by_label("Name")
    expect(name).to_have_value("x" * 101)
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(name).to_have_accessible_description("Ensure this field has no more than 100 characters.")
    page.goto(f"/user/{ben}")
    form(page, "PUT").get_by_label("Data").fill("{nonsense")
    form(page, "PUT").get_by_role("button", name="PUT", exact=True).click()
    expect(form(page, "PUT")).to_contain_text("Value must be valid JSON.")


def test_raw_json_is_sent_as_it_is_written(open_page: OpenPage, ben: str) -> None:
    page = open_page(**WITHOUT_SCRIPTS)
    page.goto(f"/sign-in?next=/user/{ben}")
    sign_in(page, ben)
    form(page, "PUT").get_by_text("Raw data").click()
    form(page, "PUT").get_by_label("Content").fill('{"data": {"big": 12345678901234567890123, "list": [1, null]}}')
    form(page, "PUT").get_by_role("button", name="PUT as JSON").click()
    expect(page.locator("#answer")).to_contain_text("HTTP 200 OK")
    expect(page.locator("#answer")).to_contain_text('"big": 12345678901234567890123')


def test_tables_are_added_by_a_form_with_numbers(open_page: OpenPage) -> None:
    page = open_page(**WITHOUT_SCRIPTS)
    page.goto("/sign-in?next=/lobby_api/tables")
    sign_in(page, "admin", "admin")
    post = form(page, "POST")
    post.locator("[name='table.name']").fill("table - James Bond")
    post.locator("[name='table.participants']").fill("7")
    post.get_by_role("button", name="POST", exact=True).click()
    expect(page.locator("#answer")).to_contain_text('"participants": 7')


def test_lists_are_filtered_by_a_form(open_page: OpenPage, ben: str) -> None:
    page = open_page(**WITHOUT_SCRIPTS)
    page.goto("/sign-in?next=/rooms")
    sign_in(page, ben)
    page.get_by_text("Filters").click()
    page.get_by_label("Member", exact=True).select_option("me")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/rooms?member=me")
    expect(page.locator("#answer")).to_contain_text("[]")


def test_one_asks_for_the_options_and_turns_pages(open_page: OpenPage, ben: str) -> None:
    page = open_page(**WITHOUT_SCRIPTS)
    page.goto("/sign-in?next=/rooms")
    sign_in(page, ben)
    page.get_by_role("button", name="OPTIONS").click()
    expect(page.locator("#answer")).to_contain_text("OPTIONS /rooms")
    expect(page.locator("#answer")).to_contain_text('"max_length": 100')
    for text in ("one", "two"):
        page.goto(f"/user/{ben}/messages")
        form(page, "POST").get_by_label("Text").fill(text)
        form(page, "POST").get_by_role("button", name="POST", exact=True).click()
    page.goto(f"/user/{ben}/messages?limit=1")
    expect(page.locator("#answer")).to_contain_text('"text": "two"')
    page.get_by_role("link", name="Next page of messages").click()
    expect(page.locator("#answer")).to_contain_text('"text": "one"')


def test_swagger_ui_tries_things_as_whom_one_signed_in(open_page: OpenPage, ben: str) -> None:
    page, name = open_page(), f"Tried {secrets.token_hex(4)}"
    page.goto("/schema/docs")
    expect(page.locator(".opblock").first).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="sign in").click()
    sign_in(page, ben)
    tried = page.locator("#operations-Rooms-createRoom")
    tried.locator(".opblock-summary").click()
    tried.get_by_role("button", name="Try it out").click()
    tried.locator("textarea").fill(f'{{"name": "{name}"}}')
    tried.get_by_role("button", name="Execute").click()
    expect(tried.locator(".live-responses-table .response-col_status").last).to_contain_text("201")
    expect(tried.locator(".live-responses-table")).to_contain_text(f'"owner": "{ben}"')
    live = page.locator("#operations-Messages-subscribeToInbox")
    live.locator(".opblock-summary").click()
    live.get_by_role("button", name="Try it out").click()
    live.get_by_role("button", name="Execute").click()
    expect(live.locator(".live-responses-table .response-col_status").last).to_contain_text("202")


PATHS = ["/", "/rooms", "/user", "/sign-in", "/no/such"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone_and_everyone_can_use_them(open_page: OpenPage, ben: str, scheme: str) -> None:
    page = open_page(viewport={"width": 360, "height": 740}, color_scheme=scheme)

    def check(path: str) -> None:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        found = Axe().run(page).response["violations"]
        grave = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in GRAVE]
        assert grave == [], path

    for path in PATHS:
        check(path)
    page.goto("/sign-in")
    sign_in(page, ben)
    for path in ("/", "/rooms", "/room/lobby/messages", f"/user/{ben}", "/lobby_api/tables"):
        check(path)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_swagger_ui_writes_can_be_read(open_page: OpenPage, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    page.goto("/schema/docs")
    expect(page.locator(".opblock").first).to_be_visible()

    def weak() -> list[str]:
        found = Axe().run(page, options={"runOnly": ["color-contrast"]}).response["violations"]
        return [node["html"] for violation in found for node in violation["nodes"]]

    assert weak() == []
    for method in ("get", "post", "put", "patch", "delete"):
        page.locator(f".opblock-{method} .opblock-summary-control").first.click()
    page.get_by_role("button", name="Try it out").first.click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    assert weak() == []


def test_the_keyboard_reaches_the_content_first(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("main").get_by_role("link").first).to_be_focused()
