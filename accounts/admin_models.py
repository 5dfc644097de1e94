"""Sessions and connections as Django's admin shows them. Both are kept in Redis, by `sessions.py` and the presence."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.db import models

from accounts.operations import OpenSession
from foyer.admin.stored import StoredModel
from foyer.realtime.presence import Connected, Gathering


class Session(StoredModel):
    """One session of an account. Its id is no token, and signs nobody in."""

    id = models.CharField(primary_key=True, max_length=64)
    account = models.CharField(max_length=64)
    began_at = models.DateTimeField("began")
    ends_at = models.DateTimeField("ends")

    class Meta(StoredModel.Meta):
        default_permissions = ("view", "delete")

    def __str__(self) -> str:
        return f"session of {self.account} since {self.began_at:%Y-%m-%d %H:%M:%S} UTC"

    @classmethod
    def of(cls, account_id: int, username: str, session: OpenSession) -> Session:
        ends = datetime.fromtimestamp(session.expires_at, UTC)
        return cls(f"{account_id}-{session.id}", username, ends - settings.SESSION_LIFETIME, ends)


class Connection(StoredModel):
    """A user who has connections. The store knows the serving processes that he is connected to, not each socket."""

    id = models.BigIntegerField("account", primary_key=True)
    username = models.CharField("user", max_length=64)
    since = models.DateTimeField("connected since")
    instances = models.IntegerField("serving processes", help_text="How many of them he is connected to.")
    places = models.TextField("where", help_text="The name of each, and when it last said that it lives.")

    class Meta(StoredModel.Meta):
        default_permissions = ("view", "delete")
        verbose_name = "live connection"

    def __str__(self) -> str:
        return self.username

    @classmethod
    def of(cls, user: Connected, gathering: Gathering) -> Connection:
        beats = {name: datetime.fromtimestamp(at, UTC) for name, at in gathering.beats.items()}
        places = "\n".join(f"{name}, {beats[name]:%Y-%m-%d %H:%M:%S} UTC" for name in user.instances)
        since = datetime.fromtimestamp(user.since, UTC)
        return cls(user.id, user.username, since, len(user.instances), places)
