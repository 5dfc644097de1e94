"""A room's message as Django's admin shows it. What can be done with messages is in `models.py`."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from foyer.admin.stored import StoredModel
from foyer.api.wire import fields_of


class Message(StoredModel):
    """`id` is that of the room and that of the message in it, such as 12-57."""

    id = models.CharField(primary_key=True, max_length=40)
    number = models.BigIntegerField("message id")
    room = models.CharField("room id", max_length=16)
    sender = models.CharField(max_length=64, null=True)  # noqa: DJ001 - nobody, once his account is gone
    text = models.TextField()
    sent_at = models.DateTimeField("sent")
    edited_at = models.DateTimeField("edited", null=True)

    class Meta(StoredModel.Meta):
        default_permissions = ("view", "delete")

    def __str__(self) -> str:
        """Without the text: this goes to the admin's log, which keeps what was deleted."""
        return f"message {self.number} in room {self.room}"

    @classmethod
    def of(cls, json: bytes) -> Message:
        told = fields_of(json)
        sent_at, edited_at = (told[name] and datetime.fromisoformat(told[name]) for name in ("sent_at", "edited_at"))
        number, room = told["id"], told["roomId"]
        return cls(f"{room}-{number}", number, room, told["sender"], told["text"], sent_at, edited_at)
