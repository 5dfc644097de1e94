"""Notices: heard on every open socket and stream of every instance, and listed while they hold."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from websockets.asyncio.client import connect

from accounts.models import Account
from accounts.operations import start_session
from foyer.errors import RetryKeyReused
from foyer.store.steps import client
from foyer.times import time_text
from moderation.notices import operations
from moderation.notices.errors import NoticeNotFound
from moderation.notices.models import Notice
from moderation.notices.operations import in_force, publish, withdraw
from tests import clients
from tests.clients import PASSWORD, Person, Socket, sign_up_at
from tests.server import Server
from tests.steps import crashes

database = pytest.mark.django_db(transaction=True)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What everybody was told."""
    frames: list[bytes] = []
    monkeypatch.setattr(operations, "tell_everybody", frames.append)
    return frames


@pytest.fixture
def boss() -> Account:
    return Account.objects.create_superuser("boss", PASSWORD)


@database
def test_those_in_force_are_listed_until_they_are_over_or_deleted(boss: Account, told: list[bytes]) -> None:
    now = timezone.now()
    for text, until in (("one", None), ("two", now + timedelta(seconds=0.4)), ("three", now + timedelta(hours=1))):
        publish(boss.caller, text, "info", until, None)
    assert [notice["text"] for notice in in_force()] == ["one", "two", "three"]
    assert in_force()[2]["until"] == time_text(now + timedelta(hours=1))
    withdraw(int(in_force()[0]["id"]))
    with pytest.raises(NoticeNotFound):
        withdraw(12345)
    while len(in_force()) > 1:
        assert timezone.now() < now + timedelta(seconds=5)
    assert [notice["text"] for notice in in_force()] == ["three"]
    assert len(told) == 3


@database
def test_the_list_is_cached_and_never_older_than_what_is_stored(boss: Account, told: list[bytes]) -> None:
    assert in_force() == []
    Notice.objects.create(text="behind its back", token="x")
    assert in_force() == []
    publish(boss.caller, "one", "info", None, None)
    assert len(in_force()) == 2
    operations.list_cache().add(operations.PLACE, [], 60)  # somebody who read the rows before
    assert len(in_force()) == 2


@database
def test_a_notice_that_is_asked_for_again_is_made_and_told_once(boss: Account, told: list[bytes]) -> None:
    first = publish(boss.caller, "one", "info", None, "k")
    assert publish(boss.caller, "one", "info", None, "k") == first
    with pytest.raises(RetryKeyReused):
        publish(boss.caller, "two", "info", None, "k")
    assert len(told) == len(in_force()) == 1


@database
def test_a_publication_that_a_crash_cut_short_is_made_once(boss: Account, told: list[bytes]) -> None:
    for _ in crashes(lambda: operations._publish(boss.caller, "one", "info", None, "k")):
        publish(boss.caller, "one", "info", None, "k")
        assert len(in_force()) == 1
        client().flushall()
        Notice.objects.all().delete()


@database
def test_the_admin_makes_and_deletes_notices(boss: Account, told: list[bytes]) -> None:
    browser = Client()
    browser.force_login(boss)
    page = "/admin/notices/notice/"
    assert browser.post(page + "add/", {"text": " ", "level": "info"}).status_code == 200
    assert browser.post(page + "add/", {"text": "hi", "level": "warning"}).status_code == 302
    (notice,) = in_force()
    assert (notice["text"], notice["level"], len(told)) == ("hi", "warning", 1)
    assert Notice.objects.get().by == boss
    assert b"hi" in browser.get(page).content
    assert browser.post(f"{page}{notice['id']}/delete/", {"post": "yes"}).status_code == 302
    assert in_force() == []


@database
def test_admins_alone_make_and_delete_them(boss: Account, told: list[bytes]) -> None:
    ann = Account.objects.create_user("ann", PASSWORD)

    def ask(account: Account, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {start_session(account.standing).token}"}
        answer = getattr(Client(), method)(path, body, "application/json", headers=headers)
        return answer.status_code, answer.json() if answer.content else None

    body = {"text": "hi", "level": "info"}
    assert ask(ann, "post", "/notices", body)[0] == 403
    status, made = ask(boss, "post", "/notices", body)
    assert (status, made) == (201, {"id": made["id"], "text": "hi", "level": "info", "until": None})
    for wrong in ({"text": "", "level": "info"}, {"text": "x", "level": "loud"}, {"text": "x"}, body | {"until": 3}):
        assert ask(boss, "post", "/notices", wrong)[0] == 400
    assert ask(boss, "post", "/notices", body | {"until": "2020-01-01T00:00:00Z"})[0] == 400
    assert Client().get("/notices").status_code == 401
    for method in ("get", "head", "options"):
        assert ask(ann, method, "/notices")[0] == 200
    assert ask(ann, "delete", f"/notices/{made['id']}")[0] == 403
    assert ask(boss, "delete", f"/notices/{made['id']}") == (204, None)
    assert ask(boss, "delete", f"/notices/{made['id']}")[0] == 404
    assert ask(boss, "delete", "/notices/x")[0] == 404


async def test_every_socket_and_stream_of_two_instances_hears_it(start_server: Callable[..., Server]) -> None:
    one, two = start_server(), start_server()
    ann = await sign_up_at(one, "ann")
    admin = await clients.sign_in(one, "admin", "admin")
    room = await ann.make_room()
    for person in (ann, ann.at(two)):
        async with (
            person.socket("/ws") as gateway,
            person.socket(f"/room/{room}/subscribe") as socket,
            person.socket("/messages/subscribe") as inbox,
            person.socket("/join") as join,
            lobby(person) as connection,
            person.stream(f"/room/{room}/subscribe") as stream,
            person.stream("/messages/subscribe") as inbox_stream,
            connect(f"{person.server.ws_url}/ws") as nobody,
        ):
            assert (await gateway.hear())["type"] == "welcome"
            await join.hear_many(2)
            tables = Socket(connection)
            await tables.say({"$type": "ping"})
            await tables.hear()
            body = {"text": "Maintenance", "level": "warning", "until": "2999-01-01T00:00:00.000Z"}
            made = (await admin.rest.post("/notices", json=body)).json()
            frame = {"type": "notice", **made}
            heard = [await one.hear() for one in (gateway, socket, inbox, stream, inbox_stream)]
            assert heard == [frame] * 5
            assert await tables.hear() == {"$type": "notice", **made}
            said = await join.hear()
            assert (said["type"], said["msg"]) == ("notice", made)
            with pytest.raises(TimeoutError):  # who is not welcome yet hears nothing
                await asyncio.wait_for(nobody.recv(), 0.3)
        assert made in (await person.rest.get("/notices")).json()


def lobby(person: Person) -> connect:
    """A socket of the lobby's tables, which anybody may open."""
    return connect(person.server.ws_url + "/lobby_api", compression=None, proxy=None)
