"""Search finds what the caller may read, as it is now: in memory, in the archive, and on the way between the two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError

from accounts.callers import Caller
from archive import finding
from archive import index as indexing
from archive import search as searching
from archive.finding import Scope
from archive.follower import Follower
from archive.operations import expire_call
from archive.retention import take_rows
from archive.rows import body_of
from archive.search import Search, place_of, search, wanted_by
from archive.tests.kept import let_go, rows
from archive.tests.test_words import TABLE
from archive.topics import number_of
from foyer.api.wire import fields_of
from foyer.errors import InvalidInput, Unavailable, UnknownCursor
from foyer.paging import Page
from foyer.realtime.log import read_head
from foyer.realtime.topics import room_topic
from foyer.store.steps import client, run
from foyer.times import now_text
from messaging.operations import delete_direct, delete_message, edit_message, read_history
from messaging.tests.said import edit_direct, history, person, post, send
from rooms.errors import Banned, RoomNotFound
from rooms.membership import add_member, remove_member
from rooms.operations import delete_room, update_room
from rooms.order import Terms, lift, restrict
from rooms.tests.invariants import create
from tests.people import ANN, BEN, BOSS, EVE

ROOM, ANNS, BENS = "{room:1}", "{user:1}", "{user:2}"
LOGS = (ROOM, "{room:2}", ANNS, BENS, "{user:3}")
Archive = Callable[[], None]


@pytest.fixture(params=["in memory", "in both", "in the archive", "half of it in the archive"])
def archive(request: pytest.FixtureRequest, follower: Follower) -> Archive:
    """What happens to the logs before somebody searches."""
    calls = [0]

    def settle() -> None:
        calls[0] += 1
        if request.param == "in both" or (request.param.startswith("half") and calls[0] == 1):
            follower.copy(LOGS)
        elif request.param == "in the archive":
            let_go(follower, 0, *LOGS)

    return settle


def found(caller: Caller, query: str, **more: Any) -> list[dict[str, Any]]:
    return [fields_of(message) for message in search(caller, Search(wanted_by(query), **more)).messages]


def texts(caller: Caller, query: str, **more: Any) -> list[str]:
    return [message["text"] for message in found(caller, query, **more)]


@pytest.mark.parametrize("most", [0, 200])
def test_the_newest_come_first_whenever_they_were_archived(
    most: int, kitchen: None, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST_TERMS", most)
    monkeypatch.setattr(finding, "PORTION", 2)
    monkeypatch.setattr(indexing, "NOTE_EVERY", 1)
    create(ANN, "Cellar")
    sent = list[str]()
    for number in range(12):
        while sent and now_text() == sent[-1]:
            pass  # no two are of one moment
        sent.append(post(BEN, f"soup {number}", room_id=str(number % 2 + 1))["sent_at"])
        if number % 3 == 0:
            follower.copy(["{room:2}"])
    follower.copy([ROOM, "{room:2}"])
    for query in ("soup", "s"):
        assert texts(ANN, query, limit=5) == [f"soup {number}" for number in range(11, 6, -1)]
        assert texts(ANN, query) == [f"soup {number}" for number in range(11, -1, -1)]


@pytest.fixture
def kitchen(follower: Follower) -> None:
    """Room 1 is ann's and for its members: ann and ben."""
    create(ANN, "Kitchen", True)
    add_member(ANN, "1", person(BEN))


@pytest.mark.parametrize("hot", [None, 0])
def test_every_kind_of_query_finds_what_it_says(kitchen: None, hot: int | None, follower: Follower) -> None:
    said = {post(BEN, text)["id"]: text for text in dict.fromkeys(text for _, text, _ in TABLE)}
    if hot is not None:
        let_go(follower, hot)
    for query, text, is_found in TABLE:
        if is_found is None:
            with pytest.raises(InvalidInput):
                found(ANN, query)
        else:
            ids = [message["id"] for message in found(ANN, query, limit=100)]
            assert all(wanted_by(query).are_in(said[number]) for number in ids)
            assert (next(number for number, one in said.items() if one == text) in ids) == is_found, query


def test_messages_are_told_as_history_tells_them_newest_first(kitchen: None, archive: Archive) -> None:
    for number in range(5):
        post(BEN, f"soup {number}")
        send(EVE, ANN, f"soup for you {number}")
        archive()
    told = search(ANN, Search(wanted_by("soup"))).messages
    assert set(read_history(ANN, "1", Page()).messages) < set(told)
    times = [fields_of(message)["sent_at"] for message in told]
    assert times == sorted(times, reverse=True)
    assert len(told) == 10
    assert {message.get("to") for message in map(fields_of, told)} == {None, "ann"}


