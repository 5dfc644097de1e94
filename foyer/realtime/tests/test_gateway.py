"""The gateway as clients meet it, on a real server: signing in, commands, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.clients import PASSWORD, Frame, Person, Socket, sign_up_at
from tests.server import Server

TOKEN_PROTOCOL = "bearer."


def places(welcome: Frame) -> dict[str, tuple[int, str]]:
    return {place["topic"]: (place["offset"], place["epoch"]) for place in welcome["topics"]}


async def welcomed(socket: Socket) -> Frame:
    frame = await socket.hear()
    assert frame["type"] == "welcome", frame
    return frame


# Signing in


async def test_a_header_signs_in_and_the_welcome_says_where_everything_stands(
    ann_there: Person, ben_there: Person
) -> None:
    room, closed = await ann_there.make_room(), await ann_there.make_room(members_only=True)
    await ben_there.make_room()
    for text in ("one", "two"):
        await ann_there.post(room, text)
    async with ann_there.socket("/ws") as socket:
        frame = await welcomed(socket)
        name = ann_there.username
        assert list(frame) == ["type", "username", "user_type", "heartbeat", "topics"]
        assert frame | {"topics": []} == {
            "type": "welcome", "username": name, "user_type": "user", "heartbeat": 25, "topics": [],
        }  # fmt: skip
        assert all(list(place) == ["topic", "offset", "epoch"] for place in frame["topics"])
        found = places(frame)
        assert list(found) == [f"user:{name}", f"room:{room}", f"room:{closed}"]
        assert found[f"room:{room}"][0] == 2
        assert found[f"room:{closed}"][0] == 0
        assert found[f"user:{name}"][0] == 2  # room_added, twice
        assert all(epoch for _, epoch in found.values())


async def test_a_subprotocol_signs_in_a_browser(ann_there: Person) -> None:
    protocols = ["foyer.v1", TOKEN_PROTOCOL + ann_there.token]
    async with ann_there.connect("/ws", additional_headers={}, subprotocols=protocols) as connection:
        assert connection.subprotocol == "foyer.v1"
        assert (await welcomed(Socket(connection)))["username"] == ann_there.username


async def test_a_bad_token_in_a_subprotocol_is_let_in_and_closed_with_4401(ann_there: Person) -> None:
    protocols = ["foyer.v1", TOKEN_PROTOCOL + "x.y.z"]
    async with ann_there.connect("/ws", additional_headers={}, subprotocols=protocols) as connection:
        assert connection.subprotocol == "foyer.v1"
        assert await Socket(connection).closed() == (4401, "bad_token")


async def test_a_bad_header_is_refused_as_over_rest(ann_there: Person) -> None:
    for header, code in (("Bearer x.y.z", "bad_token"), ("Digest x", "not_authenticated"), ("Basic eA==", None)):
        with pytest.raises(InvalidStatus) as refused:
            await ann_there.connect("/ws", additional_headers={"Authorization": header})
        answer = refused.value.response
        assert answer.status_code == 401
        assert json.loads(answer.body or b"")["code"] == (code or "bad_credentials")


async def test_a_first_frame_signs_in_by_token_or_by_password(ann_there: Person) -> None:
    room = await ann_there.make_room()
    for said in ({"token": ann_there.token}, {"username": ann_there.username, "password": PASSWORD}):
        async with ann_there.socket("/ws", additional_headers={}) as socket:
            await socket.say({"type": "authenticate", **said})
            assert (await welcomed(socket))["username"] == ann_there.username
            assert (await socket.ask({"id": 1, "type": "post", "room": room, "text": "hi"}))["result"]["roomId"] == room


async def test_who_signs_in_wrongly_is_told_and_may_try_again(ann_there: Person) -> None:
    async with ann_there.socket("/ws", additional_headers={}) as socket:
        tries: list[tuple[Frame, str]] = [
            ({"token": "x.y.z"}, "bad_token"),
            ({"username": ann_there.username, "password": "wrong"}, "bad_credentials"),
            ({"username": "nobody at all", "password": "wrong"}, "bad_credentials"),
            ({}, "invalid"),
            ({"username": ann_there.username}, "invalid"),
            ({"token": 5}, "invalid"),
            ({"username": ["x"], "password": {}}, "invalid"),
        ]
        for number, (said, code) in enumerate(tries):
            answer = await socket.ask({"id": number, "type": "authenticate", **said})
            assert (answer["type"], answer["id"], answer["code"]) == ("error", number, code)
        answer = await socket.ask({"id": "now", "type": "authenticate", "token": ann_there.token})
        assert answer == {"id": "now", "type": "reply", "result": {"username": ann_there.username}}
        await welcomed(socket)
        again = await socket.ask({"type": "authenticate", "token": ann_there.token})
        assert (again["type"], again["code"]) == ("error", "already_signed_in")


async def test_nothing_else_is_done_before_signing_in(ann_there: Person) -> None:
    room = await ann_there.make_room()
    async with ann_there.socket("/ws", additional_headers={}) as socket:
        for kind in ("post", "subscribe", "resume", "history", "create_room", "delete_room", "dance", None):
            answer = await socket.ask({"id": 1, "type": kind, "room": room, "text": "hi", "topic": f"room:{room}"})
            assert (answer["type"], answer["id"], answer["code"]) == ("error", 1, "not_authenticated")
        assert (await socket.ask("nonsense"))["code"] == "bad_frame"
        await ann_there.post(room, "not for you")
        await socket.say({"type": "ping", "seq": 3})
        assert await socket.hear() == {"type": "pong", "seq": 3}
        await socket.say(b"binary")
        assert (await socket.closed())[0] == 4400
    assert len(await ann_there.history(room)) == 1


async def test_signing_out_closes_the_socket_with_4401(ann_there: Person) -> None:
    async with ann_there.socket("/ws") as by_header, ann_there.socket("/ws", additional_headers={}) as by_frame:
        await by_frame.say({"type": "authenticate", "token": ann_there.token})
        await welcomed(by_header)
        await welcomed(by_frame)
        await ann_there.rest.delete("/auth")
        assert (await by_header.closed())[0] == (await by_frame.closed())[0] == 4401


# Frames


@pytest.mark.parametrize("number", ["1", "-0.5", '"a"', "null", "true", "[1, {}]", '{"a": [1.5]}', "9" * 40])
async def test_an_id_comes_back_as_it_was_sent(ann_there: Person, number: str) -> None:
    async with ann_there.socket("/ws") as socket:
        await welcomed(socket)
        for said in ('"type": "unsubscribe", "topic": "room:1"', '"type": "dance"', '"type": "post"'):
            answer = await socket.ask(f'{{{said}, "id": {number}}}')
            assert answer["id"] == json.loads(number)
            assert type(answer["id"]) is type(json.loads(number))
        await socket.say(f'{{"type": "ping", "id": {number}, "seq": {number}}}')
        assert await socket.hear() == {"type": "pong", "id": json.loads(number), "seq": json.loads(number)}


async def test_a_frame_without_an_id_is_answered_without_one(ann_there: Person) -> None:
    async with ann_there.socket("/ws") as socket:
        await welcomed(socket)
        assert await socket.ask({"type": "unsubscribe", "topic": "room:1"}) == {
            "type": "reply",
            "result": {"topic": "room:1"},
        }
        assert set(await socket.ask({"type": "dance"})) == {"type", "code", "detail"}


async def test_commands_are_answered_in_order(ann_there: Person) -> None:
    room = await ann_there.make_room()
    async with ann_there.socket("/ws") as socket:
        await welcomed(socket)
        for number in range(50):
            kind = {"type": "dance"} if number % 7 == 0 else {"type": "post", "room": room, "text": str(number)}
            await socket.say({"id": number, **kind})
        frames = await socket.hear_many(50 + 42)
        assert [frame["id"] for frame in frames if "id" in frame] == list(range(50))
        assert [frame["offset"] for frame in frames if "offset" in frame] == list(range(1, 43))


BAD: list[tuple[Any, str]] = [
    ("", "bad_frame"),
    ("nonsense", "bad_frame"),
    ("[]", "bad_frame"),
    ("null", "bad_frame"),
    ('"post"', "bad_frame"),
    ('{"type": "post", "text": NaN}', "bad_frame"),
    ("[" * 10_000 + "]" * 10_000, "bad_frame"),
    ({}, "unknown_command"),
    ({"type": None}, "unknown_command"),
    ({"type": ["post"]}, "unknown_command"),
    ({"type": {"post": 1}}, "unknown_command"),
    ({"type": "x" * 60_000}, "unknown_command"),
    ({"type": "welcome"}, "unknown_command"),
    ({"type": "post", "text": "hi"}, "invalid"),
    ({"type": "post", "room": 5, "text": "hi"}, "invalid"),
    ({"type": "post", "room": None, "text": "hi"}, "invalid"),
    ({"type": "post", "room": "1", "user": "ann", "text": "hi"}, "invalid"),
    ({"type": "post", "user": ["ann"], "text": "hi"}, "invalid"),
    ({"type": "post", "user": "nobody at all", "text": "hi"}, "user_not_found"),
    ({"type": "post", "user": "a\0b", "text": "hi"}, "user_not_found"),
    ({"type": "post", "user": "", "text": "hi"}, "user_not_found"),
    ({"type": "post", "room": "999999999", "text": "hi"}, "room_not_found"),
    ({"type": "post", "room": "{room:1}", "text": "hi"}, "room_not_found"),
    ({"type": "post", "room": "1\n", "text": "hi"}, "room_not_found"),
    ({"type": "post", "room": "9" * 40, "text": "hi"}, "room_not_found"),
    ({"type": "subscribe"}, "invalid"),
    ({"type": "subscribe", "topic": 5}, "invalid"),
    ({"type": "subscribe", "topic": ""}, "unknown_topic"),
    ({"type": "subscribe", "topic": "room"}, "room_not_found"),
    ({"type": "subscribe", "topic": "room:"}, "room_not_found"),
    ({"type": "subscribe", "topic": "room:999999999"}, "room_not_found"),
    ({"type": "subscribe", "topic": "kitchen:5"}, "unknown_topic"),
    ({"type": "subscribe", "topic": "user:admin"}, "unknown_topic"),
    ({"type": "unsubscribe", "topic": {}}, "invalid"),
    ({"type": "resume"}, "invalid"),
    ({"type": "resume", "topics": {}}, "invalid"),
    ({"type": "resume", "topics": ["room:1"]}, "invalid"),
    ({"type": "resume", "topics": [{"topic": "room:1"}]}, "invalid"),
    ({"type": "resume", "topics": [{"topic": "room:1", "offset": -1, "epoch": "x"}]}, "invalid"),
    ({"type": "resume", "topics": [{"topic": "room:1", "offset": True, "epoch": "x"}]}, "invalid"),
    ({"type": "resume", "topics": [{"topic": "room:1", "offset": 1.5, "epoch": "x"}]}, "invalid"),
    ({"type": "resume", "topics": [{"topic": "room:1", "offset": 2**53, "epoch": "x"}]}, "invalid"),
    ({"type": "resume", "topics": [{"topic": "room:1", "offset": 1, "epoch": 5}]}, "invalid"),
    ({"type": "history"}, "invalid"),
    ({"type": "history", "room": "1", "limit": "5"}, "invalid"),
    ({"type": "history", "room": "1", "limit": -1}, "invalid"),
    ({"type": "history", "room": "1", "limit": 0}, "invalid"),
    ({"type": "history", "room": "1", "limit": 1001}, "invalid"),
    ({"type": "history", "room": "1", "before": 1.5}, "invalid"),
    ({"type": "edit", "room": "1"}, "invalid"),
    ({"type": "edit", "room": "1", "message": "1", "text": "x"}, "invalid"),
    ({"type": "edit", "room": "1", "message": 1}, "invalid"),
    ({"type": "delete", "room": "1", "message": None}, "invalid"),
    ({"type": "delete_room"}, "invalid"),
    ({"type": "delete_room", "room": ["1"]}, "invalid"),
    ({"type": "create_room"}, "invalid"),
    ({"type": "create_room", "name": 5}, "invalid"),
    ({"type": "create_room", "name": "x", "members_only": "yes"}, "invalid"),
    ({"type": "create_room", "name": "x", "client_id": 5}, "invalid"),
    ({"type": "add_member", "room": "1"}, "invalid"),
    ({"type": "add_member", "room": "1", "username": 5}, "invalid"),
    ({"type": "remove_member", "room": "999999999", "username": "admin"}, "room_not_found"),
]


async def test_a_frame_that_is_no_good_is_answered_and_the_socket_goes_on(ann_there: Person) -> None:
    async with ann_there.socket("/ws") as socket:
        await welcomed(socket)
        for number, (frame, expected) in enumerate(BAD):
            answer = await socket.ask({"id": number, **frame} if isinstance(frame, dict) else frame)
            assert answer["type"] == "error", f"{str(frame)[:80]}: {answer}"
            assert answer["code"] == expected, f"{str(frame)[:80]}: {answer}"
            assert 0 < len(answer["detail"]) < 300
            assert answer.get("id") == (number if isinstance(frame, dict) else None)
            assert ("fields" in answer) == (expected == "invalid")
        await socket.say({"type": "ping"})
        assert await socket.hear() == {"type": "pong"}
    assert "Traceback" not in ann_there.server.output()


async def test_a_binary_frame_closes_with_4400_and_one_over_64_kib_with_1009(ann_there: Person) -> None:
    async with ann_there.socket("/ws") as socket:
        await socket.say(b'{"type": "ping"}')
        assert (await socket.closed())[0] == 4400
    async with ann_there.socket("/ws") as socket:
        await socket.say("x" * (64 * 1024 + 1))
        assert (await socket.closed())[0] == 1009


# Limits


@pytest.fixture
def strict_server(start_server: Callable[..., Server]) -> Server:
    return start_server(FRAMES_PER_SECOND="5", CONNECTIONS_PER_USER="3", SUBSCRIPTIONS_PER_CONNECTION="4")


async def test_frames_connections_and_subscriptions_have_limits(strict_server: Server) -> None:
    ann = await sign_up_at(strict_server, "ann")
    for flood in ('{"id": 1, "type": "ping"}', "nonsense"):
        async with ann.socket("/ws") as socket:
            for _ in range(60):
                await socket.say(flood)
            assert (await socket.closed())[0] == 4429
            codes = [frame.get("code", frame["type"]) for frame in socket.heard]
            assert len(codes) < 40
            if "nonsense" not in flood:
                assert {"welcome", "pong", "rate_limited"} == set(codes)
                assert all(frame["id"] == 1 for frame in socket.heard if frame["type"] != "welcome")
    rooms = [await ann.make_room() for _ in range(5)]
    for path in (f"/room/{rooms[0]}/subscribe", "/messages/subscribe", "/join", "/lobby_api"):
        async with ann.socket(path) as socket:
            for _ in range(60):
                await socket.say("nonsense")
            assert (await socket.closed())[0] == 4429, path
            assert len(socket.heard) < 40
    for room in rooms:
        await ann.rest.delete(f"/room/{room}/members/{ann.username}")
    async with ann.socket("/ws") as first, ann.socket("/ws"), ann.socket("/ws", additional_headers={}) as third:
        await welcomed(first)
        await third.say({"type": "authenticate", "token": ann.token})
        await welcomed(third)
        with pytest.raises(InvalidStatus) as refused:
            await ann.connect("/ws")
        assert refused.value.response.status_code == 429
        async with ann.socket("/ws", additional_headers={}) as fourth:
            answer = await fourth.ask({"type": "authenticate", "token": ann.token})
            assert answer["code"] == "rate_limited"
            assert (await fourth.ask({"type": "create_room", "name": "x"}))["code"] == "not_authenticated"
        for room in rooms[:3]:
            assert (await first.ask({"type": "subscribe", "topic": f"room:{room}"}))["type"] == "reply"
        for room in rooms[3:]:
            assert (await first.ask({"type": "subscribe", "topic": f"room:{room}"}))["code"] == "rate_limited"
        await first.ask({"type": "unsubscribe", "topic": f"room:{rooms[0]}"})
        assert (await first.ask({"type": "subscribe", "topic": f"room:{rooms[3]}"}))["type"] == "reply"
        places = [{"topic": f"room:{room}", "offset": 0, "epoch": ""} for room in rooms]
        answer = await third.ask({"type": "resume", "topics": places})
        assert answer["code"] == "rate_limited"
    await ann.rest.aclose()
