"""Fills a small store with a release of Foyer and writes it down, for tests of the releases that come after it.

    git worktree add ../foyer-1.0 <commit>
    python tests/data/make_release.py ../foyer-1.0 tests/data/release-1.0

It runs the server of that checkout on an empty folder, does what users do, by REST and by sockets, and writes:

- `accounts.sql`, the database as SQL;
- `store.jsonl`, every key of the store, one a line, as plain values, so that any Redis or Valkey can take them;
- `answers.json`, what that release answered: pages of REST as they came, events as sockets got them, and the sessions
  of those who were signed in.

Then `kill -9` ends the server while sockets are open, so that the store has what a crash leaves.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import redis
from websockets.sync.client import ClientConnection, connect

SECRET_KEY = "a key of the tests alone, which guards nothing 0123456789"
PORT = 21999
PEOPLE = ("ann", "ben", "eve", "gus", "zoë", "max", "moe")
ADMIN = ("admin", "admin")
LONG = "timedelta(days=36500)"
SETTINGS = f"""
from datetime import timedelta
from config.settings import *
SESSION_LIFETIME = RETRY_KEY_LIFETIME = {LONG}
"""
HARD_TEXTS = [
    'quotes " and \\ and ,"text":"x","sent_at":"y" in between',
    "\u0001 \u0002 7 \u0003 \t \r\n",
    "\U0001f468‍\U0001f469‍\U0001f467 مرحبا שלום नमस्ते",
    "x" * 400,
]

LEFT_BEHIND = """
from accounts.people import find_person
from accounts.callers import Caller
from lobby.models import Table
from messaging.models import _delete_direct, _edit_direct, _send_direct, DirectMessage
from rooms.membership import _add_member
from rooms.models import Room
from tests.steps import Run

def caller(name):
    person = find_person(name)
    return Caller(person.id, person.username, False), person

(max, max_), (moe, moe_) = caller("max"), caller("moe")
first = DirectMessage.send(max, moe_, "was delivered")
import json
number = json.loads(first)["id"]
for steps in (
    _send_direct(max, moe_, "waits for moe"),
    _edit_direct(max, moe_, number, "was edited, and moe does not know"),
):
    Run(steps).step()
Table.move(2, -1)
hall = json.loads(Room.create(moe, "Hall", True, None))["roomId"]
adding = Run(_add_member(moe, hall, max_))
for _ in range(3):
    adding.step()
