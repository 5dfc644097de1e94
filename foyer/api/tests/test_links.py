"""Addresses lead to what they name, whatever characters are in the name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote, urlsplit

import httpx
import pytest
from django.test import RequestFactory
from django.urls import resolve

from foyer.api.links import address_of, own_address, path_to
from tests.clients import PASSWORD
from tests.server import Server

ODD = [
    "who? me",
    "a#b",
    "50%",
    "%41",
    "a&b=c;d",
    "a+b",
    "Zoë",
    "用户",
    "me@here",
    "..x",
    '"<>\\^`{|}',
    "a:b",
    "~!$'()*,",
]


@pytest.mark.parametrize("name", ODD)
def test_the_path_of_a_route_is_encoded_and_leads_back(name: str) -> None:
    path = path_to("account-detail", username=name)
    assert path == f"/user/{quote(name, safe='')}"
    assert resolve(httpx.URL(f"http://testserver{path}").path).kwargs == {"username": name}


def test_an_address_is_absolute_and_keeps_the_query_that_it_is_given() -> None:
    request = RequestFactory().get("/user/who%3F%20me/messages?limit=2&before=9")
    assert own_address(request) == "http://testserver/user/who%3F%20me/messages"
    assert own_address(request, before=5) == "http://testserver/user/who%3F%20me/messages?limit=2&before=5"
    assert address_of(request, "room-detail", room_id="12") == "http://testserver/room/12"


@pytest.fixture
async def rest(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.base_url, auth=("admin", "admin"), timeout=30, trust_env=False) as one:
        yield one


@pytest.mark.parametrize("name", [name for name in ODD if ":" not in name])
async def test_what_the_server_gives_as_an_address_works(rest: httpx.AsyncClient, name: str) -> None:
    made = await rest.post("/user", json={"username": name, "password": PASSWORD})
    assert made.status_code in (201, 409), made.text
    if made.status_code == 201:
        assert (await rest.get(made.headers["Location"])).json() == made.json()
    path = f"/user/{quote(name, safe='')}/messages"
    for text in ("one", "two"):
        assert (await rest.post(path, json={"text": text})).status_code == 201
    first = await rest.get(path, params={"limit": 1})
    link = first.headers["Link"].removeprefix("<").partition(">")[0]
    assert urlsplit(link).path == path
    older = await rest.get(link)
    assert [first.json()[0]["text"], older.json()[0]["text"]] == ["two", "one"]
    page = await rest.get(path, headers={"Accept": "text/html"}, params={"limit": 1})
    assert f'href="{link.replace("&", "&amp;")}"' in page.text
