"""The web client with more rooms, members and messages than fit on a screen."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Route, expect

from web.tests.conftest import OpenWindow
from web.tests.test_access import DESKTOP, PHONE
from web.tests.visitors import Somebody

ROOMS = 40


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_direct_messages_are_in_sight_beside_many_rooms_and_both_are_filtered(
    window: OpenWindow, ben: Somebody, ann: Somebody, size: dict[str, object]
) -> None:
    for number in range(ROOMS):
        ben.make_room(f"{ben.name} project {number}")
    ann.write_to(ben, "psst")
    bens = window(ben, **size)
    bens.go()
    expect(bens.page.locator(".entries .name", has_text="project")).to_have_count(ROOMS)
    expect(bens.entry(ann.name)).to_be_in_viewport()
    expect(bens.page.get_by_role("button", name="New direct message")).to_be_in_viewport()
    bens.entry(f"{ben.name} project 0").scroll_into_view_if_needed()
    expect(bens.entry(ann.name)).to_be_in_viewport()
    field = bens.page.get_by_label("Filter rooms and people")
    field.fill("PROJECT 17")
    expect(bens.page.locator(".entries .name", has_text=ben.name)).to_have_text([f"{ben.name} project 17"])
    expect(bens.entry(ann.name)).to_have_count(0)
    expect(bens.page.get_by_role("region", name="Direct messages")).to_contain_text(
        "None has “project 17” in the name."
    )
    field.press("Enter")
    expect(bens.page.get_by_role("heading", level=1)).to_have_text(f"{ben.name} project 17")


def test_lists_are_folded_and_say_what_is_unread_in_them(window: OpenWindow, ben: Somebody, ann: Somebody) -> None:
    room = ben.make_room(f"fold {ben.name}", ann)
    bens = window(ben)
    bens.go()
    fold = bens.page.get_by_role("button", name="Rooms", expanded=True)
    fold.click()
    expect(bens.entry(f"fold {ben.name}")).to_be_hidden()
    ann.say(room, "one", "two")
    folded = bens.page.get_by_role("button", name="Rooms", expanded=False)
    expect(folded).to_contain_text("2 unread")
    folded.click()
    expect(bens.entry(f"fold {ben.name}")).to_be_visible()


def test_all_members_are_reached_and_found_page_by_page(window: OpenWindow, ben: Somebody) -> None:
    room = ben.make_room(f"crowd {ben.name}")
    names = [f"member {number:03}" for number in range(500)]

    def answer(route: Route) -> None:
        """As a server answers that has many members: in two pages."""
        second = "after" in route.request.url
        some = names[300:] if second else names[:300]
        told = [{"username": name, "joined_at": "2026-01-01T00:00:00.000Z", "online": False} for name in some]
        link = {} if second else {"Link": f'<{route.request.url}?after=300>; rel="next"'}
        route.fulfill(body=json.dumps(told), headers={"Content-Type": "application/json", **link})

    bens = window(ben, **DESKTOP)
    bens.page.route(re.compile(r"/room/\d+/members"), answer)
    bens.open_room(room)
    panel = bens.page.get_by_role("complementary", name="Members of the room")
    expect(panel.get_by_role("heading")).to_have_text("Members (300 or more)")
    expect(panel.get_by_label("Add somebody")).to_be_in_viewport()
    people = panel.locator(".person")
    for count in (200, 400, 500):
        expect(people).to_have_count(count)
        expect(panel.get_by_role("button", name="Show more")).to_be_visible(visible=count < 500)
        if count < 500:
            panel.get_by_role("button", name="Show more").click()
    expect(panel.get_by_role("heading")).to_have_text("Members (500)")
    bens.page.reload()
    expect(people).to_have_count(200)
    panel.get_by_label("Find a member").fill("MEMBER 49")
    expect(people).to_have_count(10)
    panel.get_by_label("Find a member").fill("nobody")
    expect(panel.get_by_role("status")).to_have_text("There is no such member.")


def test_a_room_opens_at_the_line_above_what_is_new_and_is_read_as_far_as_one_scrolls(
    window: OpenWindow, ben: Somebody, ann: Somebody
) -> None:
    room, other = ben.make_room(f"news {ben.name}", ann), ben.make_room(f"side {ben.name}")
    ben.say(room, *(f"old {number}" for number in range(30)))
    bens = window(ben)
    bens.open_room(other)
    ann.say(room, *(f"new {number}" for number in range(70)))
    badge = bens.entry(f"news {ben.name}").locator(".badge")
    expect(badge).to_have_text("70 unread")
    bens.page.reload()
    bens.entry(f"news {ben.name}").click()
    expect(bens.page.locator(".new")).to_be_in_viewport()
    expect(bens.page.locator(".message:has(.new)")).to_contain_text("new 0")
    expect(bens.texts.last).not_to_be_in_viewport()
    expect(bens.button("New messages")).to_be_visible()
    expect(badge).not_to_have_text("70 unread")
    expect(badge).to_have_count(1)
    bens.button("New messages").click()
    expect(badge).to_have_count(0)


def test_the_form_to_edit_the_last_message_is_seen_whole(window: OpenWindow, ben: Somebody) -> None:
    room = ben.make_room(f"cut {ben.name}")
    ben.say(room, *(f"line {number}" for number in range(40)))
    bens = window(ben, **DESKTOP)
    bens.open_room(room)
    bens.composer.press("ArrowUp")
    save = bens.page.locator(".message form").get_by_role("button", name="Save")
    expect(save).to_be_in_viewport(ratio=1)
    bottom = "element => element.getBoundingClientRect().bottom"
    assert save.evaluate(bottom) <= bens.page.locator(".log").evaluate(bottom)
    field = bens.page.locator(".message textarea")
    field.press("End")
    for _ in range(6):
        field.press("Shift+Enter")
    expect(save).to_be_in_viewport(ratio=1)
