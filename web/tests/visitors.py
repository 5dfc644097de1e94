"""Users of the web client in tests, each with their own browser window."""

from __future__ import annotations

import re
from copy import copy
from typing import Any

import httpx
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from tests.server import Server

PASSWORD = "correct horse"


class Somebody:
    """An account, with a client for what happens outside the browser."""

    def __init__(self, server: Server, name: str, password: str = PASSWORD) -> None:
        self.name = name
        self.rest = httpx.Client(base_url=server.base_url)
        if name != "admin":
            assert self.rest.post("/user", json={"username": name, "password": password}).status_code == 201
        session = self.rest.post("/auth", json={"username": name, "password": password}).json()
        self.rest.headers["Authorization"] = f"Bearer {session['token']}"
        self.password = password

    def cookies(self, base_url: str) -> list[Any]:
        """Those of a browser in which they have signed in by the form."""
        with httpx.Client(base_url=base_url, headers={"Accept": "application/json"}) as browser:
            browser.get("/app/")
            form = {"username": self.name, "password": self.password}
            browser.headers["X-CSRFToken"] = browser.cookies["csrftoken"]
            browser.post("/sign-in", data=form).raise_for_status()
            return [{"name": name, "value": value, "url": base_url} for name, value in browser.cookies.items()]

    def make_room(self, name: str, *members: Somebody, **options: Any) -> str:
        room_id: str = self.rest.post("/rooms", json={"name": name, **options}).raise_for_status().json()["roomId"]
        for member in members:
            self.rest.post(f"/room/{room_id}/members", json={"username": member.name}).raise_for_status()
        return room_id

    def say(self, room_id: str, *texts: str) -> None:
        for text in texts:
            self.rest.post(f"/room/{room_id}/messages", json={"text": text}).raise_for_status()

    def write_to(self, other: Somebody, text: str) -> None:
        self.rest.post(f"/user/{other.name}/messages", json={"text": text}).raise_for_status()

    def history(self, room_id: str) -> list[str]:
        return [message["text"] for message in self.rest.get(f"/room/{room_id}/messages").json()]


class Window:
    """A page of the web client. `complaints` is what the browser's console has to complain about."""

    def __init__(self, browser: Browser, base_url: str, somebody: Somebody | None = None, **options: Any) -> None:
        self.context = browser.new_context(base_url=base_url, **{"locale": "en-GB", **options})
        self.context.set_default_timeout(10_000)
        self.context.route("**/favicon.ico", lambda route: route.fulfill(status=204))  # of pictures, which have none
        self.heard: list[str] = []
        self.forgiven: list[str] = []
        self.page = self.open_page()
        if somebody is not None:
            self.context.add_cookies(somebody.cookies(base_url))

    def open_page(self) -> Page:
        page = self.context.new_page()
        page.on("console", self.listen)
        page.on("pageerror", lambda error: self.heard.append(str(error)))
        return page

    def another_tab(self) -> Window:
        """The same browser, which complains to the same list."""
        tab = copy(self)
        tab.page = self.open_page()
        return tab

    def listen(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.heard.append(message.text)

    @property
    def complaints(self) -> list[str]:
        return [text for text in self.heard if not any(re.search(pattern, text) for pattern in self.forgiven)]

    def forgive(self, pattern: str) -> None:
        """Take no notice of complaints that are to be expected, now or later."""
        self.forgiven.append(pattern)

    def go(self, address: str = "#/") -> None:
        """Open a part of the client, and wait until it is connected."""
        self.page.goto(f"/app/{address}")
        expect(self.status).to_contain_text("Connected")

    def open_room(self, room_id: str) -> None:
        self.go(f"#/room/{room_id}")
        expect(self.composer).to_be_visible()
        expect(self.page.locator(".log .state")).not_to_contain_text("Loading")

    @property
    def status(self) -> Locator:
        return self.page.locator(".status")

    @property
    def composer(self) -> Locator:
        return self.page.locator("#composer")

    @property
    def messages(self) -> Locator:
        return self.page.locator(".message")

    @property
    def texts(self) -> Locator:
        return self.page.locator(".message .text")

    def message(self, text: str) -> Locator:
        return self.messages.filter(has_text=text)

    def entry(self, name: str) -> Locator:
        """A line of the lists at the side."""
        return self.page.locator(".entries a").filter(has=self.page.locator(".name", has_text=name))

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def choose(self, name: str, about: Somebody) -> None:
        """Choose from the menu of somebody in the panel of members."""
        self.page.locator(".panel").get_by_role("button", name=f"About {about.name}", exact=True).click()
        self.page.get_by_role("menuitem", name=name, exact=True).click()

    def say(self, text: str) -> None:
        self.composer.fill(text)
        self.composer.press("Enter")

    def close(self) -> None:
        self.context.close()
