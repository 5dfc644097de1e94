"""A room as Django's admin shows it. What a room is, and everything that can be done with one, is in `models.py`."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from foyer.admin.stored import StoredModel
from foyer.api.wire import fields_of


class Room(StoredModel):
    id = models.CharField("room id", primary_key=True, max_length=16, editable=False)
    name = models.CharField(max_length=100)
    members_only = models.BooleanField("for members only", default=False)
    owner = models.CharField(max_length=64, null=True)  # noqa: DJ001 - nobody, of the lobby or once his account is gone
    created_at = models.DateTimeField("created")

    class Meta(StoredModel.Meta):
        pass

    def __str__(self) -> str:
        return self.name or f"room {self.pk}"

    @classmethod
    def of(cls, json: bytes) -> Room:
        room = fields_of(json)
        created_at = datetime.fromisoformat(room["created_at"])
        return cls(room["roomId"], room["name"], room["members_only"], room["owner"], created_at)
