"""What it means that an account is suspended. It ends by time alone: nothing has to happen then."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.utils import timezone

from accounts.errors import Suspended
from foyer.times import time_text

FOR_EVER = 9_007_199_254_740_991
"""Stands for the time, in milliseconds, at which a suspension ends that has no end."""


REASON_LENGTH = 500
"""Characters of the reason."""
SUSPENSION = ("suspended_at", "suspended_until", "suspension_reason")
"""The columns that say it."""


class Suspension(NamedTuple):
    """`until` is None for one that lasts until it is lifted."""

    at: datetime
    until: datetime | None
    reason: str

    @classmethod
    def of(cls, at: datetime | None, until: datetime | None, reason: str) -> Suspension | None:
        """What a row says; None if it is over, or there was none."""
        if at is None or (until is not None and until <= timezone.now()):
            return None
        return cls(at, until, reason)

    @property
    def sentence(self) -> str:
        """What the user is told."""
        until = f" until {time_text(self.until)}" if self.until else ""
        return f"This account is suspended{until}{': ' if self.reason else ''}{self.reason}"

    @property
    def ends_at(self) -> int:
        """A Unix time in milliseconds."""
        return int(self.until.timestamp() * 1000) if self.until else FOR_EVER

    def as_json(self, username: str, by: str | None) -> dict[str, Any]:
        """The suspension as clients see it."""
        return {"username": username, "until": self.until, "reason": self.reason or None, "by": by, "at": self.at}


def refuse_suspended(suspension: Suspension | None) -> None:
    """Raise `Suspended` if there is one."""
    if suspension is not None:
        raise Suspended(suspension.sentence)
