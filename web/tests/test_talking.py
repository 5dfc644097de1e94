"""The web client, used as people use it: signing up, rooms, messages, members, the lobby."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import expect

from tests.server import Server
from web.tests.conftest import OpenWindow
from web.tests.visitors import PASSWORD, Somebody


def test_somebody_new_signs_up_makes_a_room_and_says_something(window: OpenWindow, server: Server) -> None:
    new = window()
    sizes: list[int] = []
    new.page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    new.page.goto("/app")
    expect(new.page).to_have_url(f"{server.base_url}/app/")
    new.button("Create an account").click()
    new.page.get_by_label("Username").fill("Newcomer")
    new.page.get_by_label("Password").fill(PASSWORD)
    new.button("Create account").click()
    expect(new.status).to_contain_text("Connected")
    new.button("New room").click()
    new.page.get_by_label("Name").fill("first steps")
    new.button("Create room").click()
    expect(new.page.get_by_role("heading", name="first steps", level=1)).to_be_visible()
    new.say("Hello, everyone")
    expect(new.message("Hello, everyone")).to_have_count(1)
    expect(new.message("Not sent yet")).to_have_count(0)
    assert 0 < sum(sizes) < 200_000
    assert "token" not in new.page.url.lower()
    assert new.page.evaluate("document.cookie").startswith("csrftoken="), "the other one no script can read"
    new.composer.fill("a draft")
    assert new.page.evaluate("localStorage.length + sessionStorage.length") > 0
    new.button("Sign out").click()
    expect(new.page.get_by_role("heading", name="Sign in to Foyer")).to_be_visible()
    assert new.page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_a_refused_sign_in_and_a_taken_name_are_said_in_the_servers_words(window: OpenWindow, ben: Somebody) -> None:
    visitor = window()
    visitor.page.goto("/app/")
    visitor.page.get_by_label("Username").fill(ben.name)
    visitor.page.get_by_label("Password").fill("wrong")
    visitor.button("Sign in").click()
    expect(visitor.page.get_by_role("alert")).to_contain_text(
        "The username and password do not match an account, or it is disabled."
    )
    visitor.button("Create an account").click()
    visitor.page.get_by_label("Password").fill(PASSWORD)
    visitor.button("Create account").click()
    expect(visitor.page.get_by_role("alert")).to_contain_text("An account of that name exists.")
    visitor.forgive("status of 40[19]")


def test_signed_in_is_the_browser_not_the_tab(window: OpenWindow, ben: Somebody) -> None:
    first = window()
    first.page.goto("/app/")
    second = first.another_tab()
    second.page.goto("/app/")
    first.page.get_by_label("Username").fill(ben.name)
    first.page.get_by_label("Password").fill(PASSWORD)
    first.page.get_by_label("Stay signed in for 30 days").check()
    first.button("Sign in").click()
    expect(first.status).to_contain_text("Connected")
    (cookie,) = (cookie for cookie in first.context.cookies() if cookie["name"] == "sessionid")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert cookie["expires"] > time.time() + 29 * 24 * 3600
    second.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # somebody comes back to it
    expect(second.status).to_contain_text("Connected")
    second.page.reload()
    expect(second.status).to_contain_text("Connected")
    for tab in (first, second):
        tab.forgive("401")  # to what it asked just before
    second.button("Sign out").click()
    expect(first.page.get_by_role("alert")).to_contain_text("You were signed out")
    first.page.reload()
    expect(first.page.get_by_role("heading", name="Sign in to Foyer")).to_be_visible()


def test_a_draft_outlives_the_page_until_it_is_sent(window: OpenWindow, ben: Somebody) -> None:
    room, other = ben.make_room(f"draft {ben.name}"), ben.make_room(f"other {ben.name}")
    bens = window(ben)
    bens.open_room(room)
    bens.composer.fill("half a thought")
    bens.page.reload()
    expect(bens.composer).to_have_value("half a thought")
    bens.open_room(other)
    expect(bens.composer).to_have_value("")
    bens.open_room(room)
    bens.composer.press("Enter")
    expect(bens.texts).to_have_text(["half a thought"])
    bens.page.reload()
    expect(bens.composer).to_have_value("")


def test_two_people_talk_and_see_each_other_type_edit_and_delete(
    window: OpenWindow, ben: Somebody, ann: Somebody
) -> None:
    room = ben.make_room(f"talk of {ben.name}", ann)
    bens, anns = window(ben), window(ann)
    bens.open_room(room)
    anns.open_room(room)
    anns.composer.press_sequentially("Hi")
    expect(bens.page.locator(".typing")).to_have_text(f"{ann.name} is typing…")
    anns.composer.press("Shift+Enter")
    anns.composer.press_sequentially("Ben!")
    anns.composer.press("Enter")
    expect(bens.texts).to_have_text(["Hi\nBen!"], use_inner_text=True)
    expect(bens.page.locator(".typing")).to_have_text("")
    bens.say("Hello Ann")
    expect(anns.texts).to_have_count(2)
    anns.composer.press("ArrowUp")
    edited = anns.page.get_by_label("Edit message")
    edited.fill("Hi Bem!")
    edited.press("Escape")
    expect(anns.texts.first).to_contain_text("Ben!")
    anns.message("Ben!").hover()
    anns.button("Edit message").click()
    edited.fill("Hi again")
    edited.press("Enter")
    expect(bens.texts.first).to_have_text("Hi again edited")
    assert bens.message("Hi again").get_by_role("button", name="Edit message").count() == 0
    anns.message("Hi again").hover()
    anns.button("Delete message").click()
    anns.button("Delete").click()
    expect(bens.texts).to_have_text(["Hello Ann"])
    expect(anns.texts).to_have_text(["Hello Ann"])


def test_what_people_write_is_text_whatever_it_looks_like(window: OpenWindow, ben: Somebody, ann: Somebody) -> None:
    nasty = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> &amp; **b**"
    room = ben.make_room(f"<b>{ben.name}</b>", ann)
    ann.write_to(ben, "<i>psst</i>")
    bens = window(ben)
    bens.open_room(room)
    ann.say(room, nasty)
    expect(bens.texts).to_have_text([nasty])
    expect(bens.page.get_by_role("heading", level=1)).to_have_text(f"<b>{ben.name}</b>")
    expect(bens.entry(ann.name)).to_contain_text("<i>psst</i>")
    expect(bens.page.locator("main img, main script, .sidebar i, main b")).to_have_count(0)
    assert "owned" not in bens.page.title()


def test_unread_messages_are_counted_until_they_are_seen(window: OpenWindow, ben: Somebody, ann: Somebody) -> None:
    room = ben.make_room(f"busy {ben.name}", ann)
    other = ben.make_room(f"quiet {ben.name}")
    ann.say(room, "one", "two")
    bens = window(ben)
    bens.open_room(other)
    badge = bens.entry(f"busy {ben.name}").locator(".badge")
    expect(badge).to_have_text("2 unread")
    ann.say(room, "three")
    expect(badge).to_have_text("3 unread")
    ben.say(room, "from elsewhere")
    expect(bens.entry(f"busy {ben.name}")).to_contain_text("from elsewhere")
    expect(badge).to_have_text("3 unread")
    ann.say(room, "gone")
    expect(badge).to_have_text("4 unread")
    last = ann.rest.get(f"/room/{room}/messages").json()[-1]["id"]
    ann.rest.delete(f"/room/{room}/messages/{last}").raise_for_status()
    expect(badge).to_have_text("3 unread")
    expect(bens.page).to_have_title(re.compile(r"^\(3\) "))
    bens.page.reload()
    expect(badge).to_have_text("3 unread")
    bens.entry(f"busy {ben.name}").click()
    expect(bens.texts).to_have_text(["one", "two", "three", "from elsewhere"])
    expect(bens.page.locator(".new")).to_have_count(1)
    expect(badge).to_have_count(0)
    again = window(ben)
    again.open_room(other)
    expect(again.entry(f"busy {ben.name}")).to_be_visible()
    expect(again.entry(f"busy {ben.name}").locator(".badge")).to_have_count(0)


def test_direct_messages_are_exchanged_counted_and_read_on_every_device(
    window: OpenWindow, ben: Somebody, ann: Somebody
) -> None:
    ann.write_to(ben, "psst")
    bens, phone, anns = window(ben), window(ben), window(ann)
    bens.go()
    phone.go()
    for each in (bens, phone):
        expect(each.entry(ann.name).locator(".badge")).to_have_text("1 unread")
    bens.entry(ann.name).click()
    expect(bens.texts).to_have_text(["psst"])
    expect(phone.entry(ann.name).locator(".badge")).to_have_count(0)
    anns.go()
    anns.button("New direct message").click()
    anns.page.get_by_label("Username").fill("nobody-of-that-name")
    anns.button("Write").click()
    expect(anns.page.get_by_role("alert")).to_contain_text("There is no user")
    anns.page.get_by_label("Username").fill(ben.name)
    anns.button("Write").click()
    anns.composer.press_sequentially("are you there?")
    expect(bens.page.locator(".typing")).to_have_text(f"{ann.name} is typing…")
    anns.composer.press("Enter")
    expect(bens.texts).to_have_text(["psst", "are you there?"])
    bens.say("yes")
    expect(anns.texts).to_have_text(["psst", "are you there?", "yes"])
    expect(phone.entry(ann.name)).to_contain_text("yes")
    bens.composer.press("ArrowUp")
    bens.page.get_by_label("Edit message").fill("yes, here")
    bens.page.get_by_label("Edit message").press("Enter")
    expect(anns.texts.last).to_have_text("yes, here edited")
    expect(phone.entry(ann.name)).to_contain_text("yes, here")
    bens.message("yes, here").hover()
    bens.message("yes, here").get_by_role("button", name="Delete message").click()
    bens.button("Delete").click()
    expect(anns.texts).to_have_text(["psst", "are you there?"])
    expect(bens.texts).to_have_text(["psst", "are you there?"])


def test_earlier_messages_come_while_one_scrolls_up(window: OpenWindow, ben: Somebody) -> None:
    room = ben.make_room(f"long {ben.name}")
    ben.say(room, *(f"line {number}" for number in range(1, 121)))
    bens = window(ben)
    bens.open_room(room)
    expect(bens.texts).to_have_count(50)
    expect(bens.texts.last).to_be_in_viewport()
    for number in (100, 120):
        before = bens.texts.first
        bens.page.locator(".log").evaluate("log => (log.scrollTop = 0)")
        expect(bens.texts).to_have_count(number)
        expect(before).to_be_visible()
    assert bens.texts.all_inner_texts() == [f"line {number}" for number in range(1, 121)]
    expect(bens.button("Load earlier messages")).to_be_hidden()
    ben.say(room, "the newest")
    expect(bens.button("New messages")).to_be_visible()
    bens.button("New messages").click()
    expect(bens.texts.last).to_be_in_viewport()


def test_rooms_are_found_joined_renamed_left_and_deleted(window: OpenWindow, ben: Somebody, ann: Somebody) -> None:
    room = ben.make_room(f"open {ben.name}")
    ben.say(room, "welcome")
    bens, anns = window(ben), window(ann)
    anns.go()
    anns.button("Browse rooms").click()
    anns.page.get_by_label("Find").fill(f"open {ben.name}")
    anns.page.get_by_role("link", name=f"open {ben.name}").click()
    expect(anns.texts).to_have_text(["welcome"])
    bens.open_room(room)
    bens.say("to those who look in, too")
    expect(anns.texts).to_have_count(2)
    anns.button("Join").click()
    expect(anns.entry(f"open {ben.name}")).to_be_visible()
    expect(bens.page.locator(".about")).to_have_text("Open · 2 members, 2 online")
    expect(anns.button("Room settings")).to_be_hidden()
    bens.button("Room settings").click()
    bens.page.get_by_label("Name").fill("")
    bens.button("Save").click()
    expect(bens.page.locator(".wrong")).to_contain_text("blank")
    bens.page.get_by_label("Name").fill(f"renamed {ben.name}")
    bens.page.get_by_label("Days that messages are kept").fill("30")
    bens.button("Save").click()
    expect(anns.page.get_by_role("heading", level=1)).to_have_text(f"renamed {ben.name}")
    anns.button("Leave").click()
    anns.button("Leave room").click()
    expect(anns.entry(f"renamed {ben.name}")).to_have_count(0)
    expect(bens.page.locator(".about")).to_have_text("Open · 1 member, 1 online")
    anns.open_room(room)
    bens.button("Room settings").click()
    expect(bens.page.get_by_label("Days that messages are kept")).to_have_value("30")
    bens.page.get_by_label("Days that messages are kept").fill("")
    bens.button("Save").click()
    expect(bens.page.get_by_role("dialog")).to_have_count(0)
    assert ben.rest.get(f"/room/{room}").json()["retention_days"] is None
    bens.button("Room settings").click()
    bens.button("Delete room…").click()
    bens.button("Delete room").click()
    expect(bens.entry(f"renamed {ben.name}")).to_have_count(0)
    expect(anns.page.locator(".notice")).to_contain_text(f"{ben.name} deleted the room.")
    bens.forgive("status of 40[04]")
    anns.forgive("status of 404")  # whoever asks for the members of a room that goes at that moment


def test_any_room_is_found_by_a_word_of_its_name_however_many_there_are(
    window: OpenWindow, ben: Somebody, ann: Somebody
) -> None:
    ben.make_room(f"the {ben.name} needle")
    ben.make_room(f"{ben.name} secret needle", members_only=True)
    for number in range(60):
        ben.make_room(f"{ben.name} {number}")
    anns = window(ann)
    anns.go()
    anns.button("Browse rooms").click()
    dialog = anns.page.get_by_role("dialog")
    find, said, choices = dialog.get_by_label("Find"), dialog.get_by_role("status"), dialog.get_by_role("listitem")
    find.fill(f"NEED {ben.name}")
    expect(choices).to_have_text([f"the {ben.name} needle"])
    expect(said).to_have_text("1 room")
    find.fill(ben.name)
    expect(said).to_have_text("50 or more rooms")
    expect(choices).to_have_count(50)
    dialog.get_by_role("button", name="More rooms").click()
    expect(choices).to_have_count(61)
    expect(dialog.get_by_role("button", name="More rooms")).to_be_hidden()
    find.fill(f"{ben.name} secret")
    expect(said).to_have_text(f"No room that you may see has “{ben.name} secret” in its name.")
    expect(choices).to_have_count(0)


def test_members_are_added_and_removed_and_seen_to_come_online(
    window: OpenWindow, ben: Somebody, ann: Somebody, known: Callable[[str], Somebody]
) -> None:
    room = ben.make_room(f"secret {ben.name}", members_only=True)
    eve = known("eve")
    bens, anns = window(ben), window(ann)
    bens.open_room(room)
    panel = bens.page.get_by_role("complementary", name="Members of the room")
    for name in (ann.name, eve.name):
        panel.get_by_label("Add somebody").fill(name)
        panel.get_by_role("button", name="Add", exact=True).click()
        expect(panel.locator(".person", has_text=name)).to_contain_text("offline")
    panel.get_by_label("Add somebody").fill("nobody-of-that-name")
    panel.get_by_role("button", name="Add", exact=True).click()
    expect(panel.get_by_role("alert")).to_contain_text("There is no user")
    anns.open_room(room)
    expect(panel.locator(".person", has_text=ann.name)).to_contain_text("online")
    bens.choose("Remove from the room…", about=ann)
    expect(bens.page.get_by_role("dialog")).to_contain_text("They will neither see the room nor read it.")
    expect(panel.locator(".person", has_text=ann.name)).to_have_count(1)
    bens.button("Remove").click()
    expect(panel.locator(".person", has_text=ann.name)).to_have_count(0)
    expect(anns.page.locator(".notice")).to_contain_text(f"{ben.name} took you out of the room.")
    expect(anns.entry(f"secret {ben.name}")).to_have_count(0)
    anns.go(f"#/room/{room}")
    expect(anns.page.locator("main")).to_contain_text("There is no such room, or it is not yours to see.")
    bens.page.locator(".notice").get_by_role("button", name="Undo").click()
    expect(panel.locator(".person", has_text=ann.name)).to_have_count(1)
    expect(anns.entry(f"secret {ben.name}")).to_be_visible()
    for each in (bens, anns):
        each.forgive("status of 404")


def test_the_lobby_is_open_to_all_and_shows_who_is_in_it(window: OpenWindow, ben: Somebody, ann: Somebody) -> None:
    bens, anns = window(ben), window(ann)
    bens.go("#/lobby")
    anns.go("#/lobby")
    guests = bens.page.get_by_role("complementary", name="People in the lobby").locator(".person")
    expect(guests.filter(has_text=ann.name)).to_have_count(1)
    anns.say(f"{ann.name} is here")
    expect(bens.message(f"{ann.name} is here")).to_have_count(1)
    anns.go("#/tables")
    expect(guests.filter(has_text=ann.name)).to_have_count(0)
    bens.say(f"where did {ann.name} go?")
    expect(anns.entry("Lobby").locator(".badge")).to_have_text(re.compile(r"\d+ unread"))
