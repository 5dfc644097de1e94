"""REST for search: check, call one operation, answer."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import caller_of
from accounts.errors import UserNotFound
from accounts.people import find_person
from archive.search import FOUND, MOST_CHARACTERS, MOST_FOUND, Search, place_of, search, wanted_by
from archive.serializers import FoundMessageSerializer, QuestionSerializer
from foyer.api.contracts import checked
from foyer.api.pagination import Pagination, query_parameter
from foyer.api.renderers import RawJSON
from foyer.api.schema import refuses
from foyer.api.viewsets import ViewSet
from foyer.api.wire import as_json_list
from foyer.errors import UnknownCursor
from rooms.errors import Banned, RoomNotFound

WORDS_HELP = (
    "Words, all of which must be in the text, in any order, whatever their case and accents. The last one may be the "
    'beginning of a word. `"a phrase"` has to be there in that order, `-word` not at all.'
)
QUESTION = ("q", "room", "user", "from", "cursor")


class SearchPagination(Pagination):
    default_limit, most = FOUND, MOST_FOUND
    entries = "messages"


class SearchFilters(BaseFilterBackend):
    """What is looked for, and where."""

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        text = {"type": "string"}
        words = query_parameter("q", WORDS_HELP, {**text, "minLength": 1, "maxLength": MOST_CHARACTERS})
        return [
            {**words, "required": True},
            query_parameter("room", "A room's id: only what was said there.", text),
            query_parameter("user", "A username: only what that user and the caller said to each other.", text),
            query_parameter("from", "A username: only what that user sent.", text),
            query_parameter("cursor", "Where the search goes on, from the header `Link`.", text),
        ]


class SearchViewSet(ViewSet):
    """Messages by their words. The caller finds what they may read: in their rooms, in open rooms, and in their
    conversations."""

    serializer_class = FoundMessageSerializer
    pagination_class = SearchPagination
    filter_backends = [SearchFilters]
    links = {"roomId": ("room-detail", "room_id"), "sender": ("direct-message-list", "username")}

    @property
    def is_list(self) -> bool:
        return True

    @refuses(RoomNotFound, Banned, UserNotFound, UnknownCursor)
    @extend_schema(tags=["Messages"])
    def search_messages(self, request: Request) -> Response:
        """Messages that have some words, newest first."""
        query, limit = request.query_params, self.pages.limit(request)
        asked = checked(QuestionSerializer, {name: query[name] for name in QUESTION if name in query})
        user, sender = (find_person(asked[name]) if name in asked else None for name in ("user", "from"))
        wanted, before = wanted_by(asked["q"]), place_of(asked.get("cursor"))
        page = search(caller_of(request), Search(wanted, asked.get("room"), user, sender, limit, before))
        if page.cursor is not None:
            self.pages.follow(request, cursor=page.cursor)
        return self.get_paginated_response(RawJSON(as_json_list(page.messages)))
