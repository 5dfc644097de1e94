"""`manage.py import_room`: a room of a file that `export_room` wrote."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Account
from foyer.errors import FoyerError
from foyer.management.bar import Bar
from foyer.management.commands.serve import Help
from messaging.moving import BrokenFile, Moved, look_through, people_in, take_in

MOST_NAMED = 10
"""Missing accounts that are named."""


class Command(BaseCommand):
    help = """Make a room of a file that `export_room` wrote. Prints the id of the room.

The room is a new one: its messages keep their texts, times and order, and get new ids. People are found by their
names. What was said by somebody who has no account here is signed by nobody, unless --create-accounts makes one. To
those who are in the room all that was imported counts as read.

The file is looked through first, and if it is broken nothing is imported. If the import itself is broken off, run the
same command again within 24 hours: it goes on where it was. Until all is there, the room is for its owner alone."""
    epilog = """  python manage.py import_room kitchen.jsonl
  python manage.py import_room kitchen.jsonl --name "Old kitchen" --owner ann --create-accounts"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=Help, epilog=self.epilog, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="the file")
        parser.add_argument("--name", metavar="NAME", help="what to call the room; as it was called, unless said")
        parser.add_argument("--owner", metavar="USERNAME", help="whose room it is; whose it was, unless said")
        parser.add_argument(
            "--create-accounts",
            action="store_true",
            help="make an account for everybody in the file who has none; disabled, and without a password",
        )

    def handle(self, *, file: Path, name: str | None, owner: str | None, create_accounts: bool, **options: Any) -> None:
        try:
            moved = look_through(file)
            people = people_in(moved, create=create_accounts)
        except OSError as error:
            raise CommandError(f"{file} can't be read: {error}.") from None
        except BrokenFile as error:
            raise CommandError(f"{file} is not whole, so nothing was imported. {error}") from None
        except ValueError as error:
            raise CommandError(f"{file} names somebody whom no account can be made for: {error}") from None
        account = self.owner_of(moved, owner)
        self.tell_missing(moved, people)
        bar = Bar(sys.stderr, moved.messages, "messages")
        try:
            room_id = take_in(file, moved, account, name or str(moved.room.get("name")), people, bar.show)
        except FoyerError as error:
            again = "Run the same command again to go on where it was." if error.status >= 500 else ""
            hint = "Give another name by --name." if error.code == "room_name_taken" else again
            raise CommandError(f"The import stopped: {error} {hint}".rstrip()) from None
        bar.end()
        self.stdout.write(room_id)

    def owner_of(self, moved: Moved, name: str | None) -> Account:
        wanted = name or moved.room.get("owner")
        account = Account.objects.called(wanted) if wanted else None
        if account is None:
            who = f"There is no account '{wanted}' here." if wanted else "The room was nobody's."
            raise CommandError(f"{who} Say whose room it is to be by --owner.")
        return account

    def tell_missing(self, moved: Moved, people: Any) -> None:
        missing = sorted((moved.authors | moved.members.keys()) - people.keys())
        if missing:
            named = ", ".join(missing[:MOST_NAMED]) + (", …" if len(missing) > MOST_NAMED else "")
            self.stderr.write(f"Without an account here, so what they said is signed by nobody: {named}.")
