from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from accounts.tests.pages import answers, browser_of, links, log, rows, staff
from foyer.api.wire import fields_of
from messaging.errors import MessageNotFound
from messaging.operations import post_message, show_message
from rooms.operations import create_room

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/messaging/message/"


@pytest.fixture
def boss() -> Account:
    return Account.objects.create_superuser("boss", None)


@pytest.fixture
def ann() -> Account:
    return Account.objects.create_user("ann", None)


@pytest.fixture
def room(ann: Account) -> str:
    return str(fields_of(create_room(ann.caller, "kitchen", True, None))["roomId"])


@pytest.fixture
def browser(boss: Account) -> Client:
    return browser_of(boss)


def say(ann: Account, room: str, count: int) -> None:
    for number in range(1, count + 1):
        post_message(ann.caller, room, f"text {number}")


def numbers(answer: Any) -> list[int]:
    return [message.number for message in rows(answer)]


def test_the_messages_of_a_room_are_listed_newest_first_there_and_back(
    browser: Client, ann: Account, room: str
) -> None:
    say(ann, room, 120)
    first = browser.get(LIST, {"room": room})
    second = browser.get(LIST + links(first)["Older"])
    third = browser.get(LIST + links(second)["Older"])
    assert numbers(first) + numbers(second) + numbers(third) == list(range(120, 0, -1))
    assert set(links(third)) == {"Newest", "Newer"}
    assert numbers(browser.get(LIST + links(third)["Newer"])) == numbers(second)
    assert numbers(browser.get(LIST + links(third)["Newest"])) == numbers(first)


def test_a_message_is_found_by_its_id(browser: Client, ann: Account, room: str) -> None:
    say(ann, room, 3)
    assert numbers(browser.get(LIST, {"room": room, "q": "2"})) == [2]
    for nothing in ("9", "x"):
        assert numbers(browser.get(LIST, {"room": room, "q": nothing})) == []


def test_messages_are_found_by_their_words_page_by_page(browser: Client, ann: Account, room: str) -> None:
    say(ann, room, 60)
    post_message(ann.caller, room, "a word of its own")
    assert numbers(browser.get(LIST, {"room": room, "q": "WORD own"})) == [61]
    first = browser.get(LIST, {"room": room, "q": "text"})
    second = browser.get(LIST + links(first)["Older"])
    assert numbers(first) + numbers(second) == list(range(60, 0, -1))
    assert numbers(browser.get(LIST, {"room": room, "q": "text -1"})) == [*range(60, 10, -1)]
    assert browser.get(LIST, {"room": room, "q": "..."}).status_code == 302


def test_the_room_is_chosen_first_by_its_name_or_id(browser: Client, room: str) -> None:
    assert rows(browser.get(LIST)) == []
    for query in (room, "kitchen", "KITCH"):
        assert list(links(browser.get(LIST, {"q": query}))) == [f"Messages of “kitchen” (room {room})"]
    assert links(browser.get(LIST, {"q": "cellar"})) == {}


def test_a_room_whose_name_is_the_id_of_another_does_not_stand_in_its_way(
    browser: Client, ann: Account, room: str
) -> None:
    other = str(fields_of(create_room(ann.caller, room, False, None))["roomId"])
    found = links(browser.get(LIST, {"q": room}))
    assert list(found.values()) == [f"?room={room}", f"?room={other}"]
    say(ann, room, 1)
    say(ann, other, 2)
    assert [len(rows(browser.get(LIST + address))) for address in found.values()] == [1, 2]


def test_messages_of_a_room_that_is_gone_are_not_found(browser: Client) -> None:
    assert browser.get(LIST, {"room": "99"}).status_code == 404


def test_a_message_is_shown_as_text_and_cannot_be_changed(browser: Client, ann: Account, room: str) -> None:
    post_message(ann.caller, room, "<script>alert(1)</script>")
    for address in (f"{LIST}{room}-1/change/", f"{LIST}?room={room}", f"/admin/rooms/room/{room}/change/"):
        page = browser.get(address).content.decode()
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert" not in page
    assert browser.post(f"{LIST}{room}-1/change/", {"text": "other"}).status_code == 403


def test_a_message_is_deleted_and_its_text_is_in_no_log(browser: Client, ann: Account, room: str) -> None:
    say(ann, room, 2)
    assert browser.post(f"{LIST}{room}-2/delete/", {"post": "yes"}).status_code == 302
    with pytest.raises(MessageNotFound):
        show_message(ann.caller, room, 2)
    of_room, of_message = log()
    assert of_message == ("message", f"message 2 of {ann.username} in room {room}", "")
    assert of_room[:2] == ("room", "kitchen")
    assert of_room[2].startswith(f"Deleted message 2 of {ann.username} in room {room}, sent at 20")
    assert "text 2" not in of_room[2]
    assert f"Deleted message 2 of {ann.username}" in browser.get(f"/admin/rooms/room/{room}/history/").content.decode()


def test_messages_are_deleted_together_after_a_question(browser: Client, ann: Account, room: str) -> None:
    say(ann, room, 3)
    form: dict[str, Any] = {"action": "delete_selected", "_selected_action": [f"{room}-1", f"{room}-3"]}
    assert "Are you sure" in browser.post(f"{LIST}?room={room}", form).content.decode()
    assert browser.post(f"{LIST}?room={room}", {**form, "post": "yes"}).status_code == 302
    assert numbers(browser.get(LIST, {"room": room})) == [2]


def test_who_may_do_what_follows_from_his_permissions(boss: Account, ann: Account, room: str) -> None:
    say(ann, room, 1)
    who = {
        "nobody": None,
        "a user": ann,
        "staff without permissions": staff("porter", "rooms.view_room"),
        "view-only staff": staff("viewer", "messaging.view_message"),
        "staff": staff("keeper", "messaging.view_message", "messaging.delete_message"),
    }
    requests: dict[str, tuple[str, dict[str, str] | None]] = {
        "list": (f"{LIST}?room={room}", None),
        "see": (f"{LIST}{room}-1/change/", None),
        "delete": (f"{LIST}{room}-1/delete/", {"post": "yes"}),
    }
    assert answers(who, requests) == {
        "nobody": "list sign in, see sign in, delete sign in",
        "a user": "list sign in, see sign in, delete sign in",
        "staff without permissions": "list refused, see refused, delete refused",
        "view-only staff": "list ok, see ok, delete refused",
        "staff": "list ok, see ok, delete ok",
    }
    page = browser_of(Account.objects.get(username="porter")).get(f"/admin/rooms/room/{room}/change/")
    assert "Newest messages" not in page.content.decode()
