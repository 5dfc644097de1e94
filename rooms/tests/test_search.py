"""Rooms are found by words of their names."""

from __future__ import annotations

import re
from typing import Any

import pytest

from accounts.callers import Caller
from foyer.api.wire import fields_of
from foyer.errors import InvalidInput, UnknownCursor
from foyer.store.steps import client
from rooms import search
from rooms.names import name_key
from rooms.operations import INDEX, delete_room, update_room
from rooms.search import search_rooms
from rooms.tests.invariants import create
from rooms.words import words_of
from tests.clients import Person
from tests.people import ANN, BEN, BOSS


def found(query: str, caller: Caller = BEN, limit: int = 1000, **options: Any) -> list[str]:
    """Names in the order in which they come, of all pages."""
    names: list[str] = []
    cursor = None
    while True:
        page = search_rooms(caller, query, cursor, limit, **options)
        assert len(page.rooms) <= limit
        names += [fields_of(room)["name"] for room in page.rooms]
        if page.cursor is None:
            return names
        cursor = page.cursor


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Front desk", ["front", "desk"]),
        ("#general", ["general"]),
        ("node.js/Deno: news", ["node", "js", "deno", "news"]),
        ("ben's ben", ["ben", "s"]),
        ("c++ 日本語 हिन्दी 🎉", ["c++", "日本語", "हिन्दी", "🎉"]),
        ("! ?", ["!?"]),
    ],
)
def test_words_stand_between_blanks_and_punctuation(name: str, words: list[str]) -> None:
    assert words_of(name_key(name)) == words


def test_rooms_are_found_by_words_and_beginnings_of_words_whatever_their_case() -> None:
    for name in ("General", "general chat", "The Generals", "chat of Ben", "Zoë", "hidden"):
        create(BEN, name)
    assert found("general") == ["General", "general chat", "The Generals"]
    assert found("GENERAL C") == ["general chat"]
    assert found("chat") == ["chat of Ben", "general chat"]
    assert found("ch gen") == ["general chat"]
    assert found("zoe\u0308") == ["Zoë"]
    assert found("eneral") == found("generals chat") == found("zo\0") == []
    assert found("lobby") == []


def test_a_room_with_several_such_words_is_found_once() -> None:
    create(BEN, "tea team teapot")
    create(BEN, "team")
    assert found("tea", limit=1) == ["tea team teapot", "team"]


def test_only_rooms_that_the_caller_may_see_are_found() -> None:
    create(BEN, "secret club", members_only=True)
    create(BEN, "open club")
    create(ANN, "another club")
    assert found("club") == ["another club", "open club", "secret club"]
    assert found("club", ANN) == ["another club", "open club"]
    assert found("club", BOSS) == ["another club", "open club", "secret club"]
    assert found("club", mine=True) == ["open club", "secret club"]


def test_a_search_follows_what_becomes_of_rooms() -> None:
    room = create(BEN, "old name")["roomId"]
    update_room(BEN, room, "new name", None)
    assert (found("old"), found("new"), found("name")) == ([], ["new name"], ["new name"])
    update_room(BEN, room, "NEW name", None)
    assert found("new") == ["NEW name"]
    delete_room(BEN, room)
    assert found("name") == []
    assert client().zcard(f"{INDEX}:words") == 0


def test_pages_have_every_room_once_and_are_bounded_in_what_they_look_at(monkeypatch: Any) -> None:
    names = [f"page {number:03}" for number in range(25)]
    for name in reversed(names):
        create(BEN, name)
        create(ANN, f"{name} of ann", members_only=True)
    assert found("page", limit=4) == names
    monkeypatch.setattr(search, "MOST_LOOKED_AT", 20)
    monkeypatch.setattr(search, "AT_ONCE", 10)
    page = search_rooms(BEN, "page", None, 15)
    assert (len(page.rooms), page.cursor is None) == (10, False), "twenty were looked at, ten are not Ben's to see"
    assert found("page", limit=15) == names


def test_a_store_of_an_earlier_release_is_completed_in_portions(monkeypatch: Any) -> None:
    names = sorted(f"early {number}" for number in range(30))
    for name in names:
        create(BEN, name)
    client().delete(f"{INDEX}:words", f"{INDEX}:listed")
    create(BEN, "later")
    monkeypatch.setattr(search, "AT_ONCE", 10)
    assert found("early") == names
    assert found("late") == ["later"]
    create(BEN, "latest")
    assert client().get(f"{INDEX}:listed") == client().get(f"{INDEX}:claims")


@pytest.mark.parametrize("query", ["", "  ", "\t", "x" * 201])
def test_a_query_without_words_is_refused(query: str) -> None:
    with pytest.raises(InvalidInput):
        search_rooms(BEN, query, None, 10)


@pytest.mark.parametrize("cursor", ["", "x", "other name", " "])
def test_a_cursor_of_another_search_is_refused(cursor: str) -> None:
    with pytest.raises(UnknownCursor):
        search_rooms(BEN, "name", cursor, 10)


async def test_the_route_pages_by_link(ann_there: Person) -> None:
    word = f"w{ann_there.username}".replace("-", "")
    for number in range(3):
        (await ann_there.rest.post("/rooms", json={"name": f"{word} {number}"})).raise_for_status()
    address: str | None = f"/rooms?q={word.upper()}&limit=2"
    sizes = []
    while address:
        answer = await ann_there.rest.get(address)
        sizes.append([room["name"] for room in answer.json()])
        link = re.fullmatch('<(.*)>; rel="next"', answer.headers.get("Link", ""))
        address = link and link[1]
    assert sizes == [[f"{word} 0", f"{word} 1"], [f"{word} 2"]]
    for query in ("q=", "q=a&cursor=b", "q=a&limit=0"):
        assert (await ann_there.rest.get(f"/rooms?{query}")).status_code == 400
    mine = (await ann_there.rest.get(f"/rooms?q={word}&member=me")).json()
    assert [room["unread"] for room in mine] == [0, 0, 0]
