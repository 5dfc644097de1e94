"""The line to a node, on real servers: signing in, databases, encryption, and what becomes of calls when it breaks."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ConnectionError, RedisError, ResponseError, TimeoutError

from foyer.store.line import Batch, Command, StoreLine, encryption
from foyer.store.tests.test_pipelines import Plain


class Word:
    """A command whose reply can be awaited."""

    def __init__(self, *words: str | int) -> None:
        self.words = words
        self.reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def command(self) -> Command:
        return self.words


def answered(batch: Batch) -> None:
    for word, reply in zip(batch.requests, batch.replies, strict=True):
        word.reply.set_result(reply)


def failed(words: Sequence[Any], error: RedisError) -> None:
    for word in words:
        word.reply.set_exception(error)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plain]:
    server = Plain(tmp_path_factory.mktemp("lines") / "store")
    yield server
    server.stop()


@pytest.fixture
async def open_line(server: Plain) -> AsyncIterator[Callable[..., StoreLine]]:
    lines = []

    def make(timeout: float = 5.0, **options: Any) -> StoreLine:
        lines.append(StoreLine({"host": "127.0.0.1", "port": server.port, **options}, timeout, [], answered, failed))
        return lines[-1]

    yield make
    for line in lines:
        line.close()
    await asyncio.sleep(0)


async def ask(line: StoreLine, *words: str | int) -> Any:
    word = Word(*words)
    line.waiting.append(word)
    line.send()
    return await word.reply


async def test_a_line_opens_with_its_first_request_and_answers_in_order(open_line: Callable[..., StoreLine]) -> None:
    line = open_line()
    words = [Word("ECHO", number) for number in range(2000)]
    line.waiting += words
    line.send()
    assert [int(await word.reply) for word in words] == list(range(2000))


async def test_what_comes_while_two_batches_are_under_way_gathers(open_line: Callable[..., StoreLine]) -> None:
    line = open_line()
    assert await ask(line, "PING") == b"PONG"
    words = [Word("ECHO", number) for number in range(6)]
    for word in words:
        line.waiting.append(word)
        line.send()
    assert [len(batch.requests) for batch in line.under_way] == [1, 1]
    assert [int(await word.reply) for word in words] == list(range(6))


async def test_an_error_is_a_reply_like_any_other(open_line: Callable[..., StoreLine]) -> None:
    line = open_line()
    assert isinstance(await ask(line, "NONSENSE"), ResponseError)
    assert await ask(line, "ECHO", "on") == b"on"


async def test_a_line_uses_the_database_that_the_address_names(
    server: Plain, open_line: Callable[..., StoreLine]
) -> None:
    await ask(open_line(db=3), "SET", "here", "1")
    assert await ask(open_line(), "EXISTS", "here") == 0
    assert await ask(open_line(db=3), "EXISTS", "here") == 1


async def test_a_line_signs_in_and_says_so_where_it_is_refused(
    server: Plain, open_line: Callable[..., StoreLine]
) -> None:
    server.client().execute_command("ACL", "SETUSER", "foyer", "on", ">right", "~*", "+@all")
    assert await ask(open_line(username="foyer", password="right"), "ACL", "WHOAMI") == b"foyer"
    with pytest.raises(ConnectionError, match="refused us"):
        await ask(open_line(username="foyer", password="wrong"), "PING")


async def test_a_node_that_does_not_answer_is_given_up_and_tried_again(open_line: Callable[..., StoreLine]) -> None:
    line = open_line(timeout=0.1)
    assert await ask(line, "PING") == b"PONG"
    stuck, gathering = [Word("BLPOP", "nothing", 5) for _ in range(2)], Word("PING")
    for word in stuck:
        line.waiting.append(word)
        line.send()
    line.waiting.append(gathering)
    line.send()
    for word in [*stuck, gathering]:
        with pytest.raises(TimeoutError):
            await word.reply
    assert await ask(line, "PING") == b"PONG"


async def test_a_node_that_is_not_there_fails_each_call_at_once(open_line: Callable[..., StoreLine]) -> None:
    line = open_line(port=1)
    for _ in range(2):
        with pytest.raises(ConnectionError, match="can't be reached"):
            await ask(line, "PING")


def test_encryption_is_what_the_address_asks_for(tmp_path: Path) -> None:
    assert encryption({}) is None
    strict, lax = encryption({"ssl": True}), encryption({"ssl": True, "ssl_cert_reqs": "none"})
    assert strict is not None
    assert lax is not None
    assert (strict.verify_mode, lax.verify_mode) == (ssl.CERT_REQUIRED, ssl.CERT_NONE)
