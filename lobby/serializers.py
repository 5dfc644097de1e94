"""What bodies and frames about tables look like: the same. What else is in them, such as `$type`, is ignored."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from foyer.api.contracts import checked
from foyer.api.fields import NameText, StrictInteger, StrictText
from foyer.errors import InvalidInput
from lobby.operations import NewTable

LARGEST = 2**53 - 1
"""The largest integer that every client of JSON keeps exactly."""


class Fresh(serializers.Serializer[Any]):
    """A table whose id may be left out. Its name is kept as sent."""

    id = StrictInteger(min_value=1, max_value=LARGEST, required=False)
    name = NameText()
    participants = StrictInteger(min_value=0, max_value=LARGEST)


class Whole(Fresh):
    """A table with its id."""

    id = StrictInteger(min_value=1, max_value=LARGEST)


class Addition(serializers.Serializer[Any]):
    """A table and its place. Any integer may stand for a place: one that the list has not is a conflict, no mistake."""

    after_id = StrictInteger(min_value=-LARGEST, max_value=LARGEST, required=False)
    table = Fresh()


class Update(serializers.Serializer[Any]):
    table = Whole()


class Removal(serializers.Serializer[Any]):
    id = StrictInteger(min_value=1, max_value=LARGEST)


class Credentials(serializers.Serializer[Any]):
    """Any two strings: whether they are right is not a question of shape."""

    username = StrictText(allow_blank=True)
    password = StrictText(allow_blank=True)


def new_table(body: Any) -> NewTable:
    """What an addition asks for. Raises `InvalidInput`."""
    found = checked(Addition, body)
    table = found["table"]
    return NewTable(table["name"], table["participants"], table.get("id"), found.get("after_id"))


def change_of(table_id: int, body: Any, *, partial: bool) -> tuple[str | None, int | None]:
    """The name and participants that a body gives to a table, flat or in `table`. Raises `InvalidInput`.

    With `partial` either may be left out and is None then, but not both. An `id` must be that of the address.
    """
    found = checked(Fresh, body.get("table", body), partial=partial)
    if found.get("id", table_id) != table_id:
        raise InvalidInput({"id": [f"The address names table {table_id}; leave the id out, or give the same."]})
    if not found.keys() & {"name", "participants"}:
        raise InvalidInput({"name": ["Give a name, participants, or both."]})
    return found.get("name"), found.get("participants")


def typed(kind: str, fields: bytes) -> bytes:
    """The fields of an event, or of a list, behind their `$type`."""
    return b'{"$type":"%s",%s}' % (kind.encode(), fields)


def table_list(tables: bytes) -> bytes:
    """The tables, a JSON array, as they are listed."""
    return typed("table_list", b'"tables":' + tables)
