"""The terminal client: it shows the events of a room or a conversation as lines of text, and sends typed lines.

Texts of users could contain control characters, so everything that is printed goes through `harmless` first.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import shutil
import sys
import threading
import time
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from prompt_toolkit import PromptSession
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.utils import get_cwidth

from clients.terminal import order
from clients.terminal.gateway_client import (
    Connected,
    Disconnected,
    Frame,
    GatewayClient,
    Happening,
    Interrupted,
    NotRecovered,
)
from clients.terminal.rest_client import Refused, request
from foyer.text import key_of

HELP = """/edit TEXT    give your last message another text
/block NAME   take no direct messages from somebody; /unblock NAME ends that
/members      who is in the room, who of them is online, and who moderates
/order        what moderators can do
/search WORDS find messages that have all of them, wherever you may read
/help         this list
/quit         leave; so do Ctrl-D and Ctrl-C
Anything else is a message. One that begins with / is typed with two."""
INDENT = " " * 6
SHOWN = 30
"""Messages of the history."""
TYPING_EVERY = 3.0
"""Seconds between two frames that say that the user is writing."""
TYPING_FOR = 5.0
"""Seconds for which somebody is shown to be writing."""
READ_EVERY = 5.0
"""Seconds between two looks at whether something more was read."""
LAST_CHANCE = 5.0
"""Seconds that unsent lines get when the user leaves."""
JOINERS = "\u200c\u200d"
"""Invisible characters that are needed: they join emoji, such as families, and letters of some scripts."""
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


class Talk(NamedTuple):
    """A room or a conversation: `where` is its address in commands, a room's id or a username; `title` is for
    people."""

    title: str
    where: dict[str, str]

    @property
    def room(self) -> str | None:
        return self.where.get("room")


def harmless(text: str) -> str:
    """`text` fit for a terminal: characters that control it, turn the direction of text or are unseen are spelled out.

    Lines after the first are indented, so that nobody's text looks like a line of this program.
    """
    return "".join(map(shown, text)).replace("\n", f"\n{INDENT}")


def shown(character: str) -> str:
    if character in ("\n", *JOINERS) or unicodedata.category(character) not in UNSEEN:
        return character
    return "    " if character == "\t" else ascii(character)[1:-1]


def wrapped(line: str, width: int) -> str:
    """`line` broken at blanks, so that words stay whole on a terminal of so many columns. Wide characters take two."""
    return "\n".join(row for paragraph in line.split("\n") for row in rows_of(paragraph, width))


def rows_of(paragraph: str, width: int) -> Iterator[str]:
    """The rows of a paragraph. Rows after the first are indented; a word that is too long is left to the terminal."""
    row = paragraph[: len(paragraph) - len(paragraph.lstrip(" "))]
    is_empty = True
    for word in paragraph.strip(" ").split(" "):
        longer = row + word if is_empty else f"{row} {word}"
        if get_cwidth(longer) <= width or is_empty:
            row = longer
        else:
            yield row
            row = INDENT + word
        is_empty = False
    yield row


def clock(sent_at: str) -> str:
    return datetime.fromisoformat(sent_at).astimezone().strftime("%H:%M")


def day(sent_at: str) -> str:
    return datetime.fromisoformat(sent_at).astimezone().strftime("%Y-%m-%d %H:%M")


def openness(room: Frame) -> str:
    return "for its members" if room["members_only"] else "open to everyone"


def pace(room: Frame) -> str:
    return f", one message in {room['slow_mode']} s" if room.get("slow_mode") else ""


def described(member: Frame) -> str:
    """A member, as in the list of them."""
    notes = [member["role"]] if member["role"] != "member" else []
    notes += [] if member["online"] else ["away"]
    return str(member["username"]) + (f" ({', '.join(notes)})" if notes else "")


def name_of(sender: str | None) -> str:
    return sender or "(gone)"


class Terminal:
    """One talk on a terminal, or on a pipe. `out` prints a line."""

    def __init__(self, client: GatewayClient, talk: Talk, out: Callable[[str], None]) -> None:
        self.client = client
        self.talk = talk
        self.out = out
        self.shown_to = 0
        self.own_last = 0
        self.last_of: dict[str, int] = {}
        self.typed = asyncio.Queue[str]()
        self.unsent = 0
        self.typing: dict[str, float] = {}
        self.told_typing = 0.0
        self.joined = asyncio.Event()
        self.over = ""

    def show(self, line: str) -> None:
        self.out(harmless(line))

    def notice(self, line: str) -> None:
        self.show(f"      -- {line}")

    # What happens

    async def listen(self) -> None:
        """Show what happens, until the talk is over. Raises `Refused` when the server has nothing more to say."""
        async for happening in self.client:
            await self.take(happening)
            if self.over:
                return

    async def take(self, happening: Happening) -> None:
        if isinstance(happening, Connected):
            if happening.again:
                self.notice("connected again")
            else:
                await self.enter()
        elif isinstance(happening, Disconnected):
            waiting = f"; {self.unsent} unsent" if self.unsent else ""
            when = f"in {math.ceil(happening.seconds)} s" if happening.seconds >= 0.5 else "now"
            self.notice(f"{happening.why}; trying again {when}{waiting}")
        elif isinstance(happening, NotRecovered):
            if happening.topic == self.topic:
                await self.show_history("what was said meanwhile could not be recovered; this is how it stands now")
        elif happening["type"] == "notice":
            self.notice(f"{happening['level']} for everybody: {happening['text']}")
        elif happening["topic"] == self.topic:
            self.show_event(happening)
        elif happening["type"] == "room_removed" and happening["room"]["roomId"] == self.talk.room:
            self.over = f"You were taken out of the room by {name_of(happening['by'])}."

    @property
    def topic(self) -> str:
        return f"room:{self.talk.room}" if self.talk.room else f"user:{self.client.username}"

    async def enter(self) -> None:
        """Join the room, and show what was said before. What happens meanwhile waits, and is shown after that."""
        if self.talk.room:
            await self.repeat("add_member", room=self.talk.room, username=self.client.username)
        await self.show_history(f"{self.talk.title}, as {self.client.username}; /help says what can be done")
        self.joined.set()

    async def show_history(self, title: str) -> None:
        page = await self.repeat("history", **self.talk.where, limit=SHOWN)
        self.notice(title)
        self.shown_to = 0
        for message in page["messages"]:
            self.show_message(message)

    async def repeat(self, kind: str, **fields: object) -> Frame:
        """A command that may be carried out twice: asked again where the answer was lost."""
        while True:
            try:
                result: Frame = await self.client.ask(kind, **fields)
                return result
            except Interrupted:
                continue

    def show_event(self, event: Frame) -> None:
        kind, message = event["type"], event.get("message", {})
        if self.talk.room is None and not self.is_ours(event):
            return
        if kind in ("message", "direct_message"):
            self.show_message(message)
        elif kind == "message_edited":
            if message["text"]:  # it may have been deleted since
                self.show(f"{clock(message['edited_at'])} {name_of(message['sender'])}, edited: {message['text']}")
        elif kind == "message_deleted":
            self.notice(f"{name_of(event['by'])} deleted a message")
        elif kind == "member_added":
            self.notice(f"{name_of(event['username'])} joined")
        elif kind == "member_removed":
            self.notice(f"{name_of(event['username'])} left")
        elif kind == "room_updated":
            self.notice(f"the room is {event['room']['name']}, {openness(event['room'])}{pace(event['room'])}")
        elif kind == "room_deleted":
            self.over = f"The room was deleted by {name_of(event['by'])}."
        elif line := order.told(event):
            self.notice(line)
        elif kind == "typing" and event["username"] != self.client.username:
            self.typing[event["username"]] = time.monotonic() + TYPING_FOR

    def is_ours(self, event: Frame) -> bool:
        """Whether an event of the user's own topic belongs to this conversation."""
        other, message = key_of(self.talk.where["user"]), event.get("message", {})
        if event["type"] == "typing":
            return key_of(event["username"]) == other
        ends = {message.get("to"), message.get("sender"), event.get("by")} - {None}
        return {key_of(name) for name in ends} == {key_of(self.client.username), other}

    def show_message(self, message: Frame) -> None:
        if message["id"] <= self.shown_to:
            return  # the history had it
        self.shown_to = message["id"]
        self.last_of[key_of(name_of(message["sender"]))] = message["id"]
        if message["sender"] == self.client.username:
            self.own_last = message["id"]
        self.typing.pop(message["sender"], None)
        text = message["text"] or "(deleted meanwhile)"
        self.show(f"{clock(message['sent_at'])} {name_of(message['sender'])}: {text}")

    def writing(self) -> str:
        """Who is writing at this moment, as a line for the foot of the screen."""
        now = time.monotonic()
        names = sorted(name for name, until in self.typing.items() if until > now)
        return harmless(f"{', '.join(names)} …") if names else ""

    # What the user says

    async def say_all(self, lines: AsyncIterator[str]) -> None:
        """Post line after line, each once the one before is stored. Raises `Refused` for one that can't be."""
        await self.joined.wait()
        async for line in lines:
            if line.strip():
                await self.client.post(line, **self.talk.where)

    async def converse(self) -> None:
        """Read typed lines until the user leaves. They are sent at the same time, in order."""
        await self.joined.wait()
        session: PromptSession[str] = PromptSession(
            "> ", rprompt=self.writing, refresh_interval=1, erase_when_done=True
        )
        session.default_buffer.on_text_changed += lambda buffer: self.say_typing(buffer.text)
        beside = [asyncio.create_task(work) for work in (self.obey_all(), self.mark_read())]
        try:
            with contextlib.suppress(EOFError, KeyboardInterrupt), patch_stdout():
                while (line := (await session.prompt_async()).strip()) != "/quit":
                    if line:
                        self.typed.put_nowait(line)
            await asyncio.wait_for(self.typed.join(), LAST_CHANCE)
        except TimeoutError:
            self.notice(f"{self.unsent} lines were not acknowledged; they may have been stored or not")
        finally:
            for task in beside:
                task.cancel()

    async def obey_all(self) -> None:
        while True:
            line = await self.typed.get()
            self.unsent = self.typed.qsize() + 1
            try:
                await self.obey(line)
            except (Refused, OSError) as error:
                self.notice(f"{error} It was: {line}")
            self.unsent = self.typed.qsize()
            self.typed.task_done()

    async def obey(self, line: str) -> None:
        """Carry out a typed line. Raises `Refused`, `OSError`."""
        word, _, rest = line.partition(" ")
        if not line.startswith("/") or line.startswith("//"):
            await self.client.post(line.removeprefix("/"), **self.talk.where)
        elif word == "/members" and self.talk.room:
            await self.show_members()
        elif word == "/search" and rest.strip():
            await self.show_found(rest)
        elif word == "/order":
            self.show(order.HELP)
        elif word in order.WORDS and self.talk.room:
            await self.keep_order(word, rest)
        elif word == "/edit" and self.own_last and rest:
            await self.repeat("edit", **self.talk.where, message=self.own_last, text=rest)
        elif word in ("/block", "/unblock") and rest:
            done = await self.repeat(word[1:], username=rest.strip())
            self.notice(f"{done['username']} is {word[1:]}ed")
        else:
            self.show(HELP)

    async def keep_order(self, word: str, line: str) -> None:
        if word == "/report":
            await self.report(*order.named(line))
            return
        command = order.command_of(word, line, datetime.now(UTC))
        if command is None:
            self.show(order.HELP)
            return
        await self.client.ask(command.pop("type"), room=self.talk.room, **command)

    async def report(self, name: str, why: str) -> None:
        """Report the last message of somebody that was shown."""
        message = self.last_of.get(key_of(name))
        if message is None or not why:
            self.notice("Say whose last message you report, and why: /report NAME WHY")
            return
        path = f"/room/{self.talk.room}/messages/{message}/report"
        await request(self.client.url, "POST", path, self.client.token, {"reason": why})
        self.notice(f"reported the last message of {name}")

    async def show_members(self) -> None:
        members = await request(self.client.url, "GET", f"/room/{self.talk.room}/members", self.client.token)
        self.notice(", ".join(map(described, members)))

    async def show_found(self, words: str) -> None:
        """Messages that have some words, the oldest first, so that the newest are next to where one types."""
        page = await self.repeat("search", q=words)
        names = dict[str, str]()
        for message in page["messages"]:
            if (room := message.get("roomId")) and room not in names:
                names[room] = await self.name_of_room(room)
        more = ", and there are more" if page["more"] else ""
        self.notice(f"{len(page['messages'])} messages found{more}")
        for message in reversed(page["messages"]):
            place = names[message["roomId"]] if "roomId" in message else f"to {name_of(message['to'])}"
            self.show(f"{day(message['sent_at'])} [{place}] {name_of(message['sender'])}: {message['text']}")

    async def name_of_room(self, room: str) -> str:
        try:
            found: Frame = await request(self.client.url, "GET", f"/room/{room}", self.client.token)
        except Refused:  # it was deleted meanwhile, or is no longer the user's to see
            return f"room {room}"
        return str(found["name"])

    def say_typing(self, text: str) -> None:
        """Tell the others that a message is being written: now and then, and not while there is no connection."""
        now = time.monotonic()
        if text and not text.startswith("/") and self.client.socket and now - self.told_typing > TYPING_EVERY:
            self.told_typing = now
            self.telling = asyncio.ensure_future(self.try_to("typing"))

    async def mark_read(self) -> None:
        """Tell the server how far the user has read, for the user's other clients and the list of rooms."""
        noted = 0
        while True:
            if self.shown_to > noted:
                noted = self.shown_to
                await self.try_to("read", offset=noted)
            await asyncio.sleep(READ_EVERY)

    async def try_to(self, kind: str, **fields: object) -> None:
        """A command that does no harm if it fails."""
        with contextlib.suppress(Refused, Interrupted):
            await self.client.ask(kind, **self.talk.where, **fields)


