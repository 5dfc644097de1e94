"""Roles, bans, mutes and slow mode, over REST and by the operations."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from accounts.callers import SERVER, Caller
from accounts.errors import UserNotFound
from accounts.models import Account
from accounts.people import Person
from accounts.tests.conftest import Api, code
from foyer.realtime.log import read_log
from foyer.realtime.topics import room_topic, user_topic
from foyer.store import steps
from messaging.operations import post_message
from rooms.errors import Banned, Muted, RoomNotFound
from rooms.membership import add_member, is_member
from rooms.operations import create_room, list_rooms, show_room, update_room
from rooms.order import Terms, lift, list_restrictions, restrict
from tests.people import ANN, EVE
from tests.steps import crashes, in_every_order

FOR_EVER = Terms()
OVER = Terms(datetime.now(UTC) - timedelta(seconds=1))
LATER = "2126-03-05T09:00:00.000Z"


def person(caller: Caller) -> Person:
    return Person(caller.id, caller.username)


def told(caller: Caller | None = None) -> list[dict[str, Any]]:
    """The events of the room, or of a user."""
    topic = room_topic("1") if caller is None else user_topic(caller.id, caller.username)
    return [orjson.loads(event.json) for event in read_log(topic, 0, 1000).events]


@pytest.fixture
def room(ann: Api, ben: Api, eve: Api) -> str:
    """The id of an open room of ann's, in which ben is a moderator and eve a member."""
    assert ann.post("/rooms", {"name": "Lab"}).status_code == 201
    for name in ("ben", "eve"):
        assert ann.post("/room/1/members", {"username": name}).status_code == 201
    assert ann.patch("/room/1/members/ben", {"role": "moderator"}).status_code == 200
    return "1"


def roles(client: Api, room: str = "1") -> dict[str, str]:
    return {member["username"]: member["role"] for member in client.get(f"/room/{room}/members").json()}


# Roles


def test_a_member_becomes_a_moderator_and_no_more(ann: Api, room: str) -> None:
    assert roles(ann) == {"ann": "owner", "ben": "moderator", "eve": "member"}
    answer = ann.patch("/room/1/members/eve", {"role": "moderator"})
    assert answer.json() | {"joined_at": ""} == {"username": "eve", "joined_at": "", "role": "moderator"}
    assert ann.patch("/room/1/members/eve", {"role": "moderator"}).status_code == 200
    assert ann.patch("/room/1/members/eve", {"role": "member"}).json()["role"] == "member"
    assert roles(ann)["eve"] == "member"
    changes = [event for event in told() if event["type"] == "member_updated"]
    assert [(event["username"], event["role"], event["by"]) for event in changes] == [
        ("ben", "moderator", "ann"), ("eve", "moderator", "ann"), ("eve", "member", "ann"),
    ]  # fmt: skip


@pytest.mark.parametrize("role", ["owner", "admin", "", None, 1, ["moderator"]])
def test_there_are_no_other_roles_to_give(ann: Api, room: str, role: Any) -> None:
    assert code(ann.patch("/room/1/members/eve", {"role": role})) == (400, "invalid")


def test_only_a_member_has_a_role_and_loses_it_by_leaving(ann: Api, ben: Api, room: str) -> None:
    Account.objects.create_user("guest", None)
    assert code(ann.patch("/room/1/members/guest", {"role": "moderator"})) == (404, "not_in_room")
    assert code(ann.patch("/room/1/members/nobody", {"role": "moderator"})) == (404, "user_not_found")
    ben.delete("/room/1/members/ben")
    assert code(ben.get("/room/1/bans")) == (403, "not_a_moderator")
    ben.post("/room/1/members", {"username": "ben"})
    assert roles(ann)["ben"] == "member"


def test_a_role_ends_with_its_membership_also_where_an_older_release_ended_that(ann: Api, ben: Api, room: str) -> None:
    id = Account.objects.get(username="ben").pk
    steps.client().hset("{room:1}:members", str(id), "2126-01-01T00:00:00.000Z")  # out, and in again
    assert roles(ann)["ben"] == "member"
    assert code(ben.put("/room/1/bans/eve", {})) == (403, "not_a_moderator")


def test_the_next_command_of_a_moderator_who_was_one_is_refused(ann: Api, ben: Api, room: str) -> None:
    assert ben.put("/room/1/mutes/eve", {}).status_code == 200
    ann.patch("/room/1/members/ben", {"role": "member"})
    for refused in (
        ben.put("/room/1/bans/eve", {}),
        ben.delete("/room/1/mutes/eve"),
        ben.get("/room/1/mutes"),
        ben.patch("/room/1", {"slow_mode": 5}),
    ):
        assert code(refused) == (403, "not_a_moderator")


