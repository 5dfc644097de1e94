"""`manage.py serve` as a user meets it: started, interrupted, started twice, killed and refused."""

from __future__ import annotations

import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.sync.client import connect

from foyer.server import checks
from foyer.store.embedded import Store
from tests.server import Server, bare_environment
from tests.settings import ROOT
from tests.store import wait_for

ADMIN = ("admin", "admin")
QUICK = 10
"""Seconds within which a server is gone: it grants open sockets five."""

StartServer = Callable[..., Server]
embedded = {"REDIS_URL": ""}
"""For tests of the embedded Valkey, also when the suite runs on a cluster."""


def valkey_of(server: Server) -> psutil.Process:
    return psutil.Process(int((server.data_dir / "valkey/valkey.pid").read_text()))


def workers_of(server: Server) -> list[psutil.Process]:
    """The serving processes of a server that has several, as it announced them."""
    found = re.findall(r"workers, ([\d, ]+)", server.output())
    return [psutil.Process(int(pid)) for pid in found[-1].split(", ")]


def family_of(server: Server) -> list[psutil.Process]:
    """The server, its workers and helpers, and its Valkey."""
    parent = psutil.Process(server.pid)
    return [parent, *parent.children(recursive=True), valkey_of(server)]


def gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_that_was_started(
    start_server: StartServer, number: signal.Signals, workers: str
) -> None:
    server = start_server(WORKERS=workers, **embedded)
    family = family_of(server)
    assert server.stop(number) == 0
    wait_for(lambda: gone(family), seconds=1)
    assert "Traceback" not in server.output()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_while_it_is_still_starting_is_quiet_too(start_server: StartServer, workers: str) -> None:
    server = start_server(wait=False, WORKERS=workers, **embedded)
    wait_for(lambda: "to stop" in server.output())
    family = family_of(server)
    assert server.stop(signal.SIGINT) == 0
    wait_for(lambda: gone(family), seconds=1)
    assert "Traceback" not in server.output()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_open_sockets_do_not_hold_it_up(start_server: StartServer, workers: str) -> None:
    server = start_server(WORKERS=workers, **embedded)
    family = family_of(server)
    token = httpx.post(f"{server.base_url}/auth", json={"username": "admin", "password": "admin"}).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    with (
        connect(f"{server.ws_url}/messages/subscribe", additional_headers=headers),
        httpx.Client() as idle,
        httpx.Client() as streaming,
        streaming.stream(
            "GET", f"{server.base_url}/messages/subscribe", headers=headers | {"Accept": "text/event-stream"}
        ),
    ):
        idle.get(f"{server.base_url}/")
        told = time.monotonic()
        assert server.stop(signal.SIGINT) == 0
        assert time.monotonic() - told < QUICK
    wait_for(lambda: gone(family), seconds=1)
    assert "Traceback" not in server.output()


def test_a_second_instance_joins_the_first_and_outlives_it(start_server: StartServer) -> None:
    first = start_server(**embedded)
    valkey = valkey_of(first)
    name = f"room-{secrets.token_hex(4)}"
    second = start_server(**embedded)
    assert valkey_of(second).pid == valkey.pid
    room = httpx.post(f"{first.base_url}/rooms", json={"name": name}, auth=ADMIN).json()
    assert httpx.get(f"{second.base_url}/room/{room['roomId']}", auth=ADMIN).json() == room
    first.stop()
    assert httpx.get(f"{second.base_url}/room/{room['roomId']}", auth=ADMIN).json() == room
    second.stop()
    wait_for(lambda: gone([valkey]), seconds=1)


def test_two_that_start_at_once_share_one_new_database_and_store(start_server: StartServer) -> None:
    servers = [start_server(wait=False) for _ in range(3)]
    for server in servers:
        server.wait_until_it_answers()
        assert httpx.get(f"{server.base_url}/", auth=ADMIN).json()["username"] == "admin"
    assert sum("Applied" in server.output() for server in servers) == 1