async def piped_lines() -> AsyncIterator[str]:
    """The lines of standard input, as they come. They are read in a thread, since it may be a file or a pipe."""
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[str | None]()

    def read() -> None:
        rest = b""
        while part := os.read(0, 65536):
            *whole, rest = (rest + part).split(b"\n")
            for line in whole:
                loop.call_soon_threadsafe(lines.put_nowait, line.decode(errors="replace").rstrip("\r"))
        loop.call_soon_threadsafe(lines.put_nowait, rest.decode(errors="replace"))
        loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    while (line := await lines.get()) is not None:
        yield line


def print_line(line: str) -> None:
    if sys.stdout.isatty():
        line = wrapped(line, shutil.get_terminal_size().columns)
    print(line, flush=True)


async def chat(url: str, sign_in: Callable[[], Awaitable[str]], talk: Talk, *, typed: bool) -> str:
    """Talk until the user leaves, or the input ends; `typed` if it is typed. Returns why the talk ended early, if it
    did.

    Raises `Refused`.
    """
    async with GatewayClient(url, sign_in) as client:
        terminal = Terminal(client, talk, print_line)
        speaking = terminal.converse() if typed else terminal.say_all(piped_lines())
        tasks = [asyncio.create_task(work) for work in (terminal.listen(), speaking)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return terminal.over
