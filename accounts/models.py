"""Accounts: names, passwords and the JSON that users keep with them, in SQL.

A row has a copy in Redis (`operations.py`) that tokens are checked against. Change an account's name, rights or
password by `save`, which keeps row and copy the same. `QuerySet.update` on those fields does not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from accounts import operations, passwords
from accounts.callers import Caller
from accounts.errors import EmailTaken, UsernameTaken, UserNotFound
from accounts.name_cache import bar_name
from accounts.names import KEY_LENGTH, USERNAME_LENGTH, email_key, normal_username, username_key, validate_username
from accounts.operations import Standing
from accounts.signals import suspension_changed
from accounts.signed_in import Connection as Connection
from accounts.signed_in import Session as Session
from accounts.suspension import REASON_LENGTH, SUSPENSION, Suspension
from foyer.api.retry_keys import RetryKey
from foyer.api.wire import encode
from foyer.errors import Busy, InvalidInput, RetryKeyReused
from foyer.store.fullness import fullness
from foyer.store.models import StoredQuerySet
from foyer.text import key_of, normal

DATA_SIZE = 16 * 1024
"""Bytes of `data` as JSON, at most."""


before_deletion: list[Callable[[int], None]] = []
"""Functions of other apps that run before the row of an account is deleted, with its id. After a crash they run
again."""


class UsernameKey(models.CharField):  # type: ignore[type-arg]  # it takes none at run time
    """The key by which usernames are compared, made from `username` whenever a row is written.

    A key that an earlier release made from the same name stays: another account may have the newer one.
    """

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        account: Account = model_instance  # type: ignore[assignment]
        key = username_key(account.username) or account.username
        if key_of(account.username_key) != key:
            account.username_key = key
        return account.username_key


class AccountManager(BaseUserManager["Account"]):
    def called(self, username: str) -> Account | None:
        """The account of that name, in any case.

        Two accounts of earlier releases may count as the same name now. Each is found by exactly its own spelling.
        """
        key = username_key(username)
        if key is None:
            return None
        found = self.filter(username_key=key).first()
        name = normal(username)
        return found if found and found.username == name else self.filter(username=name).first() or found

    def with_email(self, email: str) -> Account | None:
        """The account with that address, in any case."""
        try:
            return self.filter(email_key=email_key(email)).first()
        except ValueError:
            return None

    def get_by_natural_key(self, username: str | None) -> Account:
        return self.get(username_key=username_key(username or ""))

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> Account:
        """Make an account; without a password it can't sign in. For input of clients there is `Account.sign_up`."""
        account = self.model(username=normal_username(username), **fields)
        account.set_password(password)
        account.save(using=self._db)
        return account

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> Account:
        """Make an admin who may do everything in Django's admin too."""
        return self.create_user(username, password, is_staff=True, is_superuser=True, **fields)


