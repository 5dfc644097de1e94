"""A room moves to another server as a file: whole, once, and with its times."""

from __future__ import annotations

import io
import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account
from archive.follower import Follower
from archive.tests.kept import let_go, texts
from foyer.errors import Unavailable
from foyer.management.bar import Bar
from foyer.realtime.log import read_log
from foyer.realtime.topics import room_topic
from messaging import moving
from messaging.operations import delete_message, edit_message
from messaging.tests.said import history, post
from rooms.errors import Banned
from rooms.membership import add_member, page_of_members
from rooms.operations import Retention, list_rooms, show_room, update_room
from rooms.order import Terms, list_restrictions, restrict, set_role
from rooms.tests.invariants import create, empty_store
from tests.people import BOSS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kitchen(tmp_path: Path) -> Path:
    """The file of a room in which Ann, Ben and Eve talked, on a server where nobody else is."""
    ann, ben, eve = (Account.objects.create_user(name, None) for name in ("ann", "ben", "eve"))
    create(ann.caller, "Kitchen")
    for account in (ben, eve):
        add_member(ann.caller, "1", account)  # type: ignore[arg-type]
    set_role(ann.caller, "1", ben, "moderator")  # type: ignore[arg-type]
    for number in range(8):
        post((ann, ben, eve)[number % 3].caller, f"text {number} \x01 \u2028 💬")
    edit_message(ann.caller, "1", 4, "edited")
    delete_message(ben.caller, "1", 5)
    update_room(ann.caller, "1", None, None, retention=Retention(400))
    path = tmp_path / "kitchen.jsonl"
    call_command("export_room", "1", str(path))
    return path


