"""What people do with a server, from sign-up to sign-out, as their clients see it."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.clients import PASSWORD, Person, sign_in
from tests.server import Server

ADMIN = ("admin", "admin")


@pytest.fixture
async def guest(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who has not signed in."""
    async with httpx.AsyncClient(base_url=server.base_url, timeout=30, trust_env=False) as client:
        yield client


def unique(name: str) -> str:
    return f"{name}-{secrets.token_hex(4)}"


async def arrive(server: Server, guest: httpx.AsyncClient, name: str) -> Person:
    """Sign up and in."""
    username = unique(name)
    assert (await guest.post("/user", json={"username": username, "password": PASSWORD})).status_code == 201
    return await sign_in(server, username)


async def test_two_people_chat(server: Server, guest: httpx.AsyncClient) -> None:
    """Spec 2."""
    for method, path in (("GET", "/rooms"), ("POST", "/rooms"), ("GET", "/room/1/messages"), ("GET", "/messages")):
        answer = await guest.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    ann, ben = await arrive(server, guest, "Ann"), await arrive(server, guest, "ben")

    # Ann lists the rooms and makes one; Ben finds it, and can't make another of its name.
    kitchen = unique("The Kitchen")
    assert kitchen not in [room["name"] for room in (await ann.rest.get("/rooms")).json()]
    made = await ann.rest.post("/rooms", json={"name": kitchen})
    assert made.status_code == 201
    room = made.json()
    assert made.headers["Location"] == f"{server.base_url}/room/{room['roomId']}"
    assert (await ben.rest.get(made.headers["Location"])).json() == room
    assert room in (await ben.rest.get("/rooms")).json()
    assert (await ben.rest.get("/rooms", params={"name": kitchen})).json() == [room]
    taken = await ben.rest.post("/rooms", json={"name": kitchen.upper()})
    assert (taken.status_code, taken.json()["code"]) == (409, "room_name_taken")
    assert (await ben.rest.post("/rooms", json={})).status_code == 400

    # Both listen, Ann on a socket and Ben on a stream; both are told of both addresses.
    path = f"/room/{room['roomId']}"
    told = await ann.rest.get(f"{path}/subscribe")
    assert told.status_code == 202
    assert told.json() == {
        "websocket": f"{server.ws_url}{path}/subscribe",
        "events": f"{server.base_url}{path}/subscribe",
    }
    async with ann.socket(f"{path}/subscribe") as socket, ben.stream(f"{path}/subscribe") as stream:
        # Ben posts by REST without joining, Ann on a socket; each hears both, in one order.
        first = (await ben.rest.post(f"{path}/messages", json={"text": "Hello, kitchen!"})).json()
        assert (await socket.hear())["message"] == first
        second = (await socket.ask({"id": 1, "type": "post", "text": "Hi Ben 👋"}))["result"]
        assert (await socket.hear())["message"] == second
        assert [event and event["message"] for event in await stream.hear_many(2)] == [first, second]
    assert [(message["sender"], message["text"]) for message in (first, second)] == [
        (ben.username, "Hello, kitchen!"),
        (ann.username, "Hi Ben 👋"),
    ]
    assert (await ben.rest.get(f"{path}/messages")).json() == [first, second]

    # What Ben missed while away comes after reconnecting.
    third = await ann.post(room["roomId"], "Still there?")
    async with ben.stream(f"{path}/subscribe", stream.last_id) as stream:
        event = await stream.hear()
        assert event
        assert event["message"] == third
    async with ben.socket(f"{path}/subscribe?after={second['id']}") as socket:
        assert (await socket.hear())["message"] == third

    # They write to each other; each hears the messages to them, and both have the conversation.
    async with ben.socket("/messages/subscribe") as inbox:
        sent = await ann.rest.post(f"/user/{ben.username}/messages", json={"text": "psst"})
        assert sent.status_code == 201
        assert (await inbox.hear())["message"]["text"] == "psst"
    answer = await ben.rest.post(f"/user/{ann.username}/messages", json={"text": "what?"})
    assert answer.json()["to"] == ann.username
    for person, other, received in ((ann, ben, ["what?"]), (ben, ann, ["psst"])):
        talk = (await person.rest.get(f"/user/{other.username}/messages")).json()
        assert [message["text"] for message in talk] == ["psst", "what?"]
        assert [message["text"] for message in (await person.rest.get("/messages")).json()] == received
    nobody = await ann.rest.post(f"/user/{unique('nobody')}/messages", json={"text": "hello?"})
    assert (nobody.status_code, nobody.json()["code"]) == (404, "user_not_found")

    # Ben edits a message, then deletes it; Ann deletes the room.
    edited = (await ben.rest.patch(f"{path}/messages/{first['id']}", json={"text": "Hello!"})).json()
    assert (await ann.rest.get(f"{path}/messages/{first['id']}")).json() == edited
    assert (await ann.rest.patch(f"{path}/messages/{first['id']}", json={"text": "x"})).status_code == 403
    assert (await ben.rest.delete(f"{path}/messages/{first['id']}")).status_code == 204
    assert (await ann.rest.get(f"{path}/messages")).json() == [second, third]
    assert (await ben.rest.delete(path)).status_code == 403
    async with ben.socket(f"{path}/subscribe") as socket:
        assert (await ann.rest.delete(path)).status_code == 204
        assert (await socket.closed())[0] == 4404
        assert [event["type"] for event in socket.heard] == ["room_deleted"]
    assert (await ben.rest.get(f"{path}/messages")).status_code == 404

    # Ben signs out: Ben's sockets close and the token stops working. Ann's still works.
    async with ben.socket("/messages/subscribe") as inbox, ann.socket("/messages/subscribe") as quiet:
        assert (await ben.rest.delete("/auth")).status_code == 204
        assert (await inbox.closed())[0] == 4401
        assert (await ben.rest.get("/rooms")).status_code == 401
        with pytest.raises(InvalidStatus) as refused:
            await ben.connect("/messages/subscribe")
        assert refused.value.response.status_code == 401
        await ann.rest.post(f"/user/{ann.username}/messages", json={"text": "note to self"})
        assert (await quiet.hear())["message"]["text"] == "note to self"
    back = await sign_in(server, ben.username)
    assert [message["text"] for message in (await back.rest.get("/messages")).json()] == ["psst"]
    for person in (ann, ben, back):
        await person.rest.aclose()


