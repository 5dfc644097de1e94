"""Notices, in SQL: what admins say to everybody who is connected, and until when it is so."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from foyer.times import time_text

LONGEST_NOTICE = 1000
"""Characters."""


class NoticeQuerySet(models.QuerySet["Notice"]):
    def in_force(self, now: datetime) -> NoticeQuerySet:
        return self.filter(Q(until=None) | Q(until__gt=now))


class Notice(models.Model):
    """Something for everybody. Make and end it by `operations.py`, so that all are told."""

    class Level(models.TextChoices):
        INFO = "info", "info"
        WARNING = "warning", "warning"

    text = models.CharField(max_length=LONGEST_NOTICE)
    level = models.CharField(max_length=10, choices=Level, default=Level.INFO)
    until = models.DateTimeField(null=True, blank=True, help_text="Empty: until it is deleted.")
    at = models.DateTimeField("said", default=timezone.now, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name="by"
    )
    token = models.CharField(max_length=32, unique=True, editable=False)

    objects: ClassVar[Any] = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.text[:60]

    def as_json(self) -> dict[str, Any]:
        """The notice as clients see it."""
        until = None if self.until is None else time_text(self.until)
        return {"id": str(self.pk), "text": self.text, "level": self.level, "until": until}
