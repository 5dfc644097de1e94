"""Lists by pages, as DRF has them: bare arrays, with the address of the next page in the header `Link`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import Max
from django.template.loader import render_to_string
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from foyer.api.links import own_address
from foyer.api.renderers import RawJSON
from foyer.api.wire import as_json_list, fields_of
from foyer.errors import InvalidInput, UnknownCursor
from foyer.paging import Page

LARGEST_ID = 2**63 - 1


class Pagination(BasePagination):
    """Pages of at most `most` entries. `follow` says where the list goes on."""

    default_limit: ClassVar[int] = 50
    most: ClassVar[int] = 1000
    entries: ClassVar[str] = "entries"
    """What they are called in descriptions."""

    display_page_controls = True
    next_address: str | None = None
    previous_address: str | None = None

    def limit(self, request: Request) -> int:
        """How many entries the query asks for. Raises `InvalidInput`."""
        wrong: dict[str, list[str]] = {}
        limit = number_of(request, "limit", 1, self.most, wrong)
        if wrong:
            raise InvalidInput(wrong)
        return limit or self.default_limit

    def follow(self, request: Request, **cursor: int | str) -> None:
        """Note that the next page has the address of this one with `cursor` in the query."""
        self.next_address = own_address(request, **cursor)

    def get_paginated_response(self, data: Any) -> Response:
        addresses = {"prev": self.previous_address, "next": self.next_address}
        links = [f'<{address}>; rel="{rel}"' for rel, address in addresses.items() if address]
        return Response(data, headers={"Link": ", ".join(links)} if links else None)

    def to_html(self) -> str:
        """The ways to the pages beside this one, in the browsable API."""
        addresses = {"address": self.next_address, "previous": self.previous_address}
        return render_to_string("foyer/next_page.html", {**addresses, "entries": self.entries})

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        limit = {"type": "integer", "minimum": 1, "maximum": self.most, "default": self.default_limit}
        return [query_parameter("limit", f"How many {self.entries} at most.", limit)]


class IdPagination(Pagination):
    """Pages by the ids of entries: `?before=`, `?after=`.

    For a list from the store: read the page that is `asked` for, and answer `page_response`. For a Django queryset:
    DRF's own `paginate_queryset` and `get_paginated_response`.
    """

    id_field: ClassVar[str] = "id"
    newest_first: ClassVar[bool] = False
    """Whether the first page is the end of the list, and the next one older."""

    def asked(self, request: Request) -> Page:
        """The page that the query asks for. Raises `InvalidInput` for what is no whole number or out of range."""
        wrong: dict[str, list[str]] = {}
        limit = number_of(request, "limit", 1, self.most, wrong)
        before, after = (number_of(request, name, 0, LARGEST_ID, wrong) for name in ("before", "after"))
        if wrong:
            raise InvalidInput(wrong)
        return Page(limit or self.default_limit, before, after)

    def page_response(self, request: Request, page: Page, entries: list[bytes], *, more: bool) -> Response:
        """The answer with a page of stored JSON; `more` says whether the list goes on."""
        if more and entries:
            self.follow_beyond(request, page, lambda place: fields_of(entries[place])[self.id_field])
        return self.get_paginated_response(RawJSON(as_json_list(entries)))

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """The rows of a Django queryset that the query asks for. Raises `InvalidInput`, `UnknownCursor`."""
        page = self.asked(request)
        last = queryset.order_by().aggregate(last=Max("pk"))["last"] or 0
        if (page.after or 0) > last or (page.before or 0) > last + 1:
            raise UnknownCursor
        found = queryset.order_by("-pk" if page.is_backwards else "pk")
        if page.after is not None:
            found = found.filter(pk__gt=page.after)
        if page.before is not None:
            found = found.filter(pk__lt=page.before)
        rows = list(found[: page.limit + 1])[:: -1 if page.is_backwards else 1]
        shown = page.cut(rows)
        if len(rows) > len(shown):
            self.follow_beyond(request, page, lambda place: shown[place].pk)
        return shown

    def follow_beyond(self, request: Request, page: Page, id_at: Callable[[int], int]) -> None:
        """Note that the list continues: after the last entry or, if older ones follow, before the first."""
        if page.is_backwards or (self.newest_first and page.after is None):
            self.follow(request, before=id_at(0))
        else:
            self.follow(request, after=id_at(-1))

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        cursor = {"type": "integer", "minimum": 0, "maximum": LARGEST_ID}
        return [
            *super().get_schema_operation_parameters(view),
            query_parameter("before", f"Only {self.entries} in front of the one with this id.", cursor),
            query_parameter("after", f"Only {self.entries} behind the one with this id.", cursor),
        ]


class PlacePagination(Pagination):
    """Pages by places that only the server can name: `?after=` as the `Link` of an earlier page has it."""

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        about = "The place after which they are, as the `Link` of an earlier page has it."
        return [*super().get_schema_operation_parameters(view), query_parameter("after", about, {"type": "string"})]


def number_of(request: Request, name: str, least: int, top: int, wrong: dict[str, list[str]]) -> int | None:
    """A number of the query, None where it has none; what is wrong with it is noted in `wrong`."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,19}", text) or not least <= int(text) <= top:
        wrong[name] = [f"A whole number from {least} to {top} is expected, not {text[:40]!r}."]
        return None
    return int(text)


def query_parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter of a query, as OpenAPI has it."""
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