async def test_a_room_full_of_people_hears_everything_once_and_in_order(
    server: Server, guest: httpx.AsyncClient
) -> None:
    """Spec 2: many users at the same time."""
    people = await asyncio.gather(*(arrive(server, guest, f"p{number}") for number in range(8)))
    room = await people[0].make_room()

    async def attend(person: Person) -> list[tuple[int, str]]:
        async with person.socket(f"/room/{room}/subscribe?after=0") as socket:
            for number in range(10):
                await socket.ask({"type": "post", "text": f"{person.username} {number}"})
            return [(event["offset"], event["message"]["text"]) for event in await socket.hear_many(80)]

    heard = await asyncio.gather(*map(attend, people))
    assert [offset for offset, _ in heard[0]] == list(range(1, 81))
    assert all(other == heard[0] for other in heard)
    assert [(message["id"], message["text"]) for message in await people[3].history(room)] == heard[0]
    await asyncio.gather(*(person.rest.aclose() for person in people))


async def test_an_account_is_made_used_changed_and_deleted(server: Server, guest: httpx.AsyncClient) -> None:
    """Spec 5."""
    assert (await guest.get("/")).json() == {"message": "Hello World"}
    username = unique("User Name")
    data = {"email": f"{username.replace(' ', '.')}@example.com", "address": {"city": "Köln"}, "phone": ["1", "2"]}
    made = await guest.post("/user", json={"username": username, "password": "pass", **data})
    assert made.status_code == 201
    account = made.json()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", account["created_at"])
    assert (account["username"], account["user_type"], account["data"]) == (username, "user", data)
    taken = await guest.post("/user", json={"username": username.lower(), "password": "pass"})
    assert (taken.status_code, taken.json()["code"]) == (409, "username_taken")

    wrong = await guest.post("/auth", json={"username": username, "password": "Pass"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "bad_credentials")
    session = (await guest.post("/auth", json={"username": username, "password": "pass"})).json()
    signed_in = {"Authorization": f"Bearer {session['token']}"}
    assert (session["token_type"], session["user_type"]) == ("Bearer", "user")
    home = await guest.get("/", headers=signed_in)
    assert home.json() == {"username": username, "user_type": "user", "data": data}

    path = made.headers["Location"]
    assert (await guest.get(path, headers=signed_in)).json() == account
    replaced = await guest.put(path, json={"phone": "3"}, headers=signed_in)
    assert replaced.json() == account | {"data": {"phone": "3"}}
    merged = await guest.patch(path, json={"data": {"city": "Bonn", "phone": None}}, headers=signed_in)
    assert merged.json()["data"] == {"city": "Bonn"}

    # Others, and nobody in particular, are kept out; an admin is not.
    other = await arrive(server, guest, "other")
    for method in ("GET", "PUT", "DELETE"):
        assert (await other.rest.request(method, path, json={"a": 1})).status_code == 403
        assert (await guest.request(method, path, json={"a": 1})).status_code == 401
    assert (await guest.get(path, auth=ADMIN)).json()["data"] == {"city": "Bonn"}
    assert (await guest.put(path, json={"by": "admin"}, auth=ADMIN)).json()["data"] == {"by": "admin"}

    # Signing out ends this session alone; deleting the account ends everything.
    assert (await guest.delete("/auth", headers=signed_in)).status_code == 204
    assert (await guest.get(path, headers=signed_in)).status_code == 401
    assert (await guest.get("/", headers=signed_in)).json() == {"message": "Hello World"}
    again = await sign_in(server, username, "pass")
    assert (await again.rest.delete(path)).status_code == 204
    assert (await again.rest.get(path)).status_code == 401
    assert (await guest.get(path, auth=ADMIN)).status_code == 404
    gone = await guest.post("/auth", json={"username": username, "password": "pass"})
    assert (gone.status_code, gone.json()["code"]) == (401, "bad_credentials")
    assert (await guest.post("/user", json={"username": username, "password": "pass"})).status_code == 201
    for person in (other, again):
        await person.rest.aclose()


async def test_an_account_that_is_deleted_leaves_its_words_and_nothing_else(
    server: Server, guest: httpx.AsyncClient
) -> None:
    ann, ben = await arrive(server, guest, "ann"), await arrive(server, guest, "ben")
    room = await ben.make_room()
    await ben.post(room, "I was here")
    await ben.rest.post(f"/user/{ann.username}/messages", json={"text": "so long"})
    async with ben.socket(f"/room/{room}/subscribe") as socket:
        assert (await ben.rest.delete(f"/user/{ben.username}")).status_code == 204
        assert (await socket.closed())[0] == 4401
    assert [(said["sender"], said["text"]) for said in await ann.history(room)] == [(None, "I was here")]
    assert [(said["sender"], said["text"]) for said in (await ann.rest.get("/messages")).json()] == [(None, "so long")]
    assert (await ann.rest.get(f"/room/{room}")).json()["owner"] is None
    taken = {"username": ben.username, "password": PASSWORD}
    assert (await guest.post("/user", json=taken)).status_code == 201
    namesake = await sign_in(server, ben.username)
    assert (await namesake.rest.get("/messages")).json() == []
    answer = await namesake.rest.patch(f"/room/{room}/messages/1", json={"text": "I was not"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_the_sender")
    assert (await guest.delete(f"/room/{room}", auth=ADMIN)).status_code == 204
    for person in (ann, ben, namesake):
        await person.rest.aclose()
