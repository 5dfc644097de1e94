"""What the bench needs of Foyer's own Python: many accounts that are signed in, and what the store says of itself.

    python -m bench.seed --users 10000 --out tokens.txt     one session token a line
    python -m bench.seed --admins 10 --password secret      admins: bench-admin-0 and so on
    python -m bench.seed --tables 10000                     tables with the ids 1 to 10000, and no others
    python -m bench.seed --archived 1000000 --rooms rooms.txt   messages of these rooms in the archive alone
    python -m bench.seed --info                             INFO of the store, as JSON
    python -m bench.seed --no-rewrite                       the store's file grows from now on, and is not rewritten
    python -m bench.seed --say 1000 --rooms rooms.txt       so many messages in each room
    python -m bench.seed --until-archived                   wait until all is archived; prints when that was

Run as a process of its own with the server's environment, while the server runs. All else the bench does through the
public routes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lobby.operations import add_table, list_tables, remove_table

BATCH = 10_000
FAR = 10**12
"""An offset that no log reaches."""
TOGETHER = 1000
"""Messages in one pipeline."""
THREADS = 16
"""Sessions stored at once: the store makes each durable, and does so for all that wait together."""


def make_tokens(count: int) -> list[str]:
    """Make `count` accounts that no password opens, and a session for each."""
    from accounts.models import Account
    from accounts.operations import start_session

    accounts = [Account(username=f"bench-{number}") for number in range(count)]
    for account in accounts:
        account.set_unusable_password()
    Account.objects.bulk_create(accounts, batch_size=1000)
    stored = list(Account.objects.filter(username__startswith="bench-").order_by("pk"))
    with ThreadPoolExecutor(THREADS) as pool:
        return [session.token for session in pool.map(start_session, [account.standing for account in stored])]


def make_admins(count: int, password: str) -> None:
    from accounts.models import Account

    for number in range(count):
        name = f"bench-admin-{number}"
        if Account.objects.called(name) is None:
            Account.objects.create_superuser(name, password)


def make_tables(count: int) -> None:
    """Have this many tables in the lobby, of names that are as long as most are."""
    import orjson

    from lobby.operations import NewTable

    for table in orjson.loads(list_tables().json):
        remove_table(table["id"])
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(add_table, [NewTable("table - Mission Impossible", 4, number + 1) for number in range(count)]))


def archive_messages(count: int, rooms: list[int]) -> None:
    """Put so many messages of some 200 characters into the archive, beyond what the rooms' logs will ever have."""
    from django.db import connections, transaction

    from archive.index import is_postgresql
    from archive.router import ALIAS
    from archive.rows import Row
    from archive.topics import number_of
    from archive.writing import insert_rows, make_partitions

    chance = random.Random(1)
    now, topics = int(time.time() * 1000), [number_of(f"{{room:{room}}}") or 0 for room in rooms]
    for start in range(0, count, BATCH):
        rows = [
            Row(chance.choice(topics), FAR + number, now - (count - number) * 60_000, "message", 1, text=a_text(chance))
            for number in range(start, min(start + BATCH, count))
        ]
        if is_postgresql():
            make_partitions(row.at for row in rows)
        with transaction.atomic(using=ALIAS), connections[ALIAS].cursor() as cursor:
            insert_rows(cursor, rows)


def a_text(chance: random.Random) -> str:
    """Words of 50,000, the first ones more often, as in real texts."""
    return " ".join(f"w{int(50_000 ** chance.random())}" for _ in range(40))


def store_info() -> dict[str, Any]:
    """INFO of the store: its memory, its append-only file."""
    from foyer.store.steps import client

    info: dict[str, Any] = client().info("everything")
    return {name: value for name, value in info.items() if isinstance(value, int | float | str)}


def stop_rewriting() -> None:
    """Have the store's append-only file grow, so that what is added can be seen from its size."""
    from foyer.store.steps import client

    client().config_set("auto-aof-rewrite-percentage", 0)


def say(count: int, rooms: list[str]) -> None:
    """Post this many messages in each room, of 200 characters, as one admin who is no account."""
    from accounts.callers import Caller, who
    from archive.operations import note_written
    from foyer.store.steps import run_all
    from messaging.operations import LIBRARY, body_of, retry_arguments
    from rooms.operations import topic_of

    caller, text = Caller(id=2**40, username="bench", is_admin=True), "bench " * 33 + "ok"
    for room in rooms:
        tag, where = topic_of(room).tag, b'"roomId":"' + room.encode() + b'"'
        for done in range(0, count, TOGETHER):
            body, retry = body_of(where, text), retry_arguments(None, b"")
            call = LIBRARY.call("post", [tag], *who(caller), caller.signature, body, *retry)
            run_all([call] * min(TOGETHER, count - done))
        note_written([tag])


def wait_until_archived() -> float:
    """Return when nothing waits to be archived: the time then."""
    from archive.operations import see_progress

    while see_progress().topics:
        time.sleep(0.02)
    return time.time()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.seed", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--users", type=int, default=0, help="how many accounts to make and sign in")
    parser.add_argument("--out", type=Path, default=Path("tokens.txt"), help="where their tokens go, one a line")
    parser.add_argument("--admins", type=int, default=0, help="how many admins to make")
    parser.add_argument("--password", default="", help="their password")
    parser.add_argument("--tables", type=int, help="how many tables to have in the lobby")
    parser.add_argument("--archived", type=int, default=0, help="how many messages to put into the archive")
    parser.add_argument("--say", type=int, default=0, help="how many messages to post in each room")
    parser.add_argument("--rooms", type=Path, default=Path("rooms.txt"), help="a file with the ids of these rooms")
    parser.add_argument("--until-archived", action="store_true", help="wait until all is archived, and print the time")
    parser.add_argument("--info", action="store_true", help="print INFO of the store as JSON")
    parser.add_argument("--no-rewrite", action="store_true", help="keep the store from rewriting its file")
    arguments = parser.parse_args()

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    if arguments.users:
        arguments.out.write_text("\n".join(make_tokens(arguments.users)) + "\n")
    if arguments.admins:
        make_admins(arguments.admins, arguments.password)
    if arguments.tables is not None:
        make_tables(arguments.tables)
    if arguments.archived:
        archive_messages(arguments.archived, [int(room) for room in arguments.rooms.read_text().split()])
    if arguments.no_rewrite:
        stop_rewriting()
    if arguments.say:
        say(arguments.say, arguments.rooms.read_text().split())
    if arguments.until_archived:
        print(wait_until_archived())
    if arguments.info:
        print(json.dumps(store_info()))


if __name__ == "__main__":
    main()
