"""Stored functions called from threads and from event loops, on a real store that is emptied, filled up and killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import hiredis
import pytest
import redis

from foyer.errors import Conflict, FoyerError, TooLarge, Unavailable
from foyer.store import steps as store
from foyer.store.embedded import Store
from foyer.store.line import BATCH, Command, StoreLine
from foyer.store.steps import Library, Steps, operation
from tests.store import Cluster, store_at, wait_for

SOURCE = """
local function register(name, callback, flags)
  redis.register_function{function_name = LIBRARY .. '_' .. name, callback = callback, flags = flags or {}}
end
register('add', function(keys, args) return redis.call('INCRBY', keys[1], args[1]) end)
register('push', function(keys, args) return redis.call('RPUSH', keys[1], args[1]) end)
register('refuse', function(keys, args) return redis.error_reply('FOYER ' .. args[1]) end)
register('fault', function(keys, args) return redis.call('NONSENSE') end)
"""


Do = Callable[[Callable[[], Steps[Any]]], Awaitable[Any]]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    source = tmp_path_factory.mktemp("lua") / "tests.lua"
    source.write_text(SOURCE)
    library = Library("tests", source)
    yield library
    del Library.every[library.name]


@pytest.fixture(params=["from a thread", "from an event loop"])
def do(request: pytest.FixtureRequest) -> Do:
    """Carries out an operation from each side, so that a test says what holds for both."""

    async def carry_out(steps: Callable[[], Steps[Any]]) -> Any:
        blocking, awaitable = operation(steps)
        if request.param == "from a thread":
            return await asyncio.to_thread(blocking)
        return await awaitable()

    return carry_out


@pytest.fixture
def lone_store(tmp_path: Path) -> Iterator[Store]:
    """A store that a test may kill: its own, used by this process."""
    lone = Store(tmp_path / "valkey")
    lone.join()
    with store_at(lone.url):
        yield lone
    lone.leave()


def kill(lone: Store) -> None:
    with redis.Redis.from_url(lone.url) as client:
        os.kill(client.info("server")["process_id"], 9)
    wait_for(lambda: not lone.ready())


async def test_an_operation_runs_its_steps_in_order_on_both_sides(do: Do, library: Library) -> None:
    def steps() -> Steps[list[Any]]:
        one = yield library.call("add", ["{a}"], 5)
        two = yield library.call("add", ["{a}"], one)
        return [one, two]

    assert await do(steps) == [5, 10]


async def test_a_list_of_calls_is_made_together_and_answered_in_its_order(do: Do, library: Library) -> None:
    def steps() -> Steps[Any]:
        return (yield [library.call("add", [f"{{{number}}}"], number) for number in range(40)])

    assert await do(steps) == list(range(40))


async def test_a_refusal_is_raised_as_its_error_where_the_call_was_yielded(do: Do, library: Library) -> None:
    def steps() -> Steps[None]:
        with pytest.raises(Conflict, match="that name is taken"):
            yield library.call("refuse", ["{a}"], "conflict that name is taken")
        yield library.call("refuse", ["{a}"], "too_large")

    with pytest.raises(TooLarge, match=TooLarge.detail):
        await do(steps)


async def test_a_refusal_in_a_list_is_raised_although_the_others_were_carried_out(do: Do, library: Library) -> None:
    def steps() -> Steps[int]:
        with contextlib.suppress(Conflict):
            yield [library.call("add", ["{a}"], 1), library.call("refuse", ["{a}"], "conflict")]
        return int((yield library.call("add", ["{a}"], 1)))

    assert await do(steps) == 2


async def test_a_fault_in_a_function_is_not_mistaken_for_a_store_that_is_away(do: Do, library: Library) -> None:
    def steps() -> Steps[None]:
        yield library.call("fault", ["{a}"])

    with pytest.raises(redis.ResponseError, match="script"):
        await do(steps)


async def test_functions_that_the_store_lost_are_loaded_again(do: Do, library: Library) -> None:
    def steps() -> Steps[list[Any]]:
        one = yield library.call("add", ["{a}"], 1)
        many = yield [library.call("add", [key], 1) for key in ("{a}", "{b}", "{c}", "{d}", "{e}")]
        return [one, *many]

    assert await do(steps) == [1, 2, 1, 1, 1, 1]
    await asyncio.to_thread(lose_functions)
    assert await do(steps) == [3, 4, 2, 2, 2, 2]


def lose_functions() -> None:
    store.client().function_flush()


def test_another_text_makes_another_library_beside_the_first(library: Library, tmp_path: Path) -> None:
    changed = tmp_path / "tests.lua"
    changed.write_text(SOURCE.replace("args[1])", "2 * args[1])", 1))
    other = Library("tests", changed)
    try:
        assert store.run(other.call("add", ["{a}"], 1)) == 2
        assert store.run(library.call("add", ["{a}"], 1)) == 3
    finally:
        del Library.every[other.name]


async def test_calls_of_one_tick_share_a_pipeline(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = watch_batches(monkeypatch)
    await asyncio.gather(*(store.on_loop().call(library.call("add", ["{a}"], 1)) for _ in range(100)))
    assert sizes[0] == 100


async def test_a_batch_has_an_upper_bound(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.on_loop().call(library.call("add", ["{a}"], 0))
    sizes = watch_batches(monkeypatch)
    await asyncio.gather(*(store.on_loop().call(library.call("add", ["{a}"], 1)) for _ in range(2 * BATCH + 1)))
    assert sizes == [BATCH, BATCH, 1]


def watch_batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    sizes: list[int] = []
    write = StoreLine.write

    def watched(self: StoreLine, requests: Sequence[Any], commands: Sequence[Command]) -> None:
        sizes.append(len(requests))
        write(self, requests, commands)

    monkeypatch.setattr(StoreLine, "write", watched)
    return sizes


async def test_who_stops_waiting_disturbs_nobody_else(library: Library) -> None:
    loop = store.on_loop()
    calls = [asyncio.ensure_future(loop.call(library.call("add", ["{a}"], 1))) for _ in range(3)]
    calls[1].cancel()
    assert await calls[0] == 1
    assert await calls[2] == 3


def test_threads_share_the_blocking_client(library: Library) -> None:
    threads = [
        threading.Thread(target=lambda: [store.run(library.call("add", ["{a}"], 1)) for _ in range(50)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.run(library.call("add", ["{a}"], 0)) == 400


async def test_a_store_that_was_never_there_is_unavailable(do: Do, library: Library) -> None:
    def steps() -> Steps[None]:
        yield library.call("add", ["{a}"], 1)

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with store_at(f"redis://127.0.0.1:{port}/0"), pytest.raises(Unavailable) as raised:
        await do(steps)
    assert raised.value.retry_after


async def test_a_store_that_dies_is_unavailable_and_used_again_once_it_is_back(
    do: Do, library: Library, lone_store: Store
) -> None:
    def steps() -> Steps[int]:
        return int((yield library.call("add", ["{a}"], 1)))

    assert await do(steps) == 1
    await asyncio.to_thread(kill, lone_store)
    with pytest.raises(Unavailable):
        await do(steps)
    await asyncio.to_thread(lone_store.join)
    assert await do(steps) == 2


async def test_a_store_that_is_full_is_unavailable(do: Do, library: Library, lone_store: Store) -> None:
    def steps() -> Steps[None]:
        yield library.call("push", ["{a}"], "x")

    await do(steps)
    with redis.Redis.from_url(lone_store.url) as client:
        client.config_set("maxmemory", "1")
    with pytest.raises(Unavailable):
        await do(steps)


async def test_a_store_that_may_only_be_read_is_unavailable(do: Do, library: Library, lone_store: Store) -> None:
    def steps() -> Steps[None]:
        yield library.call("push", ["{a}"], "x")

    await do(steps)
    with redis.Redis.from_url(lone_store.url) as client:
        client.replicaof("127.0.0.1", "1")
        with pytest.raises(Unavailable):
            await do(steps)
        client.replicaof("NO", "ONE")


@pytest.mark.parametrize("silent", [True, False], ids=["when no answer comes", "when the connection breaks"])
async def test_no_call_is_sent_twice(do: Do, library: Library, silent: bool) -> None:
    def steps() -> Steps[None]:
        yield library.call("add", ["{a}"], 1)

    with Impostor(silent) as impostor, store_at(impostor.url, timeout=0.2):
        with pytest.raises(Unavailable):
            await do(steps)
        assert impostor.calls == 1


class Impostor:
    """A server that speaks enough of the protocol to be called, counts the calls and answers none."""

    def __init__(self, silent: bool) -> None:
        self.silent = silent
        self.calls = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.listener.getsockname()[1]}/0"
        self.connections: list[socket.socket] = []

    def __enter__(self) -> Impostor:
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.listener.close()
        for connection in self.connections:
            connection.close()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection: socket.socket) -> None:
        reader = hiredis.Reader()
        with contextlib.suppress(OSError):
            while data := connection.recv(65536):
                reader.feed(data)
                while command := reader.gets():
                    if self.answer(connection, command[0].upper()):
                        return

    def answer(self, connection: socket.socket, name: bytes) -> bool:
        """Answer a command; true to talk no more."""
        if name == b"FCALL":
            self.calls += 1
            if not self.silent:
                connection.shutdown(socket.SHUT_RDWR)
            return not self.silent
        connection.sendall(IMPOSTOR_ANSWERS.get(name, b"+OK\r\n"))
        return False


IMPOSTOR_ANSWERS = {b"HELLO": b"%1\r\n$5\r\nproto\r\n:3\r\n", b"INFO": b"$17\r\ncluster_enabled:0\r\n"}


class TestCluster:
    """What holds on a cluster beyond what every test here shows when the whole suite runs on one."""

    @pytest.fixture
    def cluster(self, spare_cluster: Cluster) -> Iterator[Cluster]:
        spare_cluster.flush()
        with store_at(spare_cluster.url):
            yield spare_cluster

    async def test_calls_of_all_slots_are_answered_in_their_order(
        self, do: Do, library: Library, cluster: Cluster
    ) -> None:
        def steps() -> Steps[Any]:
            return (yield [library.call("add", [f"{{{number}}}"], number) for number in range(60)])

        assert await do(steps) == list(range(60))
        for node in cluster.nodes:
            assert node.client().dbsize() > 0

    async def test_a_node_that_is_killed_takes_its_own_slots_with_it_and_gives_them_back(
        self, do: Do, library: Library, cluster: Cluster
    ) -> None:
        def add(key: str) -> Callable[[], Steps[int]]:
            def steps() -> Steps[int]:
                return int((yield library.call("add", [key], 1)))

            return steps

        await asyncio.to_thread(store.load_functions)
        keys = [next(key for key in map(str, range(99)) if self.place(key) == number) for number in range(3)]
        assert [await do(add(key)) for key in keys] == [1, 1, 1]
        cluster.nodes[1].kill()
        with pytest.raises(FoyerError) as raised:
            await do(add(keys[1]))
        assert raised.type is Unavailable
        cluster.nodes[1].start()
        await asyncio.to_thread(cluster.wait_until_whole)
        assert await do(add(keys[1])) == 2
        assert await do(add(keys[0])) == 2

    async def test_functions_come_to_a_node_that_lost_them(self, do: Do, library: Library, cluster: Cluster) -> None:
        def steps() -> Steps[Any]:
            return (yield [library.call("add", [f"{{{number}}}"], 1) for number in range(20)])

        assert await do(steps) == [1] * 20
        cluster.nodes[2].client().function_flush()
        assert await do(steps) == [2] * 20

    async def test_a_slot_that_moves_is_followed(self, do: Do, library: Library, cluster: Cluster) -> None:
        def steps() -> Steps[Any]:
            first = yield library.call("add", ["{moving}"], 1)
            both = yield [library.call("add", ["{moving}"], 1), library.call("add", ["{other}"], 1)]
            return [first, *both]

        assert await do(steps) == [1, 2, 1]
        await asyncio.to_thread(self.move, cluster, "{moving}")
        assert await do(steps) == [3, 4, 2]

    def place(self, key: str) -> int:
        client: Any = store.client()
        return int(client.keyslot(key)) * 3 // 16384

    def move(self, cluster: Cluster, key: str) -> None:
        """Hand the slot of `key`, which holds that key alone, to another node."""
        client: Any = store.client()
        slot = client.keyslot(key)
        port = client.get_node_from_key(key).port
        source = next(node for node in cluster.nodes if node.port == port)
        target = next(node for node in cluster.nodes if node.port != port)
        ids = [node.client().execute_command("CLUSTER", "MYID").decode() for node in (source, target)]
        target.client().execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
        source.client().execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])
        source.client().execute_command("MIGRATE", "127.0.0.1", target.port, key, 0, 5000)
        for node in (target, source):
            node.client().execute_command("CLUSTER", "SETSLOT", slot, "NODE", ids[1])
