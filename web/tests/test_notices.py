"""What admins say to everybody, and whom somebody blocks, in the web client."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from web.tests.conftest import OpenWindow
from web.tests.test_access import DESKTOP, PHONE
from web.tests.visitors import Somebody


@pytest.fixture
def admin(admin: Somebody) -> Iterator[Somebody]:
    """Takes away again what they said."""
    yield admin
    for notice in admin.rest.get("/notices").json():
        admin.rest.delete(f"/notices/{notice['id']}").raise_for_status()


def tell(admin: Somebody, text: str, level: str, seconds: float | None = None) -> str:
    until = None if seconds is None else (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    body = {"text": text, "level": level, "until": until}
    notice: str = admin.rest.post("/notices", json=body).raise_for_status().json()["id"]
    return notice


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_notice_is_announced_by_its_level_put_away_and_gone_in_time(
    window: OpenWindow, ben: Somebody, admin: Somebody, size: dict[str, object]
) -> None:
    tell(admin, "Said before <b>you</b> came", "info")
    bens = window(ben, **size)
    bens.go("#/lobby")
    banner = bens.page.locator(".banner")
    expect(banner.get_by_role("status")).to_contain_text("Said before <b>you</b> came")
    tell(admin, "Maintenance at noon, see https://status.test/", "warning")
    expect(banner.get_by_role("alert")).to_contain_text("Maintenance at noon")
    expect(banner.get_by_role("link")).to_have_attribute("href", "https://status.test/")
    assert bens.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(bens.composer).to_be_in_viewport()
    banner.get_by_role("alert").get_by_role("button", name="Dismiss").click()
    expect(banner.get_by_role("alert")).to_have_count(0)
    bens.page.reload()
    expect(banner.get_by_role("status")).to_contain_text("Said before")
    expect(banner.get_by_role("alert")).to_have_count(0)
    tell(admin, "Soon over", "warning", seconds=3)
    expect(banner.get_by_role("alert")).to_contain_text("Soon over")
    expect(banner.get_by_role("alert")).to_have_count(0, timeout=10_000)


def test_somebody_who_is_blocked_cannot_write_until_they_are_not(
    window: OpenWindow, ben: Somebody, ann: Somebody
) -> None:
    ann.write_to(ben, "Buy now!")
    bens, anns = window(ben), window(ann)
    bens.go(f"#/user/{ann.name}")
    bens.button(f"About {ann.name}").click()
    bens.page.get_by_role("menuitem", name="Block", exact=True).click()
    expect(bens.page.locator(".about")).to_contain_text("blocked by you")
    anns.go(f"#/user/{ben.name}")
    anns.composer.press_sequentially("Hello?")
    expect(anns.page.locator(".standing")).to_contain_text("This user takes no direct messages from you.")
    anns.composer.press("Enter")
    expect(anns.message("Hello?")).to_contain_text("Not sent: This user takes no direct messages from you.")
    bens.page.reload()
    bens.page.get_by_title("Your account").click()
    bens.button(f"Unblock {ann.name}").click()
    expect(bens.page.get_by_role("dialog")).to_contain_text("You block nobody.")
    bens.page.keyboard.press("Escape")
    expect(bens.page.locator(".about")).not_to_contain_text("blocked")
    anns.button("Try again").click()
    expect(bens.message("Hello?")).to_have_count(1)
    expect(anns.page.locator(".standing")).to_be_hidden()
