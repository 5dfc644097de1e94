"""`manage.py tidy_functions`: remove what earlier releases left in the store."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from foyer.errors import Unavailable
from foyer.store.old_functions import remove_others


class Command(BaseCommand):
    help = (
        "Remove the stored functions of other releases of Foyer from the store. For after an upgrade, once every "
        "instance runs the new release; one that does not loads its own again, so nothing breaks."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only list them")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        try:
            names = remove_others(dry_run=dry_run)
        except Unavailable:
            raise CommandError("The store is away; see REDIS_URL.") from None
        for name in names:
            self.stdout.write(name)
        self.stdout.write(f"{'To remove' if dry_run else 'Removed'}: {len(names)}")
