"""`/schema/events` says what is so: real sockets say and hear every frame in it, and no other."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from copy import deepcopy
from typing import Any

import fastjsonschema
import httpx
import pytest
from jsonschema import Draft7Validator
from websockets.asyncio.client import connect

from foyer.realtime.connection import CloseCode
from foyer.realtime.gateway import commands
from lobby.consumers import COMMANDS
from tests.clients import PASSWORD, Frame, Person, SignUp, Socket
from tests.frames import check_of, declared, hold, message_of, seen
from tests.markdown import between, section
from tests.server import Server, servers
from tests.settings import ROOT

PROTOCOL = ROOT / "docs/protocol.md"
ADMIN = {"username": "admin", "password": "admin"}
CHANNELS = ("gateway", "room", "inbox", "lobbyChat", "lobbyApi")
each_channel = pytest.mark.parametrize("channel", CHANNELS)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One of their own, since these tests make rooms of any name and try passwords that are wrong."""
    with servers() as started:
        yield started.start()


@pytest.fixture(scope="module")
def told(server: Server) -> Any:
    answer = httpx.get(f"{server.base_url}/schema/events")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    return answer.json()


# The document


def test_it_is_a_document_of_asyncapi_3(told: Any) -> None:
    asyncapi = Draft7Validator(json.loads((ROOT / "tests/asyncapi/3.0.0.json").read_text()))
    assert not asyncapi.is_valid({**told, "asyncapi": "2.6.0"})
    assert not asyncapi.is_valid({**told, "operations": {"x": {"action": "shout"}}})
    assert [error.message for error in asyncapi.iter_errors(told)] == []


def test_every_reference_in_it_leads_somewhere(told: Any) -> None:
    found = set(references(told))
    assert len(found) > 100
    for reference in found:
        place = told
        for name in reference.removeprefix("#/").split("/"):
            place = place[name]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from references(item)


def test_it_names_the_server_by_which_it_was_asked(told: Any, server: Server) -> None:
    assert told["servers"]["sockets"]["host"] == server.base_url.removeprefix("http://")
    assert {name: place["protocol"] for name, place in told["servers"].items()} == {"sockets": "ws", "streams": "http"}


def test_every_command_is_in_it(told: Any) -> None:
    assert commands_of(told, "gateway") == set(commands)
    assert commands_of(told, "lobbyApi") == set(COMMANDS)


def commands_of(document: Any, channel: str) -> set[str]:
    names = document["channels"][channel]["messages"]
    return {name.removesuffix(".command") for name in names if name.endswith(".command")}


def test_every_close_code_is_in_it(told: Any) -> None:
    assert {close["code"] for close in told["x-close-codes"]} == {
        value for name, value in vars(CloseCode).items() if name.isupper()
    }
    rows = "".join(f"| {close['code']} | {close['why']} | {close['reconnect']} |\n" for close in told["x-close-codes"])
    assert rows in section(PROTOCOL, "Close codes")


def test_every_code_of_an_error_is_in_it(told: Any) -> None:
    codes = re.findall(r"^\| `(\w+)` \|", between(PROTOCOL, "errors"), re.MULTILINE)
    for channel in ("gateway", "room", "inbox", "lobbyApi"):
        payload = told["components"]["messages"][f"{channel}.error"]["payload"]
        assert payload["properties"]["code"]["enum"] == sorted(codes)


@each_channel
def test_every_example_is_of_its_own_shape(channel: str) -> None:
    for name in declared()["channels"][channel]["messages"]:
        for example in message_of(channel, name)["examples"]:
            hold(channel, name, example["payload"])
            assert known(message_of(channel, name), example["payload"])


def known(message: Any, frame: Frame) -> bool:
    """Whether all fields of a frame are declared."""
    return set(frame) <= set(message["payload"]["properties"])