# Bans


def test_a_ban_is_answered_listed_told_and_lifted(ann: Api, ben: Api, eve: Api, room: str) -> None:
    answer = ben.put("/room/1/bans/eve", {"until": "2126-03-05T10:00:00+01:00", "reason": 'Ads: "buy"'})
    assert answer.status_code == 200, answer.content
    ban = answer.json()
    assert ban | {"at": ""} == {"username": "eve", "until": LATER, "reason": 'Ads: "buy"', "by": "ben", "at": ""}
    assert ann.get("/room/1/bans").json() == [ban]
    assert told()[-1] | {"offset": 0} == {
        "type": "member_banned", "topic": "room:1", "offset": 0, "username": "eve", "until": LATER,
        "reason": 'Ads: "buy"', "by": "ben",
    }  # fmt: skip
    assert "eve" not in roles(ann)
    assert ann.delete("/room/1/bans/eve").status_code == 204
    assert told()[-1] | {"offset": 0} == {
        "type": "member_unbanned", "topic": "room:1", "offset": 0, "username": "eve", "by": "ann",
    }  # fmt: skip
    assert ann.get("/room/1/bans").json() == []
    assert code(ann.delete("/room/1/bans/eve")) == (404, "not_banned")
    assert eve.post("/room/1/members", {"username": "eve"}).status_code == 201


def every_route(client: Api) -> list[Any]:
    return [
        client.get("/room/1"), client.patch("/room/1", {"name": "x"}), client.patch("/room/1", {"slow_mode": 1}),
        client.delete("/room/1"), client.get("/room/1/members"), client.post("/room/1/members", {"username": "eve"}),
        client.delete("/room/1/members/eve"), client.patch("/room/1/members/ben", {"role": "member"}),
        client.get("/room/1/messages"), client.post("/room/1/messages", {"text": "hi"}),
        client.get("/room/1/messages/1"), client.patch("/room/1/messages/1", {"text": "hi"}),
        client.delete("/room/1/messages/1"), client.get("/room/1/subscribe"), client.get("/room/1/bans"),
        client.put("/room/1/bans/ben", {}), client.delete("/room/1/bans/eve"), client.get("/room/1/mutes"),
        client.put("/room/1/mutes/ben", {}), client.delete("/room/1/mutes/eve"),
    ]  # fmt: skip


def test_every_route_of_an_open_room_refuses_who_is_banned_and_a_members_only_one_is_not_there(
    ann: Api, ben: Api, eve: Api, room: str
) -> None:
    eve.post("/room/1/messages", {"text": "mine"})
    ben.put("/room/1/bans/eve")
    assert {code(answer) for answer in every_route(eve)} == {(403, "banned")}
    assert eve.get("/rooms").json() == eve.get("/rooms?name=Lab").json() == eve.get("/rooms?member=me").json() == []
    assert code(ann.post("/room/1/members", {"username": "eve"})) == (403, "banned")
    ann.patch("/room/1", {"members_only": True})
    assert {code(answer) for answer in every_route(eve)} == {(404, "room_not_found")}
    assert code(ben.post("/room/1/members", {"username": "eve"})) == (403, "banned")


def test_somebody_who_never_came_can_be_banned(ann: Api, room: str, boss: Api) -> None:
    guest = Account.objects.create_user("guest", None)
    assert ann.put("/room/1/bans/guest", {}).json()["reason"] is None
    with pytest.raises(Banned):
        post_message(Caller(guest.pk, "guest", is_admin=False), "1", "hi")
    assert code(ann.put("/room/1/bans/nobody", {})) == (404, "user_not_found")


def test_a_ban_ends_the_membership_and_the_user_is_told(room: str) -> None:
    create_room(ANN, "Other", False, None)
    add_member(ANN, "2", person(EVE))
    restrict(ANN, "2", "bans", person(EVE), FOR_EVER)
    assert not is_member(EVE.id, "2")
    assert [event["type"] for event in told(EVE)][-1] == "room_removed"
    lift(ANN, "2", "bans", person(EVE))
    assert not is_member(EVE.id, "2")


@pytest.mark.parametrize(
    "until", ["2020-01-01T00:00:00Z", "tomorrow", 17, "2126-13-01T00:00:00Z", "9999-12-31T23:59:59-01:00"]
)
def test_a_time_that_is_past_or_is_none_is_refused(ann: Api, room: str, until: Any) -> None:
    answer = ann.put("/room/1/bans/eve", {"until": until})
    assert code(answer) == (400, "invalid")
    assert list(answer.json()["fields"]) == ["until"]


