"""`manage.py export_room`: a room as a file, for another server."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from foyer.errors import FoyerError
from foyer.management.bar import Bar
from foyer.management.commands.serve import Help
from foyer.realtime.log import read_head
from messaging.moving import lines_of
from rooms.operations import topic_of


class Command(BaseCommand):
    help = """Write a room to a file: its members, bans, mutes and all its messages, a line of JSON each.

Deleted messages are not in it, nor are events that are no messages. The file is complete, or there is none.
`import_room` makes a room of it, on this server or on another."""
    epilog = """  python manage.py export_room 12 kitchen.jsonl
  python manage.py export_room 12 - | gzip > kitchen.jsonl.gz"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=Help, epilog=self.epilog, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("room", metavar="ROOM", help="the room's id, or `lobby`")
        parser.add_argument("file", metavar="FILE", help="where to write to; `-` for standard output")

    def handle(self, *, room: str, file: str, **options: Any) -> None:
        try:
            if file == "-":
                self.write(room, sys.stdout.buffer)
                return
            path = Path(file)
            part = path.with_name(f"{path.name}.part")
            with part.open("wb") as out:
                self.write(room, out)
                out.flush()
                os.fsync(out.fileno())
            part.replace(path)
        except OSError as error:
            raise CommandError(f"{file} can't be written: {error}.") from None
        except FoyerError as error:
            raise CommandError(f"Room {room} can't be read: {error}") from None

    def write(self, room: str, out: Any) -> None:
        bar = Bar(sys.stderr, read_head(topic_of(room)).offset, "events")
        for message_id, line in lines_of(room):
            out.write(line)
            bar.show(message_id)
        bar.end()
