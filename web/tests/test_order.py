"""Keeping order in the web client: what moderators do, and what those see whom it concerns."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, expect

from web.tests.conftest import OpenWindow
from web.tests.test_access import DESKTOP, PHONE
from web.tests.visitors import Somebody, Window


def member(window: Window, somebody: Somebody) -> Locator:
    return window.page.locator(".panel .person", has_text=somebody.name)


def in_seconds(seconds: int) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_a_mute_is_seen_with_its_reason_and_runs_out_by_itself(
    window: OpenWindow, ben: Somebody, ann: Somebody
) -> None:
    room = ben.make_room(f"order {ben.name}", ann)
    bens, anns = window(ben, **DESKTOP), window(ann)
    bens.open_room(room)
    anns.open_room(room)
    anns.composer.fill("half a thought")
    bens.choose("Mute…", about=ann)
    bens.page.get_by_label("For how long").select_option("10 minutes")
    bens.page.get_by_label("Reason").fill("Advertising")
    bens.button("Mute").click()
    standing = anns.page.locator(".standing")
    expect(standing).to_contain_text(re.compile(rf"{ben.name} muted you in this room until \d\d:\d\d: Advertising\."))
    expect(standing).to_contain_text(re.compile(r"(10:00|9:\d\d)$"))
    expect(anns.composer).to_have_attribute("readonly", "")
    expect(anns.composer).to_have_value("half a thought")
    expect(anns.button("Send")).to_be_disabled()
    expect(member(bens, ann)).to_contain_text("muted")
    until = in_seconds(3)
    ben.rest.put(f"/room/{room}/mutes/{ann.name}", json={"until": until}).raise_for_status()
    expect(standing).to_contain_text(re.compile(r"0:0[123]$"))
    expect(standing).to_be_hidden(timeout=10_000)
    anns.composer.press("Enter")
    expect(bens.message("half a thought")).to_have_count(1)


def test_somebody_who_comes_back_muted_is_told_when_they_begin_to_write(
    window: OpenWindow, ben: Somebody, ann: Somebody
) -> None:
    room = ben.make_room(f"later {ben.name}", ann)
    ben.rest.put(f"/room/{room}/mutes/{ann.name}", json={"until": in_seconds(600), "reason": "Loud"}).raise_for_status()
    anns = window(ann)
    anns.open_room(room)
    anns.composer.press_sequentially("Hm")
    expect(anns.page.locator(".standing")).to_contain_text("You are muted in this room: you may read, and not write.")
    expect(anns.page.locator(".standing")).to_contain_text(re.compile(r"It lasts until .*\d\d:\d\d: Loud"))
    ben.rest.delete(f"/room/{room}/mutes/{ann.name}").raise_for_status()
    expect(anns.page.locator(".standing")).to_be_hidden()


def test_a_ban_closes_the_room_for_the_one_concerned_and_tells_them_why(
    window: OpenWindow, ben: Somebody, ann: Somebody
) -> None:
    room = ben.make_room(f"banned {ben.name}", ann)
    ann.say(room, "Buy now!")
    bens, anns = window(ben, **DESKTOP), window(ann)
    bens.open_room(room)
    anns.open_room(room)
    bens.message("Buy now!").hover()
    bens.message("Buy now!").get_by_role("button", name="More about this message").click()
    bens.page.get_by_role("menuitem", name="Ban…").click()
    bens.page.get_by_label("For how long").select_option("For good")
    bens.page.get_by_label("Reason").fill("Advertising")
    bens.button("Ban").click()
    expect(anns.page.locator(".notice")).to_contain_text(
        f"{ben.name} banned you from “banned {ben.name}” until it is lifted: Advertising."
    )
    expect(anns.entry(f"banned {ben.name}")).to_have_count(0)
    expect(anns.page).to_have_url(re.compile(r"#/$"))
    expect(member(bens, ann)).to_have_count(0)
    anns.go(f"#/room/{room}")
    expect(anns.page.get_by_role("heading", name="That can't be shown")).to_be_visible()
    expect(anns.page.locator("main")).to_contain_text("It lasts until it is lifted: Advertising")
    bens.page.locator(".notice").get_by_role("button", name="Undo").click()
    expect(bens.page.locator(".notice")).to_have_count(0)
    anns.page.reload()
    expect(anns.message("Buy now!")).to_have_count(1)
    anns.forgive("status of 403")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_moderators_are_made_and_offered_what_they_may_do(
    window: OpenWindow, ben: Somebody, ann: Somebody, known: Callable[[str], Somebody], size: dict[str, object]
) -> None:
    cleo = known("cleo")
    room = ben.make_room(f"staff {ben.name}", ann, cleo)
    ben.say(room, "by ben")
    cleo.say(room, "by cleo")
    bens, anns = window(ben, **DESKTOP), window(ann, **size)
    bens.open_room(room)
    anns.open_room(room)

    def offered(somebody: Somebody) -> list[str]:
        if not anns.page.locator(".panel").is_visible():
            anns.button("People").click()
        anns.page.locator(".panel").get_by_role("button", name=f"About {somebody.name}", exact=True).click()
        texts = anns.page.get_by_role("menuitem").all_text_contents()
        anns.page.keyboard.press("Escape")
        expect(anns.page.get_by_role("menu")).to_have_count(0)
        return texts

    assert "Ban…" not in offered(cleo)
    expect(anns.message("by cleo").get_by_label("Delete message")).to_have_count(0)
    expect(anns.button("Room settings")).to_be_hidden()
    bens.choose("Make moderator", about=ann)
    expect(member(bens, ann)).to_contain_text("moderator")
    expect(anns.page.locator(".notice")).to_contain_text(f"{ben.name} made you a moderator of “staff {ben.name}”.")
    assert {"Mute…", "Ban…"} <= set(offered(cleo))
    expect(anns.message("by cleo").get_by_label("Delete message")).to_have_count(1)
    expect(anns.message("by ben").get_by_label("Delete message")).to_have_count(0)
    assert "Ban…" not in offered(ben)
    expect(anns.button("Room settings")).to_be_visible()
    bens.choose("Take moderator away", about=ann)
    expect(anns.button("Room settings")).to_be_hidden()
    assert "Ban…" not in offered(cleo)


def test_slow_mode_counts_down_for_members_and_not_for_moderators(
    window: OpenWindow, ben: Somebody, ann: Somebody
) -> None:
    room = ben.make_room(f"slow {ben.name}", ann)
    bens, anns = window(ben), window(ann)
    bens.open_room(room)
    anns.open_room(room)
    bens.button("Room settings").click()
    bens.page.get_by_label("Slow mode").select_option("Once in 5 seconds")
    bens.button("Save").click()
    expect(anns.page.locator(".about")).to_contain_text("slow mode: 5 seconds")
    anns.say("first")
    standing = anns.page.locator(".standing")
    expect(standing).to_contain_text("The room is in slow mode.")
    expect(standing).to_contain_text(re.compile(r"0:0[345]$"))
    anns.composer.fill("second")
    anns.composer.press("Enter")
    expect(anns.composer).to_have_value("second")
    expect(standing).to_be_hidden(timeout=10_000)
    anns.composer.press("Enter")
    expect(bens.texts).to_have_text(["first", "second"])
    bens.say("one")
    bens.say("two")
    expect(anns.message("two")).to_have_count(1)
    expect(bens.page.locator(".standing")).to_be_hidden()


def test_menus_are_gone_through_by_keys_and_give_the_focus_back(
    window: OpenWindow, ben: Somebody, ann: Somebody
) -> None:
    room = ben.make_room(f"keys {ben.name}", ann)
    bens = window(ben, **DESKTOP)
    bens.open_room(room)
    opener = bens.page.get_by_role("button", name=f"About {ann.name}")
    opener.press("Enter")
    items = bens.page.get_by_role("menuitem")
    expect(items.first).to_be_focused()
    bens.page.keyboard.press("ArrowUp")
    expect(items.last).to_be_focused()
    bens.page.keyboard.press("ArrowDown")
    expect(items.first).to_be_focused()
    bens.page.keyboard.press("Escape")
    expect(items).to_have_count(0)
    expect(opener).to_be_focused()
    opener.press("Enter")
    items.get_by_text("Mute…").press("Enter")
    expect(bens.page.get_by_label("Reason")).to_be_focused()
    bens.page.keyboard.press("Escape")
    expect(opener).to_be_focused()
