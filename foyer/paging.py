"""Pages: which part of a long list a client asks for."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Page(NamedTuple):
    """At most `limit` entries after the id `after` and before the id `before`.

    They are the nearest to `after`; with `before` alone, the nearest to `before`; with neither, the list decides. With
    `around` alone they are the entry of that id, half of them before it and half after it.
    """

    limit: int = 50
    before: int | None = None
    after: int | None = None
    around: int | None = None

    @property
    def is_backwards(self) -> bool:
        return self.before is not None and self.after is None

    def cut(self, entries: list[T]) -> list[T]:
        """The entries of the page, without the one entry after it, which is read to see whether the list continues."""
        return entries[-self.limit :] if self.is_backwards else entries[: self.limit]
