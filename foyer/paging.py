"""Which part of a long list is asked for."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Page(NamedTuple):
    """At most `limit` entries, those behind the id `after` and in front of the id `before`.

    They are those nearest to `after`; with `before` alone, those nearest to that; with neither, as the list says.
    """

    limit: int = 50
    before: int | None = None
    after: int | None = None

    @property
    def is_backwards(self) -> bool:
        return self.before is not None and self.after is None

    def cut(self, entries: list[T]) -> list[T]:
        """What belongs on the page, of that and the one entry beyond it by which one sees that the list goes on."""
        return entries[-self.limit :] if self.is_backwards else entries[: self.limit]
