"""`manage.py chat`: rooms and conversations on a terminal, by way of the gateway."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from argparse import ArgumentParser
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, urlsplit

from django.core.management.base import BaseCommand, CommandError

from clients.terminal.gateway_client import Frame
from clients.terminal.rest_client import Refused, request, sign_in
from clients.terminal.terminal import Talk, chat, harmless
from foyer.management.commands.serve import Help, address

LOBBY = "lobby"
MOST_UNREAD = 100
"""How many the server counts; it stands for more."""
SignIn = Callable[[], Awaitable[str]]


class Command(BaseCommand):
    help = """Talk in a room, or with somebody. Without either, list the rooms and what is unread.

Shows what was said last and what happens from then on; /help lists what can be typed. Comes back by itself when
the connection breaks, with what was missed. From a pipe each line is a message; it ends when all are stored."""
    epilog = """The password is asked for, or taken from FOYER_PASSWORD; a token in FOYER_TOKEN serves instead.

  python manage.py chat --username ben                            the rooms
  python manage.py chat --username ben --room general --create
  python manage.py chat --username ben --user ann --url https://chat.example.org
  uptime | FOYER_TOKEN=… python manage.py chat --room general"""
    requires_system_checks = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=Help, epilog=self.epilog, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        place = parser.add_mutually_exclusive_group()
        place.add_argument("--room", metavar="NAME", help="the room to join, by its name")
        place.add_argument("--user", metavar="NAME", help="whom to write to, and to read")
        parser.add_argument("--create", action="store_true", help="make the room if there is none of that name")
        parser.add_argument("--username", metavar="NAME", help="who you are")
        parser.add_argument("--url", default=address("").rstrip("/"), help="the server (now %(default)s)")

    def handle(
        self, *, url: str, username: str | None, room: str | None, user: str | None, create: bool, **options: Any
    ) -> None:
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # what the terminal can't show
        url = url.rstrip("/")
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise CommandError(f"--url is {url!r}, expected the address of a server, such as http://127.0.0.1:9000.")
        sign = signing_in(url, username)
        try:
            over = asyncio.run(self.talk(url, sign, room, user, create) if room or user else self.list_rooms(url, sign))
        except Refused as error:
            raise CommandError(harmless(str(error))) from None
        except OSError as error:
            raise CommandError(f"{url} can't be reached: {error}") from None
        except KeyboardInterrupt:
            sys.exit(130)
        if over:
            raise CommandError(harmless(over))

    async def talk(self, url: str, sign: SignIn, room: str | None, user: str | None, create: bool) -> str:
        token = await sign()
        if room:
            found = await find_room(url, token, room, create=create)
            talk = Talk(found["name"], {"room": found["roomId"]})
        else:
            talk = Talk(f"with {user}", {"user": str(user)})
        return await chat(url, first(token, sign), talk, typed=sys.stdin.isatty())

    async def list_rooms(self, url: str, sign: SignIn) -> str:
        """Those the user is in, what has something unread first, then those that the user could join."""
        token = await sign()
        own = await request(url, "GET", "/rooms?member=me", token)
        for room in sorted(sorted(own, key=last_heard_of, reverse=True), key=lambda room: not room["unread"]):
            last = room["last_message"]
            said = f"{last['sender'] or '(gone)'}: {last['text']}" if last else ""
            self.line(f"{unread_of(room):<13}  {room['name']}  {said[:60]}")
        inside = {room["roomId"] for room in own}
        for room in await request(url, "GET", "/rooms", token):
            if room["roomId"] not in inside:
                self.line(f"               {room['name']}")
        return ""

    def line(self, text: str) -> None:
        self.stdout.write(harmless(text.rstrip()))


def last_heard_of(room: Frame) -> str:
    last = room["last_message"]
    return str(last["sent_at"] if last else room["created_at"])


def unread_of(room: Frame) -> str:
    unread = room["unread"]
    return f"{unread if unread < MOST_UNREAD else f'{MOST_UNREAD}+':>6} unread" if unread else ""


def signing_in(url: str, username: str | None) -> SignIn:
    """What gives a token whenever one is needed: that of the environment, once, or one for a password."""
    if token := os.environ.get("FOYER_TOKEN"):
        return first(token, no_other_token)
    if not username:
        raise CommandError("--username is missing, expected the name of your account; or FOYER_TOKEN.")
    password = os.environ.get("FOYER_PASSWORD")
    if password is None and not sys.stdin.isatty():
        raise CommandError("FOYER_PASSWORD is missing: where lines come from a pipe, nobody can be asked for it.")
    if password is None:
        password = getpass.getpass(f"Password of {username}: ")
    return lambda: sign_in(url, username, password)


def first(token: str, then: SignIn) -> SignIn:
    """Give `token` the first time, and after that what `then` gives."""
    left = [token]

    async def give() -> str:
        return left.pop() if left else await then()

    return give


async def no_other_token() -> str:
    raise Refused("bad_token", "The token in FOYER_TOKEN is invalid, expired or signed out.", 401)


async def find_room(url: str, token: str, name: str, *, create: bool) -> dict[str, str]:
    """The room of that name. Raises `Refused`."""
    if name == LOBBY:
        return {"roomId": LOBBY, "name": LOBBY}
    found: list[dict[str, str]] = await request(url, "GET", f"/rooms?name={quote(name, safe='')}", token)
    if found:
        return found[0]
    if create:
        made: dict[str, str] = await request(url, "POST", "/rooms", token, {"name": name})
        return made
    raise Refused("room_not_found", f"There is no room named '{name}' that you can see; --create makes one.")
