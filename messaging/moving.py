"""A room as a file, for moving house: lines of JSON, which another server makes a room of.

The first line says what it is, then come the members, bans and mutes, and the messages as they are now, in order, and a
last line that shows that the file is whole. People are named, since account ids differ from server to server.

Guarantees: a file that is broken is found out before anything is made of it. A message is taken in once, however often
an import is broken off and begun again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from accounts.callers import SERVER, trusted
from accounts.errors import UserNotFound
from accounts.models import Account
from accounts.people import Person
from foyer.api.contracts import checked
from foyer.api.wire import fields_of, quoted
from foyer.errors import FoyerError, InvalidInput
from foyer.paging import Page
from foyer.store.steps import Steps, operation
from foyer.times import time_text
from messaging.operations import LIBRARY, read_history
from messaging.serializers import check_post
from rooms.membership import add_member, page_of_members
from rooms.operations import AS_IT_IS, Retention, create_room, remember_signer, show_room, topic_of, update_room
from rooms.order import Restriction, Terms, list_restrictions, restrict, set_role
from rooms.serializers import TermsSerializer

VERSION = 1
AT_ONCE = 200
"""Messages that are read, or taken in, together."""
RESTRICTIONS: dict[str, Restriction] = {"ban": "bans", "mute": "mutes"}
"""Types of lines, and the lists that they are from."""
LONGEST_LINE = 100_000
"""Bytes; a message has at most 4096 characters."""


class BrokenFile(Exception):
    """The file is none that `lines_of` wrote, or not all of it."""

    def __init__(self, line: int, wrong: str) -> None:
        super().__init__(f"Line {line}: {wrong}")


# Out


def lines_of(room_id: str) -> Iterator[tuple[int, bytes]]:
    """The lines of a room's file, each with the id of the message that it tells of, or 0. Raises `RoomNotFound`."""
    room = show_room(SERVER, room_id)
    yield 0, b'{"type":"foyer_room","version":%d,"room":%b}\n' % (VERSION, room)
    after: str | None = ""
    while after is not None:
        page = page_of_members(SERVER, room_id, after)
        for member in page.members:
            told = {"username": member.username, "joined_at": member.joined_at, "role": member.role}
            yield 0, b'{"type":"member","member":%b}\n' % orjson.dumps(told)
        after = page.after
    for kind, which in RESTRICTIONS.items():
        after = ""
        while after is not None:
            listed, after = list_restrictions(SERVER, room_id, which, after)
            for restriction in listed:
                yield 0, b'{"type":"%b","%b":%b}\n' % (kind.encode(), kind.encode(), restriction)
    last, count, more = 0, 0, True
    while more:
        found = read_history(SERVER, room_id, Page(AT_ONCE, after=last))
        for message in found.messages:
            last, count = fields_of(message)["id"], count + 1
            yield last, b'{"type":"message","message":%b}\n' % message
        more = found.more and bool(found.messages)
    yield 0, b'{"type":"end","messages":%d}\n' % count


# In


class Said(NamedTuple):
    """A message of a file, checked. Times are as clients see them."""

    line: int
    sender: str | None
    text: str
    sent_at: str
    edited_at: str | None

    def body(self, room_id: str) -> bytes:
        """As logs keep it."""
        edited = b"null" if self.edited_at is None else quoted(self.edited_at)
        return (
            b'{"id":\x00,"roomId":"' + room_id.encode() + b'","sender":\x01,"text":' + quoted(self.text)
            + b',"sent_at":"' + self.sent_at.encode() + b'","edited_at":' + edited + b"}"
        )  # fmt: skip


class Moved(NamedTuple):
    """What a file has, but for the texts: the room, its members by name with their roles, bans and mutes by name, and
    who wrote."""

    digest: str
    room: dict[str, Any]
    members: dict[str, str]
    restrictions: dict[tuple[Restriction, str], Terms]
    authors: set[str]
    messages: int


