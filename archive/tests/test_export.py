"""An account's export has all that it said and was told, once, wherever that lies and whatever happens meanwhile."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from accounts.models import Account
from accounts.operations import end_all_sessions, start_session
from accounts.tests.conftest import Api, code
from archive.follower import Follower
from archive.tests.kept import let_go
from foyer.errors import BadToken
from messaging import export as exporting
from messaging.export import export
from messaging.operations import delete_message, edit_message
from messaging.tests.said import post, send
from rooms.membership import add_member, remove_member
from rooms.operations import delete_room
from rooms.tests.invariants import create
from tests.clients import Person, sign_up_at
from tests.hostile import Hostile
from tests.server import Server, servers
from tests.store import wait_for

Lines = list[dict[str, Any]]


@pytest.fixture
def ann(transactional_db: None) -> Account:
    return Account.objects.create_user("ann", None)


@pytest.fixture
def ben(transactional_db: None) -> Account:
    return Account.objects.create_user("ben", None)


@pytest.fixture
def talk(ann: Account, ben: Account) -> None:
    """Ann and Ben talk in a room, which Ann leaves, and to each other. Another room is deleted."""
    one, other = create(ben.caller, "Kitchen"), create(ann.caller, "Garden")
    add_member(ben.caller, one["roomId"], ann)  # type: ignore[arg-type]
    for number in range(1, 8):
        post((ann, ben)[number % 2].caller, f"kitchen {number}", room_id=one["roomId"])
    edit_message(ann.caller, one["roomId"], 3, "edited")
    delete_message(ann.caller, one["roomId"], 5)
    post(ann.caller, "in the garden", room_id=other["roomId"])
    gone = create(ann.caller, "Attic")
    post(ann.caller, "in the attic", room_id=gone["roomId"])
    delete_room(ann.caller, gone["roomId"])
    for number in range(1, 4):
        send(ann.caller, ben.caller, f"to ben {number}")
        send(ben.caller, ann.caller, f"to ann {number}")
    send(ann.caller, ann.caller, "a note")
    remove_member(ann.caller, one["roomId"], ann)  # type: ignore[arg-type]


def lines_of(pages: Iterator[bytes]) -> Lines:
    return [json.loads(line) for line in b"".join(pages).splitlines()]


def exported(account: Account) -> Lines:
    return lines_of(export(account, account.caller))


def texts(lines: Lines, kind: str) -> list[str]:
    return [line[kind]["text"] for line in lines if line["type"] == kind]


def check(lines: Lines, ann: Account) -> None:
    kinds = ["account", "room", "message", "conversation", "direct_message", "end"]
    assert [line["type"] for line in lines] == sorted((line["type"] for line in lines), key=order(lines, kinds))
    assert (lines[0]["account"]["username"], lines[-1]) == ("ann", {"type": "end"})
    assert [line["room"]["name"] for line in lines if line["type"] == "room"] == ["Garden"]
    assert texts(lines, "message") == ["edited", "kitchen 6", "in the garden"]
    between = [f"to {name} {number}" for number in range(1, 4) for name in ("ben", "ann")]
    assert texts(lines, "direct_message") == ["a note", *between]
    assert [line["conversation"] for line in lines if line["type"] == "conversation"] == [
        {"username": "ann"},
        {"username": "ben"},
    ]


def order(lines: Lines, kinds: list[str]) -> Callable[[str], int]:
    """Conversations come with what was said in them."""
    return lambda kind: min(kinds.index(kind), 3) if kind != "end" else 4


@pytest.mark.usefixtures("talk")
@pytest.mark.parametrize("hot", [None, 100, 3, 0])
def test_all_of_it_is_there_once_wherever_it_lies(
    ann: Account, follower: Follower, hot: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if hot is not None:
        let_go(follower, hot, "{room:1}", "{room:2}", "{room:3}", f"{{user:{ann.pk}}}")
    lines = exported(ann)
    check(lines, ann)
    monkeypatch.setattr(exporting, "STRETCH", 2)
    monkeypatch.setattr(exporting, "AT_ONCE", 1)
    monkeypatch.setattr(exporting, "MOST_READ", 1)
    assert exported(ann) == lines
    direct = next(line["direct_message"] for line in lines if line["type"] == "direct_message")
    assert direct["to"] == "ann"


@pytest.mark.usefixtures("talk")
def test_what_moves_to_the_archive_meanwhile_is_there_once(
    ann: Account, ben: Account, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "AT_ONCE", 1)
    monkeypatch.setattr(exporting, "MOST_READ", 1)
    logs = ("{room:1}", "{room:2}", f"{{user:{ann.pk}}}")
    pages = []
    for number, page in enumerate(export(ann, ann.caller)):
        pages.append(page)
        let_go(follower, max(8 - number, 0), *logs)
        if number < 5:
            post(ben.caller, "of others", room_id="1")
    check(lines_of(iter(pages)), ann)


@pytest.mark.usefixtures("talk")
def test_what_is_said_meanwhile_comes_at_most_once(ann: Account, ben: Account, follower: Follower) -> None:
    pages, said = [], []
    for number, page in enumerate(export(ann, ann.caller)):
        pages.append(page)
        said.append(f"meanwhile {number}")
        post(ann.caller, said[-1], room_id="2")
    told = texts(lines_of(iter(pages)), "message")
    assert told[:3] == ["edited", "kitchen 6", "in the garden"]
    assert told[3:] == said[: len(told) - 3]


@pytest.mark.usefixtures("talk")
def test_who_is_gone_has_no_name_in_it(ann: Account, ben: Account, follower: Follower) -> None:
    ben.delete()
    lines = exported(ann)
    assert {"type": "conversation", "conversation": {"username": None}} in lines
    assert texts(lines, "direct_message")[-1] == "to ann 3"
    assert lines[-2]["direct_message"]["sender"] is None


@pytest.mark.usefixtures("talk")
def test_it_ends_with_the_sign_in_that_asked_for_it(ann: Account) -> None:
    session = start_session(ann.standing)
    caller = ann.caller.__class__(ann.pk, "ann", False, session.id, session.expires_at)
    pages = export(ann, caller)
    next(pages)
    end_all_sessions(ann.pk)
    with pytest.raises(BadToken):
        next(pages)
    expired = export(ann, ann.caller.__class__(ann.pk, "ann", False, session.id, 1.0))
    next(expired)
    with pytest.raises(BadToken):
        next(expired)


# Over HTTP


def of(account: Account) -> Api:
    return Api(token=start_session(account.standing).token)


@pytest.mark.usefixtures("talk")
def test_own_accounts_and_admins_may(ann: Account, ben: Account) -> None:
    boss = of(Account.objects.create_user("boss", None, is_staff=True))
    for api in (of(ann), boss):
        answer = api.get("/user/ann/export", Accept="application/x-ndjson")
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/x-ndjson")
        check(lines_of(answer.streaming_content), ann)
    assert code(of(ben).get("/user/ann/export")) == (403, "forbidden")
    assert code(of(ben).get("/user/nobody/export")) == (403, "forbidden")
    assert code(boss.get("/user/nobody/export")) == (404, "user_not_found")
    assert code(Api().get("/user/ann/export")) == (401, "not_authenticated")
    assert code(of(ann).get("/user/ann/export", Accept="image/png")) == (406, "not_acceptable")
    assert code(of(ann).post("/user/ann/export")) == (405, "method_not_allowed")


@pytest.fixture(scope="module")
def strict() -> Iterator[Server]:
    with servers() as started:
        yield started.start(READ_TIMEOUT="2", HTTP_THREADS="1", HOT_EVENTS="100")


async def said_much(server: Server, count: int) -> Person:
    """Somebody who posted many long messages to one room."""
    person = await sign_up_at(server, "ann")
    room = await person.make_room()
    async with person.connect(f"/room/{room}/subscribe") as connection:
        for number in range(count):
            await connection.send(json.dumps({"type": "post", "text": f"{number} {'x' * 4000}"}))
            while json.loads(await connection.recv())["type"] != "reply":
                pass
    return person


async def test_who_does_not_read_is_cut_off_and_holds_no_thread(strict: Server) -> None:
    person = await said_much(strict, 3000)
    with Hostile(strict, buffer=65536) as hostile:
        hostile.ask("GET", f"/user/{person.username}/export", f"Authorization: Bearer {person.token}")
        assert (await person.rest.get("/rooms")).status_code == 200  # there is one thread, and it is free
        wait_for(lambda: is_cut(hostile.socket), 20)
    whole = await person.rest.get(f"/user/{person.username}/export")
    lines = [json.loads(line) for line in whole.text.splitlines()]
    assert [line["message"]["id"] for line in lines if line["type"] == "message"] == list(range(1, 3001))
    assert lines[-1] == {"type": "end"}
    assert "attachment" in whole.headers["Content-Disposition"]
    head = await person.rest.head(f"/user/{person.username}/export")
    assert (head.status_code, head.content) == (200, b"")
    await person.rest.aclose()


def is_cut(client: socket.socket) -> bool:
    """Whether the server closed the connection; nothing of what it sent is read."""
    client.settimeout(0.1)
    try:
        return client.send(b"\r\n") == 0
    except TimeoutError:
        return False
    except OSError:
        return True


async def test_a_whole_export_ends_as_http_says_and_one_that_fails_does_not(strict: Server) -> None:
    person = await said_much(strict, 1000)
    path = f"{strict.base_url}/user/{person.username}/export"
    with httpx.stream("GET", path, headers=person.headers, timeout=30) as answer:
        parts = answer.iter_bytes(1024)
        next(parts)
        assert (await person.rest.delete("/auth")).status_code == 204
        with pytest.raises(httpx.RemoteProtocolError):
            for _ in parts:
                pass
    await person.rest.aclose()
