"""REST for notices: check, call one operation, answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import caller_of
from accounts.permissions import IsAdmin, SignedIn
from foyer.api.links import id_in
from foyer.api.renderers import RawJSON
from foyer.api.retry_keys import retry_key
from foyer.api.schema import RETRY_KEY, refuses
from foyer.api.viewsets import ViewSet
from moderation.notices.errors import NoticeNotFound
from moderation.notices.operations import in_force, publish, withdraw
from moderation.notices.serializers import NewNoticeSerializer, NoticeSerializer


class NoticeViewSet(ViewSet):
    """What admins say to everybody."""

    serializer_class = NoticeSerializer
    input_serializers = {"create": NewNoticeSerializer}
    path_help = {"id": "The id of a notice."}
    pagination_class = None

    def get_permissions(self) -> Sequence[Any]:
        return [SignedIn()] if self.request.method in SAFE_METHODS else [IsAdmin()]

    def list(self, request: Request) -> Response:
        """The notices that hold now, the first first."""
        return Response(in_force())

    @extend_schema(parameters=[RETRY_KEY])
    def create(self, request: Request) -> Response:
        """Tell everybody who has a socket or a stream open."""
        notice = publish(caller_of(request), **self.body(), retry_key=retry_key(request))
        return Response(RawJSON(notice), status=201)

    @refuses(NoticeNotFound)
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a notice."""
        withdraw(id_in(pk, NoticeNotFound, digits=18))
        return Response(status=204)
