"""Reports: what users told of messages, with a copy of each as it was.

A report names accounts by their rows. So a deleted account is named in none, and what it wrote stays, unsigned, as in
the rooms. Nothing in the path of a message reads or writes these tables.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from foyer.times import time_text

LONGEST_REASON = 1000


def account(name: str) -> Any:
    """A column for an account; empty once that is deleted."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+",
        verbose_name=name,
    )  # fmt: skip


class Report(models.Model):
    """That a user, `by`, reported a message: of a room, or a direct one, for which `room` is ''.

    `message` is its id in the log of the room, or in that of the user who reported it.
    """

    class State(models.TextChoices):
        OPEN = "open"
        RESOLVED = "resolved"
        DISMISSED = "dismissed"

    id = models.BigAutoField("id", primary_key=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN, editable=False)
    room = models.CharField(max_length=16, blank=True, editable=False)
    message = models.BigIntegerField("id of the message", editable=False)
    sender = account("who wrote it")
    to = account("to whom")
    text = models.TextField("text of the message", editable=False)
    sent_at = models.CharField("sent", max_length=24, editable=False)
    edited_at = models.CharField("edited", max_length=24, blank=True, editable=False)
    reason = models.CharField(max_length=LONGEST_REASON, editable=False)
    by = account("reported by")
    at = models.DateTimeField("reported", editable=False)
    note = models.CharField(max_length=LONGEST_REASON, blank=True)
    closed_by = account("closed by")
    closed_at = models.DateTimeField("closed", null=True, editable=False)

    class Meta:
        default_permissions = ("view", "change")
        constraints = [models.UniqueConstraint(fields=["by", "room", "message"], name="one_report_each")]
        indexes = [models.Index(fields=["state", "id"])]

    def __str__(self) -> str:
        return f"report {self.pk}"

    @property
    def copy(self) -> dict[str, Any]:
        """The message as it was, but for the names of accounts that are gone."""
        place = {"roomId": self.room} if self.room else {"to": name_of(self.to)}
        return {
            "id": self.message,
            **place,
            "sender": name_of(self.sender),
            "text": self.text,
            "sent_at": self.sent_at,
            "edited_at": self.edited_at or None,
        }

    def as_json(self) -> dict[str, Any]:
        """What clients get; of a report that was closed, also by whom, when and with which note."""
        told: dict[str, Any] = {
            "id": self.pk,
            "state": self.state,
            "message": self.copy,
            "reason": self.reason,
            "by": name_of(self.by),
            "at": time_text(self.at),
        }
        if self.closed_at is not None:
            told |= {
                "note": self.note or None,
                "closed_by": name_of(self.closed_by),
                "closed_at": time_text(self.closed_at),
            }
        return told


def name_of(row: Any) -> str | None:
    return None if row is None else row.username