def test_a_search_is_for_a_room_a_conversation_or_a_sender(kitchen: None, archive: Archive) -> None:
    post(ANN, "soup by ann")
    post(BEN, "soup by ben")
    archive()
    send(BEN, ANN, "soup to ann")
    send(ANN, EVE, "soup to eve")
    archive()
    assert set(texts(ANN, "soup")) == {"soup by ann", "soup by ben", "soup to ann", "soup to eve"}
    assert set(texts(ANN, "soup", room="1")) == {"soup by ann", "soup by ben"}
    assert texts(ANN, "soup", user=person(BEN)) == texts(BEN, "soup", user=person(ANN)) == ["soup to ann"]
    assert texts(ANN, "soup", user=person(EVE)) == ["soup to eve"]
    assert set(texts(ANN, "soup", sender=person(ANN))) == {"soup by ann", "soup to eve"}
    assert texts(ANN, "soup", room="1", sender=person(BEN)) == ["soup by ben"]
    assert texts(EVE, "soup") == ["soup to eve"]
    assert texts(BOSS, "soup") == []
    assert set(texts(BOSS, "soup", room="1")) == {"soup by ann", "soup by ben"}


def test_nobody_is_told_of_a_room_that_they_may_not_read_now(kitchen: None, archive: Archive) -> None:
    post(BEN, "secret soup")
    archive()
    assert texts(BEN, "soup") == ["secret soup"]
    assert texts(EVE, "soup") == []
    for room in ("1", "2", "x", "0"):
        with pytest.raises(RoomNotFound):
            found(EVE, "soup", room=room)
    add_member(ANN, "1", person(EVE))
    assert texts(EVE, "soup") == ["secret soup"]
    remove_member(BOSS, "1", person(EVE))
    assert texts(EVE, "soup") == []
    update_room(ANN, "1", None, False)
    assert texts(EVE, "soup") == texts(EVE, "soup", room="1") == ["secret soup"]
    update_room(ANN, "1", None, True)
    assert texts(EVE, "soup") == []
    remove_member(BOSS, "1", person(ANN))
    assert texts(ANN, "soup") == ["secret soup"], "who owns a room and left it still sees it"
    delete_room(ANN, "1")
    assert texts(ANN, "soup") == texts(BEN, "soup") == texts(BOSS, "soup") == []


def test_whoever_is_banned_from_a_room_finds_nothing_of_it_until_that_is_over(kitchen: None, archive: Archive) -> None:
    post(BEN, "soup")
    update_room(ANN, "1", None, False)
    archive()
    restrict(ANN, "1", "bans", person(BEN), Terms())
    assert texts(BEN, "soup") == []
    with pytest.raises(Banned):
        found(BEN, "soup", room="1")
    lift(ANN, "1", "bans", person(BEN))
    assert texts(BEN, "soup") == texts(BEN, "soup", room="1") == ["soup"]


def test_an_edited_message_is_found_by_its_new_text_only(kitchen: None, archive: Archive) -> None:
    message = post(BEN, "leek soup")["id"]
    letter = send(ANN, BEN, "leek soup")["id"]
    archive()
    for old, new in (("leek", "pea"), ("pea", "bean")):
        edited = fields_of(edit_message(BEN, "1", message, f"{new} soup"))
        edit_direct(ANN, BEN, letter, f"{new} soup")
        for _ in range(2):
            assert texts(ANN, old) == texts(BEN, old) == []
            assert texts(ANN, new) == texts(BEN, new) == [f"{new} soup"] * 2
            assert found(ANN, new, room="1") == [edited]
            assert texts(BEN, new, user=person(ANN)) == [f"{new} soup"]
            archive()


def test_a_deleted_message_is_not_found_from_then_on(kitchen: None, archive: Archive) -> None:
    message = post(BEN, "secret soup")["id"]
    letter = send(ANN, BEN, "secret soup")["id"]
    archive()
    edit_message(BEN, "1", message, "more secret soup")
    archive()
    delete_message(BEN, "1", message)
    delete_direct(ANN, person(BEN), letter)
    for _ in range(2):
        assert texts(ANN, "soup") == texts(BEN, "secret") == []
        archive()
    assert "secret" not in repr([*rows(), *rows(ANNS), *rows(BENS)])


def test_what_a_deleted_account_said_is_found_unsigned_and_its_own_log_is_not(
    follower: Follower, django_user_model: Any
) -> None:
    account = django_user_model.objects.create_user("walter", "pw", pk=1000)
    caller = account.caller
    create(ANN, "Kitchen")
    post(caller, "soup by walter")
    send(caller, BEN, "soup for ben")
    let_go(follower, 0, *LOGS, "{user:1000}")
    account.delete()
    assert [message["sender"] for message in found(BEN, "soup")] == [None, None]
    assert texts(caller, "soup") == ["soup by walter"]


