"""Clients that mean harm: they send what no library would, as slowly or as much as they like, and need not read.

They come from an address of this machine of their own, and are bounded in time and size.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator

import httpx
import psutil

from tests.server import Server

ELSEWHERE = "127.0.0.66"
"""The address that attacks come from. Linux takes all of 127.0.0.0/8 for this machine."""
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class Hostile:
    """A connection of bytes. `buffer` is how much the system keeps for it of what it does not read."""

    def __init__(self, server: Server, address: str = ELSEWHERE, buffer: int = 0) -> None:
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.bind((address, 0))
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", server.port))

    def __enter__(self) -> Hostile:
        return self

    def __exit__(self, *details: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> bool:
        """Send; False once the server has cut the connection."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def flood(self, data: bytes, size: int, seconds: float = 10) -> int:
        """Send `data` again and again, `size` bytes at most, until the server takes no more. Returns how many went."""
        sent, until = 0, time.monotonic() + seconds
        self.socket.settimeout(0.5)
        while sent < size and time.monotonic() < until:
            try:
                sent += self.socket.send(data)
            except TimeoutError:
                continue
            except OSError:
                break
        return sent

    def ask(self, method: str, path: str, *lines: str, body: bytes = b"") -> None:
        head = [f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""]
        self.send("\r\n".join(head).encode() + body)

    def answer(self) -> bytes:
        """What the server says until it closes, or 20 s long."""
        said = b""
        with contextlib.suppress(OSError):
            while part := self.socket.recv(65536):
                said += part
        return said

    def status(self) -> int:
        """The status of the answer; 0 where the connection was closed without one."""
        said = b""
        with contextlib.suppress(OSError):
            while b"\r\n\r\n" not in said and (part := self.socket.recv(65536)):
                said += part
        return int(said.split(b" ", 2)[1]) if said.startswith(b"HTTP/") else 0

    def closed_within(self, seconds: float) -> bool:
        """Whether the server closes the connection in time; what it says before is passed over."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if not select.select([self.socket], [], [], left)[0]:
                return False
            try:
                if not self.socket.recv(1 << 20):
                    return True
            except OSError:
                return True
        return False

    def upgrade(self, path: str, *lines: str) -> None:
        """Open a WebSocket."""
        self.ask(
            "GET", path, "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {KEY}",
            "Sec-WebSocket-Version: 13", *lines,
        )  # fmt: skip
        status = self.status()
        assert status == 101, status

    def close_code(self) -> int:
        """The code of the server's close frame, which is the last that it sends; 0 where there is none."""
        said = self.answer()
        place = max(said.rfind(b"\x88" + bytes((size,))) for size in range(2, 126))
        return int(struct.unpack("!H", said[place + 2 : place + 4])[0]) if place >= 0 else 0


def frame(payload: bytes, opcode: int = 1, *, final: bool = True) -> bytes:
    """A frame as a client sends it, masked by zeros. Opcodes: 0 goes on, 1 text, 2 binary, 8 close, 9 ping, 10 pong."""
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + struct.pack("!H", size)
    return bytes((0x80 * final | opcode,)) + length + bytes(4) + payload


class Watch:
    """Asks the server for its health all the time, from an address of its own. `longest` is the longest wait."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.longest = 0.0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.ask)

    def ask(self) -> None:
        with httpx.Client(base_url=self.server.base_url, timeout=60, trust_env=False) as client:
            while not self.over.is_set():
                begun = time.monotonic()
                client.get("/health/live")
                self.longest = max(self.longest, time.monotonic() - begun)
                time.sleep(0.01)


@contextlib.contextmanager
def watched(server: Server) -> Iterator[Watch]:
    found = Watch(server)
    found.thread.start()
    try:
        yield found
    finally:
        found.over.set()
        found.thread.join()


def memory(server: Server) -> int:
    """Bytes of memory of the serving process."""
    return int(psutil.Process(server.pid).memory_info().rss)


@contextlib.contextmanager
def crowd(server: Server, count: int, address: str = ELSEWHERE) -> Iterator[list[Hostile]]:
    """Many connections at once."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Hostile(server, address)) for _ in range(count)]