print(hall)
"""
"""What a crash leaves half way, by the names that release 1.0 has: of another release the imports differ."""


class Release:
    """A checkout whose server runs on a folder of its own."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        self.checkout = checkout.resolve()
        self.folder = folder
        (folder / "long_settings.py").write_text(SETTINGS)
        self.environment = {
            **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")},
            "PYTHONPATH": f"{folder}:{self.checkout}",
            "DJANGO_SETTINGS_MODULE": "long_settings",
            "DATA_DIR": str(folder / "data"),
            "ENV_FILE": "",
            "SECRET_KEY": SECRET_KEY,
            "PORT": str(PORT),
            "REDIS_FSYNC": "no",
        }
        self.url = f"http://127.0.0.1:{PORT}"

    def manage(self, *words: str) -> list[str]:
        return [sys.executable, "manage.py", *words]

    def run(self, *words: str) -> str:
        done = subprocess.run(
            self.manage(*words), cwd=self.checkout, env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout

    @contextlib.contextmanager
    def serving(self) -> Iterator[subprocess.Popen[bytes]]:
        with (self.folder / "serve.log").open("ab") as log:
            process = subprocess.Popen(
                self.manage("serve"), cwd=self.checkout, env=self.environment, stdout=log, stderr=log
            )
        try:
            for _ in range(600):
                with contextlib.suppress(httpx.TransportError):
                    httpx.get(self.url, trust_env=False)
                    break
                time.sleep(0.1)
            yield process
        finally:
            process.terminate()
            process.wait()

    @contextlib.contextmanager
    def store(self) -> Iterator[Any]:
        with redis.Redis(unix_socket_path=str(self.folder / "data/valkey/valkey.sock"), protocol=2) as store:
            yield store


class User:
    """Somebody who is signed in, with a client for REST."""

    def __init__(self, url: str, name: str, password: str) -> None:
        self.url, self.name = url, name
        self.rest = httpx.Client(base_url=url, trust_env=False, timeout=30)
        self.token = self.ask("POST", "/auth", 200, json={"username": name, "password": password})["token"]
        self.rest.headers["Authorization"] = f"Bearer {self.token}"

    def ask(self, method: str, path: str, status: int, **more: Any) -> Any:
        answer = self.rest.request(method, path, **more)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def say(self, place: str, text: str, key: str = "") -> int:
        headers = {"Idempotency-Key": key} if key else {}
        return int(self.ask("POST", f"{place}/messages", 201, json={"text": text}, headers=headers)["id"])

    def edit(self, place: str, message: int, text: str) -> None:
        self.ask("PATCH", f"{place}/messages/{message}", 200, json={"text": text})

    def delete(self, path: str) -> None:
        self.ask("DELETE", path, 204)

    def make_room(self, name: str, **more: Any) -> str:
        return f"/room/{self.ask('POST', '/rooms', 201, json={'name': name, **more})['roomId']}"

    def let_in(self, room: str, *names: str) -> None:
        for name in names:
            self.ask("POST", f"{room}/members", 201, json={"username": name})

    def socket(self, path: str) -> ClientConnection:
        address = self.url.replace("http", "ws") + path
        return connect(address, additional_headers={"Authorization": f"Bearer {self.token}"}, proxy=None)

    def command(self, socket: ClientConnection, **frame: Any) -> Any:
        socket.send(json.dumps({"id": 1, **frame}))
        while (answer := json.loads(socket.recv(timeout=10)))["type"] != "reply":
            assert answer["type"] != "error", answer
        return answer["result"]


def password_of(name: str) -> str:
    return f"test password of {name}"


def sign_up(url: str) -> dict[str, User]:
    people = {}
    for name in PEOPLE:
        body = {"username": name, "password": password_of(name)}
        if name == "zoë":
            body |= {"email": "zoe@example.com", "city": "Zürich"}
        assert httpx.post(f"{url}/user", json=body, trust_env=False).status_code == 201
        people[name] = User(url, name, password_of(name))
    return people | {"admin": User(url, *ADMIN)}


def fill_rooms(ann: User, ben: User, eve: User, gus: User) -> None:
    kitchen, attic, cellar, shed, gus_place = (
        ann.make_room("Kitchen"),
        ben.make_room("Attic", members_only=True),
        ann.make_room("Old name"),
        ann.make_room("Shed"),
        gus.make_room("Left by Gus"),
    )
    ann.ask("POST", "/rooms", 201, json={"name": "Porch"}, headers={"Idempotency-Key": "a-room"})
    ann.let_in(kitchen, "ben", "gus")
    eve.let_in(kitchen, "eve")
    ben.let_in(attic, "ann", "gus")
    ann.ask("PATCH", cellar, 200, json={"name": "Cellar"})
    ann.ask("PATCH", cellar, 200, json={"members_only": True})
    ann.ask("PATCH", cellar, 200, json={"members_only": False})
    ids = [who.say(kitchen, f"{who.name} says {number}") for number in range(8) for who in (ann, ben, gus)]
    ids += [ben.say(kitchen, text) for text in HARD_TEXTS]
    ann.say(kitchen, "said once", key="a-message")
    for text in ("edited once", "edited twice", HARD_TEXTS[0]):
        ann.edit(kitchen, ids[0], text)
    ben.edit(kitchen, ids[1], "edited, then deleted")
    ben.edit(kitchen, ids[-2], HARD_TEXTS[1])
    ben.delete(f"{kitchen}/messages/{ids[1]}")
    ann.delete(f"{kitchen}/messages/{ids[2]}")
    gus.edit(kitchen, ids[5], "gus was here")
    ann.delete(f"{kitchen}/members/eve")
    eve.say(kitchen, "eve is no member and speaks")
    for number in range(3):
        ben.say(attic, f"attic {number}")
        ann.say(shed, f"shed {number}")
        gus.say(gus_place, f"gus {number}")
    ann.delete(shed)
    eve.say("/room/lobby", "hello lobby")


def change(user: User, *frames: dict[str, Any]) -> None:
    """Edit and delete direct messages, which this release does on sockets alone."""
    with user.socket("/ws") as socket:
        socket.recv()
        for frame in frames:
            user.command(socket, **frame)


def edited(other: str, message: int, text: str) -> dict[str, Any]:
    return {"type": "edit", "user": other, "message": message, "text": text}


def deleted(other: str, message: int) -> dict[str, Any]:
    return {"type": "delete", "user": other, "message": message}


def fill_conversations(ann: User, ben: User, gus: User) -> None:
    to_ben, to_ann = "/user/ben", "/user/ann"
    said = [ann.say(to_ben, f"ann to ben {number}") for number in range(4)]
    answers = [ben.say(to_ann, text) for text in (*HARD_TEXTS, "one more", "and one")]
    change(
        ann,
        edited("ben", said[0], "ann to ben, edited"),
        edited("ben", said[0], "ann to ben, edited twice"),
        edited("ben", said[1], "edited, then deleted"),
        deleted("ben", said[1]),
    )
    change(ben, deleted("ann", answers[-2]), edited("ann", answers[-1], "edited by ben"))
    ann.say(to_ann, "ann to herself")
    gus.say(to_ann, "gus to ann")
    ann.say("/user/gus", "ann to gus")
    ann.say(to_ben, "said once", key="a-direct-message")


def fill_tables(admin: User) -> None:
    for number, name in enumerate(["first", "second", 'third "quoted", "participants":9', "fourth"]):
        admin.ask("POST", "/lobby_api/tables", 201, json={"table": {"name": name, "participants": number}})
    between = {"after_id": 1, "table": {"id": 70, "name": "between", "participants": 5}}
    admin.ask("POST", "/lobby_api/tables", 201, json=between, headers={"Idempotency-Key": "a-table"})
    admin.ask("PATCH", "/lobby_api/tables/1", 200, json={"name": "first, renamed"})
    admin.delete("/lobby_api/tables/3")


def read_on(ann: User, ben: User) -> None:
    with ann.socket("/ws") as socket:
        socket.recv()
        ann.command(socket, type="read", room="2", offset=4)
        ann.command(socket, type="read", room="1", offset=41)
        ann.command(socket, type="read", user="ben", offset=6)
    with ben.socket("/ws") as socket:
        socket.recv()
        ben.command(socket, type="read", room="1", offset=41)
        ben.command(socket, type="read", room="2", offset=5)
        ben.command(socket, type="read", user="ann", offset=3)


def chat(eve: User, ben: User) -> None:
    with eve.socket("/join") as first, ben.socket("/join") as second:
        first.send(json.dumps({"type": "chat_message", "msg": {"text": "from the lobby chat"}}))
        while json.loads(second.recv(timeout=10))["type"] != "chat_message":
            pass


def pages(user: User, path: str) -> Iterator[str]:
    """The addresses of a list, from page to page."""
    while path:
        yield path
        link = user.rest.get(path).headers.get("Link", "")
        path = link[1 : link.index(">")].removeprefix(user.url) if link else ""


def questions(user: User) -> Iterator[str]:
    yield from ("/", "/rooms", "/rooms?member=me", "/rooms?name=Cellar", "/lobby_api/tables", f"/user/{user.name}")
    yield from pages(user, "/rooms?limit=2")
    for room in ("1", "2", "3", "4", "5", "6", "lobby"):
        yield from (f"/room/{room}", f"/room/{room}/members", f"/room/{room}/messages")
        yield from pages(user, f"/room/{room}/messages?limit=4")
        yield from pages(user, f"/room/{room}/messages?limit=5&after=0")
    for number in range(1, 50):
        yield f"/room/1/messages/{number}"
    for other in ("ann", "ben", "gus", "eve"):
        yield from (f"/user/{other}/messages", *pages(user, f"/user/{other}/messages?limit=3&after=0"))
    yield from ("/messages", *pages(user, "/messages?limit=2"))
    if user.name == "admin":
        yield from ("/users", *pages(user, "/users?limit=3"))
    for number in (1, 2, 3, 4, 70):
        yield f"/lobby_api/tables/{number}"


def ask_all(users: list[User]) -> list[dict[str, Any]]:
    answers = []
    for user in users:
        for path in dict.fromkeys(questions(user)):
            got = user.rest.get(path)
            link = got.headers.get("Link", "").replace(user.url, "")
            answers.append({"user": user.name, "path": path, "status": got.status_code, "link": link, "body": got.text})
    return answers


def read_logs(users: list[User]) -> list[dict[str, Any]]:
    """Every event of every topic that each user hears, as sockets get them, and where each stood."""
    found = []
    for user in users:
        with user.socket("/ws") as socket:
            places = json.loads(socket.recv())["topics"]
            for place in places:
                asked = [{"topic": place["topic"], "offset": 0, "epoch": place["epoch"]}]
                assert user.command(socket, type="resume", topics=asked)["topics"][0]["recovered"]
                events = [socket.recv(timeout=10) for _ in range(place["offset"])]
                found.append({"user": user.name, **place, "events": events})
    return found


def session_of(user: User) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(user.token, options={"verify_signature": False})
    return {"user": user.name, **claims}


def dump_key(store: Any, key: bytes) -> dict[str, Any]:
    kind = store.type(key).decode()
    row: dict[str, Any] = {"key": key.decode(), "type": kind}
    if (left := store.pttl(key)) >= 0:
        row["expires_in"] = left
    match kind:
        case "string":
            row["value"] = store.get(key).decode()
        case "hash":
            row["value"] = {name.decode(): value.decode() for name, value in sorted(store.hgetall(key).items())}
        case "set":
            row["value"] = sorted(member.decode() for member in store.smembers(key))
        case "zset":
            row["value"] = [[member.decode(), score] for member, score in store.zrange(key, 0, -1, withscores=True)]
        case "list":
            row["value"] = [item.decode() for item in store.lrange(key, 0, -1)]
        case "stream":
            entries = raw(store, "XRANGE", key, "-", "+")
            row["value"] = [[entry.decode(), [part.decode() for part in fields]] for entry, fields in entries]
            flat = raw(store, "XINFO", "STREAM", key)
            info = dict(zip(flat[0::2], flat[1::2], strict=True))
            row["last"] = info[b"last-generated-id"].decode()
            row["added"], row["deleted"] = info[b"entries-added"], info[b"max-deleted-entry-id"].decode()
        case other:
            raise ValueError(f"{key!r} is a {other}, which nothing here can write down.")
    return row


def raw(store: Any, *words: Any) -> Any:
    """The reply as it came: redis-py would make a dict of an entry's fields and lose their order."""
    connection = store.connection_pool.get_connection()
    try:
        connection.send_command(*words)
        return connection.read_response()
    finally:
        store.connection_pool.release(connection)


def write_down(release: Release, target: Path, answers: dict[str, Any]) -> None:
    with release.store() as store:
        rows = [dump_key(store, key) for key in sorted(store.scan_iter("*", 1000))]
    lines = "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows)
    (target / "store.jsonl").write_text(lines)
    with contextlib.closing(sqlite3.connect(release.folder / "data/foyer.sqlite3")) as database:
        (target / "accounts.sql").write_text("\n".join(database.iterdump()) + "\n")
    (target / "answers.json").write_text(json.dumps(answers, ensure_ascii=False, indent=1) + "\n")


def make(release: Release) -> dict[str, Any]:
    with release.serving() as process:
        people = sign_up(release.url)
        ann, ben, eve, gus = (people[name] for name in ("ann", "ben", "eve", "gus"))
        fill_rooms(ann, ben, eve, gus)
        fill_conversations(ann, ben, gus)
        fill_tables(people["admin"])
        read_on(ann, ben)
        chat(eve, ben)
        gus.delete("/user/gus")
        signed_out = User(release.url, "eve", password_of("eve"))
        signed_out.delete("/auth")
        hall = re.findall(r"\d+", release.run("shell", "-c", LEFT_BEHIND))[-1]
        with release.store() as store:
            while store.exists("{online}:names", "{room:lobby}:guests:names"):
                time.sleep(0.05)  # those whose sockets were closed are about to leave
        users = [people[name] for name in ("ann", "ben", "eve", "zoë", "admin")]
        answers = {
            "secret_key": SECRET_KEY,
            "hall": hall,
            "sessions": [session_of(user) for name, user in people.items() if name != "gus"],
            "ended": [session_of(signed_out), session_of(gus)],
            "questions": ask_all(users),
            "logs": read_logs(users),
        }
        with people["zoë"].socket("/ws") as gateway, people["zoë"].socket("/join") as lobby:
            gateway.recv()
            lobby.recv()
            with release.store() as store:
                for who_is_there in ("{online}:names", "{room:lobby}:guests:names"):
                    while [name.decode() for name in store.hvals(who_is_there)] != ['"zoë"']:
                        time.sleep(0.05)
            process.kill()
            process.wait()
    return answers


def main() -> None:
    checkout, target = map(Path, sys.argv[1:])
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="foyer-release-") as folder:
        release = Release(checkout, Path(folder))
        answers = make(release)
        write_down(release, target, answers)
        with release.store() as store:
            store.shutdown(nosave=True)


if __name__ == "__main__":
    main()
