"""Messages of rooms, as models. Their operations are in `operations.py`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, cast

from django.core.validators import MaxLengthValidator, ProhibitNullCharactersValidator
from django.db import models

from accounts.callers import SERVER, Caller, Somebody, signed_by, trusted
from accounts.people import Person, afind_person, find_person
from foyer.api.wire import fields_of
from foyer.paging import Page
from foyer.store.models import Part, StoredManager, StoredModel, StoredQuerySet
from foyer.store.steps import Steps
from messaging.errors import MessageNotFound, NotTheSender
from messaging.operations import delete_message, edit_message, post_message, read_history, show_message
from messaging.serializers import LONGEST_TEXT, NOT_BLANK

MESSAGE_ID = re.compile(r"(.+)-([0-9]{1,15})", re.ASCII)


class MessageQuerySet(StoredQuerySet["Message"]):
    """Messages of a room, the newest first."""

    answers = (("room", "number__gt", "number__lt"), ("room", "number"))
    needs = "room"
    order = "-number"

    def read(self, place: Any, size: int) -> Steps[Part[Message]]:
        room = id_of(self.wanted["room"])
        if "number" in self.wanted:
            try:
                return [Message.of((yield from show_message.steps(SERVER, room, int(self.wanted["number"]))))], None
            except MessageNotFound:
                return [], None
        after, before = int(self.wanted.get("number__gt", 0)), self.wanted.get("number__lt")
        if self.is_reversed:
            found = yield from read_history.steps(SERVER, room, Page(size, before, place or after))
            rows = [Message.of(message) for message in found.messages]
        else:
            found = yield from read_history.steps(SERVER, room, Page(size, place or before))
            rows = [row for row in map(Message.of, reversed(found.messages)) if row.number > after]
        return rows, rows[-1].number if rows and found.more else None


class Message(StoredModel):
    """A message of a room. `number` is its id in the room, `id` that of the room and its own, such as 12-57.

    `save` gives it another text.
    """

    id = models.CharField(primary_key=True, max_length=40)
    number = models.BigIntegerField("message id")
    room = models.CharField("room id", max_length=16)
    sender = models.CharField(max_length=64, null=True)  # noqa: DJ001 - null once the account is gone
    text = models.TextField(validators=[MaxLengthValidator(LONGEST_TEXT), NOT_BLANK, ProhibitNullCharactersValidator()])
    sent_at = models.DateTimeField("sent")
    edited_at = models.DateTimeField("edited", null=True)

    objects: ClassVar[StoredManager[Message]] = MessageQuerySet.as_manager()
    made_of = frozenset({"room", "sender", "text"})
    changeable = frozenset({"text"})

    class Meta(StoredModel.Meta):
        default_permissions = ("view", "delete")

    def __str__(self) -> str:
        """Without the text: this goes to the admin's log, which keeps what was deleted."""
        return f"message {self.number} of {self.sender or 'a deleted account'} in room {self.room}"

    @classmethod
    def of(cls, json: bytes) -> Message:
        told = fields_of(json)
        sent_at, edited_at = (told[name] and datetime.fromisoformat(told[name]) for name in ("sent_at", "edited_at"))
        return cls.stored(
            id=f"{told['roomId']}-{told['id']}",
            number=told["id"],
            room=told["roomId"],
            sender=told["sender"],
            text=told["text"],
            sent_at=sent_at,
            edited_at=edited_at,
        )

    @classmethod
    def reading(cls, pk: Any) -> Steps[Message]:
        parts = MESSAGE_ID.fullmatch(str(pk))
        if parts is None:
            raise MessageNotFound
        return cls.of((yield from show_message.steps(SERVER, parts[1], int(parts[2]))))

    def making(self, *, retry_key: str | None = None) -> Steps[Message]:
        """`sender` is an account, `room` a room or its id. With a retry key that came before, it is that message."""
        sender = trusted(cast(Any, self.sender))
        return Message.of((yield from post_message.steps(sender, id_of(self.room), self.text, retry_key)))

    def changing(self, names: frozenset[str], *, sender: Person | None = None) -> Steps[Message]:
        assert sender is not None, "save() and asave() say who"
        caller = Caller(sender.id, sender.username, is_admin=True)
        return Message.of((yield from edit_message.steps(caller, self.room, self.number, self.text)))

    def removing(self, *, by: Somebody | None = None) -> Steps[None]:
        yield from delete_message.steps(signed_by(by), self.room, self.number)

    # A message is edited in the name of its sender, whose account SQL knows

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        if self.changed():
            options["sender"] = find_person(self.known_sender())
        super().save(update_fields=update_fields, **options)

    async def asave(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        if self.changed():
            options["sender"] = await afind_person(self.known_sender())
        await super().asave(update_fields=update_fields, **options)

    def known_sender(self) -> str:
        sender: str | None = self.known["sender"]
        if sender is None:
            raise NotTheSender("The account that sent this is gone, so nobody can edit it.")
        return sender


def id_of(room: Any) -> str:
    """The id of a room, which may be given itself."""
    return str(getattr(room, "pk", room))
