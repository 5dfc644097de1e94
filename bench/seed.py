"""What the bench needs of Foyer's own Python: many accounts that are signed in, and what the store says of itself.

    python -m bench.seed --users 10000 --out tokens.txt     one session token a line
    python -m bench.seed --admins 10 --password secret      admins: bench-admin-0 and so on
    python -m bench.seed --tables 10000                     tables with the ids 1 to 10000, and no others
    python -m bench.seed --info                             INFO of the store, as JSON
    python -m bench.seed --no-rewrite                       the store's file grows from now on, and is not rewritten

Run as a process of its own with the server's environment, while the server runs. All else the bench does through the
public routes.
"""

from __future__ import annotations

import argparse
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lobby.operations import add_table, list_tables, remove_table

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


def store_info() -> dict[str, Any]:
    """INFO of the store: its memory, its append-only file."""
    from foyer.store.steps import client

    info: dict[str, Any] = client().info("everything")
    return {name: value for name, value in info.items() if isinstance(value, int | float | str)}


def stop_rewriting() -> None:
    """Have the store's append-only file grow, so that what is added can be seen from its size."""
    from foyer.store.steps import client

    client().config_set("auto-aof-rewrite-percentage", 0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.seed", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--users", type=int, default=0, help="how many accounts to make and sign in")
    parser.add_argument("--out", type=Path, default=Path("tokens.txt"), help="where their tokens go, one a line")
    parser.add_argument("--admins", type=int, default=0, help="how many admins to make")
    parser.add_argument("--password", default="", help="their password")
    parser.add_argument("--tables", type=int, help="how many tables to have in the lobby")
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
    if arguments.no_rewrite:
        stop_rewriting()
    if arguments.info:
        print(json.dumps(store_info()))


if __name__ == "__main__":
    main()
