"""What is older than its topic keeps it is told to nobody, and goes from the store and from SQL."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from django.conf import LazySettings
from django.db import connections

from archive import retention
from archive.follower import Follower
from archive.models import Event
from archive.operations import expire_call
from archive.retention import DAY, ROUND_EVERY, Sweep, late_among, take_rows
from archive.router import ALIAS
from archive.search import Search, search, wanted_by
from archive.tests.kept import follow, let_go, rows, texts
from archive.topics import number_of
from archive.writing import make_partitions
from foyer.errors import UnknownCursor
from foyer.paging import Page
from foyer.realtime.log import read_head, read_log
from foyer.realtime.topics import room_topic, user_topic
from foyer.store.steps import client, run
from foyer.times import time_text
from messaging import operations
from messaging.errors import MessageNotFound
from messaging.operations import delete_message, edit_direct, edit_message, show_message
from messaging.reading import between, in_room, mark_read, summaries
from messaging.tests.said import conversation, history, inbox, person, post, send, texts_of
from rooms.operations import Retention, delete_room, update_room
from rooms.tests.invariants import create
from tests.people import ANN, BEN, EVE

ROOM, ANNS, BENS = "{room:1}", "{user:1}", "{user:2}"
Ago = Callable[[float], None]


@pytest.fixture
def days_ago(monkeypatch: pytest.MonkeyPatch) -> Ago:
    """From here on it is so many days ago when something is said: `days_ago(3)`."""

    def set_back(days: float) -> None:
        monkeypatch.setattr(operations, "now_text", lambda: time_text(datetime.now(UTC) - timedelta(days=days)))

    return set_back


@pytest.fixture
def kitchen(days_ago: Ago) -> None:
    """A room that keeps messages for ten days: 1 to 5 are older, 6 to 8 are not."""
    create(ANN, "Kitchen")
    days_ago(20)
    for number in range(1, 6):
        post(BEN, f"old {number}")
    days_ago(2)
    for number in range(6, 9):
        post(BEN, f"new {number}")
    keep(10)


def keep(days: int | None) -> None:
    update_room(ANN, "1", None, None, retention=Retention(days))


def grow_old(events: Any) -> None:
    moment = int(time.time() * 1000) - 60 * DAY
    if connections[ALIAS].vendor == "postgresql":
        make_partitions([moment])
    events.update(at=moment)


def sweep(worker: Sweep | None = None) -> Sweep:
    """A whole round."""
    worker = worker or Sweep()
    worker.begun_at = -ROUND_EVERY
    while worker.late or worker.look(time.monotonic()):
        worker.next_at = 0
        worker.step()
    return worker


def events_after(after: int) -> list[dict[str, Any]]:
    """What a client is told who resumes from there."""
    told: list[dict[str, Any]] = []
    while found := read_log(room_topic("1"), after, 100).events:
        told += [orjson.loads(event.json) for event in found]
        after = found[-1].offset
    return told


def swept(follower: Follower, hot: int, *tags: str) -> None:
    let_go(follower, hot, *(tags or (ROOM,)))
    worker = Sweep()
    while late := late_among(list(tags or (ROOM,)), int(time.time() * 1000)):
        for one in late:
            while worker.take(one):
                pass


NEW = ["new 6", "new 7", "new 8"]


@pytest.mark.usefixtures("kitchen")
@pytest.mark.parametrize("hot", [100, 6, 4, 0])
def test_nobody_is_told_of_it_wherever_it_lay(follower: Follower, hot: int) -> None:
    swept(follower, hot)
    assert texts() == NEW
    assert texts_of(history(ANN)) == NEW
    assert texts_of(history(ANN, Page(2, before=7))) == ["new 6"]
    assert texts_of(history(ANN, Page(after=0))) == texts_of(history(ANN, Page(after=3))) == NEW
    assert history(ANN, Page(before=6)) == []
    for message_id in (1, 5):
        with pytest.raises(MessageNotFound):
            show_message(ANN, "1", message_id)
        with pytest.raises(MessageNotFound):
            edit_message(BEN, "1", message_id, "again")
        with pytest.raises(MessageNotFound):
            delete_message(BEN, "1", message_id)
    assert show_message(ANN, "1", 6)
    summary = orjson.loads(b"{" + summaries(ANN, ["1"])[0] + b"}")
    assert (summary["unread"], summary["last_message"]["text"]) == (3, "new 8")
    told = orjson.loads(mark_read(ANN, in_room("1"), 2))
    assert (told["read"], told["unread"]) == (5, 3)
    with pytest.raises(UnknownCursor):
        mark_read(ANN, in_room("1"), 100)


@pytest.mark.usefixtures("kitchen")
@pytest.mark.parametrize("hot", [100, 0])
def test_who_resumes_from_before_it_starts_afresh_and_offsets_go_on(follower: Follower, hot: int) -> None:
    before = read_log(room_topic("1"), 0, 100)
    swept(follower, hot)
    for after in range(5):
        assert not read_log(room_topic("1"), after, 100).whole
    rest = read_log(room_topic("1"), 5, 100)
    assert (rest.whole, rest.head) == (True, before.head)
    assert [event.json for event in rest.events] == [event.json for event in before.events[5:]]
    assert post(BEN, "another")["id"] == before.head.offset + 1


@pytest.mark.usefixtures("kitchen")
def test_a_room_of_which_all_is_too_old_goes_on_where_it_was(follower: Follower, days_ago: Ago) -> None:
    let_go(follower)
    grow_old(Event.objects.all())
    swept(follower, 0)
    assert (rows(), history(ANN), client().exists(f"{ROOM}:log")) == ([], [], 0)
    assert orjson.loads(b"{" + summaries(ANN, ["1"])[0] + b"}") == {"unread": 0, "last_message": None}
    assert post(BEN, "another")["id"] == 10
    follower.copy([ROOM])
    assert texts() == texts_of(history(ANN)) == ["another"]


@pytest.mark.usefixtures("kitchen")
def test_from_the_moment_the_store_knows_nobody_is_told_though_sql_still_has_it(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go(follower)
    worker = Sweep()
    (late,) = late_among([ROOM], int(time.time() * 1000))

    def crash(topic: int, upto: int) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(retention, "take_rows", crash)
        with pytest.raises(KeyboardInterrupt):
            worker.take(late)
    assert len(texts()) == 8
    assert texts_of(history(ANN)) == NEW
    assert not read_log(room_topic("1"), 4, 100).whole
    with pytest.raises(MessageNotFound):
        show_message(ANN, "1", 5)
    assert orjson.loads(b"{" + summaries(ANN, ["1"])[0] + b"}")["unread"] == 3
    follow(Follower(threading.Event()))
    sweep()
    assert texts() == NEW


@pytest.mark.usefixtures("kitchen")
@pytest.mark.parametrize("hot", [100, 0])
def test_no_search_finds_it_and_the_index_forgets_it(
    follower: Follower, hot: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(words: str) -> list[str]:
        wanted = Search(wanted_by(words))
        return [orjson.loads(message)["text"] for message in search(ANN, wanted).messages]

    edit_message(BEN, "1", 2, "old and edited")
    let_go(follower, hot)
    assert len(found("old")) == 5
    (late,) = late_among([ROOM], int(time.time() * 1000))
    with monkeypatch.context() as patch:
        patch.setattr(retention, "take_rows", lambda topic, upto: 0)
        Sweep().take(late)
    assert (len(texts()), found("old"), found("edited"), sorted(found("new"))) == (8, [], [], NEW)
    sweep()
    assert (texts(), found("old"), sorted(found("new"))) == (NEW, [], NEW)
    if connections[ALIAS].vendor == "sqlite":
        with connections[ALIAS].cursor() as cursor:
            for word, count in (("old", 0), ("edited", 0), ("new", 3)):
                cursor.execute("SELECT count(*) FROM archive_search WHERE archive_search MATCH %s", [word])
                assert cursor.fetchone() == (count,)


@pytest.mark.usefixtures("kitchen")
def test_rows_go_in_portions_and_a_crash_between_two_is_made_good(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PORTION", 2)
    let_go(follower)
    worker = Sweep()
    (late,) = late_among([ROOM], int(time.time() * 1000))
    assert worker.take(late)
    assert len(texts()) == 6
    assert texts_of(history(ANN)) == NEW
    other = sweep()
    assert (texts(), other.expired) == (NEW, 3)


@pytest.mark.usefixtures("kitchen")
@pytest.mark.parametrize("hot", [100, 4, 1, 0])
def test_later_edits_of_it_lose_their_texts(follower: Follower, days_ago: Ago, hot: int) -> None:
    edit_message(BEN, "1", 3, "a secret")
    follower.copy([ROOM])
    edit_message(BEN, "1", 4, "a secret")
    edit_message(BEN, "1", 7, "told anew")
    swept(follower, hot)
    rest = events_after(5)
    assert [event["type"] for event in rest] == [*["message"] * 3, "room_updated", *["message_edited"] * 3]
    assert [event["message"]["text"] for event in rest[-3:]] == ["", "", "told anew"]
    assert "secret" not in repr(rows())
    assert b"secret" not in b"".join(client().dump(key) or b"" for key in list(client().scan_iter("{room:1}*")))
    follower.copy([ROOM])
    assert "secret" not in repr(rows())


@pytest.mark.usefixtures("kitchen")
def test_an_edit_that_comes_while_it_goes_leaves_no_text(follower: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    let_go(follower, 0)
    (late,) = late_among([ROOM], int(time.time() * 1000))
    real = expire_call

    def edit_first(*args: Any) -> Any:
        edit_message(BEN, "1", 4, "a secret")
        return real(*args)

    monkeypatch.setattr(retention, "expire_call", edit_first)
    Sweep().take(late)
    follower.copy([ROOM])
    assert "secret" not in repr(rows())
    assert [event["type"] for event in events_after(8)] == ["room_updated", "message_edited"]
    assert events_after(8)[-1]["message"]["text"] == ""


@pytest.mark.usefixtures("kitchen")
def test_what_is_said_while_it_goes_is_copied_as_ever(follower: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PORTION", 1)
    worker = follower.sweep
    worker.begun_at = -ROUND_EVERY
    said = []
    for number in range(12):
        said.append(f"meanwhile {number}")
        post(BEN, said[-1])
        client().sadd("{archive}:dirty", ROOM)
        worker.next_at = 0
        follower.turn()
    follow(follower)
    sweep(worker)
    assert worker.expired == 5
    assert texts() == texts_of(history(ANN)) == NEW + said


# Whose days


def test_rooms_keep_for_ever_unless_somebody_says_otherwise(follower: Follower, days_ago: Ago) -> None:
    create(ANN, "Kitchen")
    days_ago(400)
    post(BEN, "old")
    follower.copy([ROOM])
    sweep()
    assert texts() == ["old"]
    keep(401)
    sweep()
    assert texts() == ["old"]
    keep(399)
    sweep()
    assert texts() == []


def test_the_setting_is_for_rooms_that_say_nothing_the_lobby_and_direct_messages(
    follower: Follower, days_ago: Ago, settings: LazySettings, django_user_model: Any
) -> None:
    ann, ben = (django_user_model.objects.create_user(name, None).caller for name in ("ann", "ben"))
    logs = [f"{{user:{ann.id}}}", f"{{user:{ben.id}}}"]
    for name in ("Kitchen", "Garden", "Attic"):
        create(ann, name)
    update_room(ann, "2", None, None, retention=Retention(None))
    update_room(ann, "3", None, None, retention=Retention(50))
    days_ago(40)
    for room_id in ("1", "2", "3", "lobby"):
        post(ben, "old", room_id=room_id)
    send(ann, ben, "old")
    days_ago(0)
    send(ben, ann, "new")
    follower.copy([ROOM, "{room:2}", "{room:3}", "{room:lobby}", *logs])
    grow_old(Event.objects.filter(kind="room_added"))
    settings.RETENTION_DAYS = 30
    sweep()
    assert [texts(f"{{room:{room_id}}}") for room_id in ("1", "2", "3", "lobby")] == [[], ["old"], ["old"], []]
    for caller, other in ((ann, ben), (ben, ann)):
        assert texts_of(conversation(caller, other)) == ["new"]
    assert texts_of(inbox(ann)) == ["new"]
    assert inbox(ben) == []
    with pytest.raises(MessageNotFound):
        edit_direct(ann, person(ben), 4, "again")
    assert orjson.loads(mark_read(ann, between(ann, person(ben)), 0))["unread"] == 1
    assert not read_log(user_topic(ann.id, "ann"), 0, 10).whole


@pytest.mark.usefixtures("kitchen")
def test_a_room_that_is_deleted_or_whose_log_is_another_is_left_alone(follower: Follower) -> None:
    follower.copy([ROOM])
    client().hset(f"{ROOM}:head", "epoch", "another")
    assert late_among([ROOM], int(time.time() * 1000)) == []
    delete_room(ANN, "1")
    assert late_among([ROOM], int(time.time() * 1000)) == []
    assert run(expire_call(ROOM, 5, "another")) == -1


def test_a_long_log_leaves_memory_in_portions(follower: Follower, days_ago: Ago) -> None:
    create(ANN, "Kitchen")
    days_ago(20)
    post(BEN, "first")
    epoch = read_head(room_topic("1")).epoch
    client().hset(f"{ROOM}:head", mapping={"offset": 25_000})
    assert [run(expire_call(ROOM, 24_000, epoch)) for _ in range(4)] == [10_000, 20_000, 24_000, 24_000]
    assert take_rows(number_of(ROOM) or 0, 24_000) == 0
    assert history(EVE) == []
