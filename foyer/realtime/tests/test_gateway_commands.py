"""What the gateway's commands do and what is heard of it, on a real server."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.clients import Frame, Person, SignUp, Socket


async def welcomed(socket: Socket) -> Socket:
    assert (await socket.hear())["type"] == "welcome"
    return socket


async def test_a_post_is_answered_and_every_member_hears_it(ann_there: Person, ben_there: Person) -> None:
    room = await ann_there.make_room(members_only=True)
    await ann_there.rest.post(f"/room/{room}/members", json={"username": ben_there.username})
    async with ann_there.socket("/ws") as ann, ann_there.socket("/ws") as second, ben_there.socket("/ws") as ben:
        for socket in (ann, second, ben):
            await welcomed(socket)
        answer = await ann.ask({"id": 1, "type": "post", "room": room, "text": " hi\n", "client_id": "c-77"})
        message = answer["result"]
        assert answer == {"id": 1, "type": "reply", "result": message}
        assert message | {"sent_at": ""} == {
            "id": 2, "roomId": room, "sender": ann_there.username, "text": " hi\n", "sent_at": "", "edited_at": None,
        }  # fmt: skip
        event = {"type": "message", "topic": f"room:{room}", "offset": 2, "message": message}
        assert [await socket.hear() for socket in (ann, second, ben)] == [event] * 3
        again = await ann.ask({"id": 2, "type": "post", "room": room, "text": " hi\n", "client_id": "c-77"})
        assert again == {"id": 2, "type": "reply", "result": message}
        other = await ann.ask({"type": "post", "room": room, "text": "other", "client_id": "c-77"})
        assert other["code"] == "retry_key_reused"
        theirs = await ben.ask({"type": "post", "room": room, "text": "other", "client_id": "c-77"})
        assert theirs["result"]["id"] == 3
    assert await ben_there.history(room) == [message, theirs["result"]]


async def test_a_post_retried_over_rest_is_the_same_message(ann_there: Person) -> None:
    room = await ann_there.make_room()
    async with ann_there.socket("/ws") as socket:
        await welcomed(socket)
        first = (await socket.ask({"type": "post", "room": room, "text": "hi", "client_id": "k"}))["result"]
    assert await ann_there.post(room, "hi", **{"Idempotency-Key": "k"}) == first


async def test_a_direct_message_is_heard_at_both_ends(ann_there: Person, ben_there: Person) -> None:
    async with ann_there.socket("/ws") as ann, ben_there.socket("/ws") as ben:
        await welcomed(ann)
        await welcomed(ben)
        name = ben_there.username.upper()
        sent = (await ann.ask({"type": "post", "user": name, "text": "psst", "client_id": "k"}))["result"]
        assert sent | {"sent_at": ""} == {
            "id": 1, "to": ben_there.username, "sender": ann_there.username, "text": "psst", "sent_at": "",
            "edited_at": None,
        }  # fmt: skip
        heard = [await ann.hear(), await ben.hear()]
        for frame, person in zip(heard, (ann_there, ben_there), strict=True):
            assert frame == {
                "type": "direct_message", "topic": f"user:{person.username}", "offset": 1, "message": sent,
            }  # fmt: skip
        assert (await ann.ask({"type": "post", "user": name, "text": "psst", "client_id": "k"}))["result"] == sent
        page = (await ben.ask({"type": "history", "user": ann_there.username}))["result"]
        assert page == {"messages": [sent], "more": False}


async def test_history_is_paged_as_over_rest(ann_there: Person, ben_there: Person) -> None:
    room = await ann_there.make_room()
    for number in range(5):
        await ann_there.post(room, str(number))
    async with ben_there.socket("/ws") as ben:
        await welcomed(ben)
        for asked, query in (
            ({}, ""), ({"limit": 2}, "?limit=2"), ({"before": 4, "limit": 2}, "?before=4&limit=2"),
            ({"after": 1, "limit": 3}, "?after=1&limit=3"), ({"after": 5}, "?after=5"), ({"limit": None}, ""),
        ):  # fmt: skip
            answer = await ben.ask({"type": "history", "room": room, **asked})
            page = await ben_there.rest.get(f"/room/{room}/messages{query}")
            assert answer["result"] == {"messages": page.json(), "more": "Link" in page.headers}


async def test_editing_and_deleting_are_heard(ann_there: Person, ben_there: Person) -> None:
    room = await ann_there.make_room()
    await ann_there.rest.post(f"/room/{room}/members", json={"username": ben_there.username})
    async with ann_there.socket("/ws") as ann, ben_there.socket("/ws") as ben:
        await welcomed(ann)
        await welcomed(ben)
        number = (await ann.ask({"type": "post", "room": room, "text": "teh"}))["result"]["id"]
        refused = await ben.ask({"type": "edit", "room": room, "message": number, "text": "mine"})
        assert refused["code"] == "not_the_sender"
        edited = await ann.ask({"id": 5, "type": "edit", "room": room, "message": number, "text": "the"})
        assert (edited["id"], edited["result"]["text"]) == (5, "the")
        assert edited["result"]["edited_at"]
        assert (await ann.ask({"type": "delete", "room": room, "message": number}))["result"] == {"id": number}
        assert (await ann.ask({"type": "delete", "room": room, "message": number}))["code"] == "message_not_found"
        events = await ben.hear_many(3)
        assert [event["type"] for event in events] == ["message", "message_edited", "message_deleted"]
        assert [event["offset"] for event in events] == [2, 3, 4]
        assert events[1]["message"] == edited["result"]
        assert events[2]["message"] == {"id": number, "roomId": room}
        assert events[2]["by"] == ann_there.username


async def test_a_room_is_made_filled_emptied_and_deleted(ann_there: Person, ben_there: Person) -> None:
    async with ann_there.socket("/ws") as ann, ann_there.socket("/ws") as second, ben_there.socket("/ws") as ben:
        for socket in (ann, second, ben):
            await welcomed(socket)
        asked = {"type": "create_room", "name": f"Den {ann_there.username}", "members_only": True, "client_id": "k"}
        made = (await ann.ask(asked))["result"]
        assert (await ann.ask(asked))["result"] == made
        assert made | {"roomId": "", "created_at": ""} == {
            "roomId": "", "name": asked["name"], "members_only": True, "owner": ann_there.username, "created_at": "",
        }  # fmt: skip
        assert made == (await ann_there.rest.get(f"/room/{made['roomId']}")).json()
        room, topic = made["roomId"], f"room:{made['roomId']}"
        for socket in (ann, second):
            event = await socket.hear()
            assert (event["type"], event["topic"]) == ("room_added", f"user:{ann_there.username}")
            assert (event["room"], event["by"]) == (made, ann_there.username)
            assert (event["at"]["topic"], event["at"]["offset"]) == (topic, 0)

        added = await ann.ask({"id": 1, "type": "add_member", "room": room, "username": ben_there.username})
        assert set(added["result"]) >= {"username", "joined_at"}
        assert (await ann.ask({"type": "add_member", "room": room, "username": ben_there.username}))["result"] == added[
            "result"
        ]
        event = await ben.hear()
        assert (event["type"], event["by"], event["room"]) == ("room_added", ann_there.username, made)
        change = {"topic": topic, "username": ben_there.username, "by": ann_there.username}
        for socket in (ann, second, ben):
            assert await socket.hear() == {"type": "member_added", "offset": 1, **change}

        removed = await ann.ask({"type": "remove_member", "room": room, "username": ben_there.username})
        assert removed["result"] == {"username": ben_there.username}
        again = await ann.ask({"type": "remove_member", "room": room, "username": ben_there.username})
        assert again["code"] == "not_in_room"
        for socket in (ann, second):
            assert await socket.hear() == {"type": "member_removed", "offset": 2, **change}
        heard = {frame["type"]: frame for frame in await ben.hear_many(2)}
        assert heard["member_removed"] == {"type": "member_removed", "offset": 2, **change}
        assert heard["room_removed"]["room"] == made

        refused = await ben.ask({"type": "delete_room", "room": room})
        assert refused["code"] == "room_not_found"
        assert (await second.ask({"type": "delete_room", "room": room}))["result"] == {"roomId": room}
        for socket in (ann, second):
            event = {"type": "room_deleted", "topic": topic, "offset": 3, "roomId": room, "by": ann_there.username}
            assert await socket.hear() == event
        assert (await ann.ask({"type": "post", "room": room, "text": "hi"}))["code"] == "room_not_found"


async def test_an_open_room_is_read_by_subscribing_until_unsubscribing(ann_there: Person, ben_there: Person) -> None:
    room = await ann_there.make_room()
    topic = f"room:{room}"
    await ann_there.post(room, "before")
    async with ben_there.socket("/ws") as ben:
        await welcomed(ben)
        answer = await ben.ask({"id": 1, "type": "subscribe", "topic": topic})
        assert (answer["type"], answer["result"]["topic"], answer["result"]["offset"]) == ("reply", topic, 1)
        assert answer["result"]["epoch"]
        await ann_there.post(room, "now")
        assert (await ben.hear())["message"]["text"] == "now"
        assert (await ben.ask({"type": "subscribe", "topic": topic}))["result"]["offset"] == 2
        posted = await ben.ask({"type": "post", "room": room, "text": "as a stranger"})
        assert posted["type"] == "reply"
        assert (await ben.hear())["offset"] == 3
        assert (await ben.ask({"type": "unsubscribe", "topic": topic}))["result"] == {"topic": topic}
        await ann_there.post(room, "after")
        again = await ben.ask({"type": "subscribe", "topic": topic, "offset": 3, "epoch": answer["result"]["epoch"]})
        assert again["result"] == {**answer["result"], "offset": 4, "recovered": True}
        assert (await ben.hear())["message"]["text"] == "after"
        await ann_there.rest.patch(f"/room/{room}", json={"members_only": True})
        assert (await ben.hear())["type"] == "room_updated"
        assert (await ben.ask({"type": "subscribe", "topic": topic}))["code"] == "room_not_found"
        await ann_there.post(room, "not for strangers")
        await ben.say({"type": "ping"})
        assert await ben.hear() == {"type": "pong"}


async def test_a_members_only_room_is_not_there_for_others(ann_there: Person, ben_there: Person) -> None:
    room = await ann_there.make_room(members_only=True)
    await ann_there.post(room, "ours")
    async with ben_there.socket("/ws") as ben:
        await welcomed(ben)
        commands: list[Frame] = [
            {"type": "post", "room": room, "text": "hi"}, {"type": "subscribe", "topic": f"room:{room}"},
            {"type": "subscribe", "topic": f"room:{room}", "offset": 0}, {"type": "history", "room": room},
            {"type": "edit", "room": room, "message": 1, "text": "x"},
            {"type": "delete", "room": room, "message": 1}, {"type": "delete_room", "room": room},
            {"type": "add_member", "room": room, "username": ben_there.username},
            {"type": "add_member", "room": room, "username": "nobody at all"},
            {"type": "remove_member", "room": room, "username": ann_there.username},
            {"type": "remove_member", "room": room, "username": "nobody at all"},
        ]  # fmt: skip
        for command in commands:
            here = await ben.ask(command)
            there = await ben.ask(
                {**command, **({"room": "99999999"} if "room" in command else {"topic": "room:99999999"})}
            )
            assert here == there, command
            assert here["code"] == "room_not_found"
        told = await ben.ask({"type": "resume", "topics": [{"topic": f"room:{room}", "offset": 0, "epoch": ""}]})
        assert told["result"]["topics"] == [{"topic": f"room:{room}", "recovered": False, "offset": 0, "epoch": ""}]


async def test_errors_of_rest_and_of_the_gateway_are_the_same(ann_there: Person, sign_up: SignUp) -> None:
    ben = await sign_up("ben")
    room, other = await ann_there.make_room(), await ann_there.make_room(name=f"Den {ann_there.username}")
    message = (await ann_there.post(room, "hi"))["id"]
    calls: list[tuple[str, str, Any, Frame]] = [
        ("POST", f"/room/{room}/messages", {}, {"type": "post", "room": room}),
        ("POST", f"/room/{room}/messages", {"text": ""}, {"type": "post", "room": room, "text": ""}),
        ("POST", f"/room/{room}/messages", {"text": 5}, {"type": "post", "room": room, "text": 5}),
        ("POST", f"/room/{room}/messages", {"text": "\0"}, {"type": "post", "room": room, "text": "\0"}),
        ("POST", "/room/99999/messages", {"text": "a"}, {"type": "post", "room": "99999", "text": "a"}),
        ("POST", "/user/nobody at all/messages", {"text": "a"}, {"type": "post", "user": "nobody at all", "text": "a"}),
        ("POST", "/rooms", {}, {"type": "create_room"}),
        ("POST", "/rooms", {"name": "x" * 101}, {"type": "create_room", "name": "x" * 101}),
        ("POST", "/rooms", {"name": "x", "members_only": 1}, {"type": "create_room", "name": "x", "members_only": 1}),
        ("POST", "/rooms", {"name": f"DEN {ann_there.username}"},
         {"type": "create_room", "name": f"DEN {ann_there.username}"}),
        ("POST", f"/room/{room}/members", {}, {"type": "add_member", "room": room}),
        ("POST", f"/room/{room}/members", {"username": "nobody at all"},
         {"type": "add_member", "room": room, "username": "nobody at all"}),
        ("POST", f"/room/{room}/members", {"username": ann_there.username + "x"},
         {"type": "add_member", "room": room, "username": ann_there.username + "x"}),
        ("DELETE", f"/room/{room}/members/{ben.username}", None,
         {"type": "remove_member", "room": room, "username": ben.username}),
        ("DELETE", f"/room/{room}/members/{ann_there.username}", None,
         {"type": "remove_member", "room": room, "username": ann_there.username}),
        ("DELETE", f"/room/{other}", None, {"type": "delete_room", "room": other}),
        ("PATCH", f"/room/{room}/messages/{message}", {"text": "x"},
         {"type": "edit", "room": room, "message": message, "text": "x"}),
        ("PATCH", f"/room/{room}/messages/{message}", {"text": ""},
         {"type": "edit", "room": room, "message": message, "text": ""}),
        ("DELETE", f"/room/{room}/messages/{message}", None, {"type": "delete", "room": room, "message": message}),
        ("DELETE", f"/room/{room}/messages/77", None, {"type": "delete", "room": room, "message": 77}),
        ("GET", f"/room/{room}/messages?after=77", None, {"type": "history", "room": room, "after": 77}),
    ]  # fmt: skip
    async with ben.socket("/ws") as socket:
        await welcomed(socket)
        for method, path, body, command in calls:
            over_rest = await ben.rest.request(method, path, json=body)
            assert over_rest.status_code >= 400, (method, path, over_rest.text)
            answer = await socket.ask({"id": 1, **command})
            assert answer == {"id": 1, "type": "error", **over_rest.json()}, (method, path, body)


async def test_what_happens_over_rest_is_heard_on_the_gateway(ann_there: Person, ben_there: Person) -> None:
    async with ben_there.socket("/ws") as ben:
        await welcomed(ben)
        room = await ann_there.make_room()
        await asyncio.gather(
            *(ann_there.rest.post(f"/room/{room}/members", json={"username": ben_there.username}) for _ in range(5))
        )
        await ann_there.rest.patch(f"/room/{room}", json={"name": f"Hall {room} {ann_there.username}"})
        await ann_there.rest.delete(f"/room/{room}")
        kinds = [frame["type"] for frame in await ben.hear_many(4)]
        assert kinds == ["room_added", "member_added", "room_updated", "room_deleted"]
