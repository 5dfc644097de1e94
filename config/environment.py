"""Environment variables, read so that a wrong one is explained in a sentence: its name, what came, what is expected.

A variable that is set but empty counts as not set. What is in a `.env` file never replaces what the environment says.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from foyer.store.client import without_password

YES = frozenset({"1", "true", "yes", "on"})
NO = frozenset({"0", "false", "no", "off"})
UNITS = ("", "kb", "mb", "gb")
SIZE = re.compile(r"([0-9]{1,15})(kb|mb|gb)?")
REDIS_SCHEMES = frozenset({"redis", "rediss", "unix"})
DATABASE_SCHEMES = frozenset({"sqlite", "postgres", "postgresql"})


def yes_or_no(text: str) -> bool:
    if text.lower() not in YES | NO:
        raise ValueError
    return text.lower() in YES


def parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


READERS: dict[object, tuple[Callable[[str], Any], str]] = {
    bool: (yes_or_no, "1 or 0 (or true, false, yes, no, on, off)"),
    int: (int, "a whole number"),
    float: (float, "a number"),
    list: (parts, "words separated by commas"),
}


def refusal(name: str, value: str, expected: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} is {without_password(value)!r}, expected {expected}.")


class Environment(environ.Env):  # type: ignore[misc]  # django-environ carries no types
    """django-environ with errors that teach; its `str`, `bool`, `int`, `float` and `list` are used as they are.

    Unlike its parent it takes a value that starts with `$` as it stands, and refuses a flag that is neither yes nor no.
    """

    def get_value(self, var: str, cast: Any = None, default: Any = None, parse_default: bool = False) -> Any:
        value = os.environ.get(var, "").strip()
        if not value:
            return default
        read, expected = READERS.get(cast, (str, "text"))
        try:
            return read(value)
        except ValueError:
            raise refusal(var, value, expected) from None

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        number: int = self.int(name, default=default)
        if not least <= number <= most:
            raise refusal(name, str(number), f"a whole number from {least} to {most}")
        return number

    def size(self, name: str) -> int | None:
        """A size in bytes, such as 512mb or 4gb; None where nothing is said."""
        text: str = self.str(name, default="").lower()
        if not text:
            return None
        found = SIZE.fullmatch(text)
        if found is None:
            raise refusal(name, text, "a size such as 512mb or 4gb; 0 for no limit")
        return int(found[1]) << 10 * UNITS.index(found[2] or "")

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        word: str = self.str(name, default=default)
        if word not in choices:
            raise refusal(name, word, f"one of {', '.join(choices)}")
        return word

    def redis(self, name: str) -> str:
        """The address of a Redis or Valkey, several for a cluster, or an empty string."""
        url: str = self.str(name, default="")
        for seed in url.split(",") if url else []:
            if not is_address(seed.strip(), REDIS_SCHEMES):
                expected = (
                    "redis://host:port/0, rediss://… or unix:///path (for a cluster: several, separated by commas)"
                )
                raise refusal(name, url, expected)
        return url

    def database(self, name: str, default: dict[str, Any]) -> dict[str, Any]:
        """Django's description of the SQL database at a `sqlite://` or `postgres://` address."""
        url: str = self.str(name, default="")
        if not url:
            return default
        if not is_address(url, DATABASE_SCHEMES) or url.count("/") < 3:
            raise refusal(name, url, "sqlite:////path/to/file or postgres://user:password@host:5432/name")
        found: dict[str, Any] = self.db_url_config(url)
        return found


def is_address(url: str, schemes: frozenset[str]) -> bool:
    try:
        address = urlsplit(url)
        by_path = address.scheme in ("unix", "sqlite") or address.path.startswith("//")  # a unix socket
        named = address.path.strip("/") if by_path else address.hostname
        return address.scheme in schemes and bool(named) and address.port != 0
    except ValueError:  # a port that is no number
        return False
