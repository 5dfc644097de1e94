"""A store that the release before wrote: this one answers as that one did, and works on with what it left."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from tests.clients import Frame, Person, Socket, sign_in
from tests.data.make_release import ADMIN, HARD_TEXTS, PEOPLE, password_of
from tests.previous_release import answers, token_of, upgraded
from tests.server import Server
from tests.store import wait_for

LEFT_WITHIN = 40.0
"""Seconds within which users of a server that died are no longer there."""


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    """A server on the old store, for tests that only read."""
    with upgraded() as server:
        yield server


@pytest.fixture
def changing() -> Iterator[Server]:
    """The same for a test that writes."""
    with upgraded() as server:
        yield server


def session_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(session for session in answers()["sessions"] if session["user"] == name)
    return found


@contextlib.asynccontextmanager
async def back(server: Server, *names: str) -> AsyncIterator[list[Person]]:
    """People with the tokens that the old release gave them."""
    people = [Person(server, name, token_of(session_of(name)), {}) for name in names]
    yield people
    for person in people:
        await person.rest.aclose()


def test_every_page_is_byte_for_byte_what_it_was(served: Server) -> None:
    headers = {session["user"]: {"Authorization": f"Bearer {token_of(session)}"} for session in answers()["sessions"]}
    different = []
    with httpx.Client(base_url=served.base_url, trust_env=False) as client:
        for asked in answers()["questions"]:
            got = client.get(asked["path"], headers=headers[asked["user"]])
            link = got.headers.get("Link", "").replace(served.base_url, "")
            now = {**asked, "status": got.status_code, "link": link, "body": ROLE.sub("", got.text)}
            if now != asked:
                different.append((asked, now))
    assert not different, f"{len(different)} answers differ, such as {different[:2]}"


ROLE = re.compile(r',"role":"(?:owner|member)"(?=\})')
"""What this release says of a member, and that one did not."""


async def test_sockets_stand_where_they_stood_and_resume_from_old_offsets(served: Server) -> None:
    for name in {log["user"] for log in answers()["logs"]}:
        logs = [log for log in answers()["logs"] if log["user"] == name]
        async with back(served, name) as [person], person.connect("/ws") as socket:
            topics = json.loads(await socket.recv())["topics"]
            assert topics == [{part: log[part] for part in ("topic", "offset", "epoch")} for log in logs]
            for log in logs:
                for after in {0, log["offset"] // 2, log["offset"]}:
                    asked = {"topic": log["topic"], "offset": after, "epoch": log["epoch"]}
                    await socket.send(json.dumps({"id": 1, "type": "resume", "topics": [asked]}))
                    assert json.loads(await socket.recv())["result"]["topics"][0]["recovered"]
                    for event in log["events"][after:]:
                        assert await socket.recv() == event


async def test_an_epoch_or_an_offset_that_never_was_is_still_not_resumed(served: Server) -> None:
    async with back(served, "ann") as [ann], ann.socket("/ws") as socket:
        await socket.hear()
        for wrong in ({"offset": 3, "epoch": "elsewhere"}, {"offset": 999, "epoch": ""}):
            told = await socket.ask({"id": 1, "type": "resume", "topics": [{"topic": "room:1", **wrong}]})
            assert told["result"]["topics"][0]["recovered"] is False


async def test_passwords_open_what_they_opened(served: Server) -> None:
    for name in PEOPLE:
        async with httpx.AsyncClient(base_url=served.base_url, trust_env=False) as guest:
            body = {"username": name, "password": password_of(name)}
            assert (await guest.post("/auth", json=body)).status_code == (401 if name == "gus" else 200)
    assert (await sign_in(served, *ADMIN)).account["user_type"] == "admin"
    assert (await sign_in(served, "zoë", password_of("zoë"))).account["data"]["email"] == "zoe@example.com"


def test_tokens_that_were_signed_out_stay_so(served: Server) -> None:
    for session in answers()["ended"]:
        headers = {"Authorization": f"Bearer {token_of(session)}"}
        assert httpx.get(f"{served.base_url}/rooms", headers=headers, trust_env=False).status_code == 401


async def test_retry_keys_answer_as_the_first_time_and_create_nothing(changing: Server) -> None:
    again: list[tuple[str, str, str, dict[str, Any]]] = [
        ("ann", "/rooms", "a-room", {"name": "Porch"}),
        ("ann", "/room/1/messages", "a-message", {"text": "said once"}),
        ("ann", "/user/ben/messages", "a-direct-message", {"text": "said once"}),
        ("admin", "/lobby_api/tables", "a-table", {
            "after_id": 1, "table": {"id": 70, "name": "between", "participants": 5}
        }),
    ]  # fmt: skip
    async with back(changing, "ann", "admin") as people:
        for name, path, key, body in again:
            rest = next(person for person in people if person.username == name).rest
            got = await rest.post(path, json=body, headers={"Idempotency-Key": key})
            assert got.status_code == 201, got.text
            changed = await rest.post(path, json=body | {"text": "x", "name": "x"}, headers={"Idempotency-Key": key})
            assert path.startswith("/lobby") or changed.status_code == 409
    test_every_page_is_byte_for_byte_what_it_was(changing)


async def test_old_messages_of_a_room_are_edited_and_deleted(changing: Server) -> None:
    async with back(changing, "ann", "ben") as [ann, ben], ann.socket("/ws") as socket:
        await socket.hear()
        mine = await ann.history("1")
        edited_before = next(message for message in mine if message["edited_at"])
        untouched = next(message for message in mine if message["sender"] == "ann" and not message["edited_at"])
        for message, text in ((edited_before, "a"), (edited_before, HARD_TEXTS[0]), (untouched, HARD_TEXTS[1])):
            at = f"/room/1/messages/{message['id']}"
            changed = await ann.rest.patch(at, json={"text": text})
            assert changed.json() == {**message, "text": text, "edited_at": changed.json()["edited_at"]}
            assert (await socket.hear())["message"] == changed.json() == (await ben.rest.get(at)).json()
        assert (await ben.rest.delete(f"/room/1/messages/{edited_before['id']}")).status_code == 403
        assert (await ann.rest.delete(f"/room/1/messages/{edited_before['id']}")).status_code == 204
        assert (await socket.hear())["message"] == {"id": edited_before["id"], "roomId": "1"}
        assert [message["id"] for message in await ben.history("1")] == [
            message["id"] for message in mine if message is not edited_before
        ]
        assert set(await texts_in_the_log(ann, "room:1", edited_before["id"])) == {""}


async def texts_in_the_log(person: Person, topic: str, message: int) -> list[str]:
    """What the events of a topic, from its first on, tell of a message. There is an event for each offset."""
    async with person.socket("/ws") as socket:
        place = next(place for place in (await socket.hear())["topics"] if place["topic"] == topic)
        asked = {"topic": topic, "offset": 0, "epoch": place["epoch"]}
        assert (await socket.ask({"id": 1, "type": "resume", "topics": [asked]}))["result"]["topics"][0]["recovered"]
        events = await socket.hear_many(place["offset"])
    assert [event["offset"] for event in events] == list(range(1, place["offset"] + 1))
    told = [event["message"] for event in events if "text" in event.get("message", {})]
    return [one["text"] for one in told if one["id"] == message]


async def conversation(person: Person, other: str) -> list[tuple[str, str]]:
    got = await person.rest.get(f"/user/{other}/messages?limit=1000")
    return [(message["sender"], message["text"]) for message in got.json()]


async def test_old_direct_messages_are_edited_and_deleted_on_both_sides(changing: Server) -> None:
    async with back(changing, "ann", "ben") as [ann, ben], ann.socket("/ws") as anns, ben.socket("/ws") as bens:
        await anns.hear()
        await bens.hear()
        before = await conversation(ann, "ben")
        assert before == await conversation(ben, "ann")
        said = (await ann.rest.get("/user/ben/messages?limit=1000")).json()
        edited = next(message for message in said if message["sender"] == "ann" and message["edited_at"])
        fresh = next(message for message in said if message["sender"] == "ann" and not message["edited_at"])
        for message, text in ((edited, HARD_TEXTS[1]), (fresh, HARD_TEXTS[0])):
            frame = {"id": 1, "type": "edit", "user": "ben", "message": message["id"], "text": text}
            assert (await anns.ask(frame))["result"]["text"] == text
            assert (await bens.hear())["message"]["text"] == text
        assert (await anns.ask({"id": 1, "type": "delete", "user": "ben", "message": edited["id"]}))["type"] == "reply"
        assert (await bens.hear())["type"] == "message_deleted"
        left = [("ann", HARD_TEXTS[0]) if one == ("ann", fresh["text"]) else one for one in before]
        left.remove(("ann", edited["text"]))
        assert await conversation(ann, "ben") == left == await conversation(ben, "ann")


async def test_what_a_crash_left_half_way_is_finished(changing: Server) -> None:
    async with back(changing, "max", "moe") as [max_, moe], max_.socket("/ws") as socket:
        await socket.hear()
        hall = answers()["hall"]
        assert {member["username"] for member in (await moe.rest.get(f"/room/{hall}/members")).json()} == {"max", "moe"}
        assert (await heard(socket, "room_added"))["room"]["roomId"] == hall
        sent = await conversation(max_, "moe")  # which delivers what waits
        assert sent == await conversation(moe, "max")
        assert [text for _, text in sent] == ["was edited, and moe does not know", "waits for moe"]
        assert [message["text"] for message in (await moe.rest.get("/messages")).json()] == [text for _, text in sent]


async def heard(socket: Socket, kind: str) -> Frame:
    while (frame := await socket.hear())["type"] != kind:
        pass
    return frame


async def test_users_of_the_server_that_was_killed_leave(changing: Server) -> None:
    async with back(changing, "ann") as [ann], ann.socket("/join") as lobby:
        first = await lobby.hear()
        async with asyncio.timeout(LEFT_WITHIN):
            if first["msg"]["list"]:
                while (frame := await lobby.next_frame())["type"] != "user_left":
                    pass
                assert frame["msg"] == {"username": "zoë"}
        async with ann.socket("/join") as again:
            assert "zoë" not in (await again.hear())["msg"]["list"]


async def test_old_tables_are_moved_changed_and_removed(changing: Server) -> None:
    async with back(changing, "admin") as [admin]:
        listed = (await admin.rest.get("/lobby_api/tables")).json()["tables"]
        assert [table["id"] for table in listed] == [2, 1, 70, 4]
        body = {"after_id": 70, "table": {"name": "new", "participants": 1}}
        made = (await admin.rest.post("/lobby_api/tables", json=body)).json()["table"]["id"]
        assert made == 71
        assert (await admin.rest.patch("/lobby_api/tables/4", json={"participants": 8})).status_code == 200
        assert (await admin.rest.delete("/lobby_api/tables/1")).status_code == 204
        listed = (await admin.rest.get("/lobby_api/tables")).json()["tables"]
        assert [table["id"] for table in listed] == [2, 70, 71, 4]
        assert listed[-1] == {"id": 4, "name": "fourth", "participants": 8}


async def test_old_rooms_change_members_and_names_and_go(changing: Server) -> None:
    async with back(changing, "ann", "ben", "eve", "admin") as [ann, ben, eve, admin], eve.socket("/ws") as socket:
        await socket.hear()
        assert (await ann.rest.post("/room/1/members", json={"username": "eve"})).status_code == 201
        assert (await heard(socket, "room_added"))["room"]["roomId"] == "1"
        assert (await ann.rest.delete("/room/1/members/ben")).status_code == 204
        members = (await ann.rest.get("/room/1/members")).json()
        assert [member["username"] for member in members] == ["ann", "eve"]
        assert (await eve.rest.post("/rooms", json={"name": "CELLAR"})).status_code == 409
        assert (await ann.rest.patch("/room/3", json={"name": "Basement"})).status_code == 200
        assert (await eve.rest.post("/rooms", json={"name": "Cellar"})).status_code == 201
        assert (await eve.rest.post("/rooms", json={"name": "Shed"})).status_code == 201
        assert (await ann.rest.delete("/room/1")).status_code == 204
        assert (await heard(socket, "room_deleted"))["topic"] == "room:1"
        assert (await ben.rest.get("/room/1")).status_code == 404
        assert (await admin.rest.delete("/room/5")).status_code == 204


async def test_an_old_account_is_deleted_and_its_messages_stay_unsigned(changing: Server) -> None:
    async with back(changing, "ann", "ben") as [ann, ben]:
        before = await ann.history("1")
        assert (await ben.rest.delete("/user/ben")).status_code == 204
        assert [message["sender"] for message in await ann.history("1")] == [
            None if message["sender"] == "ben" else message["sender"] for message in before
        ]
        members = (await ann.rest.get("/room/1/members")).json()
        assert [member["username"] for member in members] == ["ann"]


async def test_what_was_stored_is_archived_in_the_background_and_read_as_before() -> None:
    with upgraded(HOT_EVENTS="0", FOLLOW="1") as server:
        topics = {log["topic"] for log in answers()["logs"] if log["topic"].startswith("room:")}
        with server.store() as store:
            test_every_page_is_byte_for_byte_what_it_was(server)
            wait_for(lambda: not any(store.exists(f"{{{topic}}}:log") for topic in topics), 40)
            wait_for(lambda: not any(store.keys(f"{{user:*}}:{name}") for name in ("log", "messages", "with:*")), 40)
        test_every_page_is_byte_for_byte_what_it_was(server)
        for log in answers()["logs"]:
            async with back(server, log["user"]) as [person], person.connect("/ws") as socket:
                await socket.recv()
                asked = {"topic": log["topic"], "offset": 0, "epoch": log["epoch"]}
                await socket.send(json.dumps({"id": 1, "type": "resume", "topics": [asked]}))
                assert json.loads(await socket.recv())["result"]["topics"][0]["recovered"]
                for event in log["events"]:
                    told = str(await socket.recv())
                    if '"type":"message_edited"' in event:  # told with the newest text, each of them
                        event, told = (LATER.sub("", text) for text in (event, told))
                    assert told == event
        await test_old_messages_of_a_room_are_edited_and_deleted(server)


LATER = re.compile(r'"(?:text|edited_at)":"(?:[^"\\]|\\.)*"')


def test_production_looks_at_accounts_of_that_release_before_it_changes_their_table() -> None:
    refused = pytest.raises(pytest.fail.Exception, match="Anyone can sign in as admin with the password admin")
    with refused, upgraded(DEBUG="0", ALLOWED_HOSTS="127.0.0.1"):
        pass
