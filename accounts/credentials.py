"""Names and passwords: who proves with them to be whom, and how often one may fail to.

An unknown name gets the same answer after the same time as a wrong password. Failures are limited for an account and
address together, and more widely for either alone, whether or not the account exists. They are looked up right before
the hash is computed and noted right after, in the slot, so that no more attempts get past a full limit than are hashed
at once.

What was proven lately is not hashed again, but the limits of the address come first: past them a right guess is
answered as a wrong one. Only the limit of the account alone is passed over, for an address that has proven the very
password: guesses from elsewhere lock nobody out who is in already.
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
from foyer.addresses import network_of
from foyer.errors import BadCredentials, Busy, InvalidInput
from foyer.text import key_of

WINDOW = 60_000
"""Milliseconds within which failures are counted."""


class Attempt(NamedTuple):
    """Somebody says who they are: `account` is None if there is no such, `claimed` the name that was given."""

    account: Account | None
    claimed: str
    password: str
    address: str

    def known(self) -> Account | None:
        """The account, if it was proven lately with this very password from this address."""
        account = self.account
        trusted = account is not None and account.is_active and remembered.knows(account.password, self)
        return account if trusted else None

    @property
    def who(self) -> str:
        return f"id {self.account.pk}" if self.account else f"name {self.claimed}"

    def limits_of_address(self) -> list[Limit]:
        """What a failure counts for of what comes from this address."""
        network = network_of(self.address)
        return [
            (f"{self.who}\n{network}", settings.SIGN_IN_FAILURES),
            (f"address\n{network}", settings.SIGN_IN_FAILURES_WIDE),
        ]

    def limits(self) -> list[Limit]:
        """All that a failure counts for."""
        return [*self.limits_of_address(), (f"account\n{self.who}", settings.SIGN_IN_FAILURES_WIDE)]


def refuse_past(wait: int) -> None:
    """Raise `TooManySignIns` where one must wait so many milliseconds, if any."""
    if wait:
        raise TooManySignIns(retry_after=math.ceil(wait / 1000))


def try_once(attempt: Attempt) -> Account:
    """The account, if the password is its own; else `BadCredentials` or `TooManySignIns`. Belongs into a slot."""
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
    """The account that is meant. Raises `BadCredentials`, `TooManySignIns`, `Busy`, `Unavailable`."""
    refuse_past(count_failures(attempt.limits_of_address(), WINDOW, add=False))
    if known := attempt.known():
        return known
    account = in_slot(try_once, attempt)
    account.renew_hash(attempt.password)
    return account


def verify(username: str, password: str, address: str) -> Account:
    """The account of that name, if the password is its own. `address` is the client's. Raises as `proven` does."""
    return proven(attempt_by_name(username, password, address))


async def averify(username: str, password: str, address: str) -> Account:
    """As `verify`, on the event loop."""
    attempt: Attempt = await database_sync_to_async(attempt_by_name)(username, password, address)
    refuse_past(await acount_failures(attempt.limits_of_address(), WINDOW, add=False))
    if known := attempt.known():
        return known
    return await ain_slot(try_once, attempt)


def check_current(account: Account, password: str, address: str) -> None:
    """Raise unless `password` is the account's own, hashed for this once; a wrong one is a failed sign-in."""
    in_slot(try_once, Attempt(account, account.username, password, address))


def change_password(caller: Caller, account: Account, current: str | None, new: str, address: str) -> None:
    """Give an account another password; who is no admin proves the present one.

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
    """Begin a session for who proves to be `username`. Raises as `proven` does, and `AccountChanging`."""
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

    Kept as an HMAC over the stored hash, the client's address and the given password, under a key of this process:
    another stored hash is another entry, so a changed password is forgotten with it. Bounded: `most` entries, each for
    `seconds`.
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
