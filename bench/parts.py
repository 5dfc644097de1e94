"""The parts of the bench: each measures one thing on servers started for it alone, and returns its rows."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from websockets.sync.client import ClientConnection, connect

from bench.client import BEARER, Request, Sockets, Window
from bench.past import measure_archive, measure_past, measure_resume
from bench.report import Row, Target
from bench.servers import BenchError, Server, Stock, resident, stock_python
from bench.stage import FRAME, PASSWORD, Bench

STOCK_PATH = "/room/<room>/subscribe"
MESSAGES_PATH = "/room/<room>/messages"
POST_BODY = json.dumps({"text": "A message of forty characters, as above."})
LOBBY_PATH = "/lobby_api"
CHANGE = json.dumps({"$type": "update_table", "table": {"id": 1, "name": "<mark> table", "participants": 7}})
LISTS = 20
PAGE = 50
FULL_ROOMS = 32
OWN_ROOMS, SEARCHES = 100, 200


def saturated_row(part: str, what: str, best: Window, target: Target | None) -> Row:
    note = f"at {best.asked_per_second:,.0f} posts/s"
    if not best.kept_up:
        note += ", more than it keeps up with"
    return Row(part, what, best.deliveries.per_second, "deliveries/s", target, best.deliveries.latency, note)


def one_room(bench: Bench, part: str, count: int, first_rate: float, fast: Target, p99: Target | None) -> list[Row]:
    """All sockets in one room: deliveries a second at most, and how late they are at 10 messages a second."""
    with bench.foyer(quota=False) as server:

        def open_sockets() -> Sockets:
            return bench.sockets(server, count, bench.one_room)

        with open_sockets() as sockets:
            slow = sockets.post(bench.sizes.slow_rate, 2 * bench.sizes.seconds)
        best = bench.search(part, open_sockets).best_from(first_rate)
    bench.windows[part].append(slow)
    what = f"{count:,} sockets in one room"
    rate = f"{what}, {bench.sizes.slow_rate:g} messages/s: p99"
    late = slow.deliveries.latency
    return [
        saturated_row(part, f"{what}, at most", best, fast),
        Row(part, rate, late.p99, "ms", p99, late, problem=slow.problem),
    ]


def measure_a(bench: Bench) -> list[Row]:
    """1,000 sockets in one room"""
    sizes = bench.sizes
    return one_room(bench, "a", sizes.few, sizes.first_rate_few, Target(least=900_000), None)


def measure_b(bench: Bench) -> list[Row]:
    """10,000 sockets in one room"""
    sizes = bench.sizes
    return one_room(bench, "b", sizes.many, sizes.first_rate_many, Target(least=700_000), Target(most=150))


def measure_c(bench: Bench) -> list[Row]:
    """10,000 sockets in 1,000 rooms, all of them posting, 4,000 posts a second in all"""
    sizes = bench.sizes
    with bench.foyer() as server, bench.sockets(server, sizes.many, bench.rooms) as sockets:
        sockets.post(
            sizes.rooms_rate / 2, sizes.seconds
        )  # everybody has posted once: first posts of a minute cost more
        window = sockets.post(sizes.rooms_rate, 2 * sizes.seconds)
    bench.windows["c"] = [window]
    what = f"{sizes.many:,} sockets in {sizes.rooms:,} rooms"
    asked = f"{sizes.rooms_rate:,.0f} posts/s asked"
    acks, deliveries = window.acks, window.deliveries
    lost = window.problem or ("" if acks.received == acks.expected else f"{acks.expected - acks.received} not acked")
    delivered = deliveries.per_second * window.sent / max(deliveries.expected, 1)
    least, most = Target(least=4_000), Target(most=25)
    return [
        Row("c", f"{what}: acknowledged", acks.per_second, "posts/s", least, acks.latency, asked, lost),
        Row("c", f"{what}: delivered to all", delivered, "posts/s", least, deliveries.latency, asked, lost),
        Row("c", f"{what}: p99 of delivery", deliveries.latency.p99, "ms", most, deliveries.latency, asked, lost),
    ]


def measure_stock(bench: Bench) -> list[Row]:
    """1,000 sockets in one room, the stock way: Channels' group_send under daphne"""
    python = stock_python(bench.folder)
    rooms = bench.data / "stock-room"
    rooms.write_text("1\n")
    with Stock(python, bench.folder, bench.cores) as server:

        def open_sockets() -> Sockets:
            return Sockets(bench.client, server.port, STOCK_PATH, bench.sizes.few, rooms=rooms, frame=FRAME)

        best = bench.search("stock", open_sockets).best_from(bench.sizes.first_rate_stock)
    return [saturated_row("stock", f"{bench.sizes.few:,} sockets in one room, the stock way", best, None)]


