"""The embedded Valkey, with real processes that share it, leave it and are killed."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings

from foyer.store import embedded
from foyer.store.embedded import CannotStart, Store
from tests.guard import stop_abandoned_store
from tests.server import bare_environment
from tests.settings import ROOT
from tests.store import wait_for

USER = """
import os, sys
from foyer.store import embedded
print(embedded.ensure_running(), flush=True)
{then}
sys.stdin.read()
"""
JOIN_AND_LEAVE = """
from foyer.store import embedded
import redis
for turn in range(25):
    with redis.Redis.from_url(embedded.ensure_running()) as client:
        client.incr("turns")
    embedded.release()
"""


class User:
    """A process that uses the embedded server of a data folder until it is told to leave."""

    def __init__(self, data_dir: Path, then: str = "") -> None:
        self.process = run_python(USER.format(then=then), data_dir)

    def joined(self) -> str:
        """The address it got. Returns once it has joined."""
        assert self.process.stdout
        line = self.process.stdout.readline().decode().strip()
        assert line, f"The process ended without joining: {self.process.wait()}"
        return line

    def leave(self) -> None:
        self.process.communicate(timeout=20)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def run_python(code: str, data_dir: Path) -> subprocess.Popen[bytes]:
    environment = bare_environment() | {
        "DATA_DIR": str(data_dir),
        "ENV_FILE": "",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    command = [sys.executable, "-c", code]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="foyer-store-"))
    yield path
    stop_abandoned_store(path / "valkey")
    shutil.rmtree(path)


@pytest.fixture
def user(data_dir: Path) -> Iterator[Callable[..., User]]:
    users: list[User] = []

    def start(then: str = "") -> User:
        users.append(User(data_dir, then))
        return users[-1]

    yield start
    for started in users:
        if started.process.poll() is None:
            started.kill()


def server_process(url: str) -> int:
    with redis.Redis.from_url(url) as client:
        return int(client.info("server")["process_id"])


def starts(data_dir: Path) -> int:
    return (data_dir / "valkey/valkey.log").read_text().count("Valkey is starting")


def test_processes_share_one_server_and_the_last_to_leave_stops_it(user: Callable[..., User], data_dir: Path) -> None:
    first, second = user(), user()
    assert first.joined() == second.joined()
    assert starts(data_dir) == 1
    first.leave()
    assert Store(data_dir / "valkey").ready()
    second.leave()
    assert not Store(data_dir / "valkey").ready()
    assert not (data_dir / "valkey/valkey.pid").exists(), "it did not end by itself"


def test_a_user_that_is_killed_does_not_keep_the_server_alive(user: Callable[..., User], data_dir: Path) -> None:
    first, second = user(), user()
    first.joined(), second.joined()
    first.kill()
    second.leave()
    assert not Store(data_dir / "valkey").ready()


def test_a_server_whose_users_were_all_killed_is_joined_by_the_next(user: Callable[..., User], data_dir: Path) -> None:
    first = user()
    before = server_process(first.joined())
    first.kill()
    second = user()
    assert server_process(second.joined()) == before
    second.leave()
    assert not Store(data_dir / "valkey").ready()


def test_a_killed_server_comes_back_with_its_data_within_five_seconds(
    user: Callable[..., User], data_dir: Path
) -> None:
    users = [user(then="embedded.watch()") for _ in range(3)]
    (url,) = {started.joined() for started in users}
    with redis.Redis.from_url(url) as client:
        for turn in range(3):
            client.rpush("answered", turn)
            wait_for(Store(data_dir / "valkey").ready)
            os.kill(server_process(url), 9)
            killed = time.monotonic()
            wait_for(client.ping, seconds=5)
            assert time.monotonic() - killed < 5
        assert client.lrange("answered", 0, -1) == [b"0", b"1", b"2"]
    assert starts(data_dir) == 4


def test_many_that_start_at_once_start_one_server(user: Callable[..., User], data_dir: Path) -> None:
    users = [user() for _ in range(6)]
    assert len({server_process(started.joined()) for started in users}) == 1
    assert starts(data_dir) == 1


def test_threads_that_start_at_once_start_one_server(user: Callable[..., User], data_dir: Path) -> None:
    started = user(
        then="""