def test_a_port_that_is_taken_is_explained_and_nothing_is_left_running(
    start_server: StartServer, tmp_path: Path
) -> None:
    first = start_server(**embedded)
    second = start_server(data_dir=tmp_path / "other", wait=False, PORT=str(first.port), **embedded)
    assert second.process.wait(20) == 1
    assert f"Port {first.port} on 127.0.0.1 is taken" in second.output()
    assert f"PORT={first.port + 1}" in second.output()
    assert "Traceback" not in second.output()
    assert not Store(second.data_dir / "valkey").ready()
    assert first.process.poll() is None


def test_it_says_what_it_started_where_the_data_lies_and_how_to_stop_it(start_server: StartServer) -> None:
    server = start_server(WORKERS="2", **embedded)
    said = server.output()
    assert f"{server.base_url}/\n" in said
    for page in ("/app/", "/admin/"):
        assert f"{server.base_url}{page}" in said
    assert f"kill {server.pid}" in said
    assert f"process {valkey_of(server).pid}, {server.data_dir / 'valkey'}" in said
    assert re.search(r"2 workers, \d+, \d+", said)
    assert "admin with the password admin" in said


def test_a_killed_worker_is_replaced(start_server: StartServer) -> None:
    server = start_server(WORKERS="2")
    killed, other = workers_of(server)
    killed.kill()
    wait_for(lambda: f"Worker {killed.pid} is gone" in server.output())
    replacement = int(server.output().rsplit("; worker ", 1)[1].split()[0])
    other.suspend()  # so that only the new one can answer
    try:
        assert httpx.get(f"{server.base_url}/", auth=ADMIN, timeout=30).status_code == 200
    finally:
        other.resume()
    assert psutil.Process(replacement).ppid() == server.pid


def test_workers_whose_parent_is_killed_end_and_stop_the_store(start_server: StartServer) -> None:
    server = start_server(WORKERS="2", **embedded)
    family = family_of(server)
    server.kill()
    wait_for(lambda: gone(family), seconds=QUICK)
    assert "Traceback" not in server.output()


def test_after_a_kill_it_starts_again_on_what_was_acknowledged(start_server: StartServer) -> None:
    server = start_server(**embedded)
    valkey = valkey_of(server)
    room = httpx.post(f"{server.base_url}/rooms", json={"name": "kept"}, auth=ADMIN).json()
    server.kill()
    valkey.kill()
    server.begin()
    server.wait_until_it_answers()
    assert httpx.get(f"{server.base_url}/room/{room['roomId']}", auth=ADMIN).json() == room


def test_a_killed_valkey_comes_back_while_it_serves(start_server: StartServer) -> None:
    server = start_server(WORKERS="2", **embedded)
    room = httpx.post(f"{server.base_url}/rooms", json={"name": "kept"}, auth=ADMIN).json()
    valkey = valkey_of(server)
    valkey.kill()
    address = f"{server.base_url}/room/{room['roomId']}"
    wait_for(lambda: httpx.get(address, auth=ADMIN).status_code == 200, seconds=5)
    assert httpx.get(address, auth=ADMIN).json() == room
    assert valkey_of(server).pid != valkey.pid


def test_admin_is_made_once_and_its_password_is_never_reset(start_server: StartServer) -> None:
    server = start_server()
    assert "admin with the password admin" in server.output()
    change = {"current": "admin", "new": "a better one"}
    assert httpx.put(f"{server.base_url}/user/admin/password", json=change, auth=ADMIN).is_success
    server.stop()
    second = start_server()
    assert httpx.get(f"{second.base_url}/users", auth=ADMIN).status_code == 401
    assert httpx.get(f"{second.base_url}/users", auth=("admin", "a better one")).status_code == 200
    assert "with the password admin" not in second.output()


production = {"DEBUG": "0", "SECRET_KEY": secrets.token_urlsafe(48), "ALLOWED_HOSTS": "127.0.0.1"}


