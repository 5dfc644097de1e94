"""`manage.py chat`, as it is used: from a pipe, and on a terminal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth

from clients.terminal.gateway_client import Disconnected, GatewayClient
from clients.terminal.management.commands.chat import no_other_token
from clients.terminal.terminal import JOINERS, UNSEEN, Talk, Terminal, harmless, wrapped
from tests.clients import PASSWORD, PATIENCE, Person, sign_up_at
from tests.server import Server, bare_environment
from tests.settings import ROOT


def start(person: Person, *options: str, **more: Any) -> subprocess.Popen[bytes]:
    """The command, as somebody starts it on the machine of the server."""
    environment = {
        **bare_environment(),
        "ENV_FILE": "",
        "DATA_DIR": str(person.server.data_dir),
        "PORT": str(person.server.port),
        "FOYER_PASSWORD": PASSWORD,
        "TERM": "xterm",
        "PROMPT_TOOLKIT_NO_CPR": "1",
        **more.pop("environment", {}),
    }
    command = [sys.executable, "manage.py", "chat", *options]
    return subprocess.Popen(command, cwd=ROOT, env=environment, **more)


async def chat(person: Person, *options: str, typed: str = "", **environment: str) -> tuple[int, str, str]:
    """Run the command with this as its input: its exit code, what it printed, and what it complained of."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = start(person, *options, environment=environment, **pipes)
    out, errors = await asyncio.to_thread(process.communicate, typed.encode(), 60)
    return process.returncode, out.decode(), errors.decode()


@given(st.text())
def test_nothing_that_people_write_reaches_the_terminal_as_a_command(text: str) -> None:
    for line in harmless(text).split("\n"):
        assert all(unicodedata.category(character) not in UNSEEN or character in JOINERS for character in line)


def test_what_is_harmless_is_shown_as_it_is() -> None:
    assert harmless("Grüße 👩‍💻 日本") == "Grüße 👩‍💻 日本"
    assert harmless("\x1b[2J\x07\u202e\r") == r"\x1b[2J\x07\u202e\r"
    assert harmless("one\n09:00 ann: not said by ann").split("\n")[1].startswith("      09:00")


async def test_lines_from_a_pipe_are_messages_in_order_and_it_ends_when_they_are_stored(
    ann_there: Person, ben_there: Person
) -> None:
    name = f"pipes of {ann_there.username}"
    who = ("--username", ann_there.username)
    code, out, errors = await chat(ann_there, *who, "--room", name)
    assert (code, out) == (1, "")
    assert "--create makes one" in errors
    code, out, errors = await chat(ann_there, *who, "--room", name, "--create", typed="one\n\n/two\x1b[0m\nthree")
    assert (code, errors) == (0, "")
    rooms: Any = (await ann_there.rest.get("/rooms", params={"name": name})).json()
    said = [message["text"] for message in await ann_there.history(rooms[0]["roomId"])]
    assert said == ["one", "/two\x1b[0m", "three"]
    code, out, errors = await chat(ben_there, "--username", ben_there.username, "--room", name)
    assert [line.partition(": ")[2] for line in out.splitlines()[1:4]] == ["one", r"/two\x1b[0m", "three"]
    members: Any = (await ann_there.rest.get(f"/room/{rooms[0]['roomId']}/members")).json()
    assert [member["username"] for member in members] == [ann_there.username, ben_there.username]


async def test_a_conversation_is_with_one_and_the_list_says_what_is_unread(
    ann_there: Person, ben_there: Person
) -> None:
    room = await ann_there.make_room(f"room of {ann_there.username}")
    await ann_there.post(room, "hello\x1b[2J")
    to_ben, environment = ("--user", ben_there.username.upper()), {"FOYER_TOKEN": ann_there.token}
    assert (await chat(ann_there, *to_ben, typed="psst\n", **environment))[0] == 0
    await ben_there.rest.post(f"/user/{ann_there.username}/messages", json={"text": "what?"})
    code, out, _ = await chat(ann_there, *to_ben, **environment)
    assert code == 0
    assert [line[6:] for line in out.splitlines()[1:]] == [
        f"{ann_there.username}: psst",
        f"{ben_there.username}: what?",
    ]
    code, out, errors = await chat(ann_there, **environment)
    assert (code, errors) == (0, "")
    assert f"               room of {ann_there.username}  {ann_there.username}: hello\\x1b[2J" in out
    assert "unread" not in out


