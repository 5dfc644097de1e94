"""The documentation says what is so: its commands run, its links lead somewhere, its tables match the code."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close
from websockets.sync.client import connect

from accounts.models import DATA_SIZE
from accounts.names import USERNAME_LENGTH
from accounts.operations import MOST_SESSIONS
from accounts.passwords import PASSWORD_LENGTH
from archive.finding import PATIENCE
from archive.search import FOUND, MOST_CHARACTERS, MOST_FOUND
from bench.report import HEADINGS
from clients.terminal.gateway_client import GatewayClient
from foyer import VERSION
from foyer.api.wire import DEEPEST
from foyer.realtime import asyncapi, connection
from foyer.realtime.connection import MOST_WAITING, CloseCode
from foyer.server.http_protocol import MOST_PIPELINED
from foyer.server.socket_protocol import MOST_FRAGMENTS
from messaging.past import MOST_PAGE
from messaging.serializers import LONGEST_TEXT
from rooms.rights import RIGHTS, Right
from rooms.views import MOST_ROOMS
from tests.markdown import between, block, section, table
from tests.server import Server, bare_environment
from tests.settings import ROOT
from tests.store import wait_for

README, CHANGELOG, CONTRIBUTING = (ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md"))
PROTOCOL, LOBBY, CLIENTS = (ROOT / f"docs/{name}.md" for name in ("protocol", "lobby", "clients"))
PAGES = [README, CHANGELOG, CONTRIBUTING, *sorted((ROOT / "docs").glob("*.md"))]
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)

# What the code says, as a server that has just been started sees it

LOOK = """
import json
from config import asgi
from django.conf import settings
from django.urls import get_resolver
from foyer.errors import FoyerError
from foyer.realtime import gateway

def routes(patterns):
    for pattern in patterns:
        view = getattr(pattern.callback, "view_class", None) if pattern.callback else None
        if actions := getattr(pattern.callback, "actions", None):
            yield from (f"{method.upper()} /{pattern.pattern}" for method in actions)
        elif view is not None:
            for method in view.http_method_names:
                if method != "options" and hasattr(view, method):
                    yield f"{method.upper()} /{pattern.pattern}"
        elif hasattr(pattern, "url_patterns") and not pattern.pattern.regex.pattern.startswith("^admin"):
            yield from routes(pattern.url_patterns)

