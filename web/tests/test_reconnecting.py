"""The web client loses its connection, and says and does the right thing about it."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import WebSocketRoute, expect

from web.tests.conftest import OpenWindow
from web.tests.visitors import Somebody
from web.tests.wire import Wire

BROKEN = "WebSocket|ERR_"
"""What a browser says of connections that break, which these tests are about."""


def test_one_who_lost_the_network_comes_back_complete_with_nothing_twice(
    window: OpenWindow, wire: Wire, ben: Somebody, ann: Somebody
) -> None:
    room, side = ben.make_room(f"stormy {ben.name}", ann), ben.make_room(f"calm {ben.name}", ann)
    ann.say(room, "before")
    bens = window(ben, wire.base_url)
    bens.open_room(room)
    expect(bens.texts).to_have_text(["before"])
    bens.page.wait_for_load_state("networkidle")  # a list that was still on its way would be complained about
    wire.cut()
    expect(bens.status).to_contain_text("Reconnecting in")
    ann.say(room, "one", "two", "three")
    ann.say(side, "elsewhere")
    ann.write_to(ben, "where are you?")
    bens.say("mine, unsent")
    bens.say("mine, too")
    expect(bens.page.locator(".pending .text")).to_have_text(["mine, unsent", "mine, too"])
    expect(bens.page.locator(".waiting").first).to_have_text("Not sent yet")
    wire.mend()
    bens.button("Try now").click()
    expect(bens.status).to_contain_text("Connected")
    expected = ["before", "one", "two", "three", "mine, unsent", "mine, too"]
    expect(bens.texts).to_have_text(expected)
    expect(bens.page.locator(".pending")).to_have_count(0)
    expect(bens.entry(f"calm {ben.name}").locator(".badge")).to_have_count(1)
    expect(bens.entry(ann.name)).to_contain_text("where are you?")
    assert ben.history(room) == expected
    expect(bens.page.locator(".notice")).to_have_count(0)
    ann.say(room, "after")
    expect(bens.texts).to_have_text([*expected, "after"])
    bens.forgive(BROKEN)


def test_it_comes_back_by_itself(window: OpenWindow, wire: Wire, ben: Somebody) -> None:
    bens = window(ben, wire.base_url)
    bens.go("#/lobby")
    wire.cut()
    expect(bens.status).to_contain_text("Reconnecting in")
    wire.mend()
    expect(bens.status).to_contain_text("Connected", timeout=20_000)
    bens.forgive(BROKEN)


def test_no_network_is_said_at_once_and_so_is_a_server_that_does_not_answer(
    window: OpenWindow, wire: Wire, ben: Somebody
) -> None:
    room = ben.make_room(f"offline {ben.name}")
    bens = window(ben, wire.base_url)
    bens.open_room(room)
    wire.deafen()
    bens.context.set_offline(True)
    expect(bens.status).to_contain_text("No answer", timeout=1000)
    expect(bens.status).to_contain_text("No network. Reconnecting", timeout=6000)
    wire.mend()
    bens.context.set_offline(False)
    expect(bens.status).to_have_text("ConnectedConnectedTry now", timeout=20_000)
    wire.deafen()
    bens.say("hello?")
    expect(bens.status).to_contain_text("No answer", timeout=4000)
    wire.mend()
    bens.forgive(BROKEN)


def test_what_a_browser_thinks_of_the_network_is_not_believed_if_the_server_answers(
    window: OpenWindow, ben: Somebody
) -> None:
    bens = window(ben)
    bens.go("#/lobby")
    states = (
        "window.states = []; new MutationObserver(() => states.push(document.querySelector('.status').dataset.state))"
    )
    bens.page.evaluate(f"{states}.observe(document.querySelector('.status'), {{ attributes: true }})")
    bens.page.evaluate("dispatchEvent(new Event('offline'))")
    bens.page.wait_for_function("states.length > 1")
    assert bens.page.evaluate("states") == ["doubtful", "connected"]


def test_a_message_whose_acknowledgement_was_lost_is_stored_and_shown_once(
    window: OpenWindow, wire: Wire, ben: Somebody
) -> None:
    room = ben.make_room(f"deaf {ben.name}")
    bens = window(ben, wire.base_url)
    bens.open_room(room)
    wire.deafen()
    bens.say("said once")
    while ben.history(room) != ["said once"]:
        bens.page.wait_for_timeout(20)
    expect(bens.page.locator(".pending")).to_have_count(1)
    wire.cut()
    wire.mend()
    expect(bens.page.locator(".pending")).to_have_count(0, timeout=20_000)
    expect(bens.texts).to_have_text(["said once"])
    assert ben.history(room) == ["said once"]
    bens.forgive(BROKEN)


def test_what_was_not_sent_outlives_the_page(window: OpenWindow, wire: Wire, ben: Somebody) -> None:
    room = ben.make_room(f"reloaded {ben.name}")
    bens = window(ben, wire.base_url)
    bens.open_room(room)
    wire.cut()
    expect(bens.status).to_contain_text("Reconnecting in")
    bens.say("kept")
    expect(bens.page.locator(".pending")).to_have_count(1)
    wire.mend()
    bens.page.reload()
    expect(bens.texts).to_have_text(["kept"])
    expect(bens.page.locator(".pending")).to_have_count(0)
    assert ben.history(room) == ["kept"]
    bens.forgive(BROKEN)


def test_a_message_that_is_refused_says_why_and_can_be_discarded(window: OpenWindow, ben: Somebody) -> None:
    room = ben.make_room(f"strict {ben.name}")
    bens = window(ben)
    bens.open_room(room)
    bens.composer.evaluate("input => { input.value = 'NUL: \\0'; }")
    bens.composer.press("Enter")
    failed = bens.page.locator(".failed")
    expect(failed).to_contain_text("Not sent: ")
    bens.say("goes on")
    expect(bens.messages.filter(has_text="goes on")).not_to_have_class(re.compile("pending"))
    failed.get_by_role("button", name="Discard").click()
    expect(bens.texts).to_have_text(["goes on"])


def test_a_history_that_is_not_whole_is_loaded_again_and_that_is_said(
    window: OpenWindow, ben: Somebody, ann: Somebody
) -> None:
    room = ben.make_room(f"lost {ben.name}", ann)
    ann.say(room, "before")
    bens = window(ben)
    sockets: list[WebSocketRoute] = []

    def pass_on(socket: WebSocketRoute) -> None:
        """To the real server, but with what is resumed from the log of another epoch."""
        server = socket.connect_to_server()
        sockets.append(socket)
        socket.on_message(lambda text: server.send(misremembered(str(text))))

    bens.page.route_web_socket("**/ws", pass_on)
    bens.open_room(room)
    expect(bens.texts).to_have_text(["before"])
    sockets[-1].close(code=3000, reason="cut")
    ann.say(room, "meanwhile")
    expect(bens.page.locator(".notice")).to_contain_text("Some messages may be missing", timeout=20_000)
    expect(bens.texts).to_have_text(["before", "meanwhile"])
    ann.say(room, "later")
    expect(bens.texts).to_have_text(["before", "meanwhile", "later"])


def misremembered(text: str) -> str:
    frame: dict[str, Any] = json.loads(text)
    if frame["type"] == "resume":
        frame["topics"] = [{**topic, "epoch": "bygone"} for topic in frame["topics"]]
    return json.dumps(frame)


def test_how_long_it_waits_depends_on_why_the_socket_was_closed(window: OpenWindow) -> None:
    visitor = window()
    visitor.page.goto("/app/")
    waits = visitor.page.evaluate(
        """async () => {
            const { pauseAfter, comesBack } = await import("/static/foyer/app/backoff.js");
            const range = (code, attempts) => [0, 1].map((number) => pauseAfter(code, attempts, () => number));
            return [range(1012, 0), range(1012, 2), range(1006, 0), range(1006, 3), range(1006, 20), range(4429, 0),
                    [1001, 1006, 1012, 4400, 4401, 4403, 4404, 4408, 4429].filter((code) => !comesBack(code))];
        }"""
    )
    restarting, again, broken, later, at_last, too_many, never = waits
    assert restarting == [0, 5000]
    assert again == [250, 4250]
    assert broken == [250, 1250]
    assert later == [250, 8250]
    assert at_last == [250, 30250]
    assert too_many == [10000, 15000]
    assert never == [4401, 4403, 4404]


def test_events_are_handed_on_once_and_in_order_whatever_comes_before_what_was_missed(window: OpenWindow) -> None:
    visitor = window()
    visitor.page.goto("/app/")
    heard, kept, behind, ahead = visitor.page.evaluate(
        """async () => {
            const { Positions } = await import("/static/foyer/app/positions.js");
            const positions = new Positions();
            const take = (offset) => positions.take({ topic: "t", offset }).due.map((event) => event.offset);
            positions.begin({ topic: "t", offset: 3, epoch: "e" });
            positions.hold("t");
            const heard = [6, 4, 4, 8, 5, 2].map(take);
            const kept = positions.release("t").map((event) => event.offset);
            return [heard, kept, positions.take({ topic: "t", offset: 8 }), positions.take({ topic: "t", offset: 10 })];
        }"""
    )
    assert heard == [[], [4], [], [], [5, 6], []]
    assert kept == [8]
    assert behind == {"due": [], "gap": False}
    assert ahead == {"due": [{"topic": "t", "offset": 10}], "gap": True}


def test_one_whose_sessions_are_ended_is_told_and_signs_in_again(window: OpenWindow, ben: Somebody) -> None:
    bens = window(ben)
    bens.go()
    assert ben.rest.delete("/auth?all=true").status_code == 204
    expect(bens.page.get_by_role("alert")).to_contain_text("You were signed out")
    bens.forgive("status of 401")  # for whatever was being asked at that moment
    bens.page.reload()
    expect(bens.page.get_by_role("heading", name="Sign in to Foyer")).to_be_visible()