def look_through(path: Path) -> Moved:
    """Read a file to its end. Raises `BrokenFile` where it is not as it should be; holds no texts."""
    digest, room, members, authors, messages = hashlib.sha256(), dict[str, Any](), dict[str, str](), set[str](), 0
    restrictions = dict[tuple[Restriction, str], Terms]()
    number, kind = 0, None
    for number, kind, line, told in lines_in(path):
        digest.update(line)
        if number == 1:
            if kind != "foyer_room" or told.get("version") != VERSION or not isinstance(told.get("room"), dict):
                raise BrokenFile(1, f"a file of export_room, version {VERSION}, was expected.")
            room = told["room"]
        elif kind == "member":
            member = told.get("member")
            if not isinstance(member, dict) or not isinstance(member.get("username"), str):
                raise BrokenFile(number, "a member has a username.")
            members[member["username"]] = str(member.get("role", "member"))
        elif kind in RESTRICTIONS:
            name, terms = restriction_in(number, told.get(kind))
            restrictions[RESTRICTIONS[kind], name] = terms
        elif kind == "message":
            sender = said_in(number, told).sender
            authors |= {sender} if sender else set()
            messages += 1
        elif kind == "end":
            if told.get("messages") != messages:
                raise BrokenFile(number, f"there should be {told.get('messages')} messages, and are {messages}.")
        else:
            raise BrokenFile(number, f"lines of type {str(kind)[:40]!r} are not known.")
    if kind != "end":
        raise BrokenFile(number + 1, "the file ends too early: its last line is of type 'end'.")
    return Moved(digest.hexdigest(), room, members, restrictions, authors, messages)


