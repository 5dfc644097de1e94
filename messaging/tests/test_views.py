"""Messages over REST."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest

from accounts.models import Account
from accounts.tests.conftest import Api, code
from rooms.tests.conftest import signed_in

MESSAGES = "/room/1/messages"
KEY = {"Idempotency_Key": "k-1"}


@pytest.fixture
def kitchen(ann: Api) -> None:
    """Room 1 is Ann's and open."""
    assert ann.post("/rooms", {"name": "Kitchen"}).status_code == 201


def post(client: Api, text: str, path: str = MESSAGES, **headers: str) -> Any:
    answer = client.post(path, {"text": text}, **headers)
    assert answer.status_code == 201, answer.content
    return answer.json()


def texts(client: Api, path: str) -> list[str]:
    return [message["text"] for message in client.get(path).json()]


def next_page(answer: Any) -> str:
    link = re.fullmatch(r'<http://testserver(.+)>; rel="next"', answer.get("Link", ""))
    return link[1] if link else ""


# Rooms


@pytest.mark.usefixtures("kitchen")
def test_anyone_posts_to_an_open_room_without_joining(ann: Api, ben: Api) -> None:
    assert ann.get(MESSAGES).content == b"[]"
    answer = ben.post(MESSAGES, {"text": " hi\n"})
    assert answer.status_code == 201
    message = answer.json()
    assert message | {"sent_at": ""} == {
        "id": 1, "roomId": "1", "sender": "ben", "text": " hi\n", "sent_at": "", "edited_at": None,
    }  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message["sent_at"])
    assert answer["Location"] == "http://testserver/room/1/messages/1"
    assert ann.get("/room/1/messages/1").json() == message
    assert ann.get(MESSAGES).json() == [message]


@pytest.mark.usefixtures("kitchen")
def test_the_newest_fifty_come_first_and_links_lead_back_to_the_oldest(ann: Api, ben: Api) -> None:
    for number in range(120):
        post(ben, str(number))
    assert texts(ann, MESSAGES) == [str(number) for number in range(70, 120)]
    path, pages = MESSAGES, []
    while path:
        answer = ann.get(path)
        pages.append([int(message["text"]) for message in answer.json()])
        path = next_page(answer)
    assert pages == [list(range(70, 120)), list(range(20, 70)), list(range(20))]
    path, found = f"{MESSAGES}?after=0&limit=33", list[str]()
    while path:
        answer = ann.get(path)
        found += [message["text"] for message in answer.json()]
        path = next_page(answer)
    assert found == [str(number) for number in range(120)]
    assert len(ann.get(f"{MESSAGES}?limit=1000").json()) == 120


@pytest.mark.usefixtures("kitchen")
def test_a_page_is_asked_for_by_ids(ann: Api) -> None:
    for number in range(1, 6):
        post(ann, str(number))
    for query, told in (
        ("?limit=2", "45"), ("?before=3", "12"), ("?after=3", "45"), ("?after=1&limit=2", "23"),
        ("?before=0", ""), ("?before=6", "12345"), ("?after=5", ""), ("?after=1&before=4", "23"),
    ):  # fmt: skip
        assert texts(ann, MESSAGES + query) == list(told), query
    for query in ("?after=6", "?before=7", f"?after={2**63 - 1}"):
        assert code(ann.get(MESSAGES + query)) == (400, "unknown_cursor")
    for name, text in (
        ("limit", "0"),
        ("limit", "1001"),
        ("limit", ""),
        ("after", "x"),
        ("before", "-1"),
        ("after", "1" * 20),
    ):
        answer = ann.get(f"{MESSAGES}?{name}={text}")
        assert code(answer) == (400, "invalid")
        assert list(answer.json()["fields"]) == [name]


def links_of(answer: Any) -> dict[str, str]:
    return {rel: path for path, rel in re.findall(r'<http://testserver([^>]+)>; rel="(\w+)"', answer.get("Link", ""))}


