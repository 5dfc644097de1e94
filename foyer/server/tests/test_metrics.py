"""`/metrics` on a real server with two workers: what happens on either is in one scrape, and in the documentation."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from django.conf import LazySettings

from foyer.errors import Forbidden, NotAuthenticated
from foyer.server.metrics import check_reader
from foyer.tally import WHYS, Tally
from tests.clients import Person, sign_up_at
from tests.markdown import section, table
from tests.server import Server, servers
from tests.settings import ROOT
from tests.test_serve import workers_of

PATIENCE = 15
Numbers = dict[str, float]


@pytest.fixture(scope="module")
def pair() -> Iterator[Server]:
    """A server with two workers."""
    with servers() as started:
        yield started.start(WORKERS="2", LOG_LEVEL="WARNING")


@pytest.fixture
async def ann(pair: Server) -> AsyncIterator[Person]:
    person = await sign_up_at(pair, "ann")
    yield person
    await person.rest.aclose()


def scrape(server: Server) -> Numbers:
    """Every sample by its name and labels: `foyer_connections{kind="room"}`."""
    answer = httpx.get(f"{server.base_url}/metrics", timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")
    samples = (line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}


async def until(server: Server, **expected: float) -> Numbers:
    """The numbers, once those named are so: `connections_room=2` is `foyer_connections{kind="room"}`."""
    wanted = {re.sub(r"^connections_(\w+)$", r'foyer_connections{kind="\1"}', name): n for name, n in expected.items()}
    for _ in range(PATIENCE * 10):
        numbers = await asyncio.to_thread(scrape, server)
        if all(numbers.get(name) == value for name, value in wanted.items()):
            return numbers
        await asyncio.sleep(0.1)  # a worker tells what it counted every two seconds
    pytest.fail(f"{wanted} expected, found { {name: numbers.get(name) for name in wanted} }")


async def test_connections_of_both_workers_are_counted_by_kind_until_they_end(pair: Server, ann: Person) -> None:
    room = await ann.make_room()
    paths = {"gateway": "/ws", "room": f"/room/{room}/subscribe", "inbox": "/messages/subscribe", "join": "/join"}
    many = 4
    before = scrape(pair)
    async with contextlib.AsyncExitStack() as stack:
        for path in [*paths.values(), "/lobby_api"]:
            for _ in range(many):
                await stack.enter_async_context(ann.connect(path))
        for path in (paths["room"], paths["inbox"]):
            await stack.enter_async_context(ann.stream(path))
        expected = {f"connections_{kind}": many for kind in [*paths, "lobby"]} | {"connections_sse": 2}
        numbers = await until(pair, **expected)
        # The room, Ann's inbox, who is online and who is in the lobby: on one worker or on both.
        assert numbers["foyer_topics"] >= 4
    after = await until(pair, **dict.fromkeys(expected, 0))
    ended = 'foyer_closes_total{code="client"}'
    assert after[ended] - before.get(ended, 0) == 5 * many + 2


async def test_what_is_delivered_and_how_it_ends_is_counted(pair: Server, ann: Person) -> None:
    room = await ann.make_room()
    before = scrape(pair)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(10):
            await stack.enter_async_context(ann.connect(f"/room/{room}/subscribe"))
        await ann.post(room, "hello")
        await until(pair, foyer_deliveries_total=before["foyer_deliveries_total"] + 10)
        await ann.rest.delete(f"/room/{room}")
        gone = 'foyer_closes_total{code="4404"}'
        await until(pair, **{gone: before[gone] + 10})
    unknown = 'foyer_closes_total{code="404"}'
    with contextlib.suppress(Exception):
        await ann.connect("/room/none/subscribe")
    await until(pair, **{unknown: before.get(unknown, 0) + 1})


async def test_rest_is_timed_by_method_route_and_status(pair: Server, ann: Person) -> None:
    rooms = [await ann.make_room() for _ in range(2)]
    before = scrape(pair)
    for room in rooms:
        await ann.post(room, "hello")
    await ann.rest.get("/room/none/messages")
    await ann.rest.request("PROPFIND", "/nowhere")
    after = scrape(pair)

    def came(method: str, route: str, status: int) -> float:
        name = f'foyer_http_request_seconds_count{{method="{method}",route="{route}",status="{status}"}}'
        return after.get(name, 0) - before.get(name, 0)

    assert came("POST", "/room/{room_id}/messages", 201) == 2
    assert came("GET", "/room/{room_id}/messages", 404) == 1
    assert came("other", "other", 404) == 1
    assert not [name for name in after if any(f"/room/{room}/" in name for room in rooms)]


async def test_a_worker_that_dies_takes_what_is_so_with_it_but_not_what_it_counted(pair: Server, ann: Person) -> None:
    many = 6
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(many):
            await stack.enter_async_context(ann.connect("/messages/subscribe"))
        before = await until(pair, connections_inbox=many)
        pids = {re.search(r'pid="(\d+)"', name)[1] for name in before if "resident" in name}  # type: ignore[index]
        workers = workers_of(pair)
        assert pids == {str(worker.pid) for worker in workers}
        for worker in workers:
            worker.kill()
    after = await until(pair, connections_inbox=0)
    assert not [name for name in after for pid in pids if f'pid="{pid}"' in name]
    assert after["foyer_deliveries_total"] >= before["foyer_deliveries_total"]
    assert after["foyer_process_cpu_seconds_total"] >= before["foyer_process_cpu_seconds_total"]


# Documentation and dashboard


def names_of(server: Server) -> dict[str, str]:
    """The metrics that are exposed, each with its type."""
    text = httpx.get(f"{server.base_url}/metrics", timeout=PATIENCE).text
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))


def test_the_table_of_metrics_is_what_a_server_exposes(pair: Server) -> None:
    documented = {row[0].strip("`"): row[1] for row in table(section(ROOT / "docs/operating.md", "Metrics"))}
    assert documented == names_of(pair)


def test_the_dashboard_shows_every_metric_and_no_other(pair: Server) -> None:
    board: Any = json.loads((ROOT / "docs/grafana.json").read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    shown = {re.sub("_(bucket|count|sum)$", "", name) for text in asked for name in re.findall(r"foyer_\w+", text)}
    assert shown == set(names_of(pair))
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_every_reason_to_turn_somebody_away_is_explained() -> None:
    rows = table(section(ROOT / "docs/security.md", "What is counted"))
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row[0])} == set(WHYS)


# Who may read


def asking(address: str = "10.0.0.7", authorization: str = "") -> dict[str, Any]:
    return {"client": (address, 1234), "headers": [(b"authorization", authorization.encode())]}


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", "Basic c2VjcmV0", "secret", "Bearer secret2"])
def test_with_a_token_set_only_who_has_it_may_read(settings: LazySettings, given: str) -> None:
    settings.METRICS_TOKEN = "secret"
    check_reader(asking(authorization="Bearer secret"))
    check_reader(asking(authorization="bearer secret"))
    with pytest.raises(NotAuthenticated):
        check_reader(asking("127.0.0.1", given))


@pytest.mark.parametrize("here", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_without_one_development_tells_this_machine_and_production_nobody(settings: LazySettings, here: str) -> None:
    settings.METRICS_TOKEN, settings.DEBUG = "", True
    check_reader(asking(here))
    with pytest.raises(Forbidden):
        check_reader(asking("::ffff:10.0.0.7"))
    settings.DEBUG = False
    with pytest.raises(Forbidden, match="METRICS_TOKEN"):
        check_reader(asking(here))


# Parts


def test_a_tally_counts_by_bounds_that_are_part_of_their_bucket() -> None:
    tally = Tally((1, 2, 4))
    for value in (0, 1, 1.5, 4, 5, 100):
        tally.note(value)
    assert tally.so_far() == ([2, 1, 1, 2], 111.5)