def test_browsers_get_a_page_that_shows_all_of_it(server: Server) -> None:
    answer = httpx.get(f"{server.base_url}/schema/events", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    page = answer.text
    for message in declared()["components"]["messages"]:
        assert f'id="{message}"' in page
    for reference in re.findall(r'href="#([^"]*)"', page):
        assert f'id="{reference}"' in page
    sheets = re.findall(r'<link rel="stylesheet" href="(/[^"]*)"', page)
    sizes = [len(page), *(len(httpx.get(server.base_url + sheet).raise_for_status().text) for sheet in sheets)]
    assert len(sizes) == 3
    assert sum(sizes) < 200_000
    assert "://" not in page


# Every frame, on real sockets


async def say(socket: Socket, frame: Frame) -> None:
    """Say what the document has, with no other field than it has."""
    name = f"{frame.get('type') or frame['$type']}.command"
    hold(socket.dialogue.channel, name, frame)
    assert known(message_of(socket.dialogue.channel, name), frame)
    await socket.say(frame)


async def ask(socket: Socket, kind: str, **fields: Any) -> Any:
    """The result of a command. Events that come before it wait in `heard`."""
    frame = {"id": kind, "type": kind, **fields}
    assert known(message_of(socket.dialogue.channel, f"{kind}.command"), frame)
    answer = await socket.ask(frame)
    assert answer["type"] == "reply", answer
    return answer["result"]


async def hear_all(socket: Socket) -> None:
    """Hear until there is nothing in the socket's channel that was not heard."""
    channel = socket.dialogue.channel
    while missing := {name for name in declared()["channels"][channel]["messages"] if not seen[channel, name]}:
        print("missing", channel, missing)
        await socket.next_frame()


@asynccontextmanager
async def lobby(server: Server) -> AsyncIterator[Socket]:
    async with connect(f"{server.ws_url}/lobby_api", proxy=None, compression=None) as connection:
        yield Socket(connection)


async def test_every_frame_of_the_gateway_a_room_and_the_inbox(server: Server, sign_up: SignUp) -> None:
    seen.clear()
    ann, ben, eve = await sign_up("ann"), await sign_up("ben"), await sign_up("eve")
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(ann.socket("/ws", additional_headers={}))
        await ask(gateway, "authenticate", username=ann.username, password=PASSWORD)
        room = (await ask(gateway, "create_room", name=f"Lab {ann.username}", members_only=False, client_id="c-1"))[
            "roomId"
        ]
        address = f"/room/{room}/subscribe"
        live = await stack.enter_async_context(ben.socket(address))
        stream = await stack.enter_async_context(ben.stream(address, last_id="0"))
        inbox = await stack.enter_async_context(ben.socket("/messages/subscribe"))
        letters = await stack.enter_async_context(ben.stream("/messages/subscribe"))
        await talk(gateway, live, room, ann, ben, eve)
        assert (await stream.hear() or {})["type"] == "member_added"
        for messages in (inbox, letters):
            assert (await messages.hear() or {})["type"] == "direct_message"
        for socket in (gateway, live, inbox):
            assert (await socket.ask({"id": 9, "type": "dance"}))["code"] == "unknown_command"
        await subscribe(gateway, room)
        async with eve.socket("/ws"):
            while eve.username not in came(await gateway.hear()):
                pass
        await change_tables(server)
        await tell_everybody(server)
        await be_in_many_rooms(server, eve)
        await ann.rest.patch(f"/room/{room}", json={"name": f"Lab, renamed by {ann.username}"})
        await ask(gateway, "delete_room", room=room)
        for socket in (gateway, live, inbox):
            await hear_all(socket)


async def be_in_many_rooms(server: Server, eve: Person) -> None:
    """As many that the welcome comes in portions. They are in the list of eve's rooms alone, as after a crash."""
    with server.store() as store:
        store.zadd(f"{{user:{eve.account['id']}}}:rooms", {str(room): room for room in range(10**9, 10**9 + 1500)})
    async with eve.socket("/ws") as socket:
        assert (await socket.hear())["more"]
        assert (await socket.hear())["type"] == "welcome_topics"


def came(event: Frame) -> list[str]:
    return event.get("usernames", [event.get("username")]) if event["type"] == "user_joined" else []


async def talk(gateway: Socket, live: Socket, room: str, ann: Person, ben: Person, eve: Person) -> None:
    for username in (ben.username, ann.username):
        await ask(gateway, "add_member", room=room, username=username)
        await ask(gateway, "remove_member", room=room, username=username)
    await ask(gateway, "add_member", room=room, username=ann.username)
    message = await ask(gateway, "post", room=room, text="hi", client_id="c-2")
    await ask(gateway, "post", user=ben.username, text="psst")
    await ask(gateway, "history", room=room, limit=10, before=message["id"] + 1, after=0)
    await ask(gateway, "history", user=ben.username, around=1)
    await ask(gateway, "edit", room=room, message=message["id"], text="hi!")
    await ask(gateway, "search", q="hi", room=room, limit=1)
    await ask(gateway, "read", room=room, offset=message["id"])
    await ask(gateway, "delete", room=room, message=message["id"])
    await ask(gateway, "typing", room=room)
    await ask(gateway, "block", username=ben.username)
    await ask(gateway, "unblock", username=ben.username)
    await ask(live, "post", text="hello", client_id="c-3")
    await keep_order(gateway, room, ben.username, eve.username)


async def keep_order(gateway: Socket, room: str, member: str, stranger: str) -> None:
    await ask(gateway, "add_member", room=room, username=member)
    for role in ("moderator", "member"):
        await ask(gateway, "set_role", room=room, username=member, role=role)
    terms = {"until": "2126-03-05T09:00:00.000Z", "reason": "Advertising"}
    for impose, lift in (("mute", "unmute"), ("ban", "unban")):
        await ask(gateway, impose, room=room, username=stranger, **terms)
        await ask(gateway, lift, room=room, username=stranger)


async def subscribe(gateway: Socket, room: str) -> None:
    await say(gateway, {"id": "ping", "type": "ping", "seq": 3})
    for topic in ("tables", "online"):
        place = await ask(gateway, "subscribe", topic=topic)
    await ask(gateway, "subscribe", topic="online", offset=place["offset"], epoch=place["epoch"])
    await ask(gateway, "subscribe", topic="lobby")
    await ask(gateway, "unsubscribe", topic="lobby")
    await ask(gateway, "resume", topics=[{"topic": f"room:{room}", "offset": 1, "epoch": "not this"}])


async def change_tables(server: Server) -> None:
    tables = f"{server.base_url}/lobby_api/tables"
    async with httpx.AsyncClient(auth=(ADMIN["username"], ADMIN["password"])) as admin:
        added = await admin.post(tables, json={"table": {"name": "schema", "participants": 1}})
        address = f"{tables}/{added.json()['table']['id']}"
        await admin.patch(address, json={"participants": 2})
        assert (await admin.delete(address)).status_code == 204


async def tell_everybody(server: Server) -> None:
    async with httpx.AsyncClient(auth=(ADMIN["username"], ADMIN["password"])) as admin:
        notice = {"text": "Maintenance", "level": "info", "until": "2999-01-01T00:00:00Z"}
        made = await admin.post(f"{server.base_url}/notices", json=notice)
        assert (await admin.delete(f"{server.base_url}/notices/{made.json()['id']}")).status_code == 204


async def test_every_frame_of_the_lobby_chat(server: Server, sign_up: SignUp) -> None:
    seen.clear()
    ann, ben = await sign_up("ann"), await sign_up("ben")
    async with ann.socket("/join") as socket:
        await socket.hear_many(2)
        async with ben.socket("/join") as other:
            await other.hear_many(2)
            await say(other, {"type": "chat_message", "msg": {"text": "Hello!"}, "client_id": "c-1"})
            await other.hear()
        await socket.say({"type": "dance"})
        await tell_everybody(server)
        await hear_all(socket)


async def test_every_frame_of_lobby_tables(server: Server) -> None:
    seen.clear()
    async with lobby(server) as socket:
        table = {"id": 10**6, "name": "schema", "participants": 1}
        await say(socket, {"$type": "remove_table", "id": 10**6})
        await say(socket, {"$type": "login", "username": "user1234", "password": "password1234"})
        await say(socket, {"$type": "login", **ADMIN})
        await say(socket, {"$type": "ping", "seq": 1})
        await say(socket, {"$type": "subscribe_tables"})
        for _ in range(2):
            await say(socket, {"$type": "add_table", "after_id": -1, "table": table, "client_id": None})
        for _ in range(2):
            await say(socket, {"$type": "update_table", "table": table})
        for _ in range(2):
            await say(socket, {"$type": "remove_table", "id": 10**6})
        await say(socket, {"$type": "update_table", "table": table})
        await say(socket, {"$type": "unsubscribe_tables"})
        await socket.say({"$type": "dance"})
        await tell_everybody(server)
        await hear_all(socket)


# What is declared of commands is what is checked

OTHERS: list[Any] = [None, True, 1.5, -2, 0, 2**60, "", " ", "12", "x" * 5000, [], {}, [[]], [1]]


def variations(example: Frame, marker: str) -> Iterator[Frame]:
    """The frame, and the frame with one thing left out or changed, however deep inside."""
    yield example
    for path in paths(example):
        if path not in [("id",), (marker,)]:
            yield changed(example, path)
            yield from (changed(example, path, value) for value in OTHERS)
    if "room" in example:
        yield {**example, "user": "ann"}
        yield changed({**example, "user": "ann"}, ("room",))


def paths(value: Any) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        if isinstance(name, str):
            yield (name,)
        yield from ((name, *rest) for rest in paths(item))


def changed(frame: Frame, path: tuple[Any, ...], *value: Any) -> Frame:
    copy = deepcopy(frame)
    place: Any = copy
    for name in path[:-1]:
        place = place[name]
    if value:
        place[path[-1]] = value[0]
    else:
        del place[path[-1]]
    return copy


def is_declared(channel: str, kind: str, frame: Frame) -> bool:
    try:
        check_of(channel, f"{kind}.command")(frame)
    except fastjsonschema.JsonSchemaValueException:
        return False
    return True


async def is_taken(socket: Socket, frame: Frame, number: int) -> bool:
    """Whether the server takes the frame for a sound one, whatever it says to what it asks for."""
    await socket.say(frame)
    if socket.dialogue.channel == "lobbyApi":
        await socket.say({"$type": "ping", "seq": number})
    elif socket.dialogue.channel == "lobbyChat":
        await socket.say({"type": "chat_message", "msg": {"text": f"{number}"}})
    taken = True
    while number not in ((answer := await socket.next_frame()).get("id"), answer.get("seq"), said_in(answer)):
        taken = taken and "invalid" not in (answer.get("code"), answer.get("msg", {}).get("code"))
    return taken and answer.get("code") != "invalid"


def said_in(frame: Frame) -> int | None:
    text = frame.get("msg", {}).get("text", "")
    return int(text) if text.isdigit() else None


@pytest.mark.parametrize("channel", ["gateway", "room", "lobbyChat", "lobbyApi"])
async def test_a_command_is_refused_for_its_shape_where_the_document_says_so_and_nowhere_else(
    channel: str, server: Server, ann_there: Person
) -> None:
    path = declared()["channels"][channel]["address"].format(roomId=await ann_there.make_room())
    is_lobby = channel == "lobbyApi"
    for kind in sorted(commands_of(declared(), channel)):
        example = message_of(channel, f"{kind}.command")["examples"][0]["payload"]
        async with ann_there.socket(path, additional_headers={} if is_lobby else ann_there.headers) as socket:
            if is_lobby and kind != "login":
                await say(socket, {"$type": "login", **ADMIN})
                await socket.hear()
            for number, frame in enumerate(variations(example, "$type" if is_lobby else "type"), 10**6):
                if "id" in frame and not is_lobby:
                    frame["id"] = number
                assert await is_taken(socket, frame, number) == is_declared(channel, kind, frame), frame
