"""A lobby table as Django's admin shows it. What can be done with tables is in `models.py`."""

from __future__ import annotations

from typing import Any

from django.db import models

from foyer.admin.stored import StoredModel


class Table(StoredModel):
    id = models.BigIntegerField("table id", primary_key=True, editable=False)
    name = models.CharField(max_length=100)
    participants = models.BigIntegerField(default=0)

    position = 0
    """Its place in the list, from 1 on."""
    previous = -1
    """The id of the table before it; -1 for the first."""
    up_after: int | None = None
    """After which table it is when it is moved up by one; None for the first."""
    down_after: int | None = None
    """After which table it is when it is moved down by one; None for the last."""
    focus = ""
    """Which button has the focus, up or down, of the table that was moved last."""
    is_draggable = False

    class Meta(StoredModel.Meta):
        pass

    def __str__(self) -> str:
        return self.name

    @classmethod
    def of(cls, told: dict[str, Any]) -> Table:
        return cls(told["id"], told["name"], told["participants"])