def measure_connect(bench: Bench) -> list[Row]:
    """sockets opened a second, each signed in with its own token"""
    count = bench.sizes.many
    with bench.foyer() as server, bench.sockets(server, count, bench.rooms, in_rooms=False) as sockets:
        opened = sockets.opened
    target, note = Target(least=1_500), "each signed in"
    return [Row("connect", f"{count:,} sockets opened", opened.per_second, "connects/s", target, opened.latency, note)]


def measure_memory(bench: Bench) -> list[Row]:
    """memory of the server for each idle socket"""
    count, settle = bench.sizes.many, bench.sizes.settle
    with bench.foyer() as server:
        with bench.sockets(server, min(100, count), bench.rooms):
            pass  # what the first sockets make it import and cache is not the price of a socket
        time.sleep(settle)
        before = server.resident_bytes()
        with bench.sockets(server, count, bench.rooms):
            time.sleep(settle)
            grown = server.resident_bytes() - before
        follower = resident(server.follower_pid() or 0)
    note = f"{before / 1e6:.0f} MB before, {grown / 1e6:.0f} MB for the sockets; the follower {follower / 1e6:.0f} MB"
    return [Row("memory", f"{count:,} idle sockets", grown / count / 1e3, "KB/socket", Target(most=25), note=note)]


def measure_rest(bench: Bench) -> list[Row]:
    """messages posted by REST a second, signed in"""
    request = Request("POST", MESSAGES_PATH, bench.tokens, bench.rooms, POST_BODY)
    with bench.foyer() as server:
        return [ask(bench, server, "rest", request, "messages posted by REST", "posts/s")]


def measure_history(bench: Bench) -> list[Row]:
    """reads a second of a room's newest 50 messages by REST, signed in"""
    full_rooms = bench.data / "full-rooms"
    with bench.foyer(quota=False) as server:
        ids = bench.rooms.read_text().split()[:FULL_ROOMS]
        full_rooms.write_text("\n".join(ids) + "\n")
        for room in ids:
            path = MESSAGES_PATH.replace("<room>", room)
            bench.post_all(server, [(path, json.loads(POST_BODY))] * PAGE)
        request = Request("GET", MESSAGES_PATH, bench.tokens, full_rooms)
        return [ask(bench, server, "history", request, f"newest {PAGE} messages read by REST", "reads/s")]


def ask(
    bench: Bench,
    server: Server,
    part: str,
    request: Request,
    what: str,
    unit: str,
    signed_in: str = BEARER,
    least: float = 1_000,
) -> Row:
    """One kind of request over many connections, after a second to warm up."""
    count, seconds = bench.sizes.connections, bench.sizes.seconds
    bench.client.ask(server.port, request, connections=count, seconds=min(1.0, seconds), signed_in=signed_in)
    answers = bench.client.ask(server.port, request, connections=count, seconds=2 * seconds, signed_in=signed_in)
    note, target = f"{count} connections", Target(least=least)
    return Row(part, what, answers.per_second, unit, target, answers.latency, note, answers.problem)


