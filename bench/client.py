"""The load client (`bench/load/`) as Python sees it: compiled, started on its core, its JSON read into dataclasses."""

from __future__ import annotations

import contextlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.servers import CHECKOUT, BenchError, starting_on

SOURCES = CHECKOUT / "bench" / "load"
LONGEST = 600
"""Seconds after which the client ends itself, whatever it was asked for."""
BEARER = "Authorization: Bearer <token>"


@dataclass(frozen=True)
class Latency:
    """Percentiles in ms. Those of posts run from the time a post was due."""

    p50: float
    p99: float
    p999: float
    worst: float

    @classmethod
    def of(cls, found: dict[str, Any]) -> Latency:
        return cls(found["p50_ms"], found["p99_ms"], found["p999_ms"], found["max_ms"])


@dataclass(frozen=True)
class Tally:
    """Deliveries, or acknowledgements, of the posts of one window. `per_second` counts what came before its end."""

    expected: int
    received: int
    per_second: float
    latency: Latency

    @classmethod
    def of(cls, found: dict[str, Any]) -> Tally:
        return cls(found["expected"], found["received"], found["in_window_per_s"], Latency.of(found))


@dataclass(frozen=True)
class Opened:
    """How the opening of all sockets went; the latency is that of a handshake."""

    open: int
    per_second: float
    latency: Latency
    first_error: str


@dataclass(frozen=True)
class Window:
    """What became of the posts of a few seconds, asked for at a fixed rate."""

    asked_per_second: float
    seconds: float
    sent: int
    deliveries: Tally
    acks: Tally
    gaps: int
    repeats: int
    closed: int
    errors: int
    first_error: str

    @property
    def problem(self) -> str:
        """What kept the deliveries from being each post to each socket, once and in order; empty if nothing did."""
        missing = self.deliveries.expected - self.deliveries.received
        counts = {"missing": missing, "gaps": self.gaps, "repeats": self.repeats, "errors": self.errors}
        found = [f"{count} {name}" for name, count in counts.items() if count]
        if not self.sent:
            found.append("nothing could be sent")
        return ", ".join(found) + (f" ({self.first_error})" if self.first_error else "")

    @property
    def kept_up(self) -> bool:
        """Whether the server delivered as fast as it was posted to."""
        asked = self.deliveries.expected / self.seconds
        return not self.problem and self.deliveries.per_second >= 0.95 * asked


@dataclass(frozen=True)
class Answers:
    """What came back over keep-alive connections that each had one request under way all the time."""

    answered: int
    per_second: float
    latency: Latency
    not_2xx: int
    broken: int
    first_error: str

    @property
    def problem(self) -> str:
        if not self.not_2xx and not self.broken:
            return "" if self.answered else "nothing was answered"
        return f"{self.not_2xx} not 2xx, {self.broken} connections broken ({self.first_error})"


@dataclass(frozen=True)
class Request:
    """What `http` sends. `path` and `body` are templates; tokens and rooms are files of lines, taken in turn."""

    method: str
    path: str
    tokens: Path
    rooms: Path
    body: str = ""


class Client:
    """The compiled client. `on` is the cores it runs on."""

    def __init__(self, folder: Path, on: set[int]) -> None:
        self.program = folder / "load"
        self.on = on
        sources = sorted(str(source) for source in SOURCES.glob("*.c"))
        command = ["cc", "-O2", "-o", str(self.program), *sources]
        try:
            subprocess.run(command, check=True, timeout=120)
        except (OSError, subprocess.CalledProcessError) as error:
            raise BenchError(f"The load client needs a C compiler on Linux: {error}") from error

    def start(self, mode: str, options: dict[str, object], headers: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        words += [word for header in headers for word in ("--header", header)]
        with starting_on(self.on):
            return subprocess.Popen(
                [str(self.program), mode, "--deadline", str(LONGEST), *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

    def ask(self, port: int, request: Request, *, connections: int, seconds: float, signed_in: str = BEARER) -> Answers:
        """Put one kind of request, over `connections` at once, for `seconds`. `signed_in` is a header that says who."""
        options: dict[str, object] = {"port": port, "sockets": connections, "seconds": seconds, **vars(request)}
        headers = (signed_in, "Content-Type: application/json", "Accept: application/json")
        process = self.start("http", options, headers)
        with process:
            found = read_object(process)
        return Answers(
            answered=found["answered"],
            per_second=found["per_s"],
            latency=Latency.of(found),
            not_2xx=found["not_2xx"],
            broken=found["broken"],
            first_error=found["first_error"],
        )


class Sockets:
    """Sockets that are open for as long as the context lasts; socket i is in room i modulo the rooms.

    Each first says its line of `hello`, where there is such a file; of all, the first `posters` post, or each does.
    `pace` is how many are opened a second, at most. One counts as open once `answers` frames came to it.
    Raises `BenchError` if not all of them could be opened.
    """

    def __init__(
        self,
        client: Client,
        port: int,
        path: str,
        count: int,
        *,
        rooms: Path,
        frame: str,
        tokens: Path | None = None,
        hello: Path | None = None,
        posters: int = 0,
        pace: int = 0,
        answers: int = 0,
    ) -> None:
        options: dict[str, object] = {"port": port, "path": path, "sockets": count, "rooms": rooms, "frame": frame}
        options |= (
            {"posters": posters, "pace": pace, "answers": answers}
            | ({"tokens": tokens} if tokens else {})
            | ({"hello": hello} if hello else {})
        )
        self.process = client.start("ws", options, (BEARER,) if tokens else ())
        try:
            found = read_object(self.process)
            self.opened = Opened(found["open"], found["per_s"], Latency.of(found), found["first_error"])
            if self.opened.open < count:
                raise BenchError(f"{self.opened.open} of {count} sockets on {path} opened: {self.opened.first_error}")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Sockets:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def post(self, per_second: float, seconds: float) -> Window:
        """Post at a fixed total rate, the sockets taking turns, and wait for the last delivery."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{per_second} {seconds}\n")
        self.process.stdin.flush()
        found = read_object(self.process)
        return Window(
            asked_per_second=found["asked_per_s"],
            seconds=found["seconds"],
            sent=found["sent"],
            deliveries=Tally.of(found["deliveries"]),
            acks=Tally.of(found["acks"]),
            gaps=found["gaps"],
            repeats=found["repeats"],
            closed=found["closed"],
            errors=found["errors"],
            first_error=found["first_error"],
        )

    def close(self) -> None:
        with self.process, contextlib.suppress(BrokenPipeError):
            assert self.process.stdin is not None
            self.process.stdin.close()


def read_object(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The next JSON object the client prints. It bounds its own time, so this ends."""
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    if not line:
        raise BenchError(f"The load client ended with code {process.wait()}: {process.stderr.read().strip()}")
    found: dict[str, Any] = json.loads(line)
    return found
