"""REST for tables: check, call one operation, answer."""

from __future__ import annotations

import re

import orjson
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import caller_of
from foyer.api.links import address_of, websocket_address
from foyer.api.renderers import RawJSON
from foyer.api.retry_keys import RetryKey, retry_key
from foyer.api.schema import LOCATION, RETRY_KEY, refuses
from foyer.api.viewsets import ViewSet
from lobby.errors import NotAuthorized, PlaceGone, TableIdTaken, TableNotFound
from lobby.operations import add_table, list_tables, remove_table, show_table, update_table
from lobby.permissions import AdminsChange
from lobby.serializers import (
    LARGEST,
    HealthSerializer,
    LobbySerializer,
    NewTableSerializer,
    TableAddedSerializer,
    TableChangeSerializer,
    TableContentSerializer,
    TableListSerializer,
    TableSerializer,
    TableUpdatedSerializer,
    change_in,
    table_list,
    table_to_add,
    typed,
    typed_shape,
)

TABLE_ID = re.compile(r"[1-9][0-9]{0,15}")
TABLES = typed_shape("table_list", TableListSerializer)
ADDED = typed_shape("table_added", TableAddedSerializer)
UPDATED = typed_shape("table_updated", TableUpdatedSerializer)


class TableViewSet(ViewSet):
    """The tables of the lobby, in order. Admins add, change and remove them."""

    permission_classes = [AdminsChange]
    serializer_class = TableSerializer
    input_serializers = {
        "create": NewTableSerializer,
        "update": TableContentSerializer,
        "partial_update": TableChangeSerializer,
    }
    path_help = {"id": "A table's id: a whole number from 1."}
    links = {"id": ("table-detail", "pk")}

    @extend_schema(responses=TABLES)
    def list(self, request: Request) -> Response:
        """All tables, in order."""
        return Response(RawJSON(table_list(list_tables().json)))

    @refuses(NotAuthorized, TableIdTaken, PlaceGone)
    @extend_schema(responses={201: ADDED}, parameters=[LOCATION, RETRY_KEY])
    def create(self, request: Request) -> Response:
        """Add a table; for admins.

        It is `{"after_id", "table": {"id", "name", "participants"}}`, ids optional.
        """
        key, table = retry_key(request), table_to_add(self.body())
        added = typed("table_added", add_table(table, RetryKey(caller_of(request).id, key) if key else None))
        location = address_of(request, "table-detail", pk=orjson.loads(added)["table"]["id"])
        return Response(RawJSON(added), status=201, headers={"Location": location})

    @refuses(TableNotFound)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One table."""
        return Response(RawJSON(show_table(number(pk))))

    @refuses(NotAuthorized, TableNotFound)
    @extend_schema(responses=UPDATED)
    def update(self, request: Request, pk: str) -> Response:
        """Change a table, wholly; for admins."""
        table_id = number(pk)
        changed = update_table(table_id, *change_in(table_id, self.body()))
        return Response(RawJSON(typed("table_updated", changed)))

    @refuses(NotAuthorized, TableNotFound)
    @extend_schema(responses=UPDATED)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a table in part; for admins."""
        return self.update(request, pk)

    @refuses(NotAuthorized, TableNotFound)
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a table; for admins."""
        remove_table(number(pk))
        return Response(status=204)


class LobbyViewSet(ViewSet):
    """`/lobby_api` without an upgrade to WebSocket. No credentials are asked for, and none that come are looked at."""

    authentication_classes: list[type[BaseAuthentication]] = []
    permission_classes = [AllowAny]
    serializer_class = LobbySerializer

    def retrieve(self, request: Request) -> Response:
        """The addresses of what follows."""
        websocket = websocket_address(address_of(request, "lobby"))
        tables, health = address_of(request, "table-list"), address_of(request, "lobby-health")
        return Response({"websocket": websocket, "tables": tables, "health": health})

    @extend_schema(operation_id="getLobbyHealth", responses=HealthSerializer)
    def health(self, request: Request) -> Response:
        """That the server answers.

        No credentials are asked for.
        """
        return Response({"status": "ok"})


def number(table_id: str) -> int:
    """The id in an address. Raises `TableNotFound` for what can't be one."""
    if not TABLE_ID.fullmatch(table_id) or int(table_id) > LARGEST:
        raise TableNotFound
    return int(table_id)