async def test_the_list_begins_with_what_is_unread_the_latest_first(ann_there: Person, ben_there: Person) -> None:
    names = [f"{name} of {ann_there.username}" for name in ("quiet", "early", "busy", "read")]
    rooms = [await ann_there.make_room(name) for name in names]
    for room in rooms:
        await ben_there.rest.post(f"/room/{room}/members", json={"username": ben_there.username})
    await ben_there.post(rooms[1], "first")
    for number in range(101):
        await ben_there.post(rooms[2], str(number))
    await ann_there.post(rooms[3], "mine")
    _, out, _ = await chat(ann_there, FOYER_TOKEN=ann_there.token)
    me = ann_there.username
    assert out.splitlines()[:4] == [
        f"  100+ unread  {names[2]}  {ben_there.username}: 100",
        f"     1 unread  {names[1]}  {ben_there.username}: first",
        f"               {names[3]}  {me}: mine",
        f"               {names[0]}",
    ]


async def test_a_pause_is_told_in_whole_seconds_and_never_as_none() -> None:
    told: list[str] = []
    terminal = Terminal(GatewayClient("http://127.0.0.1:1", no_other_token), Talk("a room", {"room": "1"}), told.append)
    for seconds in (0.1, 0.6, 7.2):
        await terminal.take(Disconnected("closed", seconds))
    assert [line.partition("again ")[2] for line in told] == ["now", "in 1 s", "in 8 s"]


@given(st.text(st.sampled_from("ab \n語🎉")), st.integers(8, 20))
def test_lines_are_broken_at_blanks_and_nowhere_else(text: str, width: int) -> None:
    rows = wrapped(text, width).split("\n")
    assert "".join(rows).replace(" ", "") == text.replace("\n", "").replace(" ", "")
    words = {word for row in rows for word in row.split()}
    assert words == set(text.split())
    assert all(get_cwidth(row) <= width or len(row.split()) <= 1 for row in rows)


def test_what_goes_on_in_a_further_row_is_indented() -> None:
    assert wrapped("12:00 ann: good  morning everybody", 20).split("\n") == [
        "12:00 ann: good ",
        "      morning",
        "      everybody",
    ]


