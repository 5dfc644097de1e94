"""Libraries: how files become one text, and what a fault in it says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from foyer.realtime.log import PRELUDE
from foyer.store import steps as store
from foyer.store.functions import MOST_KEYS, in_one_call
from foyer.store.steps import Library, is_cluster

Make = Callable[..., Library]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes a library of the prelude and files: `make(a="…")`."""
    made: list[Library] = []

    def library(**files: str) -> Library:
        for name, text in files.items():
            (tmp_path / f"{name}.lua").write_text(text)
        made.append(Library("files", PRELUDE, tmp_path))
        return made[-1]

    yield library
    for one in made:
        Library.every.pop(one.name, None)


def function(name: str, body: str) -> str:
    return f"local function {name}(keys, args)\n  {body}\nend\nregister('{name}', {name})\n"


def test_what_is_local_in_a_file_stays_in_it(make: Make) -> None:
    library = make(
        a="local answer = 1\n" + function("first", "return answer"),
        b="local refuse = 2\n" + function("second", "return {answer == nil and 'no answer' or 'an answer', refuse}"),
        c=function("third", "return refuse('conflict')"),
    )
    assert store.run(library.call("first", ["{a}"])) == 1
    with pytest.raises(redis.ResponseError, match="nonexistent global variable 'answer'"):
        store.run(library.call("second", ["{a}"]))
    with pytest.raises(Exception, match="taken"):
        store.run(library.call("third", ["{a}"]))


def test_what_is_local_in_a_file_with_an_underscore_is_shared(make: Make) -> None:
    library = make(_shared="local answer = 42\n", a=function("first", "return answer"))
    assert store.run(library.call("first", ["{a}"])) == 42


async def test_a_fault_names_the_file_and_the_line(make: Make, tmp_path: Path) -> None:
    library = make(
        a=function("first", "return 1"),
        b=function("second", "-- a comment\n  return redis.call('INCRBY', keys[1], 'no number')"),
        c=function("third", "\n  return args[1].x.y"),
    )
    for name, line, file in (("second", 3, "b"), ("third", 3, "c")):
        place = f"{tmp_path}/{file}.lua:{line}"
        with pytest.raises(redis.ResponseError, match=place):
            await asyncio.to_thread(store.run, library.call(name, ["{a}"]))
        with pytest.raises(redis.ResponseError, match=place):
            await asyncio.to_thread(store.run_all, [library.call(name, ["{a}"])])
        with pytest.raises(redis.ResponseError, match=place):
            await store.on_loop().call(library.call(name, ["{a}"]))


def test_a_fault_in_what_is_shared_names_that_file(make: Make) -> None:
    library = make(a=function("first", "return append(keys[1], nil, 'kind', '', 'body')"))
    with pytest.raises(redis.ResponseError, match=r"foyer/realtime/lua/_prelude\.lua:\d+"):
        store.run(library.call("first", ["{a}"]))


def test_files_of_the_project_are_named_from_its_folder() -> None:
    library = next(found for name, found in Library.every.items() if "foyer_rooms_" in name)
    line = 1 + library.code.splitlines().index("local function add_member(keys, args)")
    number = (
        Path("rooms/lua/add_member.lua").read_text().splitlines().index("local function add_member(keys, args)") + 1
    )
    assert library.place(line) == f"rooms/lua/add_member.lua:{number}"


def test_keys_of_one_call_are_bounded_and_on_a_cluster_of_one_slot() -> None:
    keys = [f"{{room:{number}}}" for number in range(2 * MOST_KEYS + 5)]
    groups = list(in_one_call(keys))
    assert sorted(key for group in groups for key in group) == sorted(keys)
    if is_cluster():
        assert all(len({store.client().keyslot(key) for key in group}) == 1 for group in groups)  # type: ignore[union-attr]
    else:
        assert [len(group) for group in groups] == [MOST_KEYS, MOST_KEYS, 5]


def test_any_number_of_values_is_read(make: Make) -> None:
    library = make(a=function("many", "return #values_of(keys[1], args)"))
    assert store.run(library.call("many", ["{a}"], *range(20_000))) == 20_000
