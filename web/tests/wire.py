"""The network between a browser and a server, to be cut: a TCP proxy on a port of its own."""

from __future__ import annotations

import contextlib
import socket
import threading


class Wire:
    """Passes bytes both ways until it is cut; then what is open breaks, and what comes is refused."""

    def __init__(self, port: int) -> None:
        self.server_port = port
        self.open: set[socket.socket] = set()
        self.is_cut = False
        self.is_deaf = threading.Event()
        self.door = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self.door.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.door.accept()
            except OSError:
                return
            if self.is_cut:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self.server_port))
            self.open |= {client, server}
            threading.Thread(target=self.pass_on, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.pass_on, args=(server, client, True), daemon=True).start()

    def pass_on(self, source: socket.socket, target: socket.socket, downwards: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not (downwards and self.is_deaf.is_set()):
                    target.sendall(data)
        for end in (source, target):
            self.open.discard(end)
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def deafen(self) -> None:
        """From now on nothing of what the server says arrives, while it hears everything."""
        self.is_deaf.set()

    def cut(self) -> None:
        self.is_cut = True
        for end in list(self.open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self.is_deaf.clear()
        self.is_cut = False

    def close(self) -> None:
        self.cut()
        self.door.close()
