"""Answers that may be longer than memory is large: they are made page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import StreamingHttpResponse


class PagedAnswer(StreamingHttpResponse):
    """An answer whose `pages` are made one after another, each when the client has taken the one before.

    Pages are made on any of the threads of REST, never two at once, so nothing may be kept from one to the next that
    belongs to a thread, such as a cursor of a database. A `FoyerError` in between cuts the connection off.
    """

    def __init__(self, pages: Iterator[bytes], *args: Any, **kwargs: Any) -> None:
        super().__init__(pages, *args, **kwargs)
        self.pages = pages
