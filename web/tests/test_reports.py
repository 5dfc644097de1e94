"""Reports of messages in the web client, and the pages of those who keep order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from web.tests.conftest import OpenWindow
from web.tests.test_access import DESKTOP, PHONE
from web.tests.visitors import Somebody

Known = Callable[[str], Somebody]


def messages(somebody: Somebody, room: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = somebody.rest.get(f"/room/{room}/messages").json()
    return found


def report(somebody: Somebody, room: str, text: str, reason: str) -> None:
    (message,) = (message for message in messages(somebody, room) if message["text"] == text)
    path = f"/room/{room}/messages/{message['id']}/report"
    somebody.rest.post(path, json={"reason": reason}).raise_for_status()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_message_is_reported_and_dealt_with_in_one_click(
    window: OpenWindow, ben: Somebody, ann: Somebody, known: Known, size: dict[str, object]
) -> None:
    eve = known("eve")
    room = ben.make_room(f"advertised {ben.name}", ann, eve)
    ann.say(room, "before")
    eve.say(room, "Buy now!", "Buy it!")
    anns, bens = window(ann, **DESKTOP), window(ben, **size)
    anns.open_room(room)
    anns.message("Buy now!").hover()
    anns.message("Buy now!").get_by_role("button", name="More about this message").click()
    anns.page.get_by_role("menuitem", name="Report…").click()
    anns.button("Report").click()
    expect(anns.page.get_by_role("dialog")).to_contain_text("This field may not be blank.")
    anns.page.get_by_label("What is wrong with it?").fill("Advertising")
    anns.button("Report").click()
    expect(anns.page.locator(".notice")).to_contain_text("The room's moderators will look at it.")
    report(ann, room, "Buy it!", "This too")
    bens.go()
    bens.entry("Reports").click()
    reports = bens.page.get_by_role("list", name="Reports").locator(".report")
    expect(reports).to_have_count(2)
    expect(reports.first).to_contain_text("Advertising")
    reports.first.get_by_role("button", name="Show what was said around it").click()
    expect(reports.first.locator(".surroundings li")).to_have_text(
        [f"{ann.name} before", f"{eve.name} Buy now!", f"{eve.name} Buy it!"]
    )
    expect(reports.first.locator(".meant")).to_contain_text("Buy now!")
    assert bens.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    reports.first.get_by_role("button", name="Delete message").click()
    expect(reports).to_have_count(1)
    expect(anns.message("Buy now!")).to_have_count(0)
    reports.get_by_label("Note").fill("Enough of it")
    reports.get_by_role("button", name="Ban").click()
    expect(reports).to_have_count(0)
    expect(bens.page.get_by_role("main").get_by_role("status")).to_have_text("Nothing waits to be looked at.")
    bens.page.get_by_role("link", name="Resolved").click()
    expect(reports).to_have_count(2)
    expect(reports.nth(1)).to_contain_text(f"Resolved by {ben.name}")
    expect(reports.nth(1)).to_contain_text("Enough of it")
    (ban,) = ben.rest.get(f"/room/{room}/bans").json()
    assert (ban["username"], ban["reason"], ban["until"]) == (eve.name, "This too", None)
    anns.forgive("status of 400")


def test_a_direct_message_is_reported_to_the_admins_alone(
    window: OpenWindow, ben: Somebody, ann: Somebody, admin: Somebody
) -> None:
    ben.write_to(ann, f"rude {ben.name}")
    anns, admins = window(ann), window(admin)
    anns.go(f"#/user/{ben.name}")
    anns.message("rude").hover()
    anns.message("rude").get_by_role("button", name="More about this message").click()
    anns.page.get_by_role("menuitem", name="Report…").click()
    anns.page.get_by_label("What is wrong with it?").fill("Rude")
    anns.button("Report").click()
    expect(anns.page.locator(".notice")).to_contain_text("The admins will look at it.")
    expect(anns.entry("Reports")).to_have_count(0)
    admins.go("#/reports")
    reported = admins.page.locator(".report", has_text=f"rude {ben.name}")
    expect(reported.get_by_role("button", name="Ban")).to_have_count(0)
    reported.get_by_role("button", name="Suspend for a day").click()
    expect(reported).to_have_count(0)
    bens = window()
    bens.page.goto("/app/")
    bens.page.get_by_label("Username").fill(ben.name)
    bens.page.get_by_label("Password").fill(ben.password)
    bens.button("Sign in").click()
    expect(bens.page.get_by_role("alert")).to_contain_text("This account is suspended until")
    expect(bens.page.get_by_role("alert")).to_contain_text("Rude")
    expect(bens.page.get_by_role("alert")).not_to_contain_text("T0")
    bens.forgive("status of 403")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_bans_and_mutes_are_listed_and_lifted_and_the_audit_says_who_did_what(
    window: OpenWindow, ben: Somebody, ann: Somebody, known: Known, size: dict[str, object]
) -> None:
    eve = known("eve")
    room = ben.make_room(f"audit {ben.name}", ann, eve)
    ben.rest.patch(f"/room/{room}/members/{ann.name}", json={"role": "moderator"}).raise_for_status()
    ann.rest.put(f"/room/{room}/bans/{eve.name}", json={"reason": "Advertising"}).raise_for_status()
    anns = window(ann, **size)
    anns.open_room(room)
    anns.page.get_by_role("link", name="Order").click()
    bans, mutes = (anns.page.get_by_role("list", name=name).get_by_role("listitem") for name in ("Bans", "Mutes"))
    audit = anns.page.get_by_role("list", name="What was done").get_by_role("listitem")
    expect(bans).to_contain_text([f"{eve.name} until it is lifted"])
    expect(audit).to_contain_text(
        [f"{ann.name} banned {eve.name} until it is lifted", f"{ben.name} made {ann.name} a moderator"]
    )
    expect(audit.first).to_contain_text("Advertising")
    ben.rest.put(f"/room/{room}/mutes/{eve.name}", json={}).raise_for_status()
    expect(mutes).to_contain_text([eve.name])
    bans.get_by_role("button", name=f"Lift it for {eve.name}").click()
    expect(bans).to_have_count(0)
    expect(audit.first).to_contain_text(f"{ann.name} lifted the ban of {eve.name}")
    assert anns.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_who_may_not_keep_order_is_not_led_there_and_told_so(window: OpenWindow, ben: Somebody, ann: Somebody) -> None:
    room = ben.make_room(f"closed {ben.name}", ann)
    anns = window(ann)
    anns.open_room(room)
    expect(anns.page.locator(".panel .person")).to_have_count(2)
    expect(anns.page.get_by_role("link", name="Order")).to_be_hidden()
    anns.go(f"#/room/{room}/order")
    expect(anns.page.get_by_role("main")).to_contain_text(
        "Only the room's moderators, its owner or an admin may do this."
    )
    anns.forgive("status of 403")
