"""Old and new differ in nothing that a client can see: everything is asked with much in memory, little, and nothing."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.follower import Follower
from archive.models import Copied, Event
from archive.tests.kept import let_go
from foyer.errors import FoyerError
from foyer.paging import Page
from foyer.realtime.log import read_log
from foyer.realtime.topics import Topic, room_topic, user_topic
from foyer.store.steps import client
from messaging import operations
from messaging.operations import delete_message, edit_message, show_message
from messaging.reading import summaries
from messaging.tests.said import person, post, send
from rooms.membership import add_member, remove_member
from rooms.tests.invariants import create, empty_store
from tests.people import ANN, BEN, BOSS, EVE

ROOM = "{room:1}"
LOGS = [ROOM, "{user:1}", "{user:2}", "{user:3}"]
TOPICS = [room_topic("1"), *(user_topic(caller.id, caller.username) for caller in (ANN, BEN, EVE))]


PLACES = (0, 1, 2, 3, 5, 8, 13, 21)


def answer(ask: Any, *args: Any) -> Any:
    try:
        return ask(*args)
    except FoyerError as error:
        return error.code


def everything() -> dict[str, Any]:
    """What clients can ask: every page, every message, every place to resume from."""
    told: dict[str, Any] = {}
    cursors = [(None, None), *((place, None) for place in PLACES), *((None, place) for place in PLACES)]
    pages = [Page(limit, *cursor) for limit in (2, 100) for cursor in cursors]
    pages += [Page(limit, around=place) for limit in (1, 4, 100) for place in PLACES]
    for caller in (ANN, BEN, EVE):
        name = caller.username
        for page in pages:
            told[f"{name} room {page}"] = answer(operations.read_history, caller, "1", page)
            told[f"{name} inbox {page}"] = answer(operations.read_direct, caller, None, page)
            for other in (ANN, BEN, EVE):
                said = answer(operations.read_direct, caller, person(other), page)
                told[f"{name} {other.username} {page}"] = said
        for message_id in PLACES:
            told[f"{name} {message_id}"] = answer(show_message, caller, "1", message_id)
        told[f"{name} rooms"] = answer(summaries, caller, ["1"])
    for topic in TOPICS:
        for after in PLACES:
            told[f"{topic.name} {after}"] = whole_log(topic, after)
    return told


def whole_log(topic: Topic, after: int) -> Any:
    """All that comes after an offset, read as one who resumes does."""
    events: list[Any] = []
    while True:
        stretch = read_log(topic, after, 7)
        if not stretch.whole:
            return events and "a hole"
        events += [(event.offset, event.epoch, event.kind, event.json) for event in stretch.events]
        if not stretch.events or events[-1][0] == stretch.head.offset:
            return events
        after = events[-1][0]


TEXTS = st.sampled_from(["hi", 'a "quoted" one', "línea\n", "\u4f60\u597d", '","sent_at":"', "\x01\x02"])
people = st.sampled_from([ANN, BEN, EVE])
numbers = st.integers(1, 20)
acts = st.one_of(
    st.builds(lambda who, text: (post, who, text), people, TEXTS),
    st.builds(lambda who, to, text: (send, who, to, text), people, people, TEXTS),
    st.builds(lambda who, number, text: (edit_message, who, "1", number, text), people, numbers, TEXTS),
    st.builds(lambda who, number: (delete_message, who, "1", number), people, numbers),
    st.builds(
        lambda who, to, number, text: (operations.edit_direct, who, person(to), number, text),
        people, people, numbers, TEXTS,
    ),
    st.builds(lambda who, to, number: (operations.delete_direct, who, person(to), number), people, people, numbers),
    st.builds(lambda who: (add_member, ANN, "1", person(who)), people),
    st.builds(lambda who: (remove_member, BOSS, "1", person(who)), st.sampled_from([BEN, EVE])),
)  # fmt: skip


def without_times(answers: dict[str, Any]) -> str:
    """What was told, but for times and epochs."""
    return re.sub(r"20\d\d-\d\d-\d\dT[0-9:.]+Z|\b[0-9a-z]{10,11}\b", "T", repr(answers))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(acts, min_size=5, max_size=25), st.lists(st.tuples(st.integers(0, 25), st.integers(0, 6)), max_size=4))
def test_whatever_is_let_go_of_and_when_clients_are_told_the_same(
    follower: Follower, done: list[Any], when: list[tuple[int, int]]
) -> None:
    outcomes = list[tuple[str, str]]()
    for letting_go in (False, True):
        empty_store()
        clear_archive()
        create(ANN, "Kitchen")
        results = []
        for number, (act, *args) in enumerate(done):
            results.append(str(answer(act, *args)))
            for place, hot in when:
                if letting_go and place == number:
                    let_go(follower, hot, *LOGS)
        before = everything()
        outcomes.append((without_times({"results": results}), without_times(before)))
        if letting_go:
            for hot in (5, 1, 0):
                let_go(follower, hot, *LOGS)
                assert everything() == before, f"with the newest {hot} in memory"
            assert list(client().scan_iter("{*}:log")) == []
    assert outcomes[0] == outcomes[1]


def clear_archive() -> None:
    Event.objects.all().delete()
    Copied.objects.all().delete()
