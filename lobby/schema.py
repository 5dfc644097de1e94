"""What is said of the routes of lobby tables, at `/schema` and on their pages."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from foyer.api.fields import NameText, StrictInteger
from foyer.api.schema import LOCATION, RETRY_KEY, Operation, Shape, describe, in_path
from foyer.realtime.declarations import FrameShape
from lobby import frames, views
from lobby.serializers import LARGEST, Addition, Fresh

TAG = "Lobby tables"
TABLE_ID = in_path("id", "A table's id: a whole number from 1.")
FOO_FIGHTERS = frames.Table.example


def typed(kind: str, shape: type[FrameShape]) -> Shape:
    """The shape with the `$type` that goes before it."""
    fields = {"$type": serializers.ChoiceField([kind]), "example": {"$type": kind, **shape.example}}
    return type(f"Typed{shape.__name__}", (shape,), {**fields, "__doc__": shape.__doc__})


class NewTable(Addition):
    """A table and its place: -1 is the beginning, none the end. Without `id` the server picks one."""


class TableContent(serializers.Serializer[Any]):
    """What a table is to be, flat or in `table`."""

    name = NameText()
    participants = StrictInteger(min_value=0, max_value=LARGEST)


class TableChange(serializers.Serializer[Any]):
    """What is to be different about a table, flat or in `table`."""

    name = NameText(required=False)
    participants = StrictInteger(min_value=0, max_value=LARGEST, required=False)


class Entrance(serializers.Serializer[Any]):
    """What is where."""

    websocket = serializers.CharField()
    tables = serializers.CharField()
    health = serializers.CharField()


class Status(serializers.Serializer[Any]):
    """That the server answers."""

    status = serializers.ChoiceField(["ok"])
    example = {"status": "ok"}


extend_schema_serializer(component_name="TableToBe")(Fresh)

describe(
    views.Entrance,
    "Lobby",
    TAG,
    related={"Tables": "/lobby_api/tables", "Health": "/lobby_api/health"},
    get=Operation("showLobby", "The addresses of what follows", {200: Entrance}, open=True),
)
describe(
    views.Health,
    "Health",
    TAG,
    get=Operation("lobbyHealth", "That the server answers", {200: Status}, open=True),
)
describe(
    views.TableList,
    "Lobby tables",
    TAG,
    linked={"id": "/lobby_api/tables/{}"},
    get=Operation("listTables", "All tables, in order", {200: typed("table_list", frames.TableList)}),
    post=Operation(
        "addTable",
        "Add a table; for admins",
        {201: typed("table_added", frames.TableAdded)},
        "not_authorized table_id_taken after_id_not_found",
        takes=NewTable,
        example={"after_id": -1, "table": FOO_FIGHTERS},
        parameters=(LOCATION, RETRY_KEY),
    ),
)
CHANGED = typed("table_updated", frames.TableUpdated)
describe(
    views.TableDetail,
    "Lobby table",
    TAG,
    TABLE_ID,
    related={"All tables": "/lobby_api/tables"},
    get=Operation("showTable", "One table", {200: frames.Table}, "table_not_found"),
    put=Operation(
        "replaceTable", "Change a table, wholly; for admins", {200: CHANGED}, "not_authorized table_not_found",
        takes=TableContent, example={"name": "table - Foo Fighters", "participants": 5},
    ),
    patch=Operation(
        "changeTable", "Change a table in part; for admins", {200: CHANGED}, "not_authorized table_not_found",
        takes=TableChange, example={"participants": 5},
    ),
    delete=Operation(
        "removeTable", "Remove a table; for admins", {204: None}, "not_authorized table_not_found"
    ),
)  # fmt: skip