def test_what_is_over_is_over_with_no_further_step(room: str) -> None:
    create_room(ANN, "Other", True, None)
    add_member(ANN, "2", person(EVE))
    restrict(ANN, "2", "bans", person(EVE), OVER)
    assert list_restrictions(ANN, "2", "bans") == ([], None)
    add_member(ANN, "2", person(EVE))
    restrict(ANN, "2", "mutes", person(EVE), OVER)
    post_message(EVE, "2", "hi")


def test_a_ban_that_is_imposed_again_changes_its_terms_and_the_same_again_says_nothing(ann: Api, room: str) -> None:
    first = ann.put("/room/1/bans/eve", {"reason": "one"}).json()
    events = len(told())
    assert ann.put("/room/1/bans/eve", {"reason": "one"}).json() == first
    assert len(told()) == events
    assert ann.put("/room/1/bans/eve", {"until": LATER}).json()["until"] == LATER
    assert len(told()) == events + 1
    assert len(ann.get("/room/1/bans").json()) == 1


def test_bans_are_listed_in_pages(ann: Api, room: str) -> None:
    for number in range(25):
        restrict(SERVER, "1", "bans", Person(100 + number, f"guest {number}"), FOR_EVER if number % 5 else OVER)
    found, path = list[str](), "/room/1/bans?limit=7"
    while path:
        answer = ann.get(path)
        found += [ban["username"] for ban in answer.json()]
        path = answer.get("Link", "")[1:].partition(">")[0].removeprefix("http://testserver")
    assert sorted(found) == sorted(f"guest {number}" for number in range(25) if number % 5)
    assert code(ann.get("/room/1/bans?after=x")) == (400, "unknown_cursor")


def test_nobody_acts_on_themselves_on_the_owner_or_on_another_moderator(
    ann: Api, ben: Api, boss: Api, room: str
) -> None:
    boss.post("/room/1/members", {"username": "boss"})
    ann.patch("/room/1/members/eve", {"role": "moderator"})
    for list in ("bans", "mutes"):
        for client, name in ((ben, "ben"), (ben, "ann"), (ben, "eve"), (ann, "eve"), (boss, "ann"), (boss, "boss")):
            assert code(client.put(f"/room/1/{list}/{name}", {})) == (403, "forbidden"), (list, name)
    assert code(ann.patch("/room/1/members/ann", {"role": "moderator"})) == (403, "forbidden")
    assert boss.put("/room/1/bans/eve", {}).status_code == 200


def test_a_ban_and_a_post_at_once_are_one_after_the_other(room: str) -> None:
    create_room(ANN, "Other", False, None)
    post_message(EVE, "2", "first")
    with ThreadPoolExecutor(8) as pool:
        posts = [pool.submit(post_message, EVE, "2", f"{number}") for number in range(100)]
        banned = pool.submit(restrict, ANN, "2", "bans", person(EVE), FOR_EVER)
        posts += [pool.submit(post_message, EVE, "2", f"{number}") for number in range(100)]
    assert banned.exception() is None
    assert {type(post.exception()) for post in posts} <= {type(None), Banned}
    kinds = [orjson.loads(event.json)["type"] for event in read_log(room_topic("2"), 0, 1000).events]
    assert kinds[-1] == "member_banned"


def test_a_ban_that_is_cut_short_is_made_or_not_and_done_by_the_next(room: str) -> None:
    for calls in crashes(scene_of_a_ban):
        number = str(calls + 2)
        is_banned = bool(list_restrictions(SERVER, number, "bans")[0])
        assert is_member(EVE.id, number) is not is_banned
        restrict(ANN, number, "bans", person(EVE), FOR_EVER)
        removed = [event["room"]["roomId"] for event in told(EVE) if event["type"] == "room_removed"]
        assert removed.count(number) == 1


def scene_of_a_ban() -> Any:
    number = orjson.loads(create_room(ANN, f"room {len(list_rooms(SERVER, 0, 1000))}", False, None))["roomId"]
    add_member(ANN, number, person(EVE))
    return restrict.steps(ANN, number, "bans", person(EVE), FOR_EVER)


def test_a_ban_and_somebody_who_lets_the_same_user_in_at_once_end_with_the_user_out(room: str) -> None:
    rooms = list[str]()

    def both() -> Any:
        rooms.append(orjson.loads(create_room(ANN, f"room {len(rooms)}", True, None))["roomId"])
        return restrict.steps(ANN, rooms[-1], "bans", person(EVE), FOR_EVER), add_member.steps(
            ANN, rooms[-1], person(EVE)
        )

    for results in in_every_order(both):
        assert isinstance(results[0], bytes)
        assert not is_member(EVE.id, rooms[-1])
        with pytest.raises(RoomNotFound):
            show_room(EVE, rooms[-1])


