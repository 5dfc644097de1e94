"""How far the follower got is told to operators, also while there is none."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
import pytest
from django.db import OperationalError

from accounts.models import Account
from accounts.tests.pages import browser_of
from archive import admin as archive_admin
from archive.follower import TELL_EVERY, Follower
from archive.operations import note_written, see_progress, take_written
from archive.progress import TOO_FAR, Look, ask_follower, look
from archive.tests.kept import follow
from foyer.server.health import Behind, Readiness
from foyer.store.steps import client
from messaging.tests.said import post
from rooms.tests.invariants import create
from tests.people import ANN, BEN
from tests.server import Server
from tests.store import wait_for


def store() -> Any:
    return client()


@pytest.fixture
def kitchen() -> None:
    create(ANN, "Kitchen")
    for number in range(5):
        post(BEN, f"text {number}")


def waits_since(field: str, seconds: float) -> None:
    """Have it that a topic was noted so long ago."""
    store().hset("{archive}:progress", field, int((time.time() - seconds) * 1000))


def test_what_was_noted_is_behind_until_it_is_copied(kitchen: None, follower: Follower) -> None:
    note_written(["{room:1}", "{user:1}"])
    found = see_progress()
    assert (found.topics, found.events, found.archived, found.follower) == (2, 6, 0, "")
    follow(follower)
    follower.told_at -= TELL_EVERY
    follower.turn()
    found = see_progress()
    assert (found.topics, found.events, found.seconds) == (0, 0, 0)
    assert (found.archived, found.holder, found.follower) == (6, follower.name, follower.name)
    assert found.silent < 5


def test_what_waits_is_late_by_the_clock_whether_or_not_there_is_a_follower(kitchen: None, follower: Follower) -> None:
    note_written(["{room:1}"])
    waits_since("dirty_since", 90)
    note_written(["{user:1}"])
    assert 90 <= see_progress().seconds < 100
    assert follower.hold()
    assert see_progress().seconds >= 90
    follow(follower)
    note_written(["{room:1}"])
    assert see_progress().seconds < 10


def test_what_was_taken_by_a_follower_that_died_waits_since_it_was_noted(kitchen: None) -> None:
    note_written(["{room:1}"])
    waits_since("dirty_since", 70)
    assert take_written(10) == ["{room:1}"]
    note_written(["{user:1}"])
    found = see_progress()
    assert (found.topics, found.events) == (2, 6)
    assert found.seconds >= 70


def test_two_followers_add_to_one_count(kitchen: None, follower: Follower) -> None:
    follow(follower)
    follower.leave()
    assert see_progress().archived == 5
    post(BEN, "one more")
    other = Follower(threading.Event())
    follow(other)
    other.leave()
    assert see_progress().archived == 6


async def test_readiness_names_an_archive_that_is_late_and_stays_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    await ask_follower()
    monkeypatch.setattr(look, "found", look.found._replace(topics=1, seconds=TOO_FAR + 1))
    with pytest.raises(Behind):
        await ask_follower()
    status, _, body = await Readiness({"archive": ask_follower})(None)
    assert (status, body) == (200, b'{"status":"ok","checks":{"archive":"behind"}}')


def test_a_look_that_can_not_be_repeated_grows_old() -> None:
    seen = Look()
    seen.found = seen.found._replace(topics=3, seconds=50.0)
    seen.at -= 30
    assert 80 <= seen.seconds < 85


def scraped(server: Server) -> dict[str, float]:
    lines = httpx.get(f"{server.base_url}/metrics", timeout=15).text.splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def test_the_numbers_are_told_by_a_server(server: Server) -> None:
    names = {f"foyer_archive_{name}" for name in ("behind_events", "behind_seconds", "events_total", "trimmed_total")}
    assert names <= scraped(server).keys()
    account = {"username": "walter-who-writes", "password": "pw"}
    basic = httpx.BasicAuth(*account.values())
    assert httpx.post(f"{server.base_url}/user", json=account, timeout=30).status_code == 201
    room = httpx.post(f"{server.base_url}/rooms", json={"name": "numbers"}, auth=basic, timeout=30).json()["roomId"]
    for number in range(3):
        httpx.post(f"{server.base_url}/room/{room}/messages", json={"text": f"{number}"}, auth=basic, timeout=30)
    wait_for(lambda: scraped(server)["foyer_archive_events_total"] >= 3, 30)
    wait_for(lambda: scraped(server)["foyer_archive_behind_events"] == 0, 30)
    assert httpx.get(f"{server.base_url}/health/ready", timeout=15).json()["checks"]["archive"] == "ok"


# The admin's page


def test_the_admin_shows_who_follows_and_what_lies_where(kitchen: None, follower: Follower) -> None:
    follow(follower)
    follower.told_at -= TELL_EVERY
    follower.turn()
    note_written(["{room:1}"])
    browser = browser_of(Account.objects.create_superuser("boss", None))
    page = browser.get("/admin/archive/copied/").content.decode()
    assert page.count(follower.name) == 2
    for told in ("0 events in 1 topic", "The archive", "The store&#x27;s memory", "On disk"):
        assert told.replace("&#x27;", "'") in page
    waits_since("dirty_since", 90)
    assert "The archive is behind" in browser.get("/admin/archive/copied/").content.decode()


def test_the_admin_shows_what_it_can_while_the_database_is_away(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OperationalError

    monkeypatch.setattr(archive_admin, "archive_parts", away)
    page = browser_of(Account.objects.create_superuser("boss", None)).get("/admin/archive/copied/").content.decode()
    assert "The database of the archive is away." in page
    assert "Nobody" in page


def test_the_page_takes_the_permission_and_changes_nothing(follower: Follower) -> None:
    browser = browser_of(Account.objects.create_user("helper", None, is_staff=True))
    assert browser.get("/admin/archive/copied/").status_code == 403
    boss = browser_of(Account.objects.create_superuser("boss", None))
    assert boss.get("/admin/archive/copied/add/").status_code == 403