print(json.dumps({
    "errors": {code: [kind.status, kind.detail] for code, kind in FoyerError.by_code.items()},
    "routes": list(routes(get_resolver().url_patterns)),
    "commands": sorted(gateway.commands),
    "sockets": [str(route.pattern) for route in asgi.application.sockets.routes],
    "settings": {name: str(getattr(settings, name)) for name in dir(settings) if name.isupper()},
}))
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Any:
    environment = {
        **bare_environment(),
        "ENV_FILE": "",
        "DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    done = subprocess.run([sys.executable, "-c", LOOK], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# Commands


@pytest.mark.skipif(shutil.which("curl") is None and os.environ.get("CI") != "true", reason="there is no curl")
def test_the_session_in_the_readme_works_as_pasted_on_a_fresh_server(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = start_server()
    session = block(section(README, "Try it"), "sh")
    assert session.count(":9000/") == session.count("\n") == 5
    here = session.replace(":9000/", f":{server.port}/").replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    out = tmp_path / "out"
    with pasted(here, out):
        wait_for(lambda: re.search(r"^data: ", out.read_text(), re.MULTILINE), seconds=60)
    said = out.read_text()
    signed_up, room = (json.loads(text) for text in re.findall(r"\{[^{}]*(?:\{\})?[^{}]*\}", said)[:2])
    assert (signed_up["username"], signed_up["user_type"]) == ("ben", "user")
    assert (room["roomId"], room["name"], room["owner"]) == ("1", "general", "ben")
    heard = {frame["type"]: frame for frame in map(json.loads, re.findall(r"< (\{.*\})", said))}
    assert {kind: shape(frame) for kind, frame in heard.items()} == {
        frame["type"]: shape(frame) for frame in map(json.loads, block(section(README, "Try it"), "json").splitlines())
    }
    message = heard["reply"]["result"]
    assert message["text"] == "Hello"
    history = re.search(r"^\[.*\]", said, re.MULTILINE)
    assert history
    assert json.loads(history[0]) == [message]
    streamed = re.search(r"^id: 1-\w+\ndata: (.*)\n\n", said, re.MULTILINE)
    assert streamed
    assert json.loads(streamed[1]) == heard["message"]


@contextlib.contextmanager
def pasted(lines: str, out: Path) -> Iterator[None]:
    """A shell that reads `lines` as it would from a terminal; whatever still runs is ended."""
    with out.open("wb") as output:
        shell = subprocess.Popen(
            ["bash"], stdin=subprocess.PIPE, stdout=output, stderr=subprocess.DEVNULL, cwd=ROOT, process_group=0
        )
    assert shell.stdin
    shell.stdin.write(lines.encode())
    shell.stdin.close()
    try:
        yield
    finally:
        os.killpg(shell.pid, signal.SIGTERM)
        shell.wait()


@each_page
def test_every_target_of_make_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = page.read_text()
    commands = re.findall(r"`(make [^`]+)`", text) + re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^make ([a-z-]+)", "\n".join(commands), re.MULTILINE)) <= targets


# Links and paths


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.is_file(), f"{page.name}: {link}"
        assert not anchor or anchor in anchors(target), f"{page.name}: {link}"


@each_page
def test_every_path_that_is_named_exists(page: Path) -> None:
    roots = {entry.name for entry in ROOT.iterdir()} - {"var"}
    for path in re.findall(r"`([\w.]+/[\w./-]*|[\w-]+\.(?:py|md|txt|toml))`", page.read_text()):
        if path.partition("/")[0] in roots:
            assert (ROOT / path).exists(), f"{page.name}: {path}"


# Settings and limits


def test_the_table_of_settings_agrees_with_the_example_and_the_code(code: Any) -> None:
    example = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    rows = table(section(README, "Settings"))
    assert len(rows) > 10
    for name, default, _ in rows:
        name = name.strip("`")
        assert name in example
        if re.fullmatch(r"`[\w.]+`", default):
            assert default.strip("`") == example[name], name
            assert default.strip("`") == {"True": "1", "False": "0"}.get(said := code["settings"][name], said), name


LIMITS = {
    "Body of a request": f"{settings.MAX_BODY // 1024} KiB, and {settings.BODY_TIMEOUT} s",
    "Request line and headers": f"{settings.MAX_HEAD // 1024} KiB, {settings.MAX_HEAD_LINES} lines, "
    f"and {settings.HEAD_TIMEOUT} s",
    "Requests on one connection before the first answer": f"{MOST_PIPELINED}",
    "Fragments of a message on a socket": f"{MOST_FRAGMENTS:,}",
    "Idle and unfinished connections of an address, in a process": f"{settings.CONNECTIONS_PER_ADDRESS:,}",
    "Sockets of an address that are signed out, in a process": f"{settings.CONNECTIONS_PER_ADDRESS:,}",
    "Answer or event stream that is not read": f"{settings.READ_TIMEOUT} s, "
    f"and {settings.UNREAD_PER_ADDRESS // 1024 // 1024} MiB",
    "Frame of a socket": f"{settings.MAX_BODY // 1024} KiB",
    "JSON": f"{DEEPEST} levels",
    "Username": f"{USERNAME_LENGTH} characters",
    "Password": f"{PASSWORD_LENGTH} characters",
    "`data` of an account": f"{DATA_SIZE // 1024} KiB",
    "Sessions of an account": f"{MOST_SESSIONS}, for {settings.SESSION_LIFETIME.total_seconds() / 3600:.0f} hours each",
    "Failed sign-ins a minute": f"{settings.SIGN_IN_FAILURES} for an account from one address, "
    f"{settings.SIGN_IN_FAILURES_WIDE} for either alone",
    "Text of a message": f"{LONGEST_TEXT:,} characters",
    "Page of messages, in bytes": f"{MOST_PAGE // 1024 // 1024} MiB",
    "Rooms that a user is a member of": f"{settings.MEMBERSHIPS_PER_USER:,}",
    "Page of rooms": f"{MOST_ROOMS:,}",
    "Query of a search": f"{MOST_CHARACTERS} characters",
    "Page of a search": f"{FOUND} unless `limit` says otherwise, at most {MOST_FOUND}",
    "Search in SQL": f"{PATIENCE} s",
    "Frames from a socket, pings and fragments too": f"{settings.FRAMES_PER_SECOND:,} a second",
    "Sockets and event streams of a user, in a process": f"{settings.CONNECTIONS_PER_USER:,}",
    "Topics that a gateway socket subscribes to": f"{settings.SUBSCRIPTIONS_PER_CONNECTION:,}",
    "Retry key": f"255 characters, remembered for {settings.RETRY_KEY_LIFETIME.total_seconds() / 3600:.0f} hours",
    "Unread data of a client that is too slow": f"{MOST_WAITING // 1024 // 1024} MiB",
    "Sign-ins and requests with HTTP Basic at once, in a process": f"{settings.SIGN_IN_QUEUE}",
    "Silence of the store": f"{settings.REDIS_TIMEOUT:.0f} s",
}


def test_the_table_of_limits_has_the_numbers_of_the_code() -> None:
    rows = {what: limit for what, limit, _ in table(section(README, "Limits"))}
    for what, limit in LIMITS.items():
        assert rows[what].startswith(limit), what


def test_the_changelog_and_both_schemas_are_of_one_version(code: Any) -> None:
    changes = CHANGELOG.read_text()
    assert f"\nTo be {VERSION}.\n" in changes or f"\n## [{VERSION}]" in changes
    assert settings.SPECTACULAR_SETTINGS["VERSION"] == VERSION
    assert asyncapi.document("localhost", secure=False)["info"]["version"] == VERSION


def test_the_table_of_figures_has_the_columns_of_the_bench() -> None:
    head, rule, *rows = between(README, "bench").splitlines()
    assert [cell.strip() for cell in head.strip("|").split("|")] == HEADINGS
    assert len({line.count("|") for line in (head, rule, *rows)}) == 1


# The protocol


def test_every_route_is_in_the_tables_and_no_other(code: Any) -> None:
    documented = {
        without_names(row[0].strip("`")) for page in (PROTOCOL, LOBBY) for row in table(section(page, "REST"))
    }
    real = set(map(without_names, code["routes"]))
    assert (documented - real, real - documented) == (set(), set())


def without_names(route: str) -> str:
    """A route with the names of its parameters left out: `/user/{}`."""
    return re.sub(r"<[^>]*>|\{[^}]*\}", "{}", route)


def test_every_socket_has_its_address_in_the_text(code: Any) -> None:
    text = PROTOCOL.read_text() + LOBBY.read_text()
    named = set(map(without_names, re.findall(r"`/([^`]+)`", text)))
    assert {without_names(route) for route in code["sockets"] if route} <= named


def test_every_command_of_the_gateway_is_in_the_table(code: Any) -> None:
    rows = table(section(PROTOCOL, "The gateway"))
    assert {name for row in rows for name in re.findall(r"\w+", row[0])} == set(code["commands"])


def test_the_table_of_errors_is_that_of_the_code(code: Any) -> None:
    rows = [f"| `{name}` | {status} | {detail} |" for name, (status, detail) in code["errors"].items()]
    rows.sort(key=lambda row: (row.split("|")[2], row))
    expected = "\n".join(["| code | status | detail |", "|---|---|---|", *rows, ""])
    assert between(PROTOCOL, "errors") == expected, f"The table of errors in {PROTOCOL} should be:\n{expected}"


def test_the_table_of_close_codes_is_that_of_the_code() -> None:
    source = Path(connection.__file__).read_text()
    after = {int(number) for number in re.findall(r"= (\d{4})  # reconnect", source)}
    known = {value for name, value in vars(CloseCode).items() if name.isupper()}
    rows = {int(number): reconnect for number, _, reconnect in table(section(PROTOCOL, "Close codes"))}
    assert set(rows) == known
    assert {number for number, reconnect in rows.items() if reconnect.startswith("yes")} == after


def shape(value: Any) -> Any:
    """What kinds of things a frame has where, whatever they are."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else type(value).__name__


def examples(page: Path, heading: str) -> list[tuple[bool, str]]:
    """The frames in a section, in order, each with whether a client sends it."""
    found = re.findall(r"^([→←]) (.*)$", section(page, heading), re.MULTILINE)
    return [(way == "→", frame) for way, frame in found]


def kinds(frames: list[Any]) -> list[str]:
    """Frames as their types and shapes, in an order of their own: an event may come before or after a reply."""
    return sorted(f"{frame.get('type') or frame['$type']} {frame.get('code')} {shape(frame)}" for frame in frames)


@pytest.fixture(scope="module")
def ben(server: Server) -> Iterator[httpx.Client]:
    """Somebody with an account, a token and the address of a server."""
    credentials = {"username": "docs-ben", "password": "secret"}
    with httpx.Client(base_url=server.base_url) as client:
        client.post("/user", json=credentials)
        client.headers["Authorization"] = f"Bearer {client.post('/auth', json=credentials).json()['token']}"
        yield client


def opened(client: httpx.Client, path: str) -> Any:
    address = str(client.base_url.copy_with(scheme="ws", path=path))
    return connect(address, additional_headers={"Authorization": client.headers["Authorization"]})


def hear(socket: Any, count: int) -> list[Any]:
    return [json.loads(socket.recv(timeout=20)) for _ in range(count)]


def test_the_examples_of_a_rooms_frames_are_what_a_server_sends(ben: httpx.Client) -> None:
    frames = examples(PROTOCOL, "The socket of a room")
    room = f"/room/{ben.post('/rooms', json={'name': 'docs'}).json()['roomId']}"
    with opened(ben, f"{room}/subscribe") as socket:
        for is_sent, frame in frames:
            if is_sent:
                socket.send(frame)
        heard = hear(socket, 4)
        for name in ("docs-ann", "docs-eve"):
            ben.post("/user", json={"username": name, "password": "secret"})
        ben.post(f"{room}/members", json={"username": "docs-ann"})
        keep_order(ben, room)
        ben.delete(f"{room}/members/docs-ann")
        ben.patch(f"{room}/messages/1", json={"text": "hi!"})
        ben.delete(f"{room}/messages/1")
        ben.patch(room, json={"name": "Docs, renamed"})
        ben.delete(room)
        heard += hear(socket, 12)
    assert kinds(heard) == kinds([json.loads(frame) for is_sent, frame in frames if not is_sent])


def keep_order(ben: httpx.Client, room: str) -> None:
    """Do what moderators do to a member, who stays one."""
    for role in ("moderator", "member"):
        ben.patch(f"{room}/members/docs-ann", json={"role": role})
    terms = {"until": "2126-03-05T09:00:00.000Z", "reason": "Advertising"}
    ben.put(f"{room}/mutes/docs-ann", json=terms)
    ben.delete(f"{room}/mutes/docs-ann")
    ben.put(f"{room}/bans/docs-eve", json={})
    ben.delete(f"{room}/bans/docs-eve")


def test_the_examples_of_the_gateways_frames_are_what_a_server_sends(ben: httpx.Client) -> None:
    frames = examples(PROTOCOL, "The gateway")
    with opened(ben, "/ws") as socket:
        for is_sent, frame in frames:
            if is_sent:
                socket.send(frame.replace("ben", "docs-ben"))
        expected = [json.loads(frame) for is_sent, frame in frames if not is_sent]
        assert kinds(hear(socket, len(expected))) == kinds(expected)


def test_the_example_of_coming_back_is_what_a_server_sends(ben: httpx.Client) -> None:
    frames = [frame for _, frame in examples(CLIENTS, "Coming back")][1:]
    resume, reply, *_ = map(json.loads, frames)
    room = ben.post("/rooms", json={"name": "docs, coming back"}).json()["roomId"]
    with opened(ben, "/ws") as socket:
        (welcome,) = hear(socket, 1)
    stood = {place["topic"]: place for place in welcome["topics"]}
    own = [stood[topic] for topic in ("user:docs-ben", f"room:{room}")]
    for text in ("Still there?", "Ben?"):
        ben.post(f"/room/{room}/messages", json={"text": text})
    with opened(ben, "/ws") as socket:
        hear(socket, 1)
        socket.send(json.dumps({**resume, "topics": own}))
        heard = hear(socket, 3)
    assert missed(own, heard[0]) == missed(resume["topics"], reply)
    assert kinds(heard) == kinds(list(map(json.loads, frames[1:])))


def missed(places: list[Any], reply: Any) -> list[tuple[bool, int]]:
    """Of each topic whether it was recovered, and how many events came since."""
    told = zip(reply["result"]["topics"], places, strict=True)
    return [(each["recovered"], each["offset"] - place["offset"]) for each, place in told]


def test_the_example_client_comes_back_after_the_codes_of_the_table() -> None:
    for code, _, reconnect in table(section(PROTOCOL, "Close codes")):
        client = GatewayClient("http://127.0.0.1", never)
        client.welcomed = True  # 4401 then means that it was signed out, and may sign in again
        _, pause = client.what_now(ConnectionClosedError(Close(int(code), ""), None), 1)
        assert (pause is not None) == (reconnect.startswith("yes") or "sign in" in reconnect), code


async def never() -> str:
    raise AssertionError


def test_the_examples_of_the_lobby_chat_are_what_a_server_sends(start_server: Callable[..., Server]) -> None:
    frames = examples(PROTOCOL, "The lobby chat")
    with contextlib.ExitStack() as stack:
        ann, ben = (stack.enter_context(httpx.Client(base_url=server.base_url)) for server in [start_server()] * 2)
        for name, client in (("ann", ann), ("ben", ben)):
            credentials = {"username": name, "password": "secret"}
            client.post("/user", json=credentials)
            client.headers["Authorization"] = f"Bearer {client.post('/auth', json=credentials).json()['token']}"
        first = stack.enter_context(opened(ann, "/join"))
        hear(first, 2)
        socket = stack.enter_context(opened(ben, "/join"))
        for number, (is_sent, frame) in enumerate(frames):
            if number == len(frames) - 1:
                first.close()
            if is_sent:
                socket.send(frame)
            else:
                (heard,), expected = hear(socket, 1), json.loads(frame)
                assert (heard["type"], heard["msg"], list(heard)) == (expected["type"], expected["msg"], list(expected))


def test_the_examples_of_the_lobby_are_what_a_server_sends(start_server: Callable[..., Server]) -> None:
    with connect(f"{start_server().ws_url}/lobby_api") as socket:
        for is_sent, frame in examples(LOBBY, "The socket"):
            if is_sent:
                socket.send(frame)
            else:
                (heard,) = hear(socket, 1)
                expected = json.loads(frame)
                if heard["$type"] == "error":
                    assert heard.pop("detail").startswith(expected.pop("detail").rstrip("…"))
                assert heard == expected


def test_the_table_of_rights_is_that_of_the_code() -> None:
    rows = between(ROOT / "docs/moderation.md", "rights").splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert {what[1:].partition("`")[0]: Right(*least) for what, *least in cells} == RIGHTS