def measure_bytes(bench: Bench) -> list[Row]:
    """bytes in the store for each message of 40 characters"""
    sizes = bench.sizes
    rate = min(sizes.rooms_rate, sizes.stored / sizes.seconds)
    seconds = sizes.stored / rate
    with bench.foyer() as server, bench.sockets(server, sizes.rooms, bench.rooms) as sockets:
        sockets.post(rate, min(1.0, sizes.seconds))  # each room has its keys before the count begins
        bench.seed("--no-rewrite")
        before = bench.store_info()
        window = sockets.post(rate, seconds)
        after = bench.store_info()
    note = f"{window.sent:,} posts of 40 characters"
    rows = []
    for what, key in (("memory", "used_memory"), ("append-only file", "aof_current_size")):
        each = (after[key] - before[key]) / max(window.sent, 1)
        problem = window.problem or ("" if each > 0 else "the file was rewritten meanwhile")
        rows.append(Row("bytes", f"one message in the store: {what}", each, "bytes", None, None, note, problem))
    return rows


def measure_lobby(bench: Bench) -> list[Row]:
    """10,000 subscribers of the lobby's tables, ten admins who change them 50 times a second"""
    sizes = bench.sizes
    hello, one_list = bench.data / "hello", bench.data / "one-list"
    subscribe = json.dumps({"$type": "subscribe_tables"})
    with bench.foyer() as server:
        admins = bench.make_admins()
        logins = [json.dumps({"$type": "login", "username": name, "password": PASSWORD}) for name in admins]
        hello.write_text("".join(f"{login}\t{subscribe}\n" for login in logins) + f"{subscribe}\n")
        one_list.write_text("tables\n")
        bench.seed("--tables", "10")
        lobby = Sockets(
            bench.client,
            server.port,
            LOBBY_PATH,
            sizes.many,
            rooms=one_list,
            frame=CHANGE,
            hello=hello,
            posters=sizes.admins,
        )
        with lobby as sockets:
            time.sleep(sizes.settle)  # the admins are signed in one after another
            window = sockets.post(sizes.tables_rate, 2 * sizes.seconds)
    bench.windows["lobby"] = [window]
    what = f"{sizes.many:,} subscribers, {sizes.admins} admins, {sizes.tables_rate:g} changes/s: p99"
    late = window.deliveries.latency
    return [Row("lobby", what, late.p99, "ms", Target(most=150), late, problem=window.problem)]


def measure_list(bench: Bench) -> list[Row]:
    """how long it takes to subscribe to a list of 10,000 tables that has just changed"""
    sizes = bench.sizes
    with bench.foyer() as server:
        (admin, *_) = bench.make_admins()
        bench.seed("--tables", str(sizes.tables))
        address = f"ws://127.0.0.1:{server.port}{LOBBY_PATH}"
        with connect(address, max_size=None, compression=None) as reader, connect(address, compression=None) as writer:
            writer.send(json.dumps({"$type": "login", "username": admin, "password": PASSWORD}))
            writer.recv()
            took = sorted(time_of_list(reader, writer, sizes.tables) for _ in range(LISTS))
    note = f"the slowest of {LISTS}, half of them within {took[LISTS // 2]:.1f} ms"
    what = f"a list of {sizes.tables:,} tables, changed and subscribed to"
    return [Row("list", what, took[-1], "ms", Target(most=100), note=note)]


def time_of_list(reader: ClientConnection, writer: ClientConnection, tables: int) -> float:
    """Milliseconds from asking for a list, of which the process has an older one, to having it."""
    writer.send(json.dumps({"$type": "update_table", "table": {"id": 1, "name": "changed", "participants": 1}}))
    writer.send(json.dumps({"$type": "ping"}))
    writer.recv()
    begin = time.perf_counter()
    reader.send(json.dumps({"$type": "subscribe_tables"}))
    listed = reader.recv(timeout=30)
    took = (time.perf_counter() - begin) * 1e3
    if len(json.loads(listed)["tables"]) != tables:
        raise BenchError(f"the list has not {tables:,} tables: {listed[:200]!r}")
    reader.send(json.dumps({"$type": "unsubscribe_tables"}))
    reader.send(json.dumps({"$type": "ping"}))  # answered once that is done: nothing comes before the next list
    reader.recv()
    return took