@pytest.mark.usefixtures("kitchen")
def test_a_page_around_a_message_leads_both_ways(ann: Api, ben: Api) -> None:
    said = [post(ann, f"text {number}")["text"] for number in range(1, 21)]
    answer = ann.get(MESSAGES + "?around=10&limit=6")
    assert [message["id"] for message in answer.json()] == [7, 8, 9, 10, 11, 12]
    links = links_of(answer)
    assert links == {"prev": f"{MESSAGES}?limit=6&before=7", "next": f"{MESSAGES}?limit=6&after=12"}
    assert texts(ann, links["prev"]) == said[:6]
    assert texts(ann, links["next"]) == said[12:18]
    assert ann.delete(MESSAGES + "/10").status_code == 204
    assert texts(ann, MESSAGES + "?around=10&limit=5") == said[6:9] + said[10:12]
    assert texts(ann, MESSAGES + "?around=1&limit=1") == said[:1]
    assert links_of(ann.get(MESSAGES + "?around=1&limit=1")) == {"next": f"{MESSAGES}?limit=1&after=1"}
    assert links_of(ann.get(MESSAGES + "?around=20&limit=100")) == {}
    assert code(ann.get(MESSAGES + "?around=99")) == (400, "unknown_cursor")
    assert code(ann.get(MESSAGES + "?around=1&before=2")) == (400, "invalid")
    for number in range(4):
        post(ann, f"word {number}", "/user/ben/messages")
    assert texts(ben, "/user/ann/messages?around=2&limit=2") == ["word 0", "word 1"]
    assert texts(ben, "/messages?around=2&limit=3") == ["word 0", "word 1", "word 2"]


@pytest.mark.usefixtures("kitchen")
def test_the_sender_edits_and_everyone_reads_the_new_text(ann: Api, ben: Api, boss: Api) -> None:
    message = post(ben, "helo")
    for client in (ann, boss):
        assert code(client.patch(f"{MESSAGES}/1", {"text": "x"})) == (403, "not_the_sender")
    edited = ben.patch(f"{MESSAGES}/1", {"text": "hello"}).json()
    assert edited == message | {"text": "hello", "edited_at": edited["edited_at"]}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", edited["edited_at"])
    assert ann.get(f"{MESSAGES}/1").json() == edited
    assert ann.get(MESSAGES).json() == [edited]


@pytest.mark.usefixtures("kitchen")
def test_the_sender_the_owner_and_admins_delete(ann: Api, ben: Api, boss: Api, eve: Api) -> None:
    for number, client in enumerate((ben, ann, boss), 1):
        path = f"{MESSAGES}/{2 * number - 1}"
        assert post(ben, "x")["id"] == 2 * number - 1
        assert code(eve.delete(path)) == (403, "not_the_sender")
        answer = client.delete(path)
        assert (answer.status_code, answer.content) == (204, b"")
        for method in ("GET", "DELETE"):
            assert code(client.send(method, path)) == (404, "message_not_found")
        assert code(ben.patch(path, {"text": "y"})) == (404, "message_not_found")
    assert ann.get(MESSAGES).json() == []


@pytest.mark.usefixtures("kitchen")
def test_a_retried_post_answers_as_the_first_did(ann: Api, ben: Api) -> None:
    first, again = (ben.post(MESSAGES, {"text": "once"}, **KEY) for _ in range(2))
    assert first.content == again.content
    assert first["Location"] == again["Location"]
    assert code(ben.post(MESSAGES, {"text": "other"}, **KEY)) == (409, "retry_key_reused")
    assert code(ben.post(MESSAGES, {"text": "once"}, Idempotency_Key="")) == (400, "invalid")
    assert post(ann, "mine", **KEY)["id"] == 2
    assert texts(ann, MESSAGES) == ["once", "mine"]


@pytest.mark.usefixtures("kitchen")
def test_one_retry_key_at_once_stores_one_message(ann: Api) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ann.post(MESSAGES, {"text": "once"}, **KEY), range(16)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert texts(ann, MESSAGES) == ["once"]


@pytest.mark.usefixtures("kitchen")
def test_what_a_deleted_account_said_is_unsigned_and_nobody_elses(ann: Api, ben: Api) -> None:
    post(ben, "old")
    Account.objects.get(username="ben").delete()
    assert [message["sender"] for message in ann.get(MESSAGES).json()] == [None]
    assert code(ben.post(MESSAGES, {"text": "ghost"})) == (401, "bad_token")
    namesake = signed_in("ben")
    for method in ("PATCH", "DELETE"):
        assert code(namesake.send(method, f"{MESSAGES}/1", {"text": "mine"})) == (403, "not_the_sender")
    assert namesake.get("/messages").json() == []


# From one to another


def test_a_direct_message_is_seen_from_both_ends(ann: Api, ben: Api, eve: Api) -> None:
    answer = ann.post("/user/ben/messages", {"text": "hi"})
    assert answer.status_code == 201
    message = answer.json()
    assert message | {"sent_at": ""} == {
        "id": 1, "to": "ben", "sender": "ann", "text": "hi", "sent_at": "", "edited_at": None,
    }  # fmt: skip
    for client, path in ((ann, "/user/BEN/messages"), (ben, "/user/ann/messages"), (ben, "/messages")):
        assert client.get(path).json() == [message]
    assert ann.get("/messages").json() == eve.get("/messages").json() == eve.get("/user/ann/messages").json() == []


