"""Pages of lists: what a query asks for, and where the next one is."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from foyer.api.links import encoded
from foyer.api.pagination import IdPagination, PlacePagination
from foyer.errors import InvalidInput
from foyer.paging import Page


class Pages(IdPagination):
    most = 100


class Places(PlacePagination):
    most = 100


class Newest(Pages):
    newest_first = True


def query(text: str) -> Request:
    return Request(RequestFactory().get(f"/rooms?{text}"))


def test_a_page_is_read_from_the_query() -> None:
    assert Pages().asked(query("")) == Page(50, None, None)
    assert Pages().asked(query("limit=100&after=7&before=0")) == Page(100, 0, 7)


@pytest.mark.parametrize(
    "text", ["limit=0", "limit=101", "limit=-1", "limit=x", "limit=", "after=1.5", "before=%D9%A1", "after=" + "9" * 30]
)
def test_a_page_that_is_none_is_refused_by_field(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Pages().asked(query(text))
    assert list(refused.value.fields) == [text.partition("=")[0]]


ENTRIES = [b'{"id":%d}' % number for number in (5, 6, 7)]


def next_of(pages: IdPagination, text: str, *, more: bool = True, path: str = "/rooms") -> str | None:
    """The query of the next page."""
    request = Request(RequestFactory().get(f"{path}?{text}"))
    answer = pages.page_response(request, pages.asked(request), ENTRIES, more=more)
    assert bytes(answer.data) == b'[{"id":5},{"id":6},{"id":7}]'
    return answer["Link"] if more else answer.get("Link")


@pytest.mark.parametrize(
    ("pages", "text", "following"),
    [
        (Pages, "", "after=7"),
        (Pages, "after=4", "after=7"),
        (Pages, "before=8", "before=5"),
        (Pages, "after=4&before=9", "after=7&before=9"),
        (Newest, "", "before=5"),
        (Newest, "before=8", "before=5"),
        (Newest, "after=4", "after=7"),
    ],
)
def test_the_next_page_goes_on_in_the_direction_of_the_first(
    pages: type[IdPagination], text: str, following: str
) -> None:
    assert next_of(pages(), text) == f'<http://testserver/rooms?{following}>; rel="next"'
    assert next_of(pages(), text, more=False) is None


def test_the_next_page_keeps_the_rest_of_the_query() -> None:
    link = next_of(Pages(), "limit=2&after=3&name=a%20%26%C3%A9")
    assert link == '<http://testserver/rooms?limit=2&after=7&name=a+%26%C3%A9>; rel="next"'


def test_the_next_page_of_an_address_with_an_odd_name_is_at_the_same_address() -> None:
    link = next_of(Newest(), "limit=2", path=encoded("/user/who? me#50%é/messages"))
    address = "http://testserver/user/who%3F%20me%2350%25%C3%A9/messages?limit=2&before=5"
    assert link == f'<{address}>; rel="next"'


def test_a_page_has_at_most_so_many_entries() -> None:
    found = [1, 2, 3]
    assert Page(2).cut(found) == [1, 2]
    assert Page(2, before=4).cut(found) == [2, 3]
    assert Page(3, after=0).cut(found) == found


def test_how_many_alone_is_read_from_the_query_too() -> None:
    assert Places().limit(query("")) == 50
    assert Places().limit(query("limit=100&after=anything")) == 100
    for text in ("limit=0", "limit=101", "limit=x"):
        with pytest.raises(InvalidInput):
            Places().limit(query(text))
