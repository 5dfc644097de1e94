"""The archive in SQL: every event of every log, and how far each log was copied.

Both tables are written by the follower alone, but for deletions. `rows.py` says what the columns hold. An archive may
have a database of its own, so nothing here refers to an account or to a room but by its number.
"""

from __future__ import annotations

from django.db import models


class Event(models.Model):
    """One event of a topic's log. Its key is the topic's number and the offset."""

    pk = models.CompositePrimaryKey("topic", "offset")
    topic = models.BigIntegerField()
    offset = models.BigIntegerField()
    at = models.BigIntegerField(help_text="Milliseconds since 1970.")
    kind = models.TextField()
    signer = models.BigIntegerField(null=True)
    body = models.TextField(null=True)  # noqa: DJ001 - an ordinary message needs none
    text = models.TextField(null=True)  # noqa: DJ001 - '' is a deleted text, None no text at all
    was = models.TextField(null=True)  # noqa: DJ001 - the same
    edited_at = models.BigIntegerField(null=True)
    message = models.BigIntegerField(null=True)
    peer = models.BigIntegerField(null=True)
    origin = models.BigIntegerField(null=True)

    class Meta:
        db_table = "archive_event"
        default_permissions = ()

    def __str__(self) -> str:
        return f"event {self.offset} of topic {self.topic}"


class Copied(models.Model):
    """How far the log of a topic was copied: up to `offset`, of `epoch`. `at` is the time of the last event."""

    topic = models.BigIntegerField(primary_key=True)
    epoch = models.TextField()
    offset = models.BigIntegerField()
    at = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ("view",)
        verbose_name = verbose_name_plural = "archive"

    def __str__(self) -> str:
        return f"topic {self.topic} up to {self.offset}"


class Owed(models.Model):
    """Where a consumer of the follower goes on in a topic: after `offset`. There is no row where it has all."""

    pk = models.CompositePrimaryKey("consumer", "topic")
    consumer = models.CharField(max_length=100)
    topic = models.BigIntegerField()
    offset = models.BigIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.consumer} in topic {self.topic} after {self.offset}"


class StoreName(models.Model):
    """The store that this archive belongs to."""

    name = models.CharField(max_length=64, primary_key=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
