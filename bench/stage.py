"""What the parts of the bench share: sizes, cores, the load client, and Foyer's data with accounts and rooms."""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.client import Client, Sockets, Window
from bench.search import Search
from bench.servers import CHECKOUT, BenchError, Foyer, Server, find_cores, foyer_environment

TEXT = "<mark> of forty characters."
"""With its mark of 19 characters in place, a text of 40."""
PASSWORD = secrets.token_hex(12)
"""Of the admins."""
FRAME = json.dumps({"type": "post", "text": TEXT})


@dataclass(frozen=True)
class Kind:
    """What sockets are measured: where they are, what one says first, how much comes to it before it hears its room,
    and how it posts."""

    path: str
    hello: str
    answers: int
    frame: str


KINDS = {
    "gateway": Kind(
        path="/ws",
        hello=json.dumps({"type": "subscribe", "topic": "room:<room>"}),
        answers=2,  # the welcome, and the reply to that
        frame=json.dumps({"id": 1, "type": "post", "room": "<room>", "text": TEXT}),
    ),
    "room": Kind(path="/room/<room>/subscribe", hello="", answers=0, frame=FRAME),
}
"""The sockets on which a client hears a room. Rooms are open, so nobody has to be a member."""


@dataclass(frozen=True)
class Sizes:
    """How much of everything. Rates are posts a second."""

    few: int = 1_000
    many: int = 10_000
    rooms: int = 1_000
    seconds: float = 5.0
    first_rate_few: float = 700.0
    first_rate_many: float = 50.0
    first_rate_stock: float = 2.0
    slow_rate: float = 10.0
    rooms_rate: float = 4_040.0  # one in a hundred more than the target: the last of a window arrive after its end
    admins: int = 10
    tables_rate: float = 50.0
    tables: int = 10_000
    returning: float = 10.0  # seconds in which everyone comes back
    stored: int = 20_000
    archived: int = 1_000_000
    to_archive: int = 200_000
    old: int = 3_000  # messages of a room of which the store keeps the newest
    missed: int = 100_000
    connections: int = 32
    settle: float = 3.0  # seconds for a server to finish what opening or losing many sockets left it to do
    most_windows: int = 12
    one_server: bool = False


QUICK = Sizes(
    few=20,
    many=60,
    rooms=6,
    seconds=0.4,
    first_rate_few=50.0,
    first_rate_many=20.0,
    rooms_rate=100.0,
    admins=2,
    tables_rate=20.0,
    tables=100,
    returning=1.0,
    stored=100,
    archived=2_000,
    to_archive=600,
    old=1_500,
    missed=1_500,
    connections=4,
    settle=0.1,
    most_windows=2,
    one_server=True,
)


class Bench:
    """What the parts share: the cores, the compiled load client, and Foyer's data with accounts and rooms in it."""

    def __init__(self, folder: Path, sizes: Sizes, say: Callable[[str], None], kind: Kind) -> None:
        self.folder = folder
        self.kind = kind
        self.sizes = sizes
        self.say = say
        self.cores = find_cores()
        self.client = Client(folder, self.cores.others)
        self.data = Path(tempfile.mkdtemp(prefix="data-", dir=folder))
        self.environment = foyer_environment(self.data)
        self.tokens, self.rooms, self.one_room, self.hello = (
            self.data / name for name in ("tokens", "rooms", "room", "say-first")
        )
        self.windows: dict[str, list[Window]] = {}
        self.running = contextlib.ExitStack()
        self.shared: Server | None = None
        self.tried = False

    def close(self) -> None:
        self.running.close()
        shutil.rmtree(self.data, ignore_errors=True)

    @contextlib.contextmanager
    def foyer(self, *, quota: bool = True) -> Iterator[Server]:
        """Foyer on data with accounts and rooms: freshly started, or in a quick run the one that all parts share.

        Without `quota` for parts in which one user posts more than people do.
        """
        self.prepare_once()
        if self.shared is not None:
            yield self.shared
            return
        with self.start_foyer(quota=quota) as server:
            yield server

    def start_foyer(self, *, quota: bool) -> Server:
        environment = self.environment if quota else {**self.environment, "POSTS_PER_MINUTE": "0"}
        return Foyer(environment, self.data, self.folder / "foyer.log", self.cores)

    def prepare_once(self) -> None:
        """Prepare, at the first part that needs it; where that failed, the others needn't try."""
        if self.one_room.exists():
            return
        if self.tried:
            raise BenchError("there are no accounts and rooms to measure with; the reason is further up")
        self.tried = True
        self.prepare()

    def prepare(self) -> None:
        """Make accounts with a session each, and rooms. Those belong to the last account, which opens no socket: on the
        gateway it would hear them all."""
        self.say(f"making {self.sizes.many:,} accounts and {self.sizes.rooms:,} rooms")
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(self.start_foyer(quota=not self.sizes.one_server))
            self.seed("--users", str(self.sizes.many + 1), "--out", str(self.tokens))
            self.hello.write_text(f"{self.kind.hello}\n")
            requests = [("/rooms", {"name": f"bench {number}"}) for number in range(self.sizes.rooms)]
            ids = [str(room["roomId"]) for room in self.post_all(server, requests)]
            self.rooms.write_text("\n".join(ids) + "\n")
            self.one_room.write_text(f"{ids[0]}\n")
            if self.sizes.one_server:
                self.running, self.shared = stack.pop_all(), server

    def post_all(self, server: Server, requests: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
        """Make each of these POSTs as the last account, one after another on one connection; their answers."""
        token = self.tokens.read_text().split()[-1]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        answers = []
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
            for path, body in requests:
                connection.request("POST", path, json.dumps(body), headers)
                answer = connection.getresponse()
                text = answer.read()
                if answer.status != 201:
                    raise BenchError(f"POST {path} was answered {answer.status}: {text.decode(errors='replace')[:300]}")
                answers.append(json.loads(text))
        return answers

    def seed(self, *options: str) -> str:
        """Run `bench.seed` against the store and the database of the running server; what it prints."""
        command = [sys.executable, "-m", "bench.seed", *options]
        done = subprocess.run(
            command, cwd=CHECKOUT, env=self.environment, capture_output=True, text=True, timeout=900, check=False
        )
        if done.returncode:
            raise BenchError(f"{' '.join(command[1:])} failed:\n{done.stderr.strip()}")
        return done.stdout

    def make_admins(self) -> list[str]:
        """Names of admins, whose password is `PASSWORD`."""
        self.seed("--admins", str(self.sizes.admins), "--password", PASSWORD)
        return [f"bench-admin-{number}" for number in range(self.sizes.admins)]

    def store_info(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.seed("--info"))
        return found

    def sockets(self, server: Server, count: int, rooms: Path, *, in_rooms: bool = True) -> Sockets:
        """Sockets of Foyer, each of an account of its own, in the rooms that the file lists.

        Those of the gateway, unless `in_rooms`, are signed in and welcomed and hear what comes to their users alone.
        """
        return Sockets(
            self.client,
            server.port,
            self.kind.path,
            count,
            rooms=rooms,
            tokens=self.tokens,
            frame=self.kind.frame,
            hello=self.hello if self.kind.hello and in_rooms else None,
            answers=self.kind.answers if in_rooms else min(self.kind.answers, 1),
        )

    def search(self, name: str, open_sockets: Callable[[], Sockets]) -> Search:
        """A search whose windows are kept under `name`."""
        search = Search(open_sockets, self.sizes.seconds, self.sizes.settle, self.sizes.most_windows, self.say)
        self.windows[name] = search.windows
        return search