def lines_in(path: Path) -> Iterator[tuple[int, Any, bytes, dict[str, Any]]]:
    """The lines of a file: their number, type, text and content."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            try:
                told = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise BrokenFile(number, f"this is not JSON: {error}.") from None
            if not isinstance(told, dict):
                raise BrokenFile(number, "a JSON object was expected.")
            yield number, told.get("type"), line, told


def restriction_in(number: int, told: Any) -> tuple[str, Terms]:
    """Who is banned or muted by a line, and on which terms. Raises `BrokenFile`."""
    if not isinstance(told, dict) or not isinstance(told.get("username"), str):
        raise BrokenFile(number, "a ban, or a mute, has a username.")
    try:
        terms = checked(TermsSerializer, {"reason": told.get("reason")})
        until = datetime.fromisoformat(told["until"]).astimezone(UTC) if told.get("until") else None
    except (InvalidInput, TypeError, ValueError, OverflowError):
        raise BrokenFile(number, "a ban, or a mute, has a reason, and until when it is.") from None
    return told["username"], Terms(until, terms["reason"])


def said_in(number: int, told: dict[str, Any]) -> Said:
    """The message of a line. Raises `BrokenFile`."""
    message = told.get("message")
    if not isinstance(message, dict):
        raise BrokenFile(number, "a message was expected.")
    sender = message.get("sender")
    if sender is not None and not isinstance(sender, str):
        raise BrokenFile(number, "the sender is a name, or null.")
    try:
        text, _ = check_post({"text": message.get("text")})
        sent_at = time_text(datetime.fromisoformat(message["sent_at"]))
        edited_at = message.get("edited_at") and time_text(datetime.fromisoformat(message["edited_at"]))
    except InvalidInput as error:
        raise BrokenFile(number, " ".join(str(told) for texts in error.fields.values() for told in texts)) from None
    except (KeyError, TypeError, ValueError):
        raise BrokenFile(number, "sent_at and edited_at are times such as 2026-03-04T09:16:14.609Z.") from None
    return Said(number, sender, text, sent_at, edited_at)


def people_in(moved: Moved, *, create: bool) -> dict[str, Person]:
    """The accounts here of those whom a file names. With `create`, those that are missing are made, disabled.

    Raises `ValueError` for a name that no account may have.
    """
    found = {}
    for name in sorted(moved.authors | moved.members.keys() | {name for _, name in moved.restrictions}):
        account = Account.objects.called(name)
        if account is None and create:
            account = Account.objects.create_user(name, None, is_active=False)
        if account is not None:
            found[name] = Person(account.pk, account.username)
    return found


def take_in(
    path: Path, moved: Moved, owner: Account, name: str, people: dict[str, Person], show: Callable[[int], None]
) -> str:
    """Make a room of a file, or go on where this was broken off. Returns the room's id.

    Until all is there it is for its owner alone; `show` is told how many messages are. Raises `RoomNameTaken`, and
    `FoyerError`s of the store.
    """
    key = hashlib.sha256(f"{moved.digest} {name}".encode()).hexdigest()
    room = fields_of(create_room(trusted(owner), name, True, f"import-{key}"))
    room_id: str = room["roomId"]
    take_messages(path, moved, room_id, people, show)
    for username, role in moved.members.items():
        if (person := people.get(username)) is not None and person.id != owner.pk:
            with suppress(UserNotFound):
                add_member(trusted(owner), room_id, person)
                if role == "moderator":
                    set_role(trusted(owner), room_id, person, role)
    for (which, username), terms in moved.restrictions.items():
        is_over = terms.until is not None and terms.until <= datetime.now(UTC)
        if (person := people.get(username)) is not None and person.id != owner.pk and not is_over:
            with suppress(UserNotFound):
                restrict(trusted(owner), room_id, which, person, terms)
    retention = Retention(moved.room["retention_days"]) if "retention_days" in moved.room else AS_IT_IS
    is_open = moved.room.get("members_only") is False
    slow_mode = moved.room.get("slow_mode")
    if is_open or retention.is_said or slow_mode:
        update_room(trusted(owner), room_id, None, False if is_open else None, slow_mode, retention=retention)
    return room_id


def take_messages(
    path: Path, moved: Moved, room_id: str, people: dict[str, Person], show: Callable[[int], None]
) -> None:
    """Take in the messages of a file that are not there yet, a portion at a time."""
    reached = take_portion(room_id, moved.digest, -1, 0, [])
    if reached < 0:
        raise FoyerError(f"Room {room_id} takes in another file.")
    count, signers = 0, set[Person]()
    for some in portions_of(path):
        count += len(some)
        left = [said for said in some if said.line > reached]
        if left:
            new = {people[said.sender] for said in left if said.sender in people} - signers
            sign_all([person.id for person in new], room_id)
            signers |= new
            rows = [(people.get(said.sender or ""), said.body(room_id)) for said in left]
            reached = take_portion(room_id, moved.digest, reached, left[-1].line, rows)
        show(count)


def portions_of(path: Path) -> Iterator[list[Said]]:
    some = list[Said]()
    for number, kind, _, told in lines_in(path):
        if kind == "message":
            some.append(said_in(number, told))
        if len(some) == AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _sign_all(user_ids: list[int], room_id: str) -> Steps[None]:
    """Note at some accounts that a room has something that they wrote."""
    if user_ids:
        yield [remember_signer(user_id, topic_of(room_id).tag) for user_id in user_ids]


def _take_portion(
    room_id: str, digest: str, before: int, upto: int, rows: list[tuple[Person | None, bytes]]
) -> Steps[int]:
    """Take in messages, each with its sender, and the line of the file that they reach. Returns the line reached."""
    flat = [value for person, body in rows for value in (*signature_of(person), body)]
    return int((yield LIBRARY.call("take_in", [topic_of(room_id).tag], digest, before, upto, *flat)))


def signature_of(person: Person | None) -> tuple[str, bytes]:
    return ("", b"") if person is None else (str(person.id), quoted(person.username))


sign_all, asign_all = operation(_sign_all)
take_portion, atake_portion = operation(_take_portion)