# Mutes


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ({"until": LATER, "reason": 'Too "loud",\n{0} näh \\'}, f'It lasts until {LATER}: Too "loud",\n{{0}} näh \\'),
        ({"until": LATER}, f"It lasts until {LATER}."),
        ({"reason": "Loud"}, "It lasts until it is lifted: Loud"),
        ({}, "It lasts until it is lifted."),
    ],
)
@pytest.mark.parametrize("which", ["bans", "mutes"])
def test_who_is_refused_is_told_until_when_and_why(
    ben: Api, eve: Api, room: str, which: str, terms: dict[str, str], told: str
) -> None:
    assert ben.put(f"/room/1/{which}/eve", terms).status_code == 200
    detail = eve.post("/room/1/messages", {"text": "hi"}).json()["detail"]
    refusal = {"bans": Banned, "mutes": Muted}[which]
    assert detail == f"{refusal.detail} {told}"


def test_who_is_muted_reads_and_does_not_write(ann: Api, ben: Api, eve: Api, room: str) -> None:
    mine = eve.post("/room/1/messages", {"text": "mine"}).json()["id"]
    assert ben.put("/room/1/mutes/eve", {"until": LATER, "reason": "Loud"}).json()["reason"] == "Loud"
    assert told()[-1]["type"] == "member_muted"
    assert code(eve.post("/room/1/messages", {"text": "hi"})) == (403, "muted")
    assert code(eve.patch(f"/room/1/messages/{mine}", {"text": "hi"})) == (403, "muted")
    assert len(eve.get("/room/1/messages").json()) == 1
    assert roles(ann)["eve"] == "member"
    assert ben.delete("/room/1/mutes/eve").status_code == 204
    assert told()[-1]["type"] == "member_unmuted"
    assert eve.post("/room/1/messages", {"text": "hi"}).status_code == 201
    assert code(ben.delete("/room/1/mutes/eve")) == (404, "not_muted")


def test_a_post_that_was_stored_before_the_mute_is_answered_again_with_its_retry_key(room: str) -> None:
    create_room(ANN, "Other", False, None)
    first = post_message(EVE, "2", "hi", "k-1")
    restrict(ANN, "2", "mutes", person(EVE), FOR_EVER)
    assert post_message(EVE, "2", "hi", "k-1") == first
    with pytest.raises(Muted):
        post_message(EVE, "2", "hi", "k-2")


# Slow mode


def test_in_slow_mode_a_member_posts_once_and_moderators_as_they_like(ann: Api, ben: Api, eve: Api, room: str) -> None:
    answer = ben.patch("/room/1", {"slow_mode": 60})
    assert answer.json()["slow_mode"] == 60
    assert told()[-1]["room"]["slow_mode"] == 60
    assert eve.post("/room/1/messages", {"text": "hi"}, Idempotency_Key="k-1").status_code == 201
    refused = eve.post("/room/1/messages", {"text": "hi"}, Idempotency_Key="k-2")
    assert code(refused) == (429, "slow_mode")
    assert 55 <= int(refused["Retry-After"]) <= 60
    assert eve.post("/room/1/messages", {"text": "hi"}, Idempotency_Key="k-1").status_code == 201
    for client in (ann, ben):
        assert [client.post("/room/1/messages", {"text": "hi"}).status_code for _ in range(3)] == [201] * 3
    assert "slow_mode" not in ben.patch("/room/1", {"slow_mode": 0}).json()
    assert eve.post("/room/1/messages", {"text": "hi"}).status_code == 201
    assert code(eve.patch("/room/1", {"slow_mode": 1})) == (403, "not_a_moderator")
    assert code(ben.patch("/room/1", {"slow_mode": 1, "name": "x"})) == (403, "not_the_owner")
    for wrong in (-1, 3601, 1.5, "5", None):
        assert code(ben.patch("/room/1", {"slow_mode": wrong})) == (400, "invalid")


def test_a_post_counts_also_for_a_slow_mode_that_grew_since(room: str) -> None:
    create_room(ANN, "Other", False, None)
    update_room(ANN, "2", None, None, 1)
    post_message(EVE, "2", "hi")
    update_room(ANN, "2", None, None, 3600)
    with pytest.raises(Exception, match="slow mode") as refused:
        post_message(EVE, "2", "hi")
    assert 3500 < refused.value.retry_after <= 3600  # type: ignore[attr-defined]


# The lobby, the past, and accounts that are gone


