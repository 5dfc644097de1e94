"""What one client sends, slowly or in masses, keeps nobody else waiting and does not fill the server."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.clients import PASSWORD
from tests.hostile import ELSEWHERE, Hostile, crowd, frame, memory, watched
from tests.server import Server, servers
from tests.store import wait_for

MIB = 1024 * 1024
SOON = 1.0
"""Seconds that others may wait at most, on a machine that is busy."""


@pytest.fixture(scope="module")
def strict() -> Iterator[Server]:
    """A server with limits that are reached soon."""
    with servers() as started:
        yield started.start(
            HEAD_TIMEOUT="2", BODY_TIMEOUT="3", READ_TIMEOUT="3", CONNECTIONS_PER_ADDRESS="50", UNREAD_PER_ADDRESS="4"
        )


@pytest.fixture(scope="module")
def token(strict: Server) -> str:
    return sign_up(strict, "mallory")


def sign_up(server: Server, name: str) -> str:
    with guest(server) as client:
        answer = client.post("/user", json={"username": name, "password": PASSWORD})
        assert answer.status_code in (201, 409), answer.text
        return str(client.post("/auth", json={"username": name, "password": PASSWORD}).json()["token"])


def guest(server: Server, address: str = "127.0.0.1") -> httpx.Client:
    transport = httpx.HTTPTransport(local_address=address)
    return httpx.Client(base_url=server.base_url, transport=transport, timeout=20)


def can_sign_in(server: Server, address: str = "127.0.0.1") -> bool:
    with guest(server, address) as client:
        answer = client.post("/auth", json={"username": "mallory", "password": PASSWORD})
        return answer.status_code == 200


# What comes in slowly, or not at all

HALF_A_BODY = b"POST /auth HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60\r\nContent-Type: application/json\r\n\r\n{"
HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "


@pytest.mark.parametrize("beginning", [b"", b"G", HALF_A_HEAD, HALF_A_BODY], ids=["nothing", "letter", "head", "body"])
def test_who_never_says_the_rest_keeps_nobody_from_signing_in(
    start_server: Callable[..., Server], beginning: bytes
) -> None:
    server = start_server()
    sign_up(server, "mallory")
    for address in (ELSEWHERE, "127.0.0.1"):
        with crowd(server, 300, address) as many, watched(server) as others:
            for each in many:
                each.send(beginning)
            begun = time.monotonic()
            assert can_sign_in(server)
            assert time.monotonic() - begun < 2 * SOON
        assert others.longest < SOON


def test_a_head_that_does_not_come_in_time_is_answered_408(strict: Server) -> None:
    for beginning in (b"G", HALF_A_HEAD):
        with Hostile(strict) as slow:
            slow.send(beginning)
            assert slow.status() == 408
            assert slow.closed_within(5)


def test_a_head_that_comes_letter_by_letter_is_not_waited_for_any_longer(strict: Server) -> None:
    with Hostile(strict) as slow:
        begun = time.monotonic()
        slow.send(HALF_A_HEAD)
        while slow.send(b"x") and time.monotonic() - begun < 10:
            time.sleep(0.1)
        assert time.monotonic() - begun < 8


@pytest.mark.parametrize("framing", ["Content-Length: 60", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("path", ["/auth", "/rooms", "/nowhere", "/admin/login/"])
def test_a_body_that_does_not_come_in_time_is_answered_408(strict: Server, path: str, framing: str) -> None:
    with Hostile(strict) as slow:
        slow.ask("POST", path, framing, "Content-Type: application/json")
        said = slow.answer()
        assert said.startswith(b"HTTP/1.1 408 ")
        head, _, body = said.partition(b"\r\n\r\n")
        assert json.loads(body)["code"] == "request_timeout"
        assert b"connection: close" in head.lower()


def test_who_says_nothing_is_let_go(strict: Server) -> None:
    with Hostile(strict) as silent:
        assert silent.closed_within(6)
    with Hostile(strict) as asked_once:
        asked_once.ask("GET", "/health/live")
        assert asked_once.status() == 200
        assert asked_once.closed_within(10)
    with Hostile(strict) as dribbles:  # what comes after the answer is waited for no longer than the rest
        dribbles.ask("POST", "/health/live", "Content-Length: 1000")
        begun = time.monotonic()
        while dribbles.send(b"x") and time.monotonic() - begun < 12:
            time.sleep(0.2)
        assert time.monotonic() - begun < 10


def test_of_too_many_unfinished_connections_of_one_address_the_oldest_make_room(strict: Server) -> None:
    with crowd(strict, 60) as many, guest(strict) as other:
        for each in many:
            each.send(HALF_A_HEAD)
        assert other.get("/health/live").status_code == 200
        assert many[0].closed_within(1)
        assert not many[-1].closed_within(0.2)
        with guest(strict, ELSEWHERE) as same:
            assert same.get("/health/live").status_code == 200


def test_a_process_with_few_files_goes_on_whoever_connects(start_server: Callable[..., Server]) -> None:
    server = start_server(wait=False)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (600, 600))
    server.wait_until_it_answers()
    sign_up(server, "mallory")
    with crowd(server, 700):
        for _ in range(3):
            assert can_sign_in(server)
            with guest(server) as other:
                assert other.get("/health/ready").status_code == 200
    assert "Too many open files" not in server.output()


# What comes in masses


@pytest.mark.parametrize(
    "endless",
    [b"GET /" + b"x" * 65536, b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 65536, b"\r\n" * 32768, b"\0" * 65536],
    ids=["line", "header", "blank", "rubbish"],
)
def test_a_head_without_an_end_is_refused(strict: Server, endless: bytes) -> None:
    before = memory(strict)
    with Hostile(strict) as hostile, watched(strict) as others:
        hostile.send(endless)
        sent = hostile.flood(b"x" * 65536 if endless[:3] == b"GET" else endless, 60 * MIB)
        assert hostile.status() in (400, 431)
    assert sent < 20 * MIB
    assert others.longest < SOON
    assert memory(strict) - before < 20 * MIB


def test_a_request_line_that_comes_in_small_pieces_is_refused_all_the_same(strict: Server) -> None:
    with Hostile(strict) as hostile, watched(strict) as others:
        hostile.send(b"GET /")
        for _ in range(2000):
            if not hostile.send(b"x" * 100):
                break
        assert hostile.status() == 431
    assert others.longest < SOON


@pytest.mark.parametrize(
    ("lines", "status"),
    [(10, 200), (190, 200), (201, 431), (5000, 431)],
)
def test_a_head_has_200_lines_at_most(strict: Server, lines: int, status: int) -> None:
    with Hostile(strict) as hostile:
        hostile.ask("GET", "/health/live", *(f"X-{number}: y" for number in range(lines - 1)))
        assert hostile.status() == status


@pytest.mark.parametrize(("size", "status"), [(8000, 200), (60_000, 200), (66_000, 431), (200_000, 431)])
def test_a_head_has_64_kib_at_most(strict: Server, size: int, status: int) -> None:
    with Hostile(strict) as hostile:
        hostile.ask("GET", "/health/live", "X-Long: " + "x" * size)
        said = hostile.answer() if status == 431 else b""
        assert (hostile.status() if status == 200 else int(said.split(b" ")[1])) == status
        if said:
            assert json.loads(said.partition(b"\r\n\r\n")[2])["code"] == "head_too_large"


def test_trailers_and_extensions_of_chunks_without_an_end_are_refused(strict: Server) -> None:
    for endless in (b"0\r\nX-Trailer: ", b"0\r\n" + b"A: b\r\n" * 10_000, b"5;x="):
        with Hostile(strict) as hostile, watched(strict) as others:
            hostile.ask("POST", "/auth", "Transfer-Encoding: chunked", "Content-Type: application/json")
            hostile.send(endless)
            assert hostile.flood(b"x" * 65536, 60 * MIB) < 20 * MIB
        assert others.longest < SOON


def test_thousands_of_requests_in_one_go_are_not_all_kept(strict: Server) -> None:
    before = memory(strict)
    with Hostile(strict) as hostile, watched(strict) as others:
        hostile.flood(b"GET /health/live HTTP/1.1\r\n\r\n" * 2000, 20 * MIB, 5)
    assert others.longest < SOON
    assert memory(strict) - before < 20 * MIB


def test_a_hundred_requests_in_one_go_are_answered_in_order(strict: Server) -> None:
    with Hostile(strict) as client:
        paths = ["/health/live", "/nowhere"] * 40
        client.send(b"".join(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for path in paths))
        said = b""
        while said.count(b"HTTP/1.1 ") < len(paths):
            said += client.socket.recv(65536)
        assert [int(part[:3]) for part in said.split(b"HTTP/1.1 ")[1:]] == [200, 404] * 40


# Frames


@pytest.mark.parametrize(
    ("flood", "codes"),
    [
        (frame(b"", 1, final=False) + frame(b"", 0, final=False) * 2000, {4400, 4429}),
        (frame(b"x" * 125, 9) * 500, {4408, 4429}),
        (frame(b"", 10) * 5000, {4429}),
        (frame(b"{}") * 5000, {4429}),
        (frame(b"x", 1, final=False) + frame(b"", 0) + frame(b"", 9), {4429}),
    ],
    ids=["empty fragments", "pings", "pongs", "messages", "all"],
)
def test_a_flood_of_frames_is_cut_and_keeps_nobody_waiting(
    strict: Server, token: str, flood: bytes, codes: set[int]
) -> None:
    before, closed = memory(strict), closes(strict, codes)
    with Hostile(strict) as hostile, watched(strict) as others:
        hostile.upgrade("/ws", f"Authorization: Bearer {token}")
        assert hostile.flood(flood * 10, 60 * MIB) < 30 * MIB
        wait_for(lambda: closes(strict, codes) > closed)
    assert others.longest < SOON
    assert memory(strict) - before < 30 * MIB


def test_a_message_in_many_fragments_is_refused(strict: Server, token: str) -> None:
    with Hostile(strict) as hostile:
        hostile.upgrade("/ws", f"Authorization: Bearer {token}")
        hostile.send(frame(b"{", 1, final=False) + frame(b" ", 0, final=False) * 1100 + frame(b"}", 0))
        assert hostile.close_code() == 4400


def test_a_message_in_some_fragments_is_heard(strict: Server, token: str) -> None:
    with Hostile(strict) as client:
        client.upgrade("/ws", f"Authorization: Bearer {token}")
        text = b'{"type":"ping","seq":7}'
        parts = [text[at : at + 1] for at in range(len(text))]
        client.send(frame(parts[0], 1, final=False) + b"".join(frame(part, 0, final=False) for part in parts[1:]))
        client.send(frame(b"still here?", 9) + frame(b"", 0))
        said = b""
        while b'"pong"' not in said:
            said += client.socket.recv(65536)
        assert b"still here?" in said


def test_pongs_that_nobody_reads_wait_like_everything_else(strict: Server, token: str) -> None:
    before, closed = memory(strict), closes(strict, {4408})
    with Hostile(strict, buffer=4096) as hostile:
        hostile.upgrade("/ws", f"Authorization: Bearer {token}")
        pings, until = frame(b"x" * 125, 9) * 100, time.monotonic() + 40
        while hostile.send(pings) and time.monotonic() < until:
            time.sleep(0.06)  # within what a socket may send
        assert time.monotonic() < until
    assert memory(strict) - before < 20 * MIB
    wait_for(lambda: closes(strict, {4408}) > closed)


def counted(server: Server, metric: str) -> dict[str, float]:
    """A counter of the server's, by its label."""
    lines = httpx.get(f"{server.base_url}/metrics").text.splitlines()
    return {line.split('"')[1]: float(line.split()[-1]) for line in lines if line.startswith(f"{metric}_total{{")}


