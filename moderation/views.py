"""REST for audits and reports: check, call one operation, answer."""

from __future__ import annotations

from typing import Any

import orjson
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import caller_of
from accounts.errors import UserNotFound
from accounts.people import find_person
from accounts.views import USERNAME_HELP
from foyer.api.links import id_in
from foyer.api.pagination import IdPagination, query_parameter
from foyer.api.renderers import RawJSON
from foyer.api.schema import refuses
from foyer.api.viewsets import ViewSet
from foyer.api.wire import as_json_list, fields_of
from foyer.errors import Forbidden, InvalidInput, TooManyRequests, UnknownCursor
from messaging.errors import MessageNotFound
from messaging.views import offset_of
from moderation.errors import ReportNotFound
from moderation.models import Report
from moderation.operations import read_audit
from moderation.reports import close_report, page_of_reports, report_direct, report_in_room
from moderation.serializers import (
    AuditEntrySerializer,
    ComplaintSerializer,
    ReportClosingSerializer,
    ReportSerializer,
)
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


class ReportPagination(IdPagination):
    default_limit, most = 50, 1000
    entries = "reports"


class ReportFilters(BaseFilterBackend):
    """Which reports are listed."""

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        state = {"type": "string", "enum": Report.State.values}
        return [query_parameter("state", "Only those in this state.", state)]


MADE = {
    201: OpenApiResponse(ReportSerializer, "The report."),
    200: OpenApiResponse(ReportSerializer, "The report that the caller made of the message before."),
}


class ReportViewSet(ViewSet):
    """Reports of messages. Whoever can read a message may report it; moderators and admins close reports."""

    serializer_class = ReportSerializer
    input_serializers = {
        "report_message": ComplaintSerializer,
        "report_direct_message": ComplaintSerializer,
        "partial_update": ReportClosingSerializer,
    }
    pagination_class = ReportPagination
    filter_backends = [ReportFilters]
    path_help = {
        "id": "The id of a message or a report.",
        "room_id": ROOM_ID_HELP,
        "username": USERNAME_HELP,
    }
    links = {"id": ("report-detail", "pk")}

    def list(self, request: Request) -> Response:
        """The queue of reports, the oldest first: for an admin all, for others those of rooms that they moderate."""
        state = request.query_params.get("state")
        if state is not None and state not in Report.State.values:
            raise InvalidInput({"state": [f"One of {', '.join(Report.State.values)} is expected."]})
        page = self.asked()
        reports, more = page_of_reports(caller_of(request), state, page)
        return self.page_response(page, [orjson.dumps(report.as_json()) for report in reports], more=more)

    @refuses(ReportNotFound, Forbidden)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Close a report, with a note; noted in the audit of the room. For admins, and moderators of the room."""
        body = self.body()
        report_id = id_in(pk, ReportNotFound)
        return Response(close_report(caller_of(request), report_id, body["state"], body.get("note")).as_json())

    @refuses(RoomNotFound, Banned, MessageNotFound, TooManyRequests)
    @extend_schema(responses=MADE)
    def report_message(self, request: Request, room_id: str, pk: str) -> Response:
        """Report a message of a room to those who keep order there."""
        report, is_new = report_in_room(caller_of(request), room_id, offset_of(pk), self.body()["reason"])
        return Response(report.as_json(), status=201 if is_new else 200)

    @refuses(UserNotFound, MessageNotFound, TooManyRequests)
    @extend_schema(responses=MADE)
    def report_direct_message(self, request: Request, username: str, pk: str) -> Response:
        """Report a direct message to the admins, by its id in the caller's own log."""
        message_id, reason = offset_of(pk), self.body()["reason"]
        report, is_new = report_direct(caller_of(request), find_person(username), message_id, reason)
        return Response(report.as_json(), status=201 if is_new else 200)