def test_production_left_at_development_values_is_refused_with_all_that_is_wrong(start_server: StartServer) -> None:
    start_server(**embedded).stop()
    refused = start_server(wait=False, DEBUG="0", SECRET_KEY="short", ALLOWED_HOSTS="*", **embedded)
    assert refused.process.wait(20) == 1
    for word in ("SECRET_KEY", "ALLOWED_HOSTS", "python manage.py changepassword admin"):
        assert word in refused.output()
    assert "Traceback" not in refused.output()
    assert not Store(refused.data_dir / "valkey").ready()


def test_commands_are_given_for_the_python_that_runs_this(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for python, expected in (
        (str(tmp_path / ".venv/bin/python"), ".venv/bin/python manage.py migrate"),
        ("/opt/python/bin/python3", "/opt/python/bin/python3 manage.py migrate"),
    ):
        monkeypatch.setattr(sys, "executable", python)
        assert checks.manage("migrate") == expected


def test_manage_py_test_runs_the_tests() -> None:
    command = [sys.executable, "manage.py", "test", "-q", "foyer/tests/test_logs.py", "--collect-only"]
    done = subprocess.run(command, cwd=ROOT, env=bare_environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "test_logs.py" in done.stdout


def test_production_has_no_account_with_a_known_password(start_server: StartServer) -> None:
    server = start_server(WORKERS="2", **production)
    assert httpx.get(f"{server.base_url}/users", auth=ADMIN).status_code == 401
    assert "password" not in server.output()


def test_a_setting_that_says_so_by_name_allows_the_known_password(start_server: StartServer) -> None:
    start_server().stop()
    refused = start_server(wait=False, **production)
    assert refused.process.wait(20) == 1
    server = start_server(ALLOW_DEFAULT_ADMIN="1", **production)
    assert httpx.get(f"{server.base_url}/users", auth=ADMIN).status_code == 200
    assert "admin with the password admin" in server.output()


def test_a_store_that_does_not_answer_is_named_without_its_password(start_server: StartServer) -> None:
    server = start_server(wait=False, REDIS_URL="redis://:hidden@127.0.0.1:1/0")
    assert server.process.wait(20) == 1
    assert "redis://:***@127.0.0.1:1/0" in server.output()
    assert "hidden" not in server.output()
    assert "Traceback" not in server.output()


def test_it_takes_all_the_open_files_that_the_system_grants(start_server: StartServer) -> None:
    server = start_server(WORKERS="2")
    for process in workers_of(server):
        soft, hard = process.rlimit(psutil.RLIMIT_NOFILE)
        assert soft == min(hard, 1 << 20)


def test_nothing_listens_beyond_loopback(start_server: StartServer) -> None:
    server = start_server(**embedded)
    for process in family_of(server):
        for connection in process.net_connections("inet"):
            assert connection.status != psutil.CONN_LISTEN or connection.laddr.ip == "127.0.0.1"


def test_stopping_it_stops_nothing_else(start_server: StartServer, tmp_path: Path) -> None:
    mine = start_server(**embedded)
    other = start_server(data_dir=tmp_path / "other", **embedded)
    mine.stop(signal.SIGINT)
    assert httpx.get(f"{other.base_url}/", auth=ADMIN).status_code == 200
    assert valkey_of(other).is_running()


def test_what_a_server_keeps_is_for_its_user_alone(start_server: StartServer) -> None:
    server = start_server(DATABASE_URL="", **embedded)
    server.stop()
    opened = [server.data_dir, *server.data_dir.rglob("*")]
    for path in opened:
        path.chmod(0o777)
    again = start_server(DATABASE_URL="", **embedded)
    httpx.post(f"{again.base_url}/user", json={"username": "ann", "password": "correct horse"}).raise_for_status()
    private = [
        *(again.data_dir / name for name in (".", "secret-key", "valkey")),
        *again.data_dir.glob("foyer.sqlite3*"),
        *(path for path in (again.data_dir / "valkey").rglob("*") if not path.is_socket()),
    ]
    assert len(private) > 8
    assert [path for path in private if path.stat().st_mode & 0o077] == []
