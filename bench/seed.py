"""What the bench needs of Foyer's own Python: many accounts that are signed in, and what the store says of itself.

    python -m bench.seed --users 10000 --out tokens.txt     one session token a line
    python -m bench.seed --info                             INFO of the store, as JSON

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

THREADS = 16
"""Sessions stored at once: the store makes each durable, and does so for all that wait together."""


def make_tokens(count: int) -> list[str]:
    """Make `count` accounts that no password opens, and a session for each."""
    from accounts.models import Account
    from accounts.sessions import start_session

    accounts = [Account(username=f"bench-{number}") for number in range(count)]
    for account in accounts:
        account.set_unusable_password()
    Account.objects.bulk_create(accounts, batch_size=1000)
    stored = list(Account.objects.filter(username__startswith="bench-").order_by("pk"))
    with ThreadPoolExecutor(THREADS) as pool:
        return [session.token for session in pool.map(start_session, [account.standing for account in stored])]


def store_info() -> dict[str, Any]:
    """INFO of the store: its memory, its append-only file."""
    from config.redis import client

    info: dict[str, Any] = client().info("everything")
    return {name: value for name, value in info.items() if isinstance(value, int | float | str)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.seed", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--users", type=int, default=0, help="how many accounts to make and sign in")
    parser.add_argument("--out", type=Path, default=Path("tokens.txt"), help="where their tokens go, one a line")
    parser.add_argument("--info", action="store_true", help="print INFO of the store as JSON")
    arguments = parser.parse_args()

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    if arguments.users:
        arguments.out.write_text("\n".join(make_tokens(arguments.users)) + "\n")
    if arguments.info:
        print(json.dumps(store_info()))


if __name__ == "__main__":
    main()