async def test_what_the_server_refuses_is_said_in_a_sentence(ann_there: Person) -> None:
    who = ("--username", ann_there.username, "--user", "nobody\x1b[2J")
    for environment, told in (({}, r"There is no user 'nobody\x1b[2J'."), ({"FOYER_PASSWORD": "x"}, "do not match")):
        code, out, errors = await chat(ann_there, *who, **environment)
        assert (code, out) == (1, "")
        assert told in errors
        assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("options", "environment", "told"),
    [
        ([], {}, "--username is missing"),
        (["--username", "ann"], {}, "FOYER_PASSWORD is missing"),
        (["--url", "ws://x"], {"FOYER_TOKEN": "x"}, "--url is 'ws://x', expected"),
        (["--username", "ann", "--url", "http://127.0.0.1:1"], {"FOYER_PASSWORD": "x"}, "can't be reached"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(
    options: list[str], environment: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CommandError, match=re.escape(told)):
        call_command("chat", *options)


async def test_a_pipe_outlives_the_server_and_loses_nothing(start_server: Callable[..., Server]) -> None:
    server = start_server()
    ann = await sign_up_at(server, "ann")
    room = await ann.make_room("Kitchen")
    process = start(ann, "--username", ann.username, "--room", "Kitchen", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    lines = [f"line {number}" for number in range(60)]
    process.stdin.write("\n".join(lines[:30]).encode() + b"\n")
    process.stdin.flush()
    while b"line 20" not in await asyncio.to_thread(process.stdout.readline):
        pass
    await asyncio.to_thread(server.kill)
    process.stdin.write("\n".join(lines[30:]).encode())
    process.stdin.close()
    server.begin()
    out = (await asyncio.to_thread(process.stdout.read)).decode()
    assert process.wait(PATIENCE) == 0
    assert "trying again" in out
    assert "again in 0 s" not in out
    assert "connected again" in out
    await asyncio.to_thread(server.wait_until_it_answers)
    assert [message["text"] for message in await ann.history(room)] == lines
    process.stdout.close()
    await ann.rest.aclose()


class Screen:
    """A terminal on which the command runs. `until` waits for something to be shown."""

    def __init__(self, person: Person, *options: str) -> None:
        self.keys, line = pty.openpty()
        self.process = start(person, *options, stdin=line, stdout=line, stderr=line, start_new_session=True)
        os.close(line)
        self.seen = ""
        self.more = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.keys, self.read)

    def read(self) -> None:
        try:
            self.seen += os.read(self.keys, 65536).decode(errors="replace")
        except OSError:  # the command has ended
            asyncio.get_running_loop().remove_reader(self.keys)
        self.more.set()

    def type(self, text: str) -> None:
        os.write(self.keys, text.encode())

    async def until(self, text: str) -> None:
        """Return when this is shown, and forget all up to there."""
        try:
            async with asyncio.timeout(PATIENCE):
                while text not in self.seen:
                    self.more.clear()
                    await self.more.wait()
        except TimeoutError:
            raise AssertionError(f"{text!r} was not shown, but:\n{self.seen!r}") from None
        self.seen = self.seen.partition(text)[2]

    async def ended(self) -> int:
        return await asyncio.to_thread(self.process.wait, PATIENCE)


@contextlib.contextmanager
def screen(person: Person, *options: str) -> Iterator[Screen]:
    opened = Screen(person, *options)
    try:
        yield opened
    finally:
        opened.process.kill()
        opened.process.wait()
        asyncio.get_running_loop().remove_reader(opened.keys)
        os.close(opened.keys)


async def test_on_a_terminal_one_talks_and_sees_what_others_do(ann_there: Person, ben_there: Person) -> None:
    room = await ann_there.make_room(f"table of {ann_there.username}")
    await ann_there.post(room, "before")
    with screen(ben_there, "--username", ben_there.username, "--room", f"table of {ann_there.username}") as shown:
        await shown.until(f"{ann_there.username}: before")
        shown.type("hello\r")
        await shown.until(f"{ben_there.username}: hello")
        async with ann_there.socket("/ws") as socket:
            await socket.say({"type": "typing", "room": room})
            await shown.until("…")
        await ann_there.post(room, "\x1b]0;title\x07")
        await shown.until(r"\x1b]0;title\x07")
        shown.type("/edit hello!\r")
        await shown.until("edited: hello!")
        shown.type("/members\r")
        await shown.until(f"{ann_there.username} (owner, away), {ben_there.username}")
        shown.type("/search before -after\r")
        await shown.until(f"[table of {ann_there.username}] {ann_there.username}: before")
        shown.type("/help\r")
        await shown.until("/quit")
        shown.type("//quit\r")
        await shown.until(f"{ben_there.username}: /quit")
        shown.type("/quit\r")
        assert await shown.ended() == 0
    assert [message["text"] for message in await ann_there.history(room)][-1] == "/quit"


async def test_on_a_terminal_somebody_is_blocked_and_unblocked(ann_there: Person, ben_there: Person) -> None:
    with screen(ann_there, "--username", ann_there.username, "--user", ben_there.username) as shown:
        await shown.until("/help says what can be done")
        shown.type(f"/block {ben_there.username}\r")
        await shown.until(f"{ben_there.username} is blocked")
        assert [one["username"] for one in (await ann_there.rest.get("/blocks")).json()] == [ben_there.username]
        shown.type(f"/unblock {ben_there.username}\r")
        await shown.until(f"{ben_there.username} is unblocked")
    assert (await ann_there.rest.get("/blocks")).json() == []


async def test_ctrl_d_ends_it_and_the_deletion_of_the_room_too(ann_there: Person) -> None:
    name = f"end of {ann_there.username}"
    room = await ann_there.make_room(name)
    for key in ("\x04", "\x03"):
        with screen(ann_there, "--username", ann_there.username, "--room", name) as shown:
            await shown.until(">")
            shown.type(key)
            assert await shown.ended() == 0
    with screen(ann_there, "--username", ann_there.username, "--room", name) as shown:
        await shown.until(">")
        await ann_there.rest.delete(f"/room/{room}")
        await shown.until("The room was deleted by")
        assert await shown.ended() == 1


async def test_a_signal_ends_a_pipe_that_is_still_open(ann_there: Person) -> None:
    name = f"pipe of {ann_there.username}"
    process = start(
        ann_there, "--username", ann_there.username, "--room", name, "--create",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    await asyncio.to_thread(process.stdout.readline)
    process.send_signal(signal.SIGINT)
    _, errors = await asyncio.to_thread(process.communicate, None, PATIENCE)
    assert (process.returncode, errors) == (130, b"")