def test_conversation_and_inbox_are_paged_by_links(ann: Api, ben: Api, eve: Api) -> None:
    for number in range(7):
        post(ann, str(number), "/user/ben/messages")
        post(eve, "noise", "/user/ben/messages")
    for path, told in (
        ("/user/ann/messages?limit=3", [["4", "5", "6"], ["1", "2", "3"], ["0"]]),
        ("/user/ann/messages?limit=5&after=0", [["0", "1", "2", "3", "4"], ["5", "6"]]),
        (
            "/messages?limit=12",
            [[str(number // 2) if number % 2 == 0 else "noise" for number in range(2, 14)], ["0", "noise"]],
        ),
    ):
        pages = []
        while path:
            answer = ben.get(path)
            pages.append([message["text"] for message in answer.json()])
            path = next_page(answer)
        assert pages == told
    for path in ("/messages?after=99", "/user/ann/messages?before=99"):
        assert code(ben.get(path)) == (400, "unknown_cursor")


def test_one_writes_to_oneself(ann: Api) -> None:
    message = post(ann, "buy milk", "/user/ann/messages")
    assert ann.get("/user/ann/messages").json() == ann.get("/messages").json() == [message]


@pytest.mark.parametrize("name", ["nobody", "%00", "..", "a%2Fb", "x" * 300, "%20", "%FF"])
def test_who_does_not_exist_gets_nothing(ann: Api, name: str) -> None:
    for answer in (ann.post(f"/user/{name}/messages", {"text": "hi"}), ann.get(f"/user/{name}/messages")):
        assert code(answer) in {(404, "user_not_found"), (404, "not_found")}
    assert ann.get("/messages").json() == []


@pytest.mark.parametrize("name", ["User Name", "日本", "Zoë & co?", "100%", "a+b", "...", "{user}", "o'neill"])
def test_any_name_can_be_written_to(ann: Api, name: str) -> None:
    odd = signed_in(name)
    assert post(ann, "hi", f"/user/{quote(name, safe='')}/messages")["to"] == name
    assert [message["sender"] for message in odd.get("/messages").json()] == ["ann"]


def test_a_retried_direct_message_is_sent_once(ann: Api, ben: Api, eve: Api) -> None:
    first, again = (ann.post("/user/ben/messages", {"text": "once"}, **KEY) for _ in range(2))
    assert first.content == again.content
    assert code(ann.post("/user/eve/messages", {"text": "once"}, **KEY)) == (409, "retry_key_reused")
    assert texts(ben, "/messages") == ["once"]
    assert eve.get("/messages").json() == []


def test_after_the_sender_is_deleted_his_messages_stay_unsigned(ann: Api, ben: Api) -> None:
    post(ann, "old", "/user/ben/messages")
    Account.objects.get(username="ann").delete()
    assert [message["sender"] for message in ben.get("/messages").json()] == [None]
    assert code(ben.get("/user/ann/messages")) == (404, "user_not_found")
    signed_in("ann")
    assert ben.get("/user/ann/messages").json() == []


# Where to listen


@pytest.mark.usefixtures("kitchen")
@pytest.mark.parametrize("path", ["/room/1/subscribe", "/messages/subscribe"])
def test_a_plain_request_is_told_where_to_listen(ann: Api, path: str) -> None:
    answer = ann.get(path)
    assert answer.status_code == 202
    assert answer.json() == {"websocket": f"ws://testserver{path}", "events": f"http://testserver{path}"}
    assert code(ann.post(path, {})) == (405, "method_not_allowed")
    assert code(Api().get(path)) == (401, "not_authenticated")


def test_there_is_nothing_to_hear_in_no_room(ann: Api) -> None:
    assert code(ann.get("/room/1/subscribe")) == (404, "room_not_found")


@pytest.mark.parametrize(
    "name", ["who? me", "a#b", "50%", "50%25", "ü", "a&b=c", '"<b>', "a;b", "a\\b", "می\u200cخواهم"]
)
def test_pages_of_a_conversation_lead_on_whatever_the_other_is_called(ann: Api, name: str) -> None:
    signed_in(name)
    address = f"/user/{quote(name, safe='')}/messages"
    for number in range(5):
        assert ann.post(address, {"text": str(number)}).status_code == 201
    seen: list[str] = []
    following = f"http://testserver{address}?limit=2&before=6"
    while following:
        assert re.fullmatch(r"[!-~]+", following), "an address is ASCII, without blanks"
        page = ann.get(following.removeprefix("http://testserver"))
        seen[:0] = [message["text"] for message in page.json()]
        following = page.headers.get("Link", "<>").partition("<")[2].partition(">")[0]
    assert seen == ["0", "1", "2", "3", "4"]
