"""The web client for those who use a keyboard, a screen reader, a phone, or the dark."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from web.tests.conftest import OpenWindow
from web.tests.visitors import PASSWORD, Somebody, Window

PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}


def serious(page: Page) -> list[str]:
    """What axe finds that keeps people out."""
    found = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {node['html']} {node.get('failureSummary', '')}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_axe_finds_nothing_serious_in_any_view(
    window: OpenWindow, admin: Somebody, ann: Somebody, size: dict[str, Any], scheme: str
) -> None:
    room = admin.make_room(f"{scheme} for {ann.name}", ann)
    ann.say(room, "Hello", "World")
    ann.write_to(admin, "psst")
    signing_in = window(color_scheme=scheme, bypass_csp=True, **size)
    signing_in.page.goto("/app/")
    signing_in.button("Create an account").click()
    assert serious(signing_in.page) == []
    admins = window(admin, color_scheme=scheme, bypass_csp=True, **size)
    for address in ("#/", "#/lobby", "#/tables", f"#/room/{room}", f"#/user/{ann.name}"):
        admins.go(address)
        expect(admins.page.locator("main h1")).to_have_count(1)
        assert serious(admins.page) == [], address
    admins.open_room(room)
    admins.say("mine")
    admins.message("mine").click()
    admins.button("Edit message").click()
    assert serious(admins.page) == []
    admins.page.keyboard.press("Escape")
    admins.button("Room settings").click()
    assert serious(admins.page) == []


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "dark"), (PHONE, "light")], ids=["desktop", "phone"])
def test_axe_finds_nothing_serious_where_order_is_kept_and_in_what_is_found(
    window: OpenWindow, admin: Somebody, ann: Somebody, ben: Somebody, size: dict[str, Any], scheme: str
) -> None:
    room = admin.make_room(f"{scheme} order for {ann.name}", ann, ben)
    ben.say(room, f"needle{ann.name} one", f"needle{ann.name} two")
    message = ann.rest.get(f"/room/{room}/messages").json()[0]["id"]
    ann.rest.post(f"/room/{room}/messages/{message}/report", json={"reason": "Rude"}).raise_for_status()
    admin.rest.put(f"/room/{room}/mutes/{ann.name}", json={"reason": "Loud"}).raise_for_status()
    notice = admin.rest.post("/notices", json={"text": "See http://a.test/", "level": "warning"}).json()["id"]
    admins = window(admin, color_scheme=scheme, bypass_csp=True, **size)
    for address, seen in (
        (f"#/search?q=needle{ann.name}", ".result"),
        (f"#/room/{room}/order", ".record"),
        ("#/reports", ".report"),
        (f"#/room/{room}/message/{message}", ".sought"),
    ):
        admins.go(address)
        expect(admins.page.locator(seen).first).to_be_visible()
        expect(admins.page.locator(".announcement")).to_have_count(1)
        assert serious(admins.page) == [], address
    admins.page.locator(".sought").get_by_role("button", name="More about this message").click()
    expect(admins.page.get_by_role("menuitem", name="Report…")).to_be_focused()
    assert serious(admins.page) == []
    admins.page.get_by_role("menuitem", name="Mute…").click()
    expect(admins.page.get_by_label("Reason")).to_be_focused()
    assert serious(admins.page) == []
    anns = window(ann, color_scheme=scheme, bypass_csp=True, **size)
    anns.open_room(room)
    anns.composer.press_sequentially("Hm")
    expect(anns.page.locator(".standing")).to_be_visible()
    assert serious(anns.page) == []
    admin.rest.delete(f"/notices/{notice}").raise_for_status()


def test_everything_can_be_done_with_a_keyboard(window: OpenWindow, ben: Somebody, ann: Somebody) -> None:
    room = f"keys {ben.name}"
    ann.say(ben.make_room(room, ann), "Hello")
    bens = window()
    bens.page.goto("/app/")
    expect(bens.page.get_by_label("Username")).to_be_focused()
    keys = bens.page.keyboard
    for text in (ben.name, "Tab", PASSWORD, "Enter"):
        (keys.press if text in ("Tab", "Enter") else keys.type)(text)
    expect(bens.status).to_contain_text("Connected")
    expect(bens.entry(room)).to_be_visible()
    reach(bens, f"link '{room}'", lambda focused: room in focused)
    keys.press("Enter")
    expect(bens.composer).to_be_focused()
    keys.type("one")
    keys.press("Shift+Enter")
    keys.type("two")
    keys.press("Enter")
    expect(bens.texts).to_have_text(["Hello", "one\ntwo"])
    expect(bens.page.locator(".pending")).to_have_count(0)
    keys.press("Shift+Tab")
    expect(bens.page.get_by_role("log")).to_be_focused()
    keys.press("ArrowUp")
    expect(bens.message("two")).to_be_focused()
    keys.press("ArrowUp")
    expect(bens.message("Hello")).to_be_focused()
    keys.press("End")
    keys.press("Tab")
    expect(bens.button("Edit message")).to_be_focused()
    keys.press("Enter")
    keys.type("!")
    keys.press("Escape")
    expect(bens.message("two")).to_be_focused()
    keys.press("Tab")
    keys.press("Tab")
    expect(bens.button("Delete message")).to_be_focused()
    keys.press("Enter")
    expect(bens.page.get_by_role("dialog")).to_be_visible()
    keys.press("Escape")
    expect(bens.page.get_by_role("dialog")).to_have_count(0)
    expect(bens.button("Delete message")).to_be_focused()
    keys.press("Enter")
    keys.press("Enter")
    expect(bens.texts).to_have_text(["Hello"])
    bens.page.reload()
    expect(bens.composer).to_be_focused()
    bens.page.evaluate("document.activeElement.blur()")
    reach(bens, "the skip link", lambda focused: "Skip to the conversation" in focused)
    keys.press("Enter")
    expect(bens.page.get_by_role("main")).to_be_focused()


def reach(window: Window, what: str, is_it: Any) -> None:
    """Press Tab until the focus is where it should be, and see that it can be seen there."""
    focused = """() => {
        const it = document.activeElement;
        return [it === document.body ? "" : it.textContent, getComputedStyle(it).boxShadow];
    }"""
    for _ in range(30):
        window.page.keyboard.press("Tab")
        text, shadow = window.page.evaluate(focused)
        if is_it(text):
            assert shadow != "none"
            return
    pytest.fail(f"Tab does not lead to {what}.")


def test_new_messages_are_read_out_and_the_place_is_marked(window: OpenWindow, ben: Somebody) -> None:
    room = ben.make_room(f"aloud {ben.name}")
    bens = window(ben)
    bens.open_room(room)
    log = bens.page.get_by_role("log", name=f"Messages, aloud {ben.name}")
    expect(log).to_have_attribute("aria-live", "polite")
    expect(log).to_have_attribute("aria-busy", "false")
    expect(bens.page.locator("[aria-current]")).to_have_count(1)
    expect(bens.entry(f"aloud {ben.name}")).to_have_attribute("aria-current", "page")
    expect(bens.page.get_by_role("navigation", name="Conversations")).to_be_visible()


def test_a_phone_shows_the_lists_or_the_conversation(window: OpenWindow, ben: Somebody, ann: Somebody) -> None:
    room = ben.make_room(f"pocket {ben.name}", ann)
    ann.say(room, "a" * 300, "and so on " * 30)
    bens = window(ben, **PHONE)
    bens.go()
    sidebar, main = bens.page.get_by_role("navigation"), bens.page.locator("main")
    expect(main).to_be_hidden()
    bens.entry(f"pocket {ben.name}").click()
    expect(bens.texts).to_have_count(2)
    expect(sidebar).to_be_hidden()
    expect(bens.page.get_by_role("complementary")).to_be_hidden()
    assert bens.page.evaluate("document.documentElement.scrollWidth") == 360
    bens.button("People").click()
    expect(bens.page.get_by_role("complementary")).to_contain_text(ann.name)
    bens.page.keyboard.press("Escape")
    expect(bens.page.get_by_role("complementary")).to_be_hidden()
    bens.page.get_by_role("link", name="Back to the list").click()
    expect(sidebar).to_be_visible()
    expect(main).to_be_hidden()


def test_the_dark_is_dark(window: OpenWindow, ben: Somebody) -> None:
    shades = {}
    for scheme in ("light", "dark"):
        bens = window(ben, color_scheme=scheme)
        bens.go()
        colour = bens.page.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor")
        shades[scheme] = sum(map(int, colour.removeprefix("rgb(").removesuffix(")").split(", ")))
    assert shades["dark"] < 120 < 700 < shades["light"]


def test_everything_of_an_account_is_one_click_from_its_name(window: OpenWindow, ann: Somebody) -> None:
    ann.say(ann.make_room(f"kept by {ann.name}"), "to be kept")
    anns = window(ann, **PHONE, bypass_csp=True)
    anns.go("#/")
    anns.page.get_by_title("Your account").click()
    expect(anns.page.get_by_role("dialog")).to_contain_text(f"You are signed in as {ann.name}.")
    assert serious(anns.page) == []
    with anns.page.expect_download() as coming:
        anns.page.get_by_role("link", name="Export my data").click()
    assert coming.value.suggested_filename == "export.ndjson"
    lines = coming.value.path().read_text().splitlines()
    assert lines[-1] == '{"type":"end"}'
    assert any("to be kept" in line for line in lines)
