"""REST for tables: check, call one operation, answer."""

from __future__ import annotations

import re
from typing import Any

import orjson
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import SignedIn, caller_of
from foyer.api.rest import RawJSON, retry_key
from foyer.api.retry_keys import RetryKey
from lobby.errors import NotAuthorized, TableNotFound
from lobby.operations import add_table, list_tables, remove_table, show_table, update_table
from lobby.serializers import LARGEST, change_of, new_table, table_list, typed

TABLE_ID = re.compile(r"[1-9][0-9]{0,15}")


class AdminsChange(SignedIn):
    """Whoever is signed in reads; admins change. Raises `NotAuthorized`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        if request.method not in SAFE_METHODS and not caller_of(request).is_admin:
            raise NotAuthorized
        return True


class TableList(APIView):
    """The tables in order. Admins add one: `{"after_id", "table": {"id", "name", "participants"}}`, ids optional."""

    permission_classes = [AdminsChange]

    def get(self, request: Request) -> Response:
        return Response(RawJSON(table_list(list_tables().json)))

    def post(self, request: Request) -> Response:
        key = retry_key(request)
        added = add_table(new_table(request.data), RetryKey(caller_of(request).id, key) if key else None)
        answer = typed("table_added", added)
        address = request.build_absolute_uri(f"/lobby_api/tables/{orjson.loads(answer)['table']['id']}")
        return Response(RawJSON(answer), status=201, headers={"Location": address})


class TableDetail(APIView):
    """One table. Admins change it, wholly or in part, and remove it."""

    permission_classes = [AdminsChange]

    def get(self, request: Request, table_id: str) -> Response:
        return Response(RawJSON(show_table(number(table_id))))

    def put(self, request: Request, table_id: str) -> Response:
        return self.change(request, number(table_id), partial=False)

    def patch(self, request: Request, table_id: str) -> Response:
        return self.change(request, number(table_id), partial=True)

    def change(self, request: Request, table_id: int, *, partial: bool) -> Response:
        name, participants = change_of(table_id, request.data, partial=partial)
        return Response(RawJSON(typed("table_updated", update_table(table_id, name, participants))))

    def delete(self, request: Request, table_id: str) -> Response:
        remove_table(number(table_id))
        return Response(status=204)


class Welcome(APIView):
    """For everyone: no credentials are asked for, and none that come are looked at."""

    authentication_classes: list[type[BaseAuthentication]] = []
    permission_classes = [AllowAny]


class Entrance(Welcome):
    """`/lobby_api` without an upgrade to WebSocket: what is where."""

    def get(self, request: Request) -> Response:
        here = request.build_absolute_uri("/lobby_api")
        websocket = "ws" + here.removeprefix("http")
        return Response({"websocket": websocket, "tables": f"{here}/tables", "health": f"{here}/health"})


class Health(Welcome):
    """That the server answers."""

    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


def number(table_id: str) -> int:
    """The id in an address. Raises `TableNotFound` for what can't be one."""
    if not TABLE_ID.fullmatch(table_id) or int(table_id) > LARGEST:
        raise TableNotFound
    return int(table_id)