embedded.release()
import threading
threads = [threading.Thread(target=embedded.ensure_running) for _ in range(8)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
print("joined", flush=True)
"""
    )
    started.joined()
    assert started.joined() == "joined"
    assert starts(data_dir) == 2


def test_nobody_joins_a_server_that_is_being_stopped(data_dir: Path) -> None:
    processes = [run_python(JOIN_AND_LEAVE, data_dir) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0] * 4
    left = run_python("from config import embedded; print(embedded.ensure_running())", data_dir)
    left.communicate()
    store = Store(data_dir / "valkey")
    store.join()
    with redis.Redis.from_url(store.url) as client:
        assert client.get("turns") == b"100"
    store.leave()


def test_a_forked_child_holds_the_server_too(user: Callable[..., User], data_dir: Path) -> None:
    parent = user(
        then="""
child, told = os.fork(), sys.stdin
if child:
    embedded.release()
    print("left", flush=True)
    os.waitpid(child, 0)
    os._exit(0)
"""
    )
    parent.joined()
    assert parent.joined() == "left"
    assert Store(data_dir / "valkey").ready()
    parent.leave()
    assert not Store(data_dir / "valkey").ready()


def test_ctrl_c_in_the_terminal_of_a_user_does_not_reach_the_server(user: Callable[..., User]) -> None:
    started = user()
    server = server_process(started.joined())
    assert os.getpgid(server) != os.getpgid(started.process.pid)
    assert os.getsid(server) != os.getsid(started.process.pid)


def test_a_stale_pid_file_harms_no_other_process(user: Callable[..., User], data_dir: Path) -> None:
    first = user()
    server = server_process(first.joined())
    first.kill()
    os.kill(server, 9)
    with subprocess.Popen(["sleep", "60"]) as bystander:
        (data_dir / "valkey/valkey.pid").write_text(str(bystander.pid))
        second = user()
        second.joined()
        second.leave()
        assert bystander.poll() is None
        bystander.kill()


def test_the_server_listens_on_a_private_socket_alone(user: Callable[..., User], data_dir: Path) -> None:
    url = user().joined()
    with redis.Redis.from_url(url) as client:
        configuration = client.config_get("*")
    assert configuration["port"] == "0"
    assert configuration["appendonly"] == "yes"
    assert configuration["appendfsync"] == "always"
    assert configuration["maxmemory-policy"] == "noeviction"
    assert stat.S_IMODE((data_dir / "valkey/valkey.sock").stat().st_mode) == 0o700
    assert stat.S_IMODE((data_dir / "valkey").stat().st_mode) == 0o700


def test_a_path_too_long_for_a_socket_gets_one_in_a_private_folder(data_dir: Path) -> None:
    deep = data_dir / ("a" * 60) / ("b c%ü?#," * 4)
    started = User(deep)
    url = started.joined()
    assert re.fullmatch(r"unix:///tmp/foyer-\d+-[0-9a-f]{16}/valkey.sock", url)
    assert server_process(url)
    folder = Path(url.removeprefix("unix://")).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    started.leave()
    assert not folder.exists()


def test_a_folder_that_others_can_write_to_is_refused_for_the_socket(data_dir: Path) -> None:
    store = Store(data_dir / ("a" * 60) / ("b" * 60))
    store.socket.parent.mkdir(mode=0o700)
    store.socket.parent.chmod(0o777)
    with pytest.raises(CannotStart, match="only this user can write to"):
        store.join()
    store.leave()
    assert not store.socket.parent.exists()


def test_a_path_with_any_character_can_be_used(data_dir: Path) -> None:
    started = User(data_dir / 'it\'s, 100% "ü"?#')
    assert server_process(started.joined())
    started.leave()


def test_a_store_whose_data_is_gone_is_not_started_empty(user: Callable[..., User], data_dir: Path) -> None:
    first = user()
    first.joined()
    first.leave()
    shutil.rmtree(data_dir / "valkey/appendonlydir")
    store = Store(data_dir / "valkey")
    with pytest.raises(CannotStart, match=r"held a store, but its data, .* is gone"):
        store.join()
    store.leave()
    assert starts(data_dir) == 1


def test_a_server_that_cannot_start_is_explained_by_the_end_of_its_log(data_dir: Path) -> None:
    store = Store(data_dir / "valkey")
    store.join()
    store.leave()
    next((data_dir / "valkey/appendonlydir").glob("*.manifest")).write_text("nonsense\n")
    with pytest.raises(CannotStart, match=r"(?s)Valkey ended at its start, with code 1.*nonsense|manifest"):
        store.join()
    store.leave()


def test_a_server_that_holds_the_data_but_is_deaf_is_not_doubled(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "PATIENCE", 0.3)
    store, other = Store(data_dir / "valkey"), Store(data_dir / "valkey")
    store.join()
    (data_dir / "valkey/valkey.sock").rename(data_dir / "valkey/elsewhere")
    with pytest.raises(CannotStart, match="but does not answer"):
        other.join()
    (data_dir / "valkey/elsewhere").rename(data_dir / "valkey/valkey.sock")
    other.leave()
    store.leave()
    assert starts(data_dir) == 1


def test_this_session_keeps_its_store_away_from_the_developers() -> None:
    assert settings.DATA_DIR != ROOT / "var"
    assert not settings.DATA_DIR.is_relative_to(ROOT)


def test_watching_is_nothing_to_do_with_a_store_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")
    before = threading.active_count()
    embedded.watch()
    assert threading.active_count() == before