def closes(server: Server, codes: set[int]) -> float:
    """How many connections were closed with these codes."""
    known = counted(server, "foyer_closes")
    return sum(known.get(str(code), 0) for code in codes)


def test_frames_before_the_handshake_is_over_are_not_kept(strict: Server) -> None:
    with Hostile(strict) as hostile, watched(strict) as others:
        hostile.ask(
            "GET", "/ws", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13", body=frame(b"x" * 100, 9) * 1000,
        )  # fmt: skip
        hostile.flood(frame(b"", 9) * 5000, 20 * MIB, 5)
    assert others.longest < SOON


def test_sockets_that_are_signed_out_are_limited_by_address(strict: Server) -> None:
    with crowd(strict, 50) as many:
        for each in many:
            each.upgrade("/lobby_api")
        with Hostile(strict) as one_more:
            one_more.ask(
                "GET", "/lobby_api", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
            )  # fmt: skip
            assert one_more.status() == 429
        with Hostile(strict, "127.0.0.1") as other:
            other.upgrade("/lobby_api")


def test_who_is_cut_off_is_counted(strict: Server) -> None:
    before = counted(strict, "foyer_refusals").get("head_too_large", 0)
    with Hostile(strict) as hostile:
        hostile.ask("GET", "/", "X-Long: " + "x" * 70_000)
        assert hostile.status() == 431
    wait_for(lambda: counted(strict, "foyer_refusals").get("head_too_large", 0) > before)
