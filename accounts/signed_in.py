"""Sessions and connected users, as models that are kept in Redis. Part of `accounts.models`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from accounts.operations import OpenSession, end_all_sessions, end_session, list_sessions, start_session
from foyer.errors import NotFound
from foyer.realtime.presence import ONLINE, Connected, Gathering, connected
from foyer.store.models import Part, StoredManager, StoredModel, StoredQuerySet
from foyer.store.steps import Steps


class SessionQuerySet(StoredQuerySet["Session"]):
    """Sessions of an account, the latest to begin first."""

    answers = (("account",),)
    needs = "account"

    def read(self, place: Any, size: int) -> Steps[Part[Session]]:
        account = self.wanted["account"]
        account_id = getattr(account, "pk", account)
        rows = [Session.of(session, account_id) for session in (yield from list_sessions.steps(account_id))]
        for row in rows:
            if account is not account_id:
                row.account = account
        return rows[::-1] if self.is_reversed else rows, None


class Session(StoredModel):
    """One session of an account. Its id is not a token; nobody can sign in with it."""

    id = models.CharField(primary_key=True, max_length=64)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.DO_NOTHING, related_name="+", db_constraint=False)
    began_at = models.DateTimeField("began")
    ends_at = models.DateTimeField("ends")

    objects: ClassVar[StoredManager[Session]] = SessionQuerySet.as_manager()
    made_of = frozenset({"account_id"})

    token = ""
    """The token of the session. It is not stored, so it is here only right after the session was made."""

    class Meta(StoredModel.Meta):
        default_permissions = ("view", "delete")

    def __str__(self) -> str:
        return f"session of account {self.account_id} since {self.began_at:%Y-%m-%d %H:%M:%S} UTC"

    @classmethod
    def of(cls, session: OpenSession, account_id: int) -> Session:
        begins, ends = (datetime.fromtimestamp(at, UTC) for at in (session.began_at, session.expires_at))
        return cls.stored(id=f"{account_id}-{session.id}", account_id=account_id, began_at=begins, ends_at=ends)

    @classmethod
    def reading(cls, pk: Any) -> Steps[Session]:
        account, _, session_id = str(pk).partition("-")
        if not (account.isascii() and account.isdecimal() and len(account) < 19):
            raise NotFound
        for session in (yield from list_sessions.steps(int(account))):
            if session.id == session_id:
                return cls.of(session, int(account))
        raise NotFound

    def making(self) -> Steps[Session]:
        """Sign `account` in, without asking for its password. Raises `AccountGone`, `AccountChanged`."""
        begun = yield from start_session.steps(self.account.standing)
        self.token = begun.token
        return Session.of(OpenSession(begun.id, begun.expires_at), self.account_id)

    def removing(self) -> Steps[None]:
        yield from end_session.steps(self.account_id, self.pk.partition("-")[2])


class ConnectionQuerySet(StoredQuerySet["Connection"]):
    """Users who are connected, the latest to come first. While users come and go, a loop may miss or repeat one."""

    numbered = True

    def read(self, place: Any, size: int) -> Steps[Part[Connection]]:
        if self.is_reversed:
            raise self.cannot("reverse()", "The latest come first.")
        start = place or 0
        found = yield from connected.steps(ONLINE, start, size)
        end = start + size
        return [Connection.of(user, found) for user in found.users], end if end < found.total else None

    def counting(self) -> Steps[int]:
        if self.is_cut or self.wanted:
            return (yield from super().counting())
        return (yield from connected.steps(ONLINE, 0, 1)).total


class Connection(StoredModel):
    """A user who has connections. The store knows which serving processes they are connected to, not each socket."""

    id = models.BigIntegerField("account", primary_key=True)
    username = models.CharField("user", max_length=64)
    since = models.DateTimeField("connected since")
    instances = models.IntegerField("serving processes", help_text="How many of them the user is connected to.")
    places = models.TextField("where", help_text="The name of each, and when it last said that it lives.")

    objects: ClassVar[StoredManager[Connection]] = ConnectionQuerySet.as_manager()

    class Meta(StoredModel.Meta):
        default_permissions = ("view", "delete")
        verbose_name = "live connection"

    def __str__(self) -> str:
        return self.username

    @classmethod
    def of(cls, user: Connected, gathering: Gathering) -> Connection:
        beats = {name: datetime.fromtimestamp(at, UTC) for name, at in gathering.beats.items()}
        return cls.stored(
            id=user.id,
            username=user.username,
            since=datetime.fromtimestamp(user.since, UTC),
            instances=len(user.instances),
            places="\n".join(f"{name}, {beats[name]:%Y-%m-%d %H:%M:%S} UTC" for name in user.instances),
        )

    @classmethod
    def reading(cls, pk: Any) -> Steps[Connection]:
        if not str(pk).isdecimal():
            raise NotFound
        found = yield from connected.steps(ONLINE, 0, 1, int(pk))
        if not found.users:
            raise NotFound
        return cls.of(found.users[0], found)

    def removing(self) -> Steps[None]:
        """End all sessions of the user, and with them the connections."""
        yield from end_all_sessions.steps(self.pk)
