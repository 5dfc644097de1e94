from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from accounts.people import Person
from accounts.tests.pages import answers, browser_of, links, log, rows, staff, told
from foyer.api.wire import fields_of
from foyer.store import steps as store
from foyer.store.steps import Call
from rooms.membership import add_member, list_members
from rooms.operations import INDEX, create_room, show_room

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/rooms/room/"


@pytest.fixture
def boss() -> Account:
    return Account.objects.create_superuser("boss", None)


@pytest.fixture
def ann() -> Account:
    return Account.objects.create_user("ann", None)


@pytest.fixture
def browser(boss: Account) -> Client:
    return browser_of(boss)


def make_room(owner: Account, name: str, members_only: bool = False) -> str:
    return str(fields_of(create_room(owner.caller, name, members_only, None))["roomId"])


def names(answer: Any) -> list[str]:
    return [room.name for room in rows(answer)]


def test_rooms_are_listed_newest_first_page_by_page_there_and_back(browser: Client, ann: Account) -> None:
    for number in range(1, 221):
        make_room(ann, f"room {number}", members_only=number % 2 == 0)
    answer, seen = browser.get(LIST), []
    while True:
        seen.append(names(answer))
        if "Older" not in links(answer):
            break
        answer = browser.get(LIST + links(answer)["Older"])
    assert [name for page in seen for name in page] == [f"room {number}" for number in range(220, 0, -1)]
    assert [len(page) for page in seen] == [50, 50, 50, 50, 20]
    back = []
    while "Newer" in links(answer):
        answer = browser.get(LIST + links(answer)["Newer"])
        back.append(names(answer))
    assert back == seen[-2::-1]
    assert set(links(answer)) == {"Older"}


@pytest.mark.parametrize("place", ["before=x", "after=", "before=99999999999999", "after=-1"])
def test_a_place_that_the_list_has_not_leads_to_its_beginning(browser: Client, ann: Account, place: str) -> None:
    make_room(ann, "kitchen")
    answer = browser.get(f"{LIST}?{place}", follow=True)
    assert names(answer) == ["kitchen"]


def test_a_room_is_found_by_its_id_its_name_and_words_of_it(browser: Client, ann: Account) -> None:
    kitchen, _ = make_room(ann, "kitchen", members_only=True), make_room(ann, "kitchen sink")
    other = make_room(ann, kitchen)
    assert names(browser.get(LIST, {"q": "kitchen"})) == ["kitchen", "kitchen sink"]
    assert names(browser.get(LIST, {"q": "KITCH s"})) == ["kitchen sink"]
    assert [room.pk for room in rows(browser.get(LIST, {"q": kitchen}))] == [kitchen, other]
    assert names(browser.get(LIST, {"q": "lobby"})) == ["lobby"]
    for nothing in ("itchen", "kitchens", "99", "0", "x" * 500):
        assert names(browser.get(LIST, {"q": nothing})) == []


