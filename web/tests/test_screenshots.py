"""Pictures of the web client: on the desktop, on a phone, in the dark, of the tables, of a search, and of reports.

`SCREENSHOTS=docs/screenshots` keeps those that the documentation shows; otherwise they are looked at and thrown away.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.server import Server, servers
from web.tests.visitors import Somebody, Window

LARGEST = 150_000
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 720}}
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 700}, "has_touch": True, "is_mobile": True}
SAID = [
    ("ann", "Morning! The new lobby is up."),
    ("ann", "Could somebody look at the tables page?"),
    ("ben", "On it. Looks good here,\nalso on the phone."),
    ("Cleo", "<b>Bold</b> stays text, as it should :-)"),
    ("ann", "Then let's tell the others"),
    ("Dora", "Chess at 12:30?"),
]


TITLES = {"tables": "Tables", "search": "Search", "reports": "Reports"}
FOUND = {"search": 5, "reports": 1}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One of their own, where nobody has these names and there are no other rooms and tables."""
    with servers() as started:
        yield started.start()


@pytest.fixture(scope="module")
def people(server: Server) -> dict[str, Somebody]:
    found = {name: Somebody(server, name) for name in ("ben", "ann", "Cleo", "Dora")}
    return {**found, "admin": Somebody(server, "admin", "admin")}


@pytest.fixture(scope="module")
def room(people: dict[str, Somebody]) -> str:
    ben, ann, cleo = people["ben"], people["ann"], people["Cleo"]
    others = [people[name] for name in ("ann", "Cleo", "Dora")]
    quiet = ann.make_room("release planning", ben, members_only=True)
    ann.say(quiet, "The first draft is in the wiki")
    shown = ben.make_room("front desk", *others)
    for name, text in SAID:
        people[name].say(shown, text)
    reported = ann.rest.get(f"/room/{shown}/messages").json()[3]
    reason = {"reason": "Looks like an attempt to break the page"}
    ann.rest.post(f"/room/{shown}/messages/{reported['id']}/report", json=reason).raise_for_status()
    ann.write_to(ben, "Did you see the lobby? The one in the browser, I mean")
    ben.say(quiet, "And the log of the meeting is in the folder")
    cleo.write_to(ben, "Thanks for the review!")
    for name, participants in (("Chess", 2), ("Go, 13 lines", 4), ("Bridge", 3)):
        table = {"name": name, "participants": participants}
        people["admin"].rest.post("/lobby_api/tables", json={"table": table}).raise_for_status()
    return shown


@pytest.mark.parametrize(
    ("name", "who", "address", "options"),
    [
        ("room", "ben", "#/room/{room}", DESKTOP),
        ("dark", "ben", "#/room/{room}", {**DESKTOP, "color_scheme": "dark"}),
        ("phone", "ben", "#/room/{room}", PHONE),
        ("tables", "admin", "#/tables", DESKTOP),
        ("search", "ben", "#/search?q=the+lo", DESKTOP),
        ("reports", "ben", "#/reports", DESKTOP),
    ],
)
def test_pictures_show_everything_without_scrolling_sideways(
    browser: Browser,
    server: Server,
    people: dict[str, Somebody],
    room: str,
    tmp_path: Path,
    name: str,
    who: str,
    address: str,
    options: dict[str, Any],
) -> None:
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path)
    other = Window(browser, server.base_url, people["ann"])
    other.open_room(room)
    window = Window(browser, server.base_url, people[who], **options)
    window.go(address.format(room=room))
    expect(window.page.locator("main h1")).to_have_text(TITLES.get(name, "front desk"))
    if name in FOUND:
        expect(window.page.locator(".result, .report")).to_have_count(FOUND[name])
    elif name != "tables":
        expect(window.texts.last).to_have_text("Chess at 12:30?")
        expect(window.page.locator(".about")).to_contain_text("2 online")
        other.composer.press_sequentially("Hm")
        expect(window.page.locator(".typing")).to_have_text("ann is typing…")
        expect(window.page.locator("[aria-current] .badge")).to_have_count(0)
    folder.mkdir(parents=True, exist_ok=True)
    picture = folder / f"{name}.png"
    window.page.screenshot(path=picture)
    assert window.page.evaluate("document.documentElement.scrollWidth") == options["viewport"]["width"]
    assert 5_000 < picture.stat().st_size < LARGEST
    other.close()
    window.close()
