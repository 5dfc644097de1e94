"""Searching in the web client, and the history around what was found."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from web.tests.conftest import OpenWindow
from web.tests.test_access import DESKTOP, PHONE
from web.tests.visitors import Somebody, Window

MANY = 160


def search(window: Window, words: str) -> None:
    """By the keyboard alone, from wherever one is."""
    window.page.locator("main").focus()
    window.page.keyboard.press("/")
    window.page.keyboard.type(words)
    window.page.keyboard.press("Enter")


def test_what_was_found_opens_its_place_in_the_history_which_goes_on_both_ways(
    window: OpenWindow, ben: Somebody, ann: Somebody
) -> None:
    room = ben.make_room(f"long {ben.name}", ann)
    for number in range(MANY):
        ann.say(room, f"The café key no {number}" if number == 60 else f"number {number}.")
    bens = window(ben)
    bens.go("#/tables")
    search(bens, f'"CAFE key" no {ann.name}x')
    expect(bens.page.get_by_text("No message that you may read has")).to_be_visible()
    bens.page.get_by_role("main").get_by_label("Search messages").fill("CAFE ke")
    bens.page.get_by_label("From whom").fill(ann.name)
    bens.page.keyboard.press("Enter")
    found = bens.page.get_by_role("list", name="Messages that were found").get_by_role("listitem")
    expect(found).to_have_count(1)
    expect(found).to_contain_text(ann.name)
    expect(found).to_contain_text(f"long {ben.name}")
    expect(found.locator("mark")).to_have_text(["café", "key"])
    bens.page.keyboard.press("ArrowDown")
    bens.page.keyboard.press("Enter")
    sought = bens.page.locator(".message.sought")
    expect(sought).to_contain_text("The café key no 60")
    expect(sought).to_be_focused()
    expect(sought).to_be_in_viewport()
    expect(bens.message(f"number {MANY - 1}.")).to_have_count(0)
    expect(bens.entry(f"long {ben.name}").locator(".badge")).to_have_text("99+ unread")
    for key, text in (("Home", "number 20."), ("End", "number 100.")):
        bens.page.keyboard.press(key)
        expect(bens.message(text)).to_have_count(1)
    ann.say(room, "meanwhile")
    expect(bens.page.locator(".entries .preview")).to_contain_text("meanwhile")
    expect(bens.message("meanwhile")).to_have_count(0)
    bens.button("To the newest").click()
    expect(bens.message("meanwhile")).to_be_in_viewport()
    expect(bens.button("To the newest")).to_be_hidden()
    ann.say(room, "and so on")
    expect(bens.message("and so on")).to_be_in_viewport()
    expect(bens.entry(f"long {ben.name}").locator(".badge")).to_have_count(0)


def test_scrolling_down_from_what_was_found_leads_to_the_end_without_a_gap(window: OpenWindow, ben: Somebody) -> None:
    room = ben.make_room(f"down {ben.name}")
    ben.say(room, *(f"number {number}." for number in range(MANY)))
    oldest = ben.rest.get(f"/room/{room}/messages", params={"limit": MANY}).json()[10]["id"]
    bens = window(ben)
    bens.open_room(f"{room}/message/{oldest}")
    expect(bens.page.locator(".sought")).to_contain_text("number 10.")
    newest = bens.message(f"number {MANY - 1}.")
    while newest.count() == 0:
        before = bens.messages.count()
        bens.page.locator(".log").evaluate("log => log.scrollTo(0, log.scrollHeight)")
        bens.page.wait_for_function("before => document.querySelectorAll('.message').length > before", arg=before)
    expect(bens.texts).to_have_text([f"number {number}." for number in range(MANY)])
    ben.say(room, "live again")
    expect(bens.message("live again")).to_have_count(1)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_results_come_page_by_page_and_what_fails_is_tried_again(
    window: OpenWindow, ben: Somebody, ann: Somebody, size: dict[str, object]
) -> None:
    word = f"zebra{ben.name}"
    room = ben.make_room(f"zoo {ben.name}")
    ben.say(room, *(f"{word} {number}" for number in range(30)))
    ann.write_to(ben, f"Have you seen the {word}s?")
    bens = window(ben, **size)
    bens.page.route("**/search?*", lambda route: route.abort())
    bens.go(f"#/search?q={word}")
    main = bens.page.get_by_role("main")
    expect(main.get_by_role("status")).to_contain_text("The server can't be reached.")
    bens.page.unroute("**/search?*")
    bens.button("Try again").click()
    expect(main.get_by_role("status")).to_have_text("20 or more messages")
    results = main.locator(".result")
    expect(results.first).to_contain_text("to you")
    bens.button("More results").click()
    expect(results).to_have_count(31)
    expect(main.get_by_role("status")).to_have_text("31 messages")
    expect(results.nth(20)).to_be_focused()
    assert bens.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    main.get_by_label("Where").select_option(f"user:{ann.name}")
    expect(results).to_have_count(1)
    results.click()
    expect(bens.page).to_have_url(re.compile(rf"#/user/{ann.name}/message/\d+$"))
    expect(bens.page.locator(".sought")).to_be_in_viewport()
    bens.forgive("ERR_FAILED")


def test_the_history_around_a_message_that_is_gone_is_shown_with_a_word_about_it(
    window: OpenWindow, ben: Somebody
) -> None:
    room = ben.make_room(f"gone {ben.name}")
    ben.say(room, "before", "secret", "after")
    message = ben.rest.get(f"/room/{room}/messages").json()[1]["id"]
    ben.rest.delete(f"/room/{room}/messages/{message}").raise_for_status()
    bens = window(ben)
    bens.open_room(f"{room}/message/{message}")
    expect(bens.texts).to_have_text(["before", "after"])
    expect(bens.page.locator(".notice")).to_contain_text("That message is not there any more.")


def test_a_slow_answer_to_an_earlier_search_is_not_shown(window: OpenWindow, ben: Somebody) -> None:
    room = ben.make_room(f"slow {ben.name}")
    ben.say(room, f"first{ben.name}", f"second{ben.name}")
    bens = window(ben)
    held: list[Route] = []
    bens.page.route(f"**/search?q=first{ben.name}*", lambda route: held.append(route))
    bens.go(f"#/search?q=first{ben.name}")
    expect(bens.page.get_by_role("main").get_by_role("status")).to_have_text("Searching…")
    bens.page.get_by_role("main").get_by_label("Search messages").fill(f"second{ben.name}")
    bens.page.keyboard.press("Enter")
    expect(bens.page.locator(".result .text")).to_have_text([f"second{ben.name}"])
    held[0].continue_()
    bens.page.wait_for_load_state("networkidle")
    expect(bens.page.locator(".result .text")).to_have_text([f"second{ben.name}"])