def measure_basic(bench: Bench) -> list[Row]:
    """reads a second of the lobby's tables by REST, with HTTP Basic"""
    with bench.foyer() as server:
        (admin, *_) = bench.make_admins()
        bench.seed("--tables", "10")
        request = Request("GET", f"{LOBBY_PATH}/tables", bench.tokens, bench.rooms)
        basic = "Authorization: Basic " + base64.b64encode(f"{admin}:{PASSWORD}".encode()).decode()
        return [ask(bench, server, "basic", request, "lists of 10 tables read by REST", "reads/s", basic, 700)]


def measure_return(bench: Bench) -> list[Row]:
    """10,000 users coming back to the gateway, each watching who is online, while a room is talking"""
    sizes, took = bench.sizes, [0.0]
    hello = bench.data / "watch"
    hello.write_text(json.dumps({"type": "subscribe", "topic": "online"}) + "\n")

    def come_back() -> Sockets:
        begin = time.perf_counter()
        returned = Sockets(
            bench.client,
            server.port,
            "/ws",
            sizes.many,
            rooms=bench.one_room,
            frame=FRAME,
            tokens=bench.tokens,
            hello=hello,
            pace=round(sizes.many / sizes.returning),
        )
        took[0] = time.perf_counter() - begin
        return returned

    with (
        bench.foyer() as server,
        bench.sockets(server, sizes.few // 10, bench.one_room) as room,
        ThreadPoolExecutor(1) as beside,
    ):
        coming = beside.submit(come_back)
        window = room.post(sizes.slow_rate, 2 * sizes.returning)
        coming.result().close()
    bench.windows["return"] = [window]
    what = f"{sizes.many:,} users back in {sizes.returning:g} s, a room's messages: p99"
    late, note = window.deliveries.latency, f"all back after {took[0]:.1f} s"
    return [Row("return", what, late.p99, "ms", Target(most=500), late, note, problem=window.problem)]


def measure_search(bench: Bench) -> list[Row]:
    """searches of two words in a user's hundred rooms, with a million messages in the archive"""
    with bench.foyer() as server:
        bench.seed("--archived", str(bench.sizes.archived), "--rooms", str(bench.rooms))
        own = bench.rooms.read_text().split()[:OWN_ROOMS]
        bench.post_all(server, [(f"/room/{room}/members", {"username": "bench-0"}) for room in own])
        headers = {"Authorization": f"Bearer {bench.tokens.read_text().split()[0]}"}
        taken, problem = list[float](), ""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
            for number in range(SEARCHES):
                begun = time.perf_counter()
                connection.request("GET", f"/search?q=w{number + 1}+w{number % 40 + 2}", headers=headers)
                answer = connection.getresponse()
                answer.read()
                taken.append(time.perf_counter() - begun)
                problem = problem or ("" if answer.status == 200 else f"a search was answered {answer.status}")
    taken.sort()
    what, note = "searches of two words in a hundred rooms: p95", f"{bench.sizes.archived:,} messages in SQL"
    late = taken[SEARCHES * 95 // 100] * 1000
    return [Row("search", what, late, "ms", Target(most=100), note=note, problem=problem)]


PARTS: dict[str, Callable[[Bench], list[Row]]] = {
    "a": measure_a,
    "b": measure_b,
    "c": measure_c,
    "stock": measure_stock,
    "connect": measure_connect,
    "memory": measure_memory,
    "rest": measure_rest,
    "history": measure_history,
    "bytes": measure_bytes,
    "lobby": measure_lobby,
    "list": measure_list,
    "basic": measure_basic,
    "return": measure_return,
    "archive": measure_archive,
    "past": measure_past,
    "resume": measure_resume,
    "search": measure_search,  # last: it has somebody join rooms, whose sockets hear more from then on
}
