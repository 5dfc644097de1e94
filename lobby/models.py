"""Lobby tables, as models. Their operations are in `operations.py`."""

from __future__ import annotations

from typing import Any, ClassVar

import orjson
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from accounts.callers import SERVER
from foyer.api.fields import NAME_CHECKS
from foyer.api.retry_keys import RetryKey
from foyer.api.wire import fields_of
from foyer.store.models import Part, StoredManager, StoredModel, StoredQuerySet, wait_for
from foyer.store.steps import Steps, acarry_out
from lobby.errors import TableNotFound
from lobby.operations import NewTable, add_table, list_tables, move_table, remove_table, show_table, update_table
from lobby.serializers import LARGEST


class TableQuerySet(StoredQuerySet["Table"]):
    """Tables in the order of the list, which is read at once."""

    numbered = True

    def read(self, place: Any, size: int) -> Steps[Part[Table]]:
        tables = yield from self.listing()
        if self.is_reversed:
            tables.reverse()
        return tables[place or 0 :], None

    def listing(self) -> Steps[list[Table]]:
        told = orjson.loads((yield from list_tables.steps()).json)
        return [Table.of(table, position) for position, table in enumerate(told, 1)]

    def counting(self) -> Steps[int]:
        return len((yield from (self.everything() if self.is_cut or self.wanted else self.listing())))


class Table(StoredModel):
    """A table of the lobby. `save` gives it another name or other participants; `move` puts it elsewhere."""

    id = models.BigIntegerField(
        "table id", primary_key=True, editable=False, validators=[MinValueValidator(1), MaxValueValidator(LARGEST)]
    )
    name = models.CharField(max_length=100, validators=[*NAME_CHECKS])
    participants = models.BigIntegerField(default=0, validators=[MinValueValidator(0), MaxValueValidator(LARGEST)])

    objects: ClassVar[StoredManager[Table]] = TableQuerySet.as_manager()
    made_of = frozenset({"id", "name", "participants"})
    changeable = frozenset({"name", "participants"})

    position = 0
    """Its place in the list, from 1 on; 0 where it was not read from the list."""

    class Meta(StoredModel.Meta):
        pass

    def __str__(self) -> str:
        return self.name

    @classmethod
    def of(cls, told: dict[str, Any], position: int = 0) -> Table:
        table = cls.stored(id=told["id"], name=told["name"], participants=told["participants"])
        table.position = position
        return table

    @classmethod
    def reading(cls, pk: Any) -> Steps[Table]:
        if not str(pk).isdecimal():
            raise TableNotFound
        return cls.of(fields_of((yield from show_table.steps(int(pk)))))

    def making(self, *, after: Table | int | None = None, retry_key: str | None = None) -> Steps[Table]:
        """Add it behind `after`, a table or its id; -1 is the beginning, None the end. Without an id it gets one."""
        if self.pk is not None:
            self.check_fields({"id"})
        new = NewTable(self.name, self.participants, self.pk, None if after is None else id_of(after))
        added = yield from add_table.steps(new, RetryKey(SERVER.id, retry_key) if retry_key else None)
        return Table.of(fields_of(b"{%b}" % added)["table"])

    def changing(self, names: frozenset[str]) -> Steps[Table]:
        name = self.name if "name" in names else None
        participants = self.participants if "participants" in names else None
        changed = yield from update_table.steps(self.pk, name, participants)
        return Table.of(fields_of(b"{%b}" % changed)["table"])

    def removing(self) -> Steps[None]:
        yield from remove_table.steps(self.pk)

    def move(self, after: Table | int) -> bool:
        """Put it right behind another table; -1 is the beginning. Returns whether it was elsewhere before."""
        return wait_for(move_table.steps(self.pk, id_of(after)))

    async def amove(self, after: Table | int) -> bool:
        return await acarry_out(move_table.steps(self.pk, id_of(after)))


def id_of(table: Table | int) -> int:
    return table if isinstance(table, int) else table.pk