class Account(AbstractBaseUser, PermissionsMixin):
    """Somebody who can sign in. `is_staff` makes an admin, over REST, on sockets and in Django's admin."""

    id = models.BigAutoField(primary_key=True)
    username = models.CharField(max_length=USERNAME_LENGTH, unique=True, validators=[validate_username])
    username_key = UsernameKey(max_length=KEY_LENGTH, unique=True, editable=False)
    email = models.CharField(max_length=254, null=True, editable=False)  # noqa: DJ001 - absent, not empty
    email_key = models.CharField(max_length=KEY_LENGTH, null=True, unique=True, editable=False)  # noqa: DJ001
    data_json = models.TextField("data", default="{}", db_column="data", help_text="A JSON object.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    is_active = models.BooleanField("active", default=True, help_text="Who is not active can't sign in.")
    suspended_at = models.DateTimeField(null=True, editable=False)
    suspended_until = models.DateTimeField(null=True, blank=True, help_text="Empty: until it is lifted.")
    suspension_reason = models.CharField(
        max_length=REASON_LENGTH, blank=True, default="", db_default="", help_text="The user is told."
    )
    suspended_by = models.ForeignKey("self", models.SET_NULL, null=True, editable=False, related_name="+")
    is_staff = models.BooleanField("admin", default=False, help_text="May change other accounts, rooms and tables.")
    retry_key = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001
    retry_request = models.CharField(max_length=64, blank=True, editable=False)

    objects: ClassVar[AccountManager] = AccountManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    STANDING = frozenset({"username", "password", "is_active", "is_staff", *SUSPENSION})
    """The fields that the copy in Redis follows."""

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.username

    @property
    def user_type(self) -> str:
        return self.caller.user_type

    @property
    def caller(self) -> Caller:
        """Its owner, signed in without a session."""
        return Caller(self.pk, self.username, self.is_staff, stamp=self.standing.stamp)

    @property
    def standing(self) -> Standing:
        suspended = self.suspended_at, self.suspended_until, self.suspension_reason
        return Standing.of(self.pk, self.username, self.is_staff, self.is_active, self.password, *suspended)

    @property
    def suspension(self) -> Suspension | None:
        """None if the account is not suspended at this moment."""
        return Suspension.of(self.suspended_at, self.suspended_until, self.suspension_reason)

    @property
    def sessions(self) -> StoredQuerySet[Session]:
        """Those that are open, the latest to begin first."""
        return Session.objects.filter(account=self)

    # Data

    @property
    def data(self) -> dict[str, Any]:
        """The user's own JSON. It comes out as it went in: order of keys, integers of any length, every character."""
        content: dict[str, Any] = json.loads(self.data_json)
        return content

    @data.setter
    def data(self, content: dict[str, Any]) -> None:
        """Raises `InvalidInput` if it is too large or its `email` is not one."""
        text = encode(content)
        if len(text) > DATA_SIZE:
            raise InvalidInput({"data": [f"At most {DATA_SIZE} bytes of JSON, this is {len(text)}."]})
        email = content.get("email")
        if email is not None and not isinstance(email, str):
            raise InvalidInput({"email": ["An email address is a string."]})
        try:
            self.email_key = None if email is None else email_key(email)
        except ValueError as error:
            raise InvalidInput({"email": [str(error)]}) from None
        self.email = email
        self.data_json = text.decode()

    def replace_data(self, content: dict[str, Any]) -> None:
        """Put `content` in the place of all data. Raises `InvalidInput`, `EmailTaken`, `UserNotFound`."""
        self.rewrite_data(lambda old: content)

    def merge_data(self, patch: dict[str, Any]) -> None:
        """Merge `patch` into the data (RFC 7396): objects are merged, `null` removes. Raises as `replace_data` does."""
        self.rewrite_data(lambda old: merged(old, patch))

    def rewrite_data(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Change the data in one step, whatever others do to it at the same time."""
        try:
            with transaction.atomic():
                row = self.locked()
                self.data = change(row.data)
                self.save(update_fields=["data_json", "email", "email_key"])
        except IntegrityError:
            raise EmailTaken from None

    def locked(self) -> Account:
        """The row as it is, kept so until the transaction ends. Raises `UserNotFound`."""
        row = Account.objects.select_for_update().filter(pk=self.pk).first()
        if row is None:
            raise UserNotFound
        return row

    # Signing up

    @classmethod
    def sign_up(
        cls,
        username: str,
        password: str,
        data: dict[str, Any],
        retry: RetryKey | None = None,
        address: str | None = None,
    ) -> Account:
        """Make an account; with a retry key that came before, find the one it made. It is counted for the client's
        `address`, if there is one.

        Raises `InvalidInput`, `UsernameTaken`, `EmailTaken`, `RetryKeyReused`, `TooManyRequests`, `NearlyFull`, `Busy`.
        Of two at once with one name one makes it; of two with one retry key both get the same account.
        """
        fullness.check()
        account = cls.draft(username, password, data)
        if retry is not None:
            account.retry_key, account.retry_request = retry.digest(), fingerprint(account.username, data)
        if first := account.made_before(password):
            return first
        account.refuse_if_taken()  # before the time for a hash is spent
        if address is not None:
            operations.count_sign_up(address)
        account.password = passwords.hash_password(password)
        try:
            with transaction.atomic():
                account.save(force_insert=True)
        except IntegrityError:
            if first := account.made_before(password):
                return first
            account.refuse_if_taken()
            raise Busy from None  # who was in the way has just been deleted
        return account

    @classmethod
    def draft(cls, username: str, password: str, data: dict[str, Any]) -> Account:
        """An account that is not stored. Raises `InvalidInput` with every field that is wrong."""
        account, wrong = cls(), {}
        try:
            account.username = normal_username(username)
        except ValueError as error:
            wrong["username"] = [str(error)]
        try:
            passwords.check_new_password(password)
        except ValueError as error:
            wrong["password"] = [str(error)]
        try:
            account.data = data
        except InvalidInput as error:
            wrong |= error.fields
        if wrong:
            raise InvalidInput(wrong)
        return account

    def made_before(self, password: str) -> Account | None:
        """The account that an earlier request with this retry key made. Raises `RetryKeyReused`."""
        if self.retry_key is None:
            return None
        same_key = Account.objects.filter(retry_key=self.retry_key)
        same_key.filter(created_at__lt=timezone.now() - settings.RETRY_KEY_LIFETIME).update(retry_key=None)
        first = same_key.first()
        if first is None:
            return None
        same_request = first.retry_request == self.retry_request
        if not same_request or not passwords.in_slot(passwords.matches, password, first.password):
            raise RetryKeyReused
        return first

    def refuse_if_taken(self) -> None:
        """Raise `UsernameTaken` or `EmailTaken`. An account whose deletion was cut short is deleted on the way."""
        key = username_key(self.username)
        for taken, error in (({"username_key": key}, UsernameTaken), ({"email_key": self.email_key}, EmailTaken)):
            holder = None if None in taken.values() else Account.objects.filter(**taken).first()
            if holder is None:
                continue
            if not operations.is_gone(holder.pk):
                raise error
            holder.delete()

    # Changing and leaving

    def change_password(self, new: str) -> None:
        """Set another password and end every session. Raises `InvalidInput`, `UserNotFound`, `Busy`."""
        try:
            passwords.check_new_password(new)
        except ValueError as error:
            raise InvalidInput({"new": [str(error)]}) from None
        self.password = passwords.hash_password(new)
        self.save(update_fields=["password"])

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Write the row, and its copy in Redis where that follows it.

        Every session ends when the password changed, the account was disabled or suspended, or is no admin any more.
        Raises `Unavailable` before anything was written, `AccountGone` once its deletion has begun.
        """
        fields = None if update_fields is None else frozenset(update_fields)
        if self._state.adding or (fields is not None and not fields & self.STANDING):
            super().save(*args, update_fields=fields, **kwargs)
            return
        with transaction.atomic():
            old = self.locked()
            if old.username != self.username:
                bar_name(old.username_key)
            less = (old.is_staff and not self.is_staff) or not self.is_active or self.suspension is not None
            change = operations.hold(self.pk, end_all=less or old.password != self.password)
            super().save(*args, update_fields=fields, **kwargs)
            standing = Account.objects.get(pk=self.pk).standing  # fields that were not written may be older here
            transaction.on_commit(partial(operations.keep_copy, standing, change), robust=True)

    def suspend(self, by: Caller | None, until: datetime | None, reason: str) -> Suspension:
        """Suspend the account until then, or until `lift_suspension`; its sessions end. Replaces what was there.

        Raises `AccountChanging`, `AccountGone`, `UserNotFound`.
        """
        self.suspended_at, self.suspended_until, self.suspension_reason = timezone.now(), until, reason
        self.suspended_by_id = by.id or None if by else None
        self.save(update_fields=[*SUSPENSION, "suspended_by"])
        suspension = Suspension(self.suspended_at, until, reason)
        suspension_changed.send(Account, account=self, by=by, suspension=suspension)
        return suspension

    def lift_suspension(self, by: Caller | None) -> None:
        """End the suspension, if there is one. Raises as `suspend` does."""
        if self.suspended_at is None:
            return
        self.suspended_at = self.suspended_until = self.suspended_by = None
        self.suspension_reason = ""
        self.save(update_fields=[*SUSPENSION, "suspended_by"])
        suspension_changed.send(Account, account=self, by=by, suspension=None)

    def renew_hash(self, proven: str) -> None:
        """Hash a password that was just proven anew, where an earlier release hashed it as sent. No session ends."""
        if not passwords.is_outdated(proven, self.password):
            return
        before, self.password = self.password, passwords.hash_password(proven)
        with transaction.atomic():
            if Account.objects.filter(pk=self.pk, password=before).update(password=self.password):
                change = operations.hold(self.pk, end_all=False)
                transaction.on_commit(partial(operations.keep_copy, self.standing, change), robust=True)

    def renew_copy(self) -> None:
        """Put a copy of the row as it is in the place of what Redis has: that of an SQL database restored meanwhile."""
        with transaction.atomic():
            standing = self.locked().standing
            change = operations.hold(self.pk, end_all=False)
            transaction.on_commit(partial(operations.keep_copy, standing, change), robust=True)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the account: its sessions, what other apps hold of it, its row.

        Raises `Unavailable` if the store is away. Every step may be repeated, and the row goes last: after a crash
        the account can be deleted again, and is when somebody signs in to it or wants its name.
        """
        operations.bury(self.pk)
        for forget in before_deletion:
            forget(self.pk)
        bar_name(self.username_key)
        return super().delete(*args, **kwargs)


def fingerprint(username: str, data: dict[str, Any]) -> str:
    """What tells one sign-up from another, save for the password: that is compared by its hash alone."""
    return hashlib.sha256(json.dumps([username, data], sort_keys=True).encode()).hexdigest()


def merged(old: Any, patch: Any) -> Any:
    """`old` with `patch` merged into it, as RFC 7396 says."""
    if not isinstance(patch, dict):
        return patch
    result = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
