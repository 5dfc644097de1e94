"""What people write, as it is shown: links, directions of writing, times."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from web.tests.conftest import OpenWindow
from web.tests.visitors import Somebody


def test_addresses_become_links_and_nothing_else_does(window: OpenWindow, ben: Somebody) -> None:
    room = ben.make_room(f"links {ben.name}")
    text = (
        "See https://example.org/a?b=1&c=<b>x</b>, (http://foyer.test/wiki_(page)). "
        "javascript:alert(1) https:// ftp://x www.example.org <a href='http://q.test/'>q</a>"
    )
    ben.say(room, text)
    bens = window(ben)
    bens.open_room(room)
    expect(bens.texts).to_have_text([text])
    links = bens.texts.locator("a")
    assert [link.get_attribute("href") for link in links.all()] == [
        "https://example.org/a?b=1&c=",
        "http://foyer.test/wiki_(page)",
        "http://q.test/",
    ]
    for link in links.all():
        assert link.get_attribute("rel") == "noopener noreferrer nofollow"
        assert link.get_attribute("target") == "_blank"
        assert link.get_attribute("href") == link.text_content()
    expect(bens.page.locator(".text b")).to_have_count(0)


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("http://a.test.", ["http://a.test"]),
        ("(http://a.test)", ["http://a.test"]),
        ("http://a.test/(b)?!", ["http://a.test/(b)"]),
        ("HTTPS://A.TEST/x…", ["HTTPS://A.TEST/x"]),
        ("xhttp://a.test", []),
        ("http://a.test/\u202egpj.exe", ["http://a.test/"]),
        ("http://[::1]:9000/ http://[", ["http://[::1]:9000/"]),
        ("https://a.test,https://b.test", ["https://a.test,https://b.test"]),
        ("http://пример.рф/путь", ["http://пример.рф/путь"]),
        ("", []),
    ],
)
def test_where_an_address_ends(window: OpenWindow, text: str, addresses: list[str]) -> None:
    visitor = window()
    visitor.page.goto("/app/")
    found: Any = visitor.page.evaluate(
        """async (text) => {
            const { linked } = await import("/static/foyer/app/text.js");
            const parts = linked(text);
            const words = parts.map((part) => part.textContent ?? part).join("");
            return [words, parts.filter((part) => part.href).map((part) => part.textContent)];
        }""",
        text,
    )
    assert found == [text, addresses]


def test_text_goes_where_its_script_goes(window: OpenWindow, ben: Somebody) -> None:
    room = ben.make_room(f"ways {ben.name}")
    ben.say(room, "مرحبا بالعالم", "Hello", "שלום\nworld")
    bens = window(ben)
    bens.open_room(room)
    directions = "texts => texts.map(text => getComputedStyle(text).direction)"
    assert bens.texts.evaluate_all(directions) == ["rtl", "ltr", "rtl"]
    bens.composer.fill("مرحبا")
    assert bens.composer.evaluate("input => getComputedStyle(input).direction") == "rtl"


def test_times_of_twelve_hours_leave_room_for_the_text(window: OpenWindow, ben: Somebody) -> None:
    room = ben.make_room(f"clock {ben.name}")
    ben.say(room, "first", "second")
    bens = window(ben, locale="en-US", timezone_id="UTC")
    bens.open_room(room)
    bens.message("second").hover()
    widths = bens.message("second").locator(".side-time").evaluate("time => [time.scrollWidth, time.clientWidth]")
    assert widths[0] <= widths[1]
    expect(bens.message("first").locator("time")).to_contain_text("M")


def test_leaving_a_room_looks_like_nothing_else(window: OpenWindow, ben: Somebody) -> None:
    bens = window(ben)
    bens.open_room(ben.make_room(f"icons {ben.name}"))
    path = "button => button.querySelector('path').getAttribute('d')"
    leave, sign_out = (bens.button(name).evaluate(path) for name in ("Leave", "Sign out"))
    lobby = bens.entry("Lobby").evaluate(path)
    assert len({leave, sign_out, lobby}) == 3
