"""What bodies and frames about tables look like: the same. What else is in them, such as `$type`, is ignored."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from foyer.api.contracts import checked
from foyer.api.fields import NameText, StrictInteger, StrictText
from foyer.api.serializers import Shape
from foyer.errors import InvalidInput
from lobby.operations import NewTable

LARGEST = 2**53 - 1
"""The largest integer that every client of JSON keeps exactly."""


class TableSerializer(Shape):
    """A table of the lobby."""

    id = serializers.IntegerField(min_value=1)
    name = serializers.CharField()
    participants = serializers.IntegerField(min_value=0)
    example = {"id": 3, "name": "table - Foo Fighters", "participants": 4}


# What is said, over REST with its `$type`


@extend_schema_serializer(many=False)
class TableListSerializer(Shape):
    """All tables, in order."""

    tables = TableSerializer(many=True)
    example = {"tables": [{"id": 1, "name": "table - James Bond", "participants": 7}, TableSerializer.example]}


class TableAddedSerializer(Shape):
    """A table is in the list, behind the one that is named; -1 is the beginning."""

    after_id = serializers.IntegerField(min_value=-1)
    table = TableSerializer()
    example = {"after_id": 1, "table": TableSerializer.example}


class TableUpdatedSerializer(Shape):
    """A table has another name, or other participants."""

    table = TableSerializer()
    example = {"table": TableSerializer.example}


def typed_shape(kind: str, shape: type[Shape]) -> type[Shape]:
    """The shape with the `$type` that goes before it."""
    own = {"$type": serializers.ChoiceField([kind]), "example": {"$type": kind, **shape.example}}
    return type(shape.__name__, (shape,), {**own, "__doc__": shape.__doc__})


class LobbySerializer(Shape):
    """What is where."""

    websocket = serializers.CharField()
    tables = serializers.CharField()
    health = serializers.CharField()
    example = {
        "websocket": "ws://127.0.0.1:9000/lobby_api",
        "tables": "http://127.0.0.1:9000/lobby_api/tables",
        "health": "http://127.0.0.1:9000/lobby_api/health",
    }


class HealthSerializer(Shape):
    """That the server answers."""

    status = serializers.ChoiceField(["ok"])
    example = {"status": "ok"}


# What is taken


@extend_schema_serializer(component_name="TableInput")
class FreshSerializer(Shape):
    """A table whose id may be left out. Its name is kept as sent."""

    id = StrictInteger(min_value=1, max_value=LARGEST, required=False)
    name = NameText()
    participants = StrictInteger(min_value=0, max_value=LARGEST)


class WholeSerializer(FreshSerializer):
    """A table with its id."""

    id = StrictInteger(min_value=1, max_value=LARGEST)


class NewTableSerializer(Shape):
    """A table and its place: -1 is the beginning, none the end. Without `id` the server picks one."""

    # Any integer may stand for a place: one that the list has not is a conflict, no mistake.
    after_id = StrictInteger(min_value=-LARGEST, max_value=LARGEST, required=False)
    table = FreshSerializer()
    example: ClassVar[Any] = {"after_id": -1, "table": TableSerializer.example}


class FlatSerializer(Shape):
    """Fields of a table, flat or in `table`."""

    id = StrictInteger(
        min_value=1,
        max_value=LARGEST,
        required=False,
        help_text="If given, that of the address.",
        style={"input_type": "hidden"},
    )

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data.get("table", data))


class TableContentSerializer(FlatSerializer):
    """What a table is to be, flat or in `table`."""

    name = NameText()
    participants = StrictInteger(min_value=0, max_value=LARGEST)
    example = {"name": "table - Foo Fighters", "participants": 5}


class TableChangeSerializer(FlatSerializer):
    """What is to be different about a table, flat or in `table`."""

    name = NameText(required=False)
    participants = StrictInteger(min_value=0, max_value=LARGEST, required=False)
    example = {"participants": 5}


# What sockets take besides


class UpdateSerializer(Shape):
    table = WholeSerializer()


class RemovalSerializer(Shape):
    id = StrictInteger(min_value=1, max_value=LARGEST)


class CredentialsSerializer(Shape):
    """Any two strings: whether they are right is not a question of shape."""

    username = StrictText(allow_blank=True)
    password = StrictText(allow_blank=True)


def new_table(body: Any) -> NewTable:
    """What an addition asks for. Raises `InvalidInput`."""
    return table_to_add(checked(NewTableSerializer, body))


def table_to_add(addition: dict[str, Any]) -> NewTable:
    table = addition["table"]
    return NewTable(table["name"], table["participants"], table.get("id"), addition.get("after_id"))


def change_of(table_id: int, body: Any, *, partial: bool) -> tuple[str | None, int | None]:
    """The name and participants that a body gives to a table, flat or in `table`. Raises `InvalidInput`.

    With `partial` either may be left out and is None then, but not both. An `id` must be that of the address.
    """
    shape = TableChangeSerializer if partial else TableContentSerializer
    return change_in(table_id, checked(shape, body))


def change_in(table_id: int, content: dict[str, Any]) -> tuple[str | None, int | None]:
    if content.get("id", table_id) != table_id:
        raise InvalidInput({"id": [f"The address names table {table_id}; leave the id out, or give the same."]})
    if not content.keys() & {"name", "participants"}:
        raise InvalidInput({"name": ["Give a name, participants, or both."]})
    return content.get("name"), content.get("participants")


def typed(kind: str, fields: bytes) -> bytes:
    """The fields of an event, or of a list, behind their `$type`."""
    return b'{"$type":"%s",%s}' % (kind.encode(), fields)


def table_list(tables: bytes) -> bytes:
    """The tables, a JSON array, as they are listed."""
    return typed("table_list", b'"tables":' + tables)
