"""Passwords: how they are hashed, which ones are allowed, and how many are hashed at once.

Hashing is slow on purpose and takes 19 MiB. It is done in a pool as large as this process' share of the cores, with a
bounded queue. When the queue is full, a request is refused at once, so that a flood of sign-ins can't stop the server.
"""

from __future__ import annotations

import asyncio
import functools
import os
import secrets
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import regex
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from foyer.addresses import client_network
from foyer.pools import FairPool
from foyer.text import composed

P = ParamSpec("P")
R = TypeVar("R")

PASSWORD_LENGTH = 128


SPACES = regex.compile(r"\p{Zs}")


def prepared(password: str) -> str:
    """A password as it is compared: RFC 8265's OpaqueString, so an é is the same from every keyboard."""
    return password if password.isascii() else composed(SPACES.sub(" ", password))


class OwaspArgon2Hasher(Argon2PasswordHasher):
    """Argon2id at OWASP's minimum: 19 MiB, two passes, one lane. Hashes what `prepared` gives.

    Earlier releases hashed a password as it was sent; such a hash is accepted too.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return super().encode(prepared(password), salt)

    def verify(self, password: str, encoded: str) -> bool:
        return super().verify(prepared(password), encoded) or self.is_of_unprepared(password, encoded)

    def is_of_unprepared(self, password: str, encoded: str) -> bool:
        """Whether `encoded` was made of a password that is compared in another form by now."""
        return prepared(password) != password and super().verify(password, encoded)


def check_new_password(password: str) -> None:
    """Raise `ValueError` with a sentence if `password` may not be chosen; the settings say what may."""
    if not 1 <= len(password) <= PASSWORD_LENGTH:
        raise ValueError(f"A password has 1 to {PASSWORD_LENGTH} characters, this one {len(password)}.")
    try:
        validate_password(prepared(password))
    except ValidationError as error:
        raise ValueError(" ".join(error.messages)) from None


@functools.cache
def slots() -> FairPool:
    """The threads for hashing, made when first needed: this process' share of the cores among the workers."""
    dummy_hash()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return FairPool(max(1, cores // settings.WORKERS), settings.SIGN_IN_QUEUE, "passwords")


def in_slot(work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Do `work` in the pool and wait for it, blocking. Raises `Busy`."""
    return slots().submit(client_network.get(), work, *args, **kwargs).result()


async def ain_slot(work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Do `work` in the pool and await it. Raises `Busy`."""
    return await asyncio.wrap_future(slots().submit(client_network.get(), work, *args, **kwargs))


def hash_password(password: str) -> str:
    """`password` as it is stored. Waits for a slot; raises `Busy`."""
    return in_slot(make_password, password)


def is_outdated(password: str, encoded: str) -> bool:
    """Whether `encoded` was made of `password` as it was sent, not in the form that is compared. Waits for a slot."""
    return prepared(password) != password and in_slot(OwaspArgon2Hasher().is_of_unprepared, password, encoded)


def matches(password: str, encoded: str | None) -> bool:
    """Whether `encoded` is the hash of `password`. Takes as long if there is none. Runs in a slot."""
    known = check_password(password, encoded or dummy_hash())
    return known and encoded is not None


@functools.cache
def dummy_hash() -> str:
    """The hash of a password that nobody knows."""
    return make_password(secrets.token_urlsafe())
