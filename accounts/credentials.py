"""Checking names and passwords, and the limits on failed attempts.

An unknown name gets the same answer after the same time as a wrong password. Failures are limited for an account and
address together, with higher limits for either alone, whether or not the account exists. The limits are checked right
before the hash is computed, and a failure is noted right after, both in the same slot. So no more attempts get past a
full limit than are hashed at once.

A password that was proven lately is not hashed again. The limits of the address are checked first: beyond them a right
guess gets the same answer as a wrong one. The limit of the account alone does not apply to an address that has proven
this password. So guesses from elsewhere don't lock out users who are signed in.
"""

from __future__ import annotations

import hmac
import math
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from channels.db import database_sync_to_async
from django.conf import settings

from accounts.callers import Caller
from accounts.errors import AccountChanged, AccountGone, TooManySignIns, WrongPassword
from accounts.models import Account
from accounts.operations import Limit, NewSession, acount_failures, count_failures, start_session
from accounts.passwords import ain_slot, in_slot, matches, prepared
from accounts.suspension import refuse_suspended
from foyer.addresses import network_of
from foyer.errors import BadCredentials, Busy, InvalidInput
from foyer.text import key_of

WINDOW = 60_000
"""Milliseconds within which failures are counted."""


class Attempt(NamedTuple):
    """An attempt to sign in: `claimed` is the name that was given, `account` is None if it does not exist."""

    account: Account | None
    claimed: str
    password: str
    address: str

    def known(self) -> Account | None:
        """The account, if this password was proven lately from this address."""
        account = self.account
        trusted = account is not None and account.is_active and remembered.knows(account.password, self)
        return account if trusted else None

    @property
    def who(self) -> str:
        return f"id {self.account.pk}" if self.account else f"name {self.claimed}"

    def limits_of_address(self) -> list[Limit]:
        """The limits that belong to this address."""
        network = network_of(self.address)
        return [
            (f"{self.who}\n{network}", settings.SIGN_IN_FAILURES),
            (f"address\n{network}", settings.SIGN_IN_FAILURES_WIDE),
        ]

    def limits(self) -> list[Limit]:
        """All limits that a failure counts for."""
        return [*self.limits_of_address(), (f"account\n{self.who}", settings.SIGN_IN_FAILURES_WIDE)]


def refuse_past(wait: int) -> None:
    """Raise `TooManySignIns` if the client must wait; `wait` is in milliseconds."""
    if wait:
        raise TooManySignIns(retry_after=math.ceil(wait / 1000))


def try_once(attempt: Attempt) -> Account:
    """The account, if the password is right. Otherwise raises `BadCredentials` or `TooManySignIns`. Runs in a slot."""
    refuse_past(count_failures(attempt.limits(), WINDOW, add=False))
    account = attempt.account
    if account is None or not account.is_active:
        matches(attempt.password, None)
    elif matches(attempt.password, account.password):
        remembered.add(account.password, attempt)
        return account
    count_failures(attempt.limits(), WINDOW, add=True)
    raise BadCredentials


def attempt_by_name(username: str, password: str, address: str) -> Attempt:
    return Attempt(Account.objects.called(username), key_of(username), password, address)


def attempt_by_email(email: str, password: str, address: str) -> Attempt:
    return Attempt(Account.objects.with_email(email), key_of(email), password, address)


def proven(attempt: Attempt) -> Account:
    """The account of an attempt.

    Raises `BadCredentials`, `TooManySignIns`, `Busy`, `Unavailable`; with the right password also `Suspended`.
    """
    refuse_past(count_failures(attempt.limits_of_address(), WINDOW, add=False))
    if known := attempt.known():
        return admitted(known)
    account = in_slot(try_once, attempt)
    account.renew_hash(attempt.password)
    return admitted(account)


def admitted(account: Account) -> Account:
    refuse_suspended(account.suspension)
    return account


def verify(username: str, password: str, address: str) -> Account:
    """The account of that name, if the password is right. `address` is the client's. Raises as `proven` does."""
    return proven(attempt_by_name(username, password, address))


async def averify(username: str, password: str, address: str) -> Account:
    """As `verify`, on the event loop."""
    attempt: Attempt = await database_sync_to_async(attempt_by_name)(username, password, address)
    refuse_past(await acount_failures(attempt.limits_of_address(), WINDOW, add=False))
    if known := attempt.known():
        return admitted(known)
    return admitted(await ain_slot(try_once, attempt))


def check_current(account: Account, password: str, address: str) -> None:
    """Raise unless `password` is right. It is always hashed; a wrong one counts as a failed sign-in."""
    in_slot(try_once, Attempt(account, account.username, password, address))


def change_password(caller: Caller, account: Account, current: str | None, new: str, address: str) -> None:
    """Give an account another password. Callers who are not admins must give the present one.

    Raises `InvalidInput`, `WrongPassword`, `TooManySignIns`, `UserNotFound`, `Busy`, `Unavailable`.
    """
    if current is not None:
        try:
            check_current(account, current, address)
        except BadCredentials:
            raise WrongPassword from None
    elif not caller.is_admin:
        raise InvalidInput({"current": ["This field is required."]})
    account.change_password(new)


class SignedIn(NamedTuple):
    account: Account
    session: NewSession


def sign_in(username: str, password: str, address: str) -> SignedIn:
    """Begin a session for `username`, if the password is right. Raises as `proven` does, and `AccountChanging`."""
    return begin(lambda: attempt_by_name(username, password, address))


def sign_in_by_email(email: str, password: str, address: str) -> SignedIn:
    """As `sign_in`, by email address."""
    return begin(lambda: attempt_by_email(email, password, address))


def begin(make_attempt: Callable[[], Attempt]) -> SignedIn:
    for turn in range(3):
        account = proven(make_attempt())
        try:
            return SignedIn(account, start_session(account.standing))
        except AccountChanged:  # since it was read; look again
            if turn > 0:
                account.renew_copy()
        except AccountGone:
            account.delete()  # as was begun
            raise BadCredentials from None
    raise Busy


class Remembered:
    """Credentials that were verified lately, so that HTTP Basic is not hashed for every request.

    An entry is an HMAC over the stored hash, the client's address and the given password, under a key of this process.
    Another stored hash makes another entry, so an old password stops working when it is changed. At most `most` entries
    are kept, each for `seconds`.
    """

    def __init__(self, most: int = 10_000, seconds: float = 300) -> None:
        self.most, self.seconds = most, seconds
        self.key = secrets.token_bytes(32)
        self.until: OrderedDict[bytes, float] = OrderedDict()
        self.lock = threading.Lock()

    def digest(self, encoded: str, attempt: Attempt) -> bytes:
        told = f"{encoded}\n{network_of(attempt.address)}\n{prepared(attempt.password)}"
        return hmac.digest(self.key, told.encode("utf-8", "surrogatepass"), "sha256")

    def knows(self, encoded: str, attempt: Attempt) -> bool:
        return self.until.get(self.digest(encoded, attempt), 0.0) > time.monotonic()

    def add(self, encoded: str, attempt: Attempt) -> None:
        digest = self.digest(encoded, attempt)
        with self.lock:
            self.until.pop(digest, None)
            self.until[digest] = time.monotonic() + self.seconds
            while len(self.until) > self.most:
                self.until.popitem(last=False)


remembered = Remembered()
