"""The log of a topic: offsets, epochs, stretches."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foyer.realtime.log import Head, read_head, read_log
from foyer.realtime.tests.talk import say
from foyer.realtime.topics import room_topic, user_topic
from foyer.store.steps import client

ROOM = room_topic("7001")


def test_a_log_that_was_never_written_stands_at_nothing() -> None:
    assert read_head(ROOM) == Head(0, "")
    assert read_log(ROOM, 0, 10).events == []


def test_offsets_rise_by_one_and_the_epoch_stays() -> None:
    assert [say(ROOM, text) for text in "abc"] == [1, 2, 3]
    offset, epoch = read_head(ROOM)
    say(ROOM, "d")
    assert offset == 3
    assert epoch
    assert read_head(ROOM) == Head(4, epoch)


def test_an_event_is_composed_with_its_topic_and_offset() -> None:
    say(ROOM, "hi")
    event = read_log(ROOM, 0, 10).events[0]
    assert orjson.loads(event.json) == {"type": "message", "topic": "room:7001", "offset": 1, "text": "hi"}
    assert (event.offset, event.kind) == (1, "message")


def test_a_stretch_holds_what_came_after_in_order() -> None:
    for number in range(10):
        say(ROOM, str(number))
    stretch = read_log(ROOM, 4, 3)
    assert [event.offset for event in stretch.events] == [5, 6, 7]
    assert stretch.whole
    assert stretch.head.offset == 10


def test_an_offset_the_log_has_not_reached_is_not_whole() -> None:
    say(ROOM, "only")
    assert not read_log(ROOM, 2, 10).whole


def test_another_epoch_is_not_whole() -> None:
    say(ROOM, "only")
    assert read_log(ROOM, 0, 10, read_head(ROOM).epoch).whole
    assert not read_log(ROOM, 0, 10, "older").whole


def test_a_log_that_lost_events_is_not_whole() -> None:
    for text in "abc":
        say(ROOM, text)
    client().xdel(f"{ROOM.tag}:log", "2-0")
    assert not read_log(ROOM, 0, 10).whole
    assert read_log(ROOM, 2, 10).whole


def test_a_node_that_takes_a_log_over_starts_an_epoch_and_remembers_the_one_before() -> None:
    for text in "abc":
        say(ROOM, text)
    earlier = read_head(ROOM).epoch
    client().hset(f"{ROOM.tag}:head", "node", "the node that was here before")
    say(ROOM, "d")
    assert read_head(ROOM).epoch != earlier
    assert read_log(ROOM, 3, 10, earlier).whole, "who had heard all that is shared goes on"
    client().hset(f"{ROOM.tag}:head", "shared", 2)
    assert not read_log(ROOM, 3, 10, earlier).whole, "who had heard more than the promoted node knows can't"


@pytest.mark.parametrize("name", ["User Name", 'quo"te', "back\\slash", "Ünïcødé 💬", "a}b{c"])
def test_a_topic_is_named_exactly(name: str) -> None:
    topic = user_topic(41, name)
    say(topic, "hi")
    assert orjson.loads(read_log(topic, 0, 10).events[0].json)["topic"] == f"user:{name}"


@given(st.text(max_size=200))
def test_what_goes_into_an_event_comes_out(text: str) -> None:
    if not text.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in text):
        return
    offset = say(ROOM, text)
    assert orjson.loads(read_log(ROOM, offset - 1, 1).events[0].json)["text"] == text