def brought_in(path: Path, *options: str) -> str:
    out = io.StringIO()
    call_command("import_room", str(path), *options, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip()


def told(room_id: str) -> list[tuple[Any, ...]]:
    return [
        (message["sender"], message["text"], message["sent_at"], message["edited_at"])
        for message in history(BOSS, room_id=room_id)
    ]


def test_bans_mutes_and_slow_mode_move_with_the_room(kitchen: Path, tmp_path: Path) -> None:
    ann, ben, eve = (Account.objects.get(username=name) for name in ("ann", "ben", "eve"))
    guest = Account.objects.create_user("guest", None)
    later = datetime(2126, 3, 5, 9, tzinfo=UTC)
    restrict(ben.caller, "1", "bans", guest, Terms(reason="Ads"))  # type: ignore[arg-type]
    restrict(ben.caller, "1", "mutes", eve, Terms(later))  # type: ignore[arg-type]
    update_room(ann.caller, "1", None, None, 30)
    path = tmp_path / "ordered.jsonl"
    call_command("export_room", "1", str(path))
    empty_store()
    room_id = brought_in(path)
    ban, mute = (json.loads(list_restrictions(BOSS, room_id, which)[0][0]) for which in ("bans", "mutes"))
    assert (ban["username"], ban["reason"], ban["until"]) == ("guest", "Ads", None)
    assert (mute["username"], mute["until"]) == ("eve", "2126-03-05T09:00:00.000Z")
    assert json.loads(show_room(BOSS, room_id))["slow_mode"] == 30
    with pytest.raises(Banned):
        show_room(guest.caller, room_id)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_a_room_is_the_same_elsewhere(kitchen: Path) -> None:
    before, room = told("1"), json.loads(show_room(BOSS, "1"))
    empty_store()
    create(BOSS, "Something else")
    room_id = brought_in(kitchen)
    assert room_id == "2"
    assert told(room_id) == before
    after = json.loads(show_room(BOSS, room_id))
    assert after | {"created_at": room["created_at"], "roomId": "1"} == room
    roles = [(member.username, member.role) for member in page_of_members(BOSS, room_id).members]
    assert roles == [("ann", "owner"), ("ben", "moderator"), ("eve", "member")]
    ids = [message["id"] for message in history(BOSS, room_id=room_id)]
    assert ids == list(range(1, len(before) + 1))


def test_it_is_the_same_wherever_it_lay_and_is_archived_with_its_times(kitchen: Path, tmp_path: Path) -> None:
    follower = Follower(threading.Event())
    let_go(follower)
    again = tmp_path / "again.jsonl"
    call_command("export_room", "1", str(again))
    assert again.read_bytes() == kitchen.read_bytes()
    room_id = brought_in(kitchen, "--name", "Copy")
    before = told(room_id)
    let_go(follower, 0, f"{{room:{room_id}}}")
    assert told(room_id) == before == told("1")
    assert len(texts(f"{{room:{room_id}}}")) == len(before)


def test_who_is_not_here_signs_nothing_unless_an_account_is_made(kitchen: Path) -> None:
    empty_store()
    Account.objects.filter(username="eve").delete()
    room_id = brought_in(kitchen, "--name", "One")
    assert [sender for sender, *_ in told(room_id)] == ["ann", None, "ann", "ben", None, "ann", "ben"]
    room_id = brought_in(kitchen, "--name", "Two", "--create-accounts")
    assert [sender for sender, *_ in told(room_id)] == ["ann", "eve", "ann", "ben", "eve", "ann", "ben"]
    eve = Account.objects.get(username="eve")
    assert (eve.is_active, eve.has_usable_password()) == (False, False)
    eve.delete()
    assert [sender for sender, *_ in told(room_id)] == ["ann", None, "ann", "ben", None, "ann", "ben"]


def test_the_owner_has_to_be_here(kitchen: Path) -> None:
    empty_store()
    Account.objects.filter(username="ann").delete()
    with pytest.raises(CommandError, match=r"no account 'ann' here\. Say whose room it is to be by --owner"):
        brought_in(kitchen)
    room_id = brought_in(kitchen, "--owner", "ben")
    assert json.loads(show_room(BOSS, room_id))["owner"] == "ben"


def test_a_name_that_is_taken_needs_another(kitchen: Path) -> None:
    with pytest.raises(CommandError, match=r"A room named 'Kitchen' exists\. Give another name by --name"):
        brought_in(kitchen)
    assert brought_in(kitchen, "--name", "Second kitchen") == "2"


@pytest.mark.parametrize("stop_after", range(5))
def test_an_import_that_is_broken_off_goes_on_where_it_was(
    kitchen: Path, monkeypatch: pytest.MonkeyPatch, stop_after: int
) -> None:
    before = told("1")
    empty_store()
    monkeypatch.setattr(moving, "AT_ONCE", 2)
    real, calls = moving.take_portion, 0

    def portion(*args: Any) -> int:
        nonlocal calls
        calls += 1
        if calls == stop_after + 1:
            raise Unavailable
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(moving, "take_portion", portion)
        with pytest.raises(CommandError, match="Run the same command again"):
            brought_in(kitchen)
    half = list_rooms(BOSS, 0, 10)
    assert [json.loads(room)["members_only"] for room in half] == [True]
    room_id = brought_in(kitchen)
    assert told(room_id) == before
    assert brought_in(kitchen) == room_id
    assert told(room_id) == before
    assert len(list_rooms(BOSS, 0, 10)) == 1


def test_a_portion_whose_answer_was_lost_is_not_taken_in_twice(kitchen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = told("1")
    empty_store()
    real = moving.take_portion

    def lose(room_id: str, digest: str, reached: int, *rest: Any) -> int:
        found = real(room_id, digest, reached, *rest)
        if reached >= 0:
            raise Unavailable
        return found

    with monkeypatch.context() as patch:
        patch.setattr(moving, "take_portion", lose)
        with pytest.raises(CommandError):
            brought_in(kitchen)
    assert told(brought_in(kitchen)) == before


def spoil(path: Path, number: int, change: Any) -> None:
    """Change a line, or leave it and all that follows out."""
    found = path.read_bytes().splitlines(keepends=True)
    found[number:] = [] if change is None else [change(found[number]), *found[number + 1 :]]
    path.write_bytes(b"".join(found))


@pytest.mark.parametrize(
    ("number", "change", "why"),
    [
        (-1, None, "Line 12: the file ends too early"),
        (0, lambda line: b"{}\n", "Line 1: a file of export_room, version 1, was expected"),
        (0, lambda line: line.replace(b'"version":1', b'"version":2'), "Line 1: a file of export_room"),
        (5, lambda line: line[:40], "Line 6: this is not JSON"),
        (5, lambda line: b"[]\n", "Line 6: a JSON object was expected"),
        (5, lambda line: line.replace(b'"text":"', b'"text":"\\u0000'), "Line 6"),
        (5, lambda line: line.replace(b'"sent_at":"20', b'"sent_at":"x'), "Line 6: sent_at and edited_at are times"),
        (5, lambda line: b"", "there should be 7 messages, and are 6"),
        (5, lambda line: b'{"type":"song"}\n', "Line 6: lines of type 'song' are not known"),
        (1, lambda line: b'{"type":"member"}\n', "Line 2: a member has a username"),
    ],
)
def test_of_a_broken_file_nothing_is_imported(kitchen: Path, number: int, change: Any, why: str) -> None:
    empty_store()
    spoil(kitchen, number, change)
    with pytest.raises(CommandError) as told:
        brought_in(kitchen, "--create-accounts")
    assert "so nothing was imported" in str(told.value)
    assert why in str(told.value)
    assert list_rooms(BOSS, 0, 10) == []


def test_what_can_not_be_exported_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "none.jsonl"
    with pytest.raises(CommandError, match="Room 77 can't be read"):
        call_command("export_room", "77", str(path))
    with pytest.raises(CommandError, match="can't be written"):
        call_command("export_room", "lobby", str(tmp_path / "no" / "such"))
    with pytest.raises(CommandError, match="can't be read"):
        brought_in(path)
    assert not path.exists()


def test_an_empty_room_moves_too(kitchen: Path, tmp_path: Path) -> None:
    create(BOSS, "Attic")
    path = tmp_path / "attic.jsonl"
    call_command("export_room", "2", str(path))
    assert [line["type"] for line in lines(path)] == ["foyer_room", "member", "end"]
    room_id = brought_in(path, "--name", "Empty", "--owner", "ann")
    assert told(room_id) == []
    assert read_log(room_topic(room_id), 0, 10).events[0].kind == "room_updated"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_for_terminals_alone() -> None:
    shown, hidden = Terminal(), io.StringIO()
    for stream in (shown, hidden):
        bar = Bar(stream, 4, "messages")
        bar.show(1)
        bar.show(4)
        bar.end()
    assert hidden.getvalue() == ""
    assert shown.getvalue().endswith("[##############################] 4 of 4 messages\n")
