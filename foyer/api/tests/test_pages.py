"""The browsable API, as somebody sees it who is signed in by cookie."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import httpx
import pytest
from django.urls import get_resolver

from foyer.api.browsable import routes
from foyer.api.tests.visitor import BROWSER, Visitor, answer_in, csrf_token, links_in, methods_in, page
from tests.clients import PASSWORD
from tests.server import Server

LARGEST = 200_000
"""Bytes that a page may weigh, with its styles and scripts."""


@pytest.fixture(scope="module")
def visitor(server: Server) -> Iterator[Visitor]:
    """Somebody who is signed in."""
    ben = Visitor(server)
    ben.sign_up()
    assert ben.sign_in().status_code == 302
    yield ben
    ben.client.close()


@pytest.fixture(scope="module")
def boss(server: Server) -> Iterator[Visitor]:
    admin = Visitor(server, "admin")
    assert admin.sign_in("admin").status_code == 302
    yield admin
    admin.client.close()


@pytest.fixture
def stranger(server: Server) -> Iterator[Visitor]:
    """Somebody who is not."""
    nobody = Visitor(server)
    yield nobody
    nobody.client.close()


@pytest.fixture(scope="module")
def places(visitor: Visitor, boss: Visitor) -> dict[str, str]:
    """What stands for the parameters of addresses: a room with a message, and a table."""
    made = visitor.send("POST", "/rooms", {"name": f"Room of {visitor.username}"})
    room = made.headers["Location"].rpartition("/")[2]
    visitor.send("POST", f"/room/{room}/messages", {"text": "hi"})
    added = boss.send("POST", "/lobby_api/tables", {"table": {"name": "pages", "participants": 1}})
    table = added.headers["Location"].rpartition("/")[2]
    return {"roomId": room, "username": visitor.username, "id": "1", "table": table}


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/rooms/", "/rooms"), ("/Rooms", "/rooms"), ("/health", "/health/live"), ("/metric", "/metrics"),
        ("/lobby_api/table", "/lobby_api/tables"), ("/admin", "/admin/"), ("/schema/doc", "/schema/docs"),
        ("/no/such/thing", None), ("/" + "x" * 2000, None),
    ],
)  # fmt: skip
def test_an_address_that_is_nearly_right_is_told_which_is(stranger: Visitor, path: str, meant: str | None) -> None:
    answer = stranger.client.get(path, headers={"Accept": "application/json"})
    expected = "There is nothing at this address." + (f" Did you mean {meant}?" if meant else "")
    assert (answer.status_code, answer.json()) == (404, {"code": "not_found", "detail": expected})
    assert expected in stranger.client.get(path).text


def test_browsers_find_an_icon_where_they_look_for_one(stranger: Visitor) -> None:
    answer = stranger.client.get("/favicon.ico")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] in ("image/x-icon", "image/vnd.microsoft.icon")
    for address in ("/", "/sign-in", "/admin/login/", "/app/"):
        assert '<link rel="icon"' in stranger.client.get(address).text


# Every route

PAGES = [
    ("/", 200, []),
    ("/user", 405, ["POST"]),
    ("/user/{username}", 200, ["PUT", "PATCH", "DELETE"]),
    ("/user/{username}/password", 405, ["PUT"]),
    ("/auth", 405, ["POST", "DELETE"]),
    ("/createUser", 405, ["POST"]),
    ("/login", 405, ["POST"]),
    ("/rooms", 200, ["POST"]),
    ("/room/{roomId}", 200, ["PATCH", "DELETE"]),
    ("/room/{roomId}/members", 200, ["POST"]),
    ("/room/{roomId}/members/{username}", 405, ["PATCH", "DELETE"]),
    ("/room/{roomId}/bans", 200, []),
    ("/room/{roomId}/bans/{username}", 405, ["PUT", "DELETE"]),
    ("/room/{roomId}/mutes", 200, []),
    ("/room/{roomId}/mutes/{username}", 405, ["PUT", "DELETE"]),
    ("/room/{roomId}/audit", 200, []),
    ("/room/{roomId}/messages", 200, ["POST"]),
    ("/room/{roomId}/messages/{id}", 200, ["PATCH", "DELETE"]),
    ("/room/{roomId}/messages/{id}/report", 405, ["POST"]),
    ("/room/{roomId}/subscribe", 202, []),
    ("/user/{username}/messages", 200, ["POST"]),
    ("/user/{username}/messages/{id}/report", 405, ["POST"]),
    ("/reports", 200, []),
    ("/reports/{id}", 405, ["PATCH"]),
    ("/messages", 200, []),
    ("/messages/subscribe", 202, []),
    ("/blocks", 200, []),
    ("/blocks/{username}", 405, ["PUT", "DELETE"]),
    ("/search", 400, []),
    ("/notices", 200, []),
    ("/lobby_api", 200, []),
    ("/lobby_api/tables", 200, []),
    ("/lobby_api/tables/{table}", 200, []),
    ("/lobby_api/health", 200, []),
]
FOR_ADMINS = [
    ("/users", 200, []),
    ("/user/{username}/suspension", 405, ["PUT", "DELETE"]),
    ("/notices", 200, ["POST"]),
    ("/notices/{id}", 405, ["DELETE"]),
    ("/lobby_api/tables", 200, ["POST"]),
    ("/lobby_api/tables/{table}", 200, ["PUT", "PATCH", "DELETE"]),
]


@pytest.mark.parametrize(("path", "status", "methods"), PAGES)
def test_every_route_is_a_page_with_the_forms_that_one_may_use(
    visitor: Visitor, places: dict[str, str], path: str, status: int, methods: list[str]
) -> None:
    shown = visitor.look(path.format(**places), status)
    assert methods_in(shown) == methods
    assert visitor.username in shown
    assert len(re.findall("<h1", shown)) == 1
    assert "<title>" in shown
    if status != 405:
        assert answer_in(shown)[0] == status


@pytest.mark.parametrize(("path", "status", "methods"), FOR_ADMINS)
def test_an_admin_has_forms_for_what_admins_may(
    boss: Visitor, places: dict[str, str], path: str, status: int, methods: list[str]
) -> None:
    assert methods_in(boss.look(path.format(**places), status)) == methods


def test_no_route_is_left_out_here() -> None:
    known = {re.sub(r"\{\w+\}", "{}", path) for path, *_ in PAGES + FOR_ADMINS}
    real = {"/" + re.sub(r"<[^>]+>", "{}", route) for route in routes(get_resolver().url_patterns)}
    assert known == real - {"/schema", "/schema/events", "/user/{}/export"}


def test_the_page_of_a_route_shows_what_json_says(visitor: Visitor, places: dict[str, str]) -> None:
    path = f"/room/{places['roomId']}/messages"
    shown = answer_in(visitor.look(path))[1]
    assert json.loads(shown) == visitor.client.get(path, headers={"Accept": "*/*"}).json()


def test_links_lead_from_the_beginning_to_all_the_rest(visitor: Visitor, boss: Visitor) -> None:
    here = set(links_in(visitor.look("/")))
    own = f"/user/{visitor.username}"
    assert {"/rooms", "/messages", "/lobby_api/tables", own, "/schema/docs", "/schema/events", "/app/"} <= here
    assert "/admin/" not in here
    assert {"/admin/", "/users"} <= set(links_in(boss.look("/")))


def test_links_in_answers_and_beside_them_lead_somewhere(visitor: Visitor, places: dict[str, str]) -> None:
    room = f"/room/{places['roomId']}"
    assert room in links_in(visitor.look("/rooms?member=me"))
    seen: set[str] = set()
    waiting = {room}
    while waiting:
        path = waiting.pop()
        seen.add(path)
        answer = visitor.client.get(path)
        assert answer.status_code in (200, 202, 405), path
        waiting |= {link for link in links_in(answer.text) if re.match(rf"{room}(/|$)", link)} - seen
    assert {f"{room}/messages/1", f"{room}/members/{visitor.username}", f"{room}/subscribe"} <= seen


def test_names_with_odd_characters_are_linked_and_shown_as_text(server: Server) -> None:
    odd = Visitor(server, "<i>Ann & Zoë?#%41")
    odd.sign_up()
    odd.sign_in()
    shown = odd.look("/")
    assert "<i>" not in shown
    account = next(link for link in links_in(shown) if link.startswith("/user/"))
    assert json.loads(answer_in(odd.look(account))[1])["username"] == odd.username
    odd.client.close()


def test_what_users_wrote_is_text(visitor: Visitor, places: dict[str, str]) -> None:
    hostile = "</pre><script>alert(1)</script>\"'&amp; http://evil.example/ \u2028"
    path = f"/room/{places['roomId']}/messages"
    answer = visitor.send("POST", path, {"text": hostile})
    for shown in (page(answer), visitor.look(path)):
        assert "<script>alert" not in shown
        assert 'href="http://evil' not in shown
        assert json.dumps(hostile, ensure_ascii=False) in answer_in(shown)[1]


def test_pages_are_small(visitor: Visitor, places: dict[str, str]) -> None:
    path = f"/room/{places['roomId']}/messages"
    headers = {"Accept": "*/*", "X-CSRFToken": csrf_token(visitor.look(path))}
    for _ in range(60):
        assert visitor.client.post(path, json={"text": "é" * 4096}, headers=headers).status_code == 201
    for address in (path, f"{path}?limit=1000", "/rooms", "/"):
        shown = visitor.look(address)
        parts = re.findall(r'(?:src|href)="(/static/[^"]+)"', shown)
        size = len(shown.encode()) + sum(len(visitor.client.get(part).content) for part in set(parts))
        assert size < LARGEST, (address, size)
        assert all(visitor.client.get(part).status_code == 200 for part in parts)
    assert "lines more, not shown here" in visitor.look(f"{path}?limit=1000")


# Forms


def test_forms_make_change_and_delete(visitor: Visitor) -> None:
    name = f"Forms of {visitor.username}"
    made = visitor.send("POST", "/rooms", {"name": name})
    assert answer_in(page(made))[0] == 201
    room = made.headers["Location"].replace(str(visitor.client.base_url).rstrip("/"), "")
    changed = visitor.send("PATCH", room, {"name": f"{name}, changed"}, seen=room)
    assert json.loads(answer_in(page(changed))[1])["name"] == f"{name}, changed"
    assert f'value="{name}, changed"' in visitor.look(room)
    assert f'value="{name}, changed"' in page(changed)
    deleted = visitor.send("DELETE", room, seen=room)
    assert (deleted.status_code, answer_in(page(deleted))[0]) == (200, 204)
    assert answer_in(visitor.look(room, 404))[0] == 404


def test_a_form_is_told_which_fields_are_wrong(boss: Visitor) -> None:
    answer = boss.send("POST", "/lobby_api/tables", {"table": {"name": "", "participants": "many"}})
    shown = page(answer)
    assert answer_in(shown)[0] == 400
    assert set(re.findall(r'data-field="([^"]+)"', shown)) == {"table.name", "table.participants"}
    answer = boss.fill_in("POST", "/lobby_api/tables", {"table.name": "kept", "table.participants": "many"})
    assert (answer.status_code, answer_in(page(answer))[0]) == (400, 400)
    assert re.findall(r'data-field="([^"]+)"', answer.text) == ["table.participants"]
    assert 'value="kept"' in answer.text


def test_nothing_is_changed_without_the_csrf_token(visitor: Visitor, places: dict[str, str]) -> None:
    answer = visitor.send("POST", "/rooms", {"name": "forged"}, token="a" * 32)
    assert answer.status_code == 403
    assert answer_in(visitor.look("/rooms?name=forged"))[1] == "[]"
    for fields in ({"name": "forged"}, {"name": "forged", "_method": "POST"}, {"_content": '{"name": "forged"}'}):
        assert visitor.client.post("/rooms", data=fields).status_code == 403
    room = f"/room/{places['roomId']}"
    for method in ("PATCH", "DELETE"):
        assert visitor.fill_in(method, room, {"name": "forged"}, token="a" * 32).status_code == 403
    assert "forged" not in answer_in(visitor.look(room))[1]


def test_a_page_of_the_list_links_to_the_next(boss: Visitor, visitor: Visitor) -> None:
    visitor.send("POST", "/rooms", {"name": f"One more of {visitor.username}"})
    shown = boss.look("/rooms?limit=1")
    following = re.findall(r'href="([^"]+after=[^"]+)"', shown)
    assert len(following) == 2  # in the header, and below the list
    assert answer_in(boss.look(following[0].replace("&amp;", "&")))[0] == 200


def test_forms_have_texts_numbers_and_ticks(visitor: Visitor, boss: Visitor) -> None:
    name = f"Fields of {visitor.username}"
    made = visitor.fill_in("POST", "/rooms", {"name": name, "members_only": ["false", "true"]})
    assert json.loads(answer_in(page(made))[1])["members_only"] is True
    room = made.headers["Location"].replace(str(visitor.client.base_url).rstrip("/"), "")
    changed = visitor.fill_in("PATCH", room, {"name": "", "members_only": "false"})
    assert json.loads(answer_in(page(changed))[1]) | {"created_at": ""} == {
        "roomId": room.rpartition("/")[2],
        "name": name,
        "members_only": False,
        "owner": visitor.username,
        "created_at": "",
    }
    said = visitor.fill_in("POST", f"{room}/messages", {"text": "two\r\nlines "})
    assert json.loads(answer_in(page(said))[1])["text"] == "two\nlines "
    added = boss.fill_in("POST", "/lobby_api/tables", {"after_id": "-1", "table.name": "x", "table.participants": "7"})
    assert json.loads(answer_in(page(added))[1])["table"]["participants"] == 7
    table = added.headers["Location"].replace(str(boss.client.base_url).rstrip("/"), "")
    fields = dict(re.findall(r'<input [^>]*name="(id|name|participants)"[^>]*value="([^"]*)"', boss.look(table)))
    replaced = boss.fill_in("PUT", table, {**fields, "participants": "8"})
    assert json.loads(answer_in(page(replaced))[1])["table"]["participants"] == 8
    assert 'value="8"' in replaced.text


def test_a_form_writes_json_where_that_is_taken(visitor: Visitor) -> None:
    own = f"/user/{visitor.username}"
    data = {"big": 12345678901234567890123, "name": "Zoë", "id": "mine"}
    answer = visitor.fill_in("PUT", own, {"data": json.dumps(data)})
    assert json.loads(answer_in(page(answer))[1])["data"] == data
    assert json.loads(answer_in(page(visitor.fill_in("PUT", own, {"data": " "})))[1])["data"] == {}
    for wrong in ("{nonsense", "[]", "null"):
        refused = visitor.fill_in("PUT", own, {"data": wrong})
        assert re.findall(r'data-field="([^"]+)"', page(refused)) == ["data"]
        assert unescape(refused.text).count(f">\n{wrong}</textarea>") == 1


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("text/plain", b"x", 415),
        ("application/json", b"nonsense", 400),
        ("application/x-www-form-urlencoded", b"\xff", 400),
        ("application/x-www-form-urlencoded", b"_content=nonsense", 400),
        ("application/x-www-form-urlencoded", b"a&" * 2000, 400),
        ("application/x-www-form-urlencoded", b"a=" + b"x" * 70_000, 413),
    ],
)
def test_a_body_that_can_not_be_read_is_refused_on_a_page(
    stranger: Visitor, content_type: str, body: bytes, status: int
) -> None:
    for path in ("/user", "/login"):
        answer = stranger.client.post(path, content=body, headers={"Content-Type": content_type})
        assert answer.status_code in (status, 400), (path, answer.text)
        assert answer.headers["Content-Type"].startswith("text/html" if status != 413 else "application/json")


def test_a_password_that_was_sent_is_not_on_the_page_again(visitor: Visitor) -> None:
    fields = {"current": "wrong and secret", "new": "also secret"}
    answer = visitor.fill_in("PUT", f"/user/{visitor.username}/password", fields)
    assert answer.status_code == 403
    assert "secret" not in answer.text
    assert "secret" not in visitor.fill_in("POST", "/user", {"password": "secret"}).text


def test_the_options_of_a_route_tell_the_fields_that_one_may_send(visitor: Visitor, boss: Visitor) -> None:
    told = json.loads(answer_in(page(visitor.fill_in("OPTIONS", "/rooms", {})))[1])
    assert told["name"] == "Room List"
    assert set(told["actions"]) == {"POST"}
    assert told["actions"]["POST"]["name"]["max_length"] == 100
    assert "actions" not in visitor.client.options("/lobby_api/tables", headers={"Accept": "*/*"}).json()
    assert set(boss.client.options("/lobby_api/tables/1", headers={"Accept": "*/*"}).json()["actions"]) == {
        "PUT",
        "PATCH",
    }


def test_what_is_left_blank_in_the_filters_is_not_asked_for(visitor: Visitor) -> None:
    answer = visitor.client.get("/rooms?_filters=&name=&member=me&limit=&before=&after=")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/rooms?member=me")
    answer = visitor.client.get("/rooms?_filters=&name=")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/rooms")
    shown = visitor.look("/rooms?member=me")
    for name in ("name", "member", "limit", "before", "after"):
        assert f'<label for="query-{name}">' in shown
    assert "<option selected>me</option>" in shown


def test_a_form_of_another_site_does_nothing_with_a_password_that_the_browser_remembers(visitor: Visitor) -> None:
    basic = (visitor.username, PASSWORD)
    with httpx.Client(base_url=visitor.client.base_url, auth=basic, trust_env=False) as browser:
        answer = browser.post("/rooms", data={"name": "forged"}, headers={"Origin": "https://evil.example"})
        assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
        assert browser.get("/rooms?name=forged").json() == []
        name = f"Own form of {visitor.username}"
        own = str(browser.base_url).rstrip("/")
        assert browser.post("/rooms", data={"name": name}, headers={"Origin": own}).status_code == 201


# Signing in and out


def test_one_signs_in_and_out(server: Server, stranger: Visitor) -> None:
    stranger.sign_up()
    answer = stranger.sign_in(following="/rooms")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/rooms")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    form = stranger.look("/rooms")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert token
    left = stranger.client.post("/sign-out", data={"csrfmiddlewaretoken": token[1]})
    assert (left.status_code, left.headers["Location"]) == (302, "/")
    assert "Sign in" in stranger.look("/rooms", 401)


def test_signing_out_over_the_api_ends_the_session_of_the_cookie(stranger: Visitor) -> None:
    stranger.sign_up()
    stranger.sign_in()
    cookie = stranger.client.cookies["sessionid"]
    assert stranger.send("DELETE", "/auth").status_code == 200
    stranger.client.cookies.set("sessionid", cookie)
    stranger.look("/rooms", 401)


def test_a_wrong_password_is_told_beside_the_form(stranger: Visitor) -> None:
    stranger.sign_up()
    shown = page(stranger.sign_in("wrong"))
    assert "The username and password do not match an account, or it is disabled." in shown
    assert "wrong" not in re.sub(r"<title>.*?</title>", "", shown)


def test_signing_in_is_under_the_limit_of_failures(start_server: Callable[..., Server]) -> None:
    stranger = Visitor(start_server(SIGN_IN_FAILURES="2"))
    assert [stranger.sign_in("wrong").status_code for _ in range(3)] == [200, 200, 429]
    last = stranger.sign_in("wrong")
    assert int(last.headers["Retry-After"]) > 0
    assert "Too many sign-ins failed" in last.text
    stranger.client.close()


def test_one_is_not_led_to_another_site(stranger: Visitor) -> None:
    stranger.sign_up()
    assert stranger.sign_in(following="https://evil.example/").headers["Location"] == "/"


def test_a_form_of_another_page_signs_nobody_in(stranger: Visitor) -> None:
    stranger.sign_up()
    answer = stranger.client.post("/sign-in", data={"username": stranger.username, "password": "x"})
    assert answer.status_code == 403


# Those who are not signed in, and errors


def test_a_browser_is_shown_where_to_sign_in(stranger: Visitor) -> None:
    shown = stranger.look("/rooms?limit=3", 401)
    assert 'action="/sign-in"' in shown
    assert 'name="next" value="/rooms?limit=3"' in shown
    assert methods_in(shown) == []


def test_a_browser_is_not_made_to_ask_in_a_dialogue_of_its_own(stranger: Visitor) -> None:
    plain = stranger.client.get("/rooms")
    assert "Basic" in plain.headers["WWW-Authenticate"]
    navigated = stranger.client.get("/rooms", headers={"Sec-Fetch-Mode": "navigate"})
    assert navigated.status_code == 401
    assert navigated.headers["WWW-Authenticate"] == 'Bearer realm="foyer"'


@pytest.mark.parametrize("path", ["/no/such", "/room/999999", "/user/nobody-at-all"])
def test_errors_are_pages_for_browsers(visitor: Visitor, path: str) -> None:
    answer = visitor.client.get(path)
    assert answer.status_code in (403, 404)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Foyer" in answer.text


@pytest.mark.parametrize("accept", ["*/*", "application/json", "", "application/json, text/plain, */*"])
def test_programs_go_on_getting_json(visitor: Visitor, stranger: Visitor, accept: str) -> None:
    def ask(client: httpx.Client, path: str) -> Any:
        answer = client.get(path, headers={"Accept": accept})
        assert answer.headers["Content-Type"] == "application/json"
        return answer.json()

    assert ask(stranger.client, "/") == {"message": "Hello World"}
    assert ask(visitor.client, "/") == {"username": visitor.username, "user_type": "user", "data": {}}
    assert ask(stranger.client, "/rooms")["code"] == "not_authenticated"


def test_json_can_be_had_by_a_link(visitor: Visitor) -> None:
    link = next(address for address in links_in(visitor.look("/rooms?limit=1")) if "format=json" in address)
    assert visitor.client.get(link, headers={"Accept": BROWSER}).headers["Content-Type"] == "application/json"