def test_a_list_of_20000_rooms_costs_what_one_of_ten_does(
    browser: Client, ann: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_many(ann, 20_000)
    made: list[Call] = []
    run, run_all = store.run, store.run_all

    def counted_run(call: Call) -> Any:
        made.append(call)
        return run(call)

    def counted_run_all(calls: Sequence[Call]) -> list[Any]:
        made.extend(calls)
        return run_all(calls)

    monkeypatch.setattr(store, "run", counted_run)
    monkeypatch.setattr(store, "run_all", counted_run_all)
    for place in ("", "?before=10000", "?after=10000", "?q=room%205"):
        made.clear()
        began = time.monotonic()
        assert names(browser.get(LIST + place))
        assert len(made) <= 60
        assert time.monotonic() - began < 2


def make_many(owner: Account, count: int) -> None:
    """Rooms as `create_room` leaves them, made in pipelines."""
    room: dict[Any, Any] = {"token": "t", "owner": owner.pk, "claim": 1, "members_only": 0}
    pipeline = store.client().pipeline(transaction=False)
    for number in range(1, count + 1):
        fields = {**room, "name": f'"room {number}"', "key": f"room {number}", "created_at": "2026-01-01T00:00:00.000Z"}
        pipeline.hset(f"{{room:{number}}}:room", mapping=fields)
        pipeline.hset(f"{INDEX}:names", f"room {number}", f"{number} 1")
        pipeline.zadd(f"{INDEX}:ids", {str(number): number})
        if number % 1000 == 0:
            pipeline.set(f"{INDEX}:last", number)
            pipeline.execute()


def members_of(account: Account, room_id: str) -> set[int]:
    return {member.id for member in list_members(account.caller, room_id)}


def test_a_room_is_made_and_belongs_to_the_admin_who_made_it(browser: Client, boss: Account) -> None:
    answer = browser.post(f"{LIST}add/", {"name": " Ben's  ", "members_only": "on"}, follow=True)
    assert answer.redirect_chain
    (room,) = rows(browser.get(LIST))
    assert (room.name, room.members_only, room.owner) == (" Ben's  ", True, "boss")
    assert members_of(boss, room.pk) == {boss.pk}
    assert log() == [("room", " Ben's  ", "Added.")]


def test_a_room_is_renamed_and_closed_to_strangers(browser: Client, ann: Account) -> None:
    room = make_room(ann, "kitchen")
    answer = browser.post(f"{LIST}{room}/change/", {"name": "larder", "members_only": "on"})
    assert answer.status_code == 302
    assert fields_of(show_room(ann.caller, room)) | {"created_at": ""} == {
        "roomId": room, "name": "larder", "members_only": True, "owner": "ann", "created_at": "",
    }  # fmt: skip
    assert log() == [("room", "larder", "Changed Name and For members only.")]
    browser.post(f"{LIST}{room}/change/", {"name": "larder", "members_only": "on"})
    assert fields_of(show_room(ann.caller, room))["name"] == "larder"


@pytest.mark.parametrize(
    ("name", "why"),
    [("larder", "exists"), ("Lobby", "exists"), ("  ", "blanks"), ("a\x07", "printable"), ("", "required")],
)
def test_a_name_that_is_refused_is_explained_beside_the_form(
    browser: Client, ann: Account, name: str, why: str
) -> None:
    room, _ = make_room(ann, "kitchen"), make_room(ann, "larder")
    for address in (f"{LIST}{room}/change/", f"{LIST}add/"):
        answer = browser.post(address, {"name": name})
        assert answer.status_code == 200
        assert why in str(answer.context["adminform"].errors)
    assert names(browser.get(LIST)) == ["larder", "kitchen"]
    assert log() == []


def test_rooms_are_deleted_one_by_one_and_together(browser: Client, ann: Account) -> None:
    first, second, third = (make_room(ann, name) for name in ("one", "two", "three"))
    assert "one" in browser.get(f"{LIST}{first}/delete/").content.decode()
    assert browser.post(f"{LIST}{first}/delete/", {"post": "yes"}).status_code == 302
    form: dict[str, Any] = {"action": "delete_selected", "_selected_action": [second, third, first]}
    assert "three" in browser.post(LIST, form).content.decode()
    assert names(browser.get(LIST)) == ["three", "two"]
    assert browser.post(LIST, {**form, "post": "yes"}).status_code == 302
    assert names(browser.get(LIST)) == []
    assert sorted(what for _, what, _ in log()) == ["one", "three", "two"]
    assert browser.get(f"{LIST}{first}/change/").status_code == 302


def test_members_are_let_in_and_taken_out(browser: Client, boss: Account, ann: Account) -> None:
    room, ben = make_room(ann, "kitchen", members_only=True), Account.objects.create_user("Ben", None)

    def change(**form: str) -> list[str]:
        return told(browser.post(f"{LIST}{room}/members/", form, follow=True))

    assert change(do="add", username=" BEN ") == ["Added member “Ben”."]
    assert change(do="add", username="Ben") == ["“Ben” is a member already."]
    assert members_of(ann, room) == {ann.pk, ben.pk}
    page = browser.get(f"{LIST}{room}/change/").content.decode()
    assert "Members: 2" in page
    assert change(do="remove", username="Ben") == ["Removed member “Ben”."]
    assert change(do="remove", username="Ben") == ["'Ben' is not in the room."]
    assert change(do="add", username="nobody") == ["There is no user 'nobody'."]
    assert members_of(ann, room) == {ann.pk}
    assert browser.get(f"{LIST}{room}/members/").status_code == 405
    history = browser.get(f"{LIST}{room}/history/").content.decode()
    assert "Added member “Ben”." in history
    assert "Removed member “Ben”." in history


def test_of_many_members_some_are_shown_and_the_others_found(browser: Client, boss: Account, ann: Account) -> None:
    room = make_room(ann, "kitchen")
    people = Account.objects.bulk_create(
        Account(username=f"user-{number:03}", username_key=f"user-{number:03}") for number in range(120)
    )
    for account in people:
        add_member(boss.caller, room, Person(account.pk, account.username))
    page = browser.get(f"{LIST}{room}/change/").content.decode()
    assert "Members: 121" in page
    assert page.count('aria-label="Remove user-') == 99
    page = browser.get(f"{LIST}{room}/change/", {"member": "USER-11"}).content.decode()
    assert page.count('aria-label="Remove user-') == 10


def test_the_lobby_is_shown_and_stays_as_it_is(browser: Client, ann: Account) -> None:
    assert browser.get(f"{LIST}lobby/change/").status_code == 200
    assert browser.post(f"{LIST}lobby/change/", {"name": "x"}).status_code == 403
    assert browser.post(f"{LIST}lobby/delete/", {"post": "yes"}).status_code == 403
    form = {"action": "delete_selected", "_selected_action": "lobby", "post": "yes"}
    assert browser.post(LIST, form).status_code == 403


def test_who_may_do_what_follows_from_his_permissions(boss: Account, ann: Account) -> None:
    room = make_room(ann, "kitchen", members_only=True)
    who = {
        "nobody": None,
        "a user": ann,
        "staff without permissions": staff("porter"),
        "view-only staff": staff("viewer", "rooms.view_room"),
        "staff": staff("keeper", "rooms.view_room", "rooms.change_room"),
        "superuser": boss,
    }
    requests: dict[str, tuple[str, dict[str, str] | None]] = {
        "list": (LIST, None),
        "see": (f"{LIST}{room}/change/", None),
        "history": (f"{LIST}{room}/history/", None),
        "change": (f"{LIST}{room}/change/", {"name": "kitchen"}),
        "members": (f"{LIST}{room}/members/", {"do": "add", "username": "ann"}),
        "add": (f"{LIST}add/", {"name": "new"}),
        "delete": (f"{LIST}{room}/delete/", {"post": "yes"}),
    }
    everything = ("list", "see", "history", "change", "members", "add", "delete")

    def only(*allowed: str, otherwise: str = "refused") -> str:
        return ", ".join(f"{what} {'ok' if what in allowed else otherwise}" for what in everything)

    assert answers(who, requests) == {
        "nobody": only(otherwise="sign in"),
        "a user": only(otherwise="sign in"),
        "staff without permissions": only(),
        "view-only staff": only("list", "see", "history"),
        "staff": only("list", "see", "history", "change", "members"),
        "superuser": only(*everything),
    }


def test_view_only_staff_see_no_way_to_change_anything(ann: Account) -> None:
    room = make_room(ann, "kitchen")
    browser = browser_of(staff("viewer", "rooms.view_room"))
    page = browser.get(f"{LIST}{room}/change/").content.decode()
    assert "kitchen" in page
    assert "Add member" not in page
    assert 'name="_save"' not in page
    assert "deletelink" not in page
    assert "Newest messages" not in page
    assert "delete_selected" not in browser.get(LIST).content.decode()