def test_order_is_kept_in_the_lobby_too(boss: Api, eve: Api, ben: Api) -> None:
    boss.post("/room/lobby/members", {"username": "ben"})
    assert boss.patch("/room/lobby/members/ben", {"role": "moderator"}).status_code == 200
    assert ben.patch("/room/lobby", {"slow_mode": 10}).json() == {
        "roomId": "lobby", "name": "lobby", "members_only": False, "owner": None,
        "created_at": "1970-01-01T00:00:00.000Z", "slow_mode": 10,
    }  # fmt: skip
    assert code(ben.patch("/room/lobby", {"name": "x"})) == (403, "permanent_room")
    assert ben.put("/room/lobby/bans/eve", {}).status_code == 200
    assert code(eve.post("/room/lobby/messages", {"text": "hi"})) == (403, "banned")
    assert code(eve.get("/room/lobby")) == (403, "banned")
    assert ben.get("/room/lobby/messages").json() == []


def test_moderators_delete_what_members_wrote_and_not_what_their_equals_did(
    ann: Api, ben: Api, eve: Api, boss: Api, room: str
) -> None:
    ann.patch("/room/1/members/eve", {"role": "moderator"})
    Account.objects.create_user("guest", None)
    guest = Caller(Account.objects.get(username="guest").pk, "guest", is_admin=False)
    said = [orjson.loads(post_message(guest, "1", "spam"))["id"] for _ in range(2)]
    said += [client.post("/room/1/messages", {"text": "hi"}).json()["id"] for client in (eve, ann, ben)]
    guests, other, eves, anns, bens = said
    assert ben.delete(f"/room/1/messages/{guests}").status_code == 204
    for message in (eves, anns):
        assert code(ben.delete(f"/room/1/messages/{message}")) == (403, "forbidden")
    assert ben.delete(f"/room/1/messages/{bens}").status_code == 204
    assert ann.delete(f"/room/1/messages/{eves}").status_code == 204
    assert boss.delete(f"/room/1/messages/{anns}").status_code == 204
    ann.patch("/room/1/members/eve", {"role": "member"})
    assert code(eve.delete(f"/room/1/messages/{other}")) == (403, "not_the_sender")


def test_members_take_out_members_and_not_moderators(ann: Api, ben: Api, eve: Api, boss: Api, room: str) -> None:
    assert code(eve.delete("/room/1/members/ben")) == (403, "forbidden")
    assert code(ben.delete("/room/1/members/ann")) == (403, "forbidden")
    assert ben.delete("/room/1/members/eve").status_code == 204
    assert ann.delete("/room/1/members/ben").status_code == 204


def test_a_deleted_account_is_in_no_ban_and_signs_none(ann: Api, ben: Api, eve: Api, boss: Api, room: str) -> None:
    Account.objects.create_user("guest", None)
    ben.put("/room/1/bans/eve", {"reason": "Ads"})
    ben.put("/room/1/mutes/guest", {})
    assert boss.delete("/user/ben").status_code == 204
    (ban,) = ann.get("/room/1/bans").json()
    assert (ban["username"], ban["by"], ban["reason"]) == ("eve", None, "Ads")
    assert boss.delete("/user/eve").status_code == 204
    assert boss.delete("/user/guest").status_code == 204
    assert ann.get("/room/1/bans").json() == ann.get("/room/1/mutes").json() == []
    assert not steps.client().exists("{room:1}:bans", "{room:1}:mutes", "{room:1}:bans:order", "{room:1}:mutes:order")
    assert not any(steps.client().hexists("{room:1}:room", flag) for flag in ("bans", "mutes"))
    assert not any(name in repr(told()) for name in ("eve", "guest"))


def test_a_deleted_room_leaves_nothing_of_its_order(ann: Api, ben: Api, eve: Api, room: str) -> None:
    ben.patch("/room/1", {"slow_mode": 60})
    eve.post("/room/1/messages", {"text": "hi"})
    ben.put("/room/1/bans/eve", {})
    ann.delete("/room/1")
    left = {key.decode() for key in steps.client().scan_iter(match="{room:1}:*")}
    assert left <= {f"{{room:1}}:{part}" for part in ("gone", "leaving", "log", "head")}


def test_whoever_is_deleted_before_they_are_banned_is_not_found(ann: Api, eve: Api, boss: Api, room: str) -> None:
    met = person(Account.objects.get(username="eve").caller)
    assert boss.delete("/user/eve").status_code == 204
    for which in ("bans", "mutes"):
        with pytest.raises(UserNotFound):
            restrict(SERVER, "1", which, met, FOR_EVER)
