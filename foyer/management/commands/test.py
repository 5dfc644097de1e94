"""`manage.py test`: the tests are pytest's."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Run the tests, by pytest, which gets what follows: manage.py test rooms -k search. See `make test`, too."
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        if {"-h", "--help"} & set(argv[2:]):
            self.print_help(*argv[:2])
            return
        try:
            self.execute(arguments=argv[2:], no_color=False, force_color=False)
        except CommandError as error:
            sys.exit(f"CommandError: {error}")

    def handle(self, *, arguments: list[str], **options: Any) -> None:
        if importlib.util.find_spec("pytest") is None:
            raise CommandError("pytest is not installed. `make test` installs it and runs the tests.")
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)  # the tests have settings of their own
        os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])  # noqa: S606 - no shell is wanted
