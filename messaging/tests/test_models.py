from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import Account
from foyer.errors import InvalidInput
from foyer.store.models import NotInRedis
from messaging.errors import NotTheSender
from messaging.models import Message
from messaging.tests.said import room_events
from rooms.errors import RoomNotFound
from rooms.models import Room
from tests.steps import round_trips

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ann() -> Account:
    return Account.objects.create_user("ann", None)


@pytest.fixture
def ben() -> Account:
    return Account.objects.create_user("ben", None)


@pytest.fixture
def room(ann: Account) -> Room:
    return Room.objects.create(owner=ann, name="general", members_only=True)


def say(room: Room, sender: Account, count: int) -> list[Message]:
    return [Message.objects.create(room=room, sender=sender, text=f"text {number}") for number in range(count)]


def test_a_message_is_signed_by_its_sender_who_need_not_be_a_member(room: Room, ben: Account) -> None:
    message = Message.objects.create(room=room, sender=ben, text=" hi ")
    assert (message.room, message.sender, message.text, message.edited_at) == (room.pk, "ben", " hi ", None)
    assert abs((datetime.now(UTC) - message.sent_at).total_seconds()) < 60
    (event,) = room_events(room.pk)
    assert event["message"]["sender"] == "ben"
    for found in (
        Message.objects.get(pk=message.pk),
        Message.objects.get(room=room, number=message.number),
        Message.objects.get(room=room.pk, number=str(message.number)),
    ):
        assert found.known == message.known


def test_messages_of_a_room_are_listed_newest_first_there_and_back_from_any_of_them(room: Room, ann: Account) -> None:
    said = say(room, ann, 7)
    every = Message.objects.filter(room=room)
    assert list(every) == list(every.order_by("-number")) == said[::-1]
    assert list(every.reverse()) == list(every.order_by("number")) == said
    assert list(every[:2]) == [said[6], said[5]]
    assert list(every.filter(number__lt=said[3].number)[:2]) == [said[2], said[1]]
    assert list(every.filter(number__gt=said[3].number).reverse()[:2]) == [said[4], said[5]]
    between = every.filter(number__gt=said[1].number, number__lt=said[5].number)
    assert list(between) == said[4:1:-1]
    assert list(between.reverse()) == said[2:5]
    assert list(every.iterator(chunk_size=2)) == said[::-1]
    assert list(every.reverse().iterator(chunk_size=2)) == said
    assert (every.first(), every.last()) == (said[6], said[0])


def test_messages_are_listed_across_what_lies_between_them(room: Room, ann: Account, ben: Account) -> None:
    first, gone, last = say(room, ann, 3)
    room.members.add(ben)
    gone.delete()
    after = Message.objects.create(room=room, sender=ben, text="later")
    assert list(Message.objects.filter(room=room).iterator(chunk_size=1)) == [after, last, first]
    assert not Message.objects.filter(room=room, number=gone.number).exists()
    with pytest.raises(Message.DoesNotExist):
        Message.objects.get(pk=gone.pk)


@pytest.mark.parametrize("pk", ["", "1", "1-", "-1", "1-x", "1-²", "x-1", "1-99", "99-1", None, "1-1-1"])
def test_what_is_no_id_of_a_message_belongs_to_none(room: Room, pk: Any) -> None:
    with pytest.raises(Message.DoesNotExist):
        Message.objects.get(pk=pk)


def test_a_list_takes_a_room_that_is_there(room: Room) -> None:
    assert list(Message.objects.filter(room="lobby")) == []
    with pytest.raises(NotInRedis, match=r"Say which: filter\(room=…\)"):
        list(Message.objects.all())
    room.delete()
    with pytest.raises(RoomNotFound):
        list(Message.objects.filter(room=room))


def test_saving_edits_in_the_name_of_the_sender(room: Room, ben: Account) -> None:
    message = Message.objects.create(room=room, sender=ben, text="hi")
    message.text = "hi!"
    message.save()
    assert message.edited_at is not None
    assert Message.objects.get(pk=message.pk).text == "hi!"
    edited = room_events(room.pk)[-1]
    assert (edited["type"], edited["message"]["sender"], edited["message"]["text"]) == ("message_edited", "ben", "hi!")
    message.sender = "ann"
    with pytest.raises(NotInRedis, match=r"to set sender .* What can be set: text\."):
        message.save()


def test_what_a_deleted_account_said_stays_as_it_is(room: Room, ben: Account) -> None:
    message = Message.objects.create(room=room, sender=ben, text="hi")
    ben.delete()
    message.refresh_from_db()
    assert (message.sender, message.text) == (None, "hi")
    message.text = "other"
    with pytest.raises(NotTheSender, match="is gone"):
        message.save()
    assert message.delete() == (1, {"messaging.Message": 1})


@pytest.mark.parametrize("text", ["", "  \n", "x" * 4097, "a\0b"])
def test_a_text_that_cannot_be_said_is_refused(room: Room, ann: Account, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Message.objects.create(room=room, sender=ann, text=text)
    assert list(refused.value.fields) == ["text"]
    message = Message.objects.create(room=room, sender=ann, text="fine")
    message.text = text
    with pytest.raises(InvalidInput):
        message.save()


def test_a_message_needs_a_sender_and_a_room(room: Room, ann: Account) -> None:
    with pytest.raises(TypeError, match="A stored account is expected"):
        Message.objects.create(room=room, text="hi")
    with pytest.raises(RoomNotFound):
        Message.objects.create(room="99", sender=ann, text="hi")


def test_a_retry_key_makes_saying_it_again_safe(room: Room, ann: Account) -> None:
    first, again = (Message.objects.create(room=room, sender=ann, text="hi", retry_key="k") for _ in range(2))
    assert list(Message.objects.filter(room=room)) == [first] == [again]


async def test_messages_can_be_awaited(ann: Account, ben: Account) -> None:
    room = await Room.objects.acreate(owner=ann, name="general")
    message = await Message.objects.acreate(room=room, sender=ben, text="hi")
    message.text = "hi!"
    await message.asave()
    assert [found.text async for found in Message.objects.filter(room=room)] == ["hi!"]
    assert await message.adelete() == (1, {"messaging.Message": 1})
    assert not await Message.objects.filter(room=room).aexists()


def test_a_message_costs_what_its_operations_cost(room: Room, ben: Account) -> None:
    assert round_trips(lambda: say(room, ben, 1)) == 3  # the sender is new to the room
    (message,) = say(room, ben, 1)
    assert round_trips(lambda: say(room, ben, 1)) == 1
    assert round_trips(lambda: list(Message.objects.filter(room=room)[:50])) == 1
    message.text = "edited"
    assert round_trips(message.save) == 1
