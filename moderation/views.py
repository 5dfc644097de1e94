"""REST for audits and reports: check, call one operation, answer."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import caller_of
from foyer.api.pagination import IdPagination
from foyer.api.renderers import RawJSON
from foyer.api.schema import refuses
from foyer.api.viewsets import ViewSet
from foyer.api.wire import as_json_list, fields_of
from foyer.errors import UnknownCursor
from moderation.operations import read_audit
from moderation.serializers import AuditEntrySerializer
from rooms.errors import Banned, NotAModerator, RoomNotFound
from rooms.views import ROOM_ID_HELP


class AuditPagination(IdPagination):
    default_limit, most = 50, 1000
    entries = "entries"


class AuditViewSet(ViewSet):
    """What was done to keep order in a room."""

    serializer_class = AuditEntrySerializer
    pagination_class = AuditPagination
    path_help = {"room_id": ROOM_ID_HELP}
    links = {"username": ("account-detail", "username"), "by": ("account-detail", "username")}

    @refuses(RoomNotFound, Banned, NotAModerator, UnknownCursor)
    def list(self, request: Request, room_id: str) -> Response:
        """Who did what to whom and why, the newest first; for moderators.

        `Link` leads to older entries.
        """
        entries, more = read_audit(caller_of(request), room_id, self.asked())
        if more:
            self.pages.follow(request, before=fields_of(entries[-1])["id"])
        return self.get_paginated_response(RawJSON(as_json_list(entries)))
