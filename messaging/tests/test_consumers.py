"""Sockets of rooms and of the inbox, on a real server."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode

from tests.clients import PASSWORD, Person, SignUp, Socket, sign_in


async def refusal(person: Person, path: str, **options: Any) -> Any:
    """The HTTP answer to a handshake that is refused."""
    with pytest.raises(InvalidStatus) as refused:
        await person.connect(path, **options)
    answer = refused.value.response
    told = json.loads(answer.body or b"")
    assert set(told) <= {"code", "detail", "fields"}
    assert told["detail"]
    assert answer.headers["Content-Type"] == "application/json"
    return answer


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, json.loads(answer.body)["code"]


# The handshake


async def test_who_is_not_signed_in_is_told_how_to(ann_there: Person) -> None:
    room = await ann_there.make_room()
    for path in (f"/room/{room}/subscribe", "/messages/subscribe"):
        answer = await refusal(ann_there, path, additional_headers={})
        assert code(answer) == (401, "not_authenticated")
        assert "Bearer" in answer.headers["WWW-Authenticate"]
        assert "Basic" in answer.headers["WWW-Authenticate"]
        for forged in (
            {"additional_headers": {"Authorization": "Bearer x.y.z"}},
            {"additional_headers": {}, "subprotocols": ["foyer.v1", "bearer.x"]},
        ):
            assert code(await refusal(ann_there, path, **forged)) == (401, "bad_token")
    assert " ERROR " not in ann_there.server.output()


@pytest.mark.parametrize(
    "path",
    [
        "/room/999999999/subscribe", "/room/0/subscribe", "/room/x/subscribe", "/room/%00/subscribe", "/", "/nowhere",
        "/room/../subscribe", "/room/%7Broom:1%7D/subscribe", "/room/9999999999999999999999/subscribe",
        "/room//subscribe", "/room/%FF/subscribe", "/room/1%0A/subscribe", "/messages/subscribe/",
    ],
)  # fmt: skip
async def test_there_is_no_socket_where_there_is_no_room(ann_there: Person, path: str) -> None:
    assert (await refusal(ann_there, path)).status_code == 404


async def test_a_members_only_room_has_no_socket_for_others(ann_there: Person, ben_there: Person) -> None:
    room = await ann_there.make_room(members_only=True)
    async with ann_there.socket(f"/room/{room}/subscribe") as socket:
        assert (await socket.ask({"type": "post", "text": "hush"}))["type"] == "reply"
    answer = await refusal(ben_there, f"/room/{room}/subscribe")
    assert answer.body == (await refusal(ben_there, "/room/999999999/subscribe")).body


async def test_a_place_that_is_none_is_refused(ann_there: Person) -> None:
    room = await ann_there.make_room()
    await ann_there.post(room, "one")
    for path in (f"/room/{room}/subscribe", "/messages/subscribe"):
        for place in ("x", "-1", "1.5", "9" * 16, "%D9%A1", "%00"):
            answer = await refusal(ann_there, f"{path}?after={place}")
            assert code(answer) == (400, "invalid")
            assert list(json.loads(answer.body)["fields"]) == ["after"]
        assert code(await refusal(ann_there, f"{path}?after=7")) == (400, "unknown_cursor")
    for epoch in ("other", "%00", "%FF", "x" * 300):
        answer = await refusal(ann_there, f"/room/{room}/subscribe?after=1&epoch={epoch}")
        assert code(answer) == (400, "unknown_cursor")


async def test_a_browser_signs_in_by_subprotocol(ann_there: Person) -> None:
    room = await ann_there.make_room()
    path = f"/room/{room}/subscribe"
    protocols = ["foyer.v1", f"bearer.{ann_there.token}"]
    async with ann_there.connect(path, additional_headers={}, subprotocols=protocols) as connection:
        assert connection.subprotocol == "foyer.v1"
        assert (await Socket(connection).ask({"type": "post", "text": "hi"}))["result"]["sender"] == ann_there.username
    async with ann_there.connect(path) as connection:
        assert connection.subprotocol is None


async def test_any_way_of_signing_in_opens_a_socket(ann_there: Person) -> None:
    basic = base64.b64encode(f"{ann_there.username}:{PASSWORD}".encode()).decode()
    async with ann_there.socket(
        "/messages/subscribe", additional_headers={"Authorization": f"Basic {basic}"}
    ) as socket:
        await ann_there.rest.post(f"/user/{ann_there.username}/messages", json={"text": "note"})
        assert (await socket.hear())["message"]["text"] == "note"


# Posting


async def test_a_post_is_answered_and_everyone_hears_it(ann_there: Person, ben_there: Person) -> None:
    room = await ann_there.make_room()
    path = f"/room/{room}/subscribe"
    async with ann_there.socket(path) as ann, ann_there.socket(path) as second, ben_there.socket(path) as ben:
        answer = await ann.ask({"id": 7, "type": "post", "text": " hi\n"})
        message = answer["result"]
        assert answer == {"id": 7, "type": "reply", "result": message}
        assert message | {"sent_at": ""} == {
            "id": 1, "roomId": room, "sender": ann_there.username, "text": " hi\n", "sent_at": "", "edited_at": None,
        }  # fmt: skip
        event = {"type": "message", "topic": f"room:{room}", "offset": 1, "message": message}
        assert [await socket.hear() for socket in (ann, second, ben)] == [event] * 3
    assert await ben_there.history(room) == [message]


@pytest.mark.parametrize("number", [0, -1, 1.5, "", "x", "7", "💬" * 50, None, True])
async def test_an_answer_carries_the_commands_id_as_it_was_sent(ann_there: Person, number: Any) -> None:
    async with ann_there.socket(f"/room/{await ann_there.make_room()}/subscribe") as socket:
        for frame in ({"type": "post", "text": "hi"}, {"type": "nothing"}):
            answer = await socket.ask({"id": number, **frame})
            assert answer["id"] == number
            assert type(answer["id"]) is type(number)
            assert "id" not in await socket.ask(frame)


async def test_every_event_of_a_room_is_heard_in_order(ann_there: Person, ben_there: Person) -> None:
    room = await ann_there.make_room("Kitchen " + ann_there.username)
    async with ben_there.socket(f"/room/{room}/subscribe") as ben:
        message = await ann_there.post(room, "helo")
        edited = (await ann_there.rest.patch(f"/room/{room}/messages/1", json={"text": "hello"})).json()
        renamed = (await ann_there.rest.patch(f"/room/{room}", json={"name": f"Cellar {room}"})).json()
        await ann_there.rest.delete(f"/room/{room}/messages/1")
        topic, name = f"room:{room}", ann_there.username
        assert await ben.hear_many(4) == [
            {"type": "message", "topic": topic, "offset": 1, "message": message},
            {"type": "message_edited", "topic": topic, "offset": 2, "message": edited},
            {"type": "room_updated", "topic": topic, "offset": 3, "room": renamed, "by": name},
            {"type": "message_deleted", "topic": topic, "offset": 4, "message": {"id": 1, "roomId": room}, "by": name},
        ]


async def test_many_who_post_at_once_are_heard_alike_by_all(ann_there: Person, ben_there: Person) -> None:
    room = await ann_there.make_room()
    path = f"/room/{room}/subscribe"

    async def chat(person: Person, number: int) -> tuple[list[int], list[tuple[int, str]]]:
        async with person.socket(path) as socket:
            ready.release()
            async with go:
                pass
            mine = [(await socket.ask({"type": "post", "text": f"{number}.{n}"}))["result"]["id"] for n in range(20)]
            heard = await socket.hear_many(200)
            return mine, [(event["offset"], event["message"]["text"]) for event in heard]

    ready, go = asyncio.Semaphore(0), asyncio.Lock()
    await go.acquire()
    chats = [asyncio.create_task(chat(person, number)) for number, person in enumerate([ann_there, ben_there] * 5)]
    for _ in chats:
        await ready.acquire()
    go.release()
    done = await asyncio.gather(*chats)
    assert sorted(number for mine, _ in done for number in mine) == list(range(1, 201))
    for mine, heard in done:
        assert mine == sorted(mine)
        assert heard == done[0][1]
        assert [offset for offset, _ in heard] == list(range(1, 201))


async def test_a_retry_key_means_the_same_over_rest_and_on_the_socket(ann_there: Person, ben_there: Person) -> None:
    room = await ann_there.make_room()
    async with ann_there.socket(f"/room/{room}/subscribe") as socket:
        first = await ann_there.post(room, "by rest", **{"Idempotency-Key": "k-1"})
        again = await socket.ask({"type": "post", "text": "by rest", "client_id": "k-1"})
        assert again["result"] == first
        second = (await socket.ask({"type": "post", "text": "by socket", "client_id": "k-2"}))["result"]
        assert await ann_there.post(room, "by socket", **{"Idempotency-Key": "k-2"}) == second
        refused = await socket.ask({"id": 1, "type": "post", "text": "other", "client_id": "k-1"})
        assert (refused["type"], refused["id"], refused["code"]) == ("error", 1, "retry_key_reused")
        both = await asyncio.gather(
            ann_there.post(room, "at once", **{"Idempotency-Key": "k-3"}),
            *(ann_there.post(room, "at once", **{"Idempotency-Key": "k-3"}) for _ in range(5)),
            socket.ask({"type": "post", "text": "at once", "client_id": "k-3"}),
        )
        third = both[0]
        assert [*both[:-1], both[-1]["result"]] == [third] * 7
        assert await ann_there.history(room) == [first, second, third]
    async with ben_there.socket(f"/room/{room}/subscribe") as socket:
        assert (await socket.ask({"type": "post", "text": "mine", "client_id": "k-1"}))["result"]["id"] == 4


# What is no good

BAD_FRAMES: list[tuple[Any, str]] = [
    ("", "bad_frame"),
    ("{", "bad_frame"),
    ("nonsense", "bad_frame"),
    ("[]", "bad_frame"),
    ("null", "bad_frame"),
    ('"post"', "bad_frame"),
    ("5", "bad_frame"),
    ('{"type": "post", "text": NaN}', "bad_frame"),
    ('{"type": "post", "text": "\\ud800"}', "bad_frame"),
    ("[" * 10_000 + "]" * 10_000, "bad_frame"),
    ('{"type": "post", "text": ' + "[" * 10_000 + "]" * 10_000 + "}", "bad_frame"),
    ({}, "unknown_command"),
    ({"type": None}, "unknown_command"),
    ({"type": 5}, "unknown_command"),
    ({"type": ["post"]}, "unknown_command"),
    ({"type": "dance"}, "unknown_command"),
    ({"type": "x" * 60_000}, "unknown_command"),
    ({"type": "post"}, "invalid"),
    ({"type": "post", "text": ""}, "invalid"),
    ({"type": "post", "text": " \n"}, "invalid"),
    ({"type": "post", "text": "x" * 4097}, "invalid"),
    ({"type": "post", "text": "a\0b"}, "invalid"),
    ({"type": "post", "text": 5}, "invalid"),
    ({"type": "post", "text": None}, "invalid"),
    ({"type": "post", "text": ["hi"]}, "invalid"),
    ({"type": "post", "text": {"a": "hi"}}, "invalid"),
    ({"type": "post", "text": "hi", "client_id": 5}, "invalid"),
    ({"type": "post", "text": "hi", "client_id": ""}, "invalid"),
    ({"type": "post", "text": "hi", "client_id": "k" * 256}, "invalid"),
]


async def test_a_frame_that_is_no_good_is_answered_and_the_socket_goes_on(ann_there: Person) -> None:
    room = await ann_there.make_room()
    async with ann_there.socket(f"/room/{room}/subscribe") as socket:
        for number, (frame, expected) in enumerate(BAD_FRAMES):
            sent = {"id": number, **frame} if isinstance(frame, dict) else frame
            answer = await socket.ask(sent)
            assert answer["type"] == "error"
            assert answer["code"] == expected, f"{str(frame)[:60]}: {answer}"
            assert 0 < len(answer["detail"]) < 300
            assert answer.get("id") == (number if isinstance(frame, dict) else None)
            assert set(answer) <= {"type", "id", "code", "detail", "fields"}
            assert ("fields" in answer) == (expected == "invalid")
        assert (await socket.ask({"type": "post", "text": "still here"}))["result"]["id"] == 1
    assert len(await ann_there.history(room)) == 1


@pytest.mark.parametrize("number", ["1", '"a"', "null", "[1]", '{"a": [1.5, true]}', "9" * 40, '"\\u0000é"'])
async def test_an_id_comes_back_as_it_was_sent(ann_there: Person, number: str) -> None:
    room = await ann_there.make_room()
    async with ann_there.socket(f"/room/{room}/subscribe") as socket:
        for text in ("hi", " "):
            answer = await socket.ask(f'{{"type": "post", "text": "{text}", "id": {number}}}')
            assert answer["id"] == json.loads(number)
            assert type(answer["id"]) is type(json.loads(number))


@pytest.mark.parametrize("number", ["[" * 300 + "]" * 300, '{"a": ' * 300 + "1" + "}" * 300])
async def test_an_id_that_is_nested_too_deeply_is_refused(ann_there: Person, number: str) -> None:
    room = await ann_there.make_room()
    async with ann_there.socket(f"/room/{room}/subscribe") as socket:
        answer = await socket.ask(f'{{"type": "post", "text": "hi", "id": {number}}}')
        assert (answer["type"], answer["code"]) == ("error", "bad_frame")
        assert "id" not in answer
        assert (await socket.ask({"id": 1, "type": "post", "text": "hi"}))["type"] == "reply"


async def test_the_inbox_takes_no_commands(ann_there: Person) -> None:
    async with ann_there.socket("/messages/subscribe") as socket:
        for frame in ({"id": 1, "type": "post", "text": "hi"}, {"id": 1}):
            answer = await socket.ask(frame)
            assert (answer["type"], answer["id"], answer["code"]) == ("error", 1, "unknown_command")


async def test_a_binary_frame_closes_with_4400(ann_there: Person) -> None:
    async with ann_there.socket(f"/room/{await ann_there.make_room()}/subscribe") as socket:
        await socket.say(b'{"type": "post", "text": "hi"}')
        assert (await socket.closed())[0] == 4400


async def test_a_frame_over_64_kib_closes_with_1009(ann_there: Person) -> None:
    path = f"/room/{await ann_there.make_room()}/subscribe"
    async with ann_there.socket(path) as socket:
        answer = await socket.ask({"type": "post", "text": "x" * (64 * 1024 - 28)})
        assert answer["code"] == "invalid"
        await socket.say("x" * (64 * 1024 + 1))
        assert (await socket.closed())[0] == 1009
    async with ann_there.socket(path) as socket:
        await socket.connection.send(["x" * 30_000] * 3)
        assert (await socket.closed())[0] == 1009


async def test_text_that_is_not_utf_8_closes_with_1007(ann_there: Person) -> None:
    async with ann_there.connect(f"/room/{await ann_there.make_room()}/subscribe") as connection:
        connection.protocol.writes.append(Frame(Opcode.TEXT, b'{"text": "\xff"}').serialize(mask=True))
        await connection.ping()
        assert (await Socket(connection).closed())[0] == 1007


async def test_a_message_in_fragments_is_one_message(ann_there: Person) -> None:
    async with ann_there.socket(f"/room/{await ann_there.make_room()}/subscribe") as socket:
        await socket.connection.send(['{"type": "post", ', '"text": "in ', 'parts"}'])
        assert (await socket.next_frame())["type"] in ("reply", "message")


# The end


async def test_signing_out_closes_the_sockets_of_that_session(ann_there: Person) -> None:
    other = await sign_in(ann_there.server, ann_there.username)
    room = await ann_there.make_room()
    async with (
        ann_there.socket(f"/room/{room}/subscribe") as first,
        ann_there.socket("/messages/subscribe") as second,
        other.socket(f"/room/{room}/subscribe") as stays,
    ):
        assert (await ann_there.rest.delete("/auth")).status_code == 204
        assert (await first.closed())[0] == (await second.closed())[0] == 4401
        assert (await stays.ask({"type": "post", "text": "still here"}))["type"] == "reply"
        assert (await other.rest.delete("/auth?all=true")).status_code == 204
        assert (await stays.closed())[0] == 4401
    assert code(await refusal(other, f"/room/{room}/subscribe")) == (401, "bad_token")
    await other.rest.aclose()


async def test_deleting_the_account_closes_its_sockets_and_unsigns_its_messages(
    ann_there: Person, ben_there: Person
) -> None:
    room = await ann_there.make_room()
    await ben_there.post(room, "old")
    await ben_there.rest.patch(f"/room/{room}/messages/1", json={"text": "older"})
    async with ben_there.socket(f"/room/{room}/subscribe") as socket:
        assert (await ben_there.rest.delete(f"/user/{ben_there.username}")).status_code == 204
        assert (await socket.closed())[0] == 4401
    assert [message["sender"] for message in await ann_there.history(room)] == [None]
    async with ann_there.socket(f"/room/{room}/subscribe?after=0") as socket:
        assert [event["message"]["sender"] for event in await socket.hear_many(2)] == [None, None]


async def test_deleting_a_room_tells_its_sockets_and_closes_them(ann_there: Person, ben_there: Person) -> None:
    room = await ann_there.make_room()
    path = f"/room/{room}/subscribe"
    async with ben_there.socket(path) as ben, ann_there.socket(path) as ann:
        await ann_there.post(room, "last")
        assert (await ann_there.rest.delete(f"/room/{room}")).status_code == 204
        for socket in (ben, ann):
            assert (await socket.closed())[0] == 4404
            assert [event["type"] for event in socket.heard] == ["message", "room_deleted"]
            assert socket.heard[1] == {
                "type": "room_deleted", "topic": f"room:{room}", "offset": 2, "roomId": room, "by": ann_there.username,
            }  # fmt: skip
    assert (await refusal(ben_there, path)).status_code == 404


async def test_a_room_that_closes_to_strangers_is_heard_by_its_members_alone(
    ann_there: Person, ben_there: Person
) -> None:
    room = await ann_there.make_room()
    path = f"/room/{room}/subscribe"
    async with ben_there.socket(path) as ben, ann_there.socket(path) as ann:
        assert (await ann_there.rest.patch(f"/room/{room}", json={"members_only": True})).status_code == 200
        await ann_there.post(room, "hush")
        assert (await ben.closed())[0] == 4403
        assert [event["type"] for event in ben.heard] == ["room_updated"]
        assert [event["type"] for event in await ann.hear_many(2)] == ["room_updated", "message"]
    assert (await refusal(ben_there, path)).status_code == 404


# The inbox


async def test_the_inbox_hears_what_was_sent_to_its_owner_and_nothing_else(sign_up: SignUp) -> None:
    ann, ben = await sign_up("ann"), await sign_up("ben")
    async with ann.socket("/messages/subscribe") as socket:
        for sender, to, text in ((ann, ben, "out"), (ben, ann, "in"), (ann, ann, "note"), (ben, ben, "own note")):
            answer = await sender.rest.post(f"/user/{to.username}/messages", json={"text": text})
            assert answer.status_code == 201
        heard = await socket.hear_many(2)
        inbox = (await ann.rest.get("/messages")).json()
        assert [event["message"] for event in heard] == inbox
        assert [event["message"]["text"] for event in heard] == ["in", "note"]
        assert heard[0] == {
            "type": "direct_message", "topic": f"user:{ann.username}", "offset": 2, "message": inbox[0],
        }  # fmt: skip
    async with ann.socket("/messages/subscribe?after=2") as socket:
        assert (await socket.hear())["message"]["text"] == "note"