def test_pages_follow_each_other_without_a_gap(kitchen: None, archive: Archive) -> None:
    create(ANN, "Cellar")
    for number in range(25):
        post(BEN, f"soup {number}", room_id=str(number % 2 + 1))
        if number % 9 == 0:
            archive()
    told, before = list[dict[str, Any]](), None
    while True:
        page = search(ANN, Search(wanted_by("soup"), limit=4, before=before))
        told += map(fields_of, page.messages)
        if page.cursor is None:
            break
        assert len(page.messages) == 4
        before = place_of(page.cursor)
    assert sorted(message["text"] for message in told) == sorted(f"soup {number}" for number in range(25))
    places = [(message["sent_at"], int(message["roomId"]), message["id"]) for message in told]
    assert places == sorted(places, reverse=True)
    for cursor in ("", "x", "1-2", "1-2-3-4", "-1-2-3", "1-9223372036854775808-1"):
        with pytest.raises(UnknownCursor):
            place_of(cursor)


def test_a_search_that_looks_at_much_goes_on_where_it_stopped(
    kitchen: None, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MOST_LOOKED_AT", 10)
    monkeypatch.setattr(searching, "PORTION", 4)
    post(BEN, "pea soup")
    for number in range(40):
        post(BEN, f"soup with peas, pea {number}")
    let_go(follower, 10)
    told, searches = list[str](), 0
    asked = Search(wanted_by('"pea soup"'), limit=2)
    while True:
        page = search(ANN, asked)
        told += [fields_of(message)["text"] for message in page.messages]
        searches += 1
        if page.cursor is None:
            break
        asked = asked._replace(before=place_of(page.cursor))
    assert told == ["pea soup"]
    assert searches > 2


def test_a_search_in_more_rooms_than_the_index_is_asked_for_finds_the_same(
    kitchen: None, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST_TERMS", 0)
    create(EVE, "Cellar", True)
    post(BEN, "soup")
    post(EVE, "soup in the cellar", room_id="2")
    archive()
    send(EVE, ANN, "soup for ann")
    assert set(texts(ANN, "soup")) == {"soup", "soup for ann"}
    assert texts(ANN, "soup", user=person(EVE)) == ["soup for ann"]


def test_a_text_with_the_sign_of_a_topic_leads_nowhere_else(kitchen: None, follower: Follower) -> None:
    create(EVE, "Cellar", True)
    for number in range(30):
        post(EVE, f"soup @4 @5 @1 {number}", room_id="2")
    post(BEN, "soup")
    for number in range(30):
        post(EVE, f"soupé soup @4 @5 {number}", room_id="2")
    let_go(follower, 0, *LOGS)
    assert texts(ANN, "soup") == texts(ANN, "soup", room="1") == ["soup"]


def test_what_was_kept_for_its_time_is_not_found_any_more(kitchen: None, follower: Follower) -> None:
    first, second = (post(BEN, f"soup {number}")["id"] for number in range(2))
    let_go(follower, 0)
    epoch = read_head(room_topic("1")).epoch
    run(expire_call(ROOM, first, epoch))
    assert [message["id"] for message in found(ANN, "soup")] == [second]
    take_rows(number_of(ROOM) or 0, first)
    assert [message["id"] for message in found(ANN, "soup")] == [second]
    assert len(finding.find_rows(Scope(frozenset([number_of(ROOM) or 0])), [("soup", False)], 10)) == 1


def test_search_in_the_lobby(follower: Follower) -> None:
    post(BEN, "soup", room_id="lobby")
    for _ in range(2):
        assert texts(EVE, "soup") == texts(EVE, "soup", room="lobby") == ["soup"]
        follower.copy(["{room:lobby}"])


def test_without_sql_a_search_is_refused(kitchen: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(finding, "match", away)
    monkeypatch.setattr(finding, "tsquery", away)
    with pytest.raises(Unavailable):
        found(ANN, "soup")


def test_a_log_that_lost_its_end_is_not_found_any_more(kitchen: None, follower: Follower) -> None:
    for number in range(3):
        post(BEN, f"soup {number}")
    follower.copy([ROOM])
    last = rows()[-1].offset
    client().delete(f"{ROOM}:log")
    for row in rows()[:-1]:
        client().xadd(f"{ROOM}:log", {"type": row.kind, "by": "2", "body": body_of(row)}, id=f"{row.offset}-0")
    client().hset(f"{ROOM}:head", mapping={"offset": last - 1, "node": "the one before"})
    post(BEN, "broth")
    follower.copy([ROOM])
    assert texts(ANN, "soup") == ["soup 1", "soup 0"]
    assert texts(ANN, "broth") == ["broth"]
    assert len(history(ANN)) == 3
