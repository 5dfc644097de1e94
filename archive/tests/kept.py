"""What the archive has, for tests."""

from __future__ import annotations

from archive.follower import Follower
from archive.models import Event
from archive.rows import COLUMNS, Row
from archive.topics import number_of
from archive.writing import cursors_of


def rows(tag: str = "{room:1}") -> list[Row]:
    """What is archived of a topic, by offset."""
    found = Event.objects.filter(topic=number_of(tag) or 0).order_by("offset").values_list(*COLUMNS)
    return [Row(*row) for row in found]


def texts(tag: str = "{room:1}") -> list[str | None]:
    """The texts of its messages as they are now."""
    return [row.text for row in rows(tag) if row.is_message]


def follow(follower: Follower) -> None:
    """Copy all that was noted, and what the walk finds."""
    while follower.turn() or not follower.been_round:
        pass


def let_go(follower: Follower, hot: int = 0, *tags: str) -> None:
    """Archive logs and let go of them, but for the newest `hot` events."""
    for tag in tags or ["{room:1}"]:
        follower.copy([tag])
        follower.let_go(cursors_of([number_of(tag) or 0]), hot)
