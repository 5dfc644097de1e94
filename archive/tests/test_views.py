"""Search over REST and on the gateway: the same messages, page by page, and clear refusals."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from accounts.models import Account
from accounts.tests.conftest import Api, code
from archive.follower import Follower
from archive.tests.test_clients import wait_until_let_go
from rooms.tests.conftest import signed_in
from tests.clients import Person, sign_up_at
from tests.server import Server

StartServer = Callable[..., Server]


@pytest.fixture
def ann(follower: Follower) -> Api:
    return signed_in("ann")


@pytest.fixture
def ben(follower: Follower) -> Api:
    return signed_in("ben")


def post(client: Api, text: str, path: str = "/room/1/messages") -> Any:
    answer = client.post(path, {"text": text})
    assert answer.status_code == 201, answer.content
    return answer.json()


def found(client: Api, query: str) -> list[Any]:
    answer = client.get(f"/search?{query}")
    assert answer.status_code == 200, answer.content
    return list(answer.json())


def test_messages_are_found_by_their_words(ann: Api, ben: Api) -> None:
    ann.post("/rooms", {"name": "Kitchen"})
    said = post(ann, "Café crème")
    letter = post(ann, "a café for you", "/user/ben/messages")
    assert found(ann, "q=cafe&room=1") == found(ben, "q=creme") == [said]
    assert found(ann, "q=cafe&user=BEN") == [letter]
    assert [message["text"] for message in found(ben, "q=CAFE&from=ann")] == ["a café for you", "Café crème"]
    assert found(ben, "q=cafe&from=ben") == []


def test_pages_follow_each_other_by_links(ann: Api) -> None:
    ann.post("/rooms", {"name": "Kitchen"})
    said = [post(ann, f"soup {number}") for number in range(7)]
    path, told = "/search?q=soup&room=1&limit=3", list[Any]()
    while path:
        answer = ann.get(path)
        told += answer.json()
        link = re.fullmatch(r'<http://testserver(.+)>; rel="next"', answer.get("Link", ""))
        path = link[1] if link else ""
    assert [message["text"] for message in told] == [message["text"] for message in reversed(said)]


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ("", "invalid"),
        ("q=", "invalid"),
        ("q=%20", "invalid"),
        ("q=-soup", "invalid"),
        ("q=...", "invalid"),
        ("q=" + "x" * 201, "invalid"),
        ("q=soup&limit=101", "invalid"),
        ("q=soup&limit=x", "invalid"),
        ("q=soup&room=1&user=ann", "invalid"),
        ("q=soup&room=2", "room_not_found"),
        ("q=soup&room=", "room_not_found"),
        ("q=soup&user=nobody", "user_not_found"),
        ("q=soup&from=", "user_not_found"),
        ("q=soup&cursor=1", "unknown_cursor"),
        ("q=soup&cursor=", "unknown_cursor"),
        ("q=soup&cursor=1-9223372036854775808-1", "unknown_cursor"),
    ],
)
def test_what_can_not_be_searched_is_refused(query: str, refused: str, ann: Api) -> None:
    assert code(ann.get(f"/search?{query}"))[1] == refused


def test_whoever_is_not_signed_in_finds_nothing(db: None) -> None:
    assert code(Api().get("/search?q=soup")) == (401, "not_authenticated")


def test_a_room_for_its_members_is_searched_by_them_and_admins_alone(ann: Api, ben: Api) -> None:
    boss = signed_in("boss", admin=True)
    ann.post("/rooms", {"name": "Kitchen", "members_only": True})
    said = post(ann, "secret soup")
    assert found(boss, "q=soup&room=1") == [said]
    assert found(boss, "q=soup") == found(ben, "q=soup") == []
    assert code(ben.get("/search?q=soup&room=1")) == (404, "room_not_found")
    assert ann.post("/room/1/members", {"username": "ben"}).status_code == 201
    assert found(ben, "q=soup") == [said]
    assert ann.delete("/room/1/members/ben").status_code == 204
    assert found(ben, "q=soup") == []


def test_a_deleted_account_is_not_named(ann: Api, ben: Api) -> None:
    ann.post("/rooms", {"name": "Kitchen"})
    post(ben, "soup")
    Account.objects.get(username="ben").delete()
    (message,) = found(ann, "q=soup")
    assert message["sender"] is None
    assert code(ann.get("/search?q=soup&from=ben")) == (404, "user_not_found")


# On servers


async def search(person: Person, query: str, **more: Any) -> list[Any]:
    answer = await person.rest.get("/search", params={"q": query, **more})
    assert answer.status_code == 200, answer.text
    return list(answer.json())


async def test_the_gateway_finds_what_rest_finds(start_server: StartServer) -> None:
    server = start_server(HOT_EVENTS="0")
    ann, ben = await sign_up_at(server, "ann"), await sign_up_at(server, "ben")
    room = await ann.make_room()
    for number in range(5):
        await ben.post(room, f"soup {number}")
    wait_until_let_go(server, f"{{room:{room}}}")
    await ben.post(room, "hot soup")
    assert (await ben.rest.post(f"/user/{ann.username}/messages", json={"text": "soup?"})).status_code == 201
    told = await search(ann, "soup")
    assert len(told) == 7
    async with ann.socket("/ws") as gateway:
        cursor, heard = None, list[Any]()
        while True:
            asked = {"id": 1, "type": "search", "q": "soup", "limit": 3, "cursor": cursor}
            result = (await gateway.ask(asked))["result"]
            heard += result["messages"]
            cursor = result["cursor"]
            assert result["more"] == (cursor is not None)
            if not result["more"]:
                break
        assert heard == told
        one = await gateway.ask({"id": 2, "type": "search", "q": "soup", "room": room, "from": ben.username})
        assert len(one["result"]["messages"]) == 6
        talk = await gateway.ask({"id": 3, "type": "search", "q": "sou", "user": ben.username})
        assert [message["to"] for message in talk["result"]["messages"]] == [ann.username]
        for wrong, refused in (
            ({"q": "-soup"}, "invalid"),
            ({"q": "soup", "room": "999"}, "room_not_found"),
            ({"q": "soup", "user": "nobody"}, "user_not_found"),
            ({"q": "soup", "cursor": "x"}, "unknown_cursor"),
        ):
            assert (await gateway.ask({"id": 4, "type": "search", **wrong}))["code"] == refused
    await asyncio.gather(ann.rest.aclose(), ben.rest.aclose())


async def test_while_messages_come_and_go_each_search_tells_what_was_said_before_it(
    start_server: StartServer,
) -> None:
    """On two servers at once, with a follower that lets go of everything."""
    servers = [start_server(HOT_EVENTS="0"), start_server(HOT_EVENTS="0")]
    ann = await sign_up_at(servers[0], "ann")
    room = await ann.make_room()
    there = ann.at(servers[1])
    for number in range(20):
        message = await ann.post(room, f"soup number {number}")
        assert await search(there, f"soup {number}", room=room) == [message]
        if number % 3 == 0:
            edited = await ann.rest.patch(f"/room/{room}/messages/{message['id']}", json={"text": f"broth {number}"})
            assert await search(there, f'"soup number {number}"') == []
            assert await search(there, f"broth {number}") == [edited.json()]
        if number % 3 == 1:
            assert (await ann.rest.delete(f"/room/{room}/messages/{message['id']}")).status_code == 204
            assert await search(there, f'"soup number {number}"') == []
    await asyncio.gather(ann.rest.aclose(), there.rest.aclose())


async def test_without_a_follower_messages_are_found_all_the_same(start_server: StartServer) -> None:
    server = start_server()
    ann = await sign_up_at(server, "ann")
    room = await ann.make_room()
    with server.store() as store:
        store.set("{archive}:lease", "somebody who does nothing", px=60_000)
    message = await ann.post(room, "cold soup")
    assert await search(ann, quote("soup")) == [message]
    await ann.rest.aclose()
