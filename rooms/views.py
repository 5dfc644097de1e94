"""REST for rooms: check, call one operation, answer."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import caller_of
from accounts.errors import AccountGone, UserNotFound
from foyer.api.links import address_of
from foyer.api.pagination import IdPagination, PlacePagination, query_parameter
from foyer.api.renderers import RawJSON
from foyer.api.retry_keys import retry_key
from foyer.api.schema import LOCATION, RETRY_KEY, refuses
from foyer.api.viewsets import ViewSet
from foyer.api.wire import as_json_list, fields_of
from foyer.errors import Forbidden, NearlyFull, TooManyRequests, UnknownCursor
from rooms.errors import (
    Banned,
    NotAMember,
    NotAModerator,
    NotBanned,
    NotInRoom,
    NotMuted,
    NotTheOwner,
    PermanentRoom,
    RoomChanged,
    RoomNameTaken,
    RoomNotFound,
    TooManyRooms,
)
from rooms.listing import RoomsWanted, members_with_presence, page_of_rooms
from rooms.membership import MOST_MEMBERS, add_by_name, remove_by_name
from rooms.operations import AS_IT_IS, Retention, create_room, delete_room, show_room, update_room
from rooms.order import Restriction, Terms, lift, list_restrictions, person_for, restrict, set_role
from rooms.search import MOST_CHARACTERS
from rooms.serializers import (
    ListedRoomSerializer,
    MemberSerializer,
    NewMemberSerializer,
    NewRoomSerializer,
    RestrictionSerializer,
    RoleSerializer,
    RoomChangeSerializer,
    RoomSerializer,
    TermsSerializer,
)

ROOM_ID_HELP = "A room's id, or `lobby`."
WORDS_HELP = (
    "Words of the name, or beginnings of words, whatever their case: only rooms that have all of them, by words and "
    "names. The header `Link` has the next page."
)
MOST_ROOMS = 1000


class RoomPagination(IdPagination):
    default_limit = most = MOST_ROOMS
    entries = "rooms"
    id_field = "roomId"


class RoomFilters(BaseFilterBackend):
    """Which rooms are listed."""

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        text = {"type": "string"}
        words = {**text, "minLength": 1, "maxLength": MOST_CHARACTERS}
        return [
            query_parameter("name", "Only the room of exactly this name.", text),
            query_parameter("q", WORDS_HELP, words),
            query_parameter("cursor", "With `q`: where the search goes on, from the header `Link`.", text),
            query_parameter("member", "`me`: only those that the caller is in.", {**text, "enum": ["me"]}),
        ]


class RoomViewSet(ViewSet):
    """The rooms one may see. Their owners, and admins, rename and delete them."""

    serializer_class = RoomSerializer
    input_serializers = {"create": NewRoomSerializer, "partial_update": RoomChangeSerializer}
    pagination_class = RoomPagination
    filter_backends = [RoomFilters]
    lookup_url_kwarg = "room_id"
    path_help = {"room_id": ROOM_ID_HELP}
    links = {"roomId": ("room-detail", "room_id")}

    @refuses(UnknownCursor)
    @extend_schema(responses=ListedRoomSerializer)
    def list(self, request: Request) -> Response:
        """The rooms that the caller may see, by creation."""
        query, page = request.query_params, self.asked()
        wanted = RoomsWanted(query.get("name"), query.get("q"), query.get("cursor"), mine=query.get("member") == "me")
        found = page_of_rooms(caller_of(request), wanted, page)
        if found.cursor is not None:
            self.pages.follow(request, cursor=found.cursor)
        return self.page_response(page, found.rooms, more=found.more and found.cursor is None)

    @refuses(RoomNameTaken, TooManyRooms, AccountGone, TooManyRequests, NearlyFull)
    @extend_schema(parameters=[LOCATION, RETRY_KEY])
    def create(self, request: Request) -> Response:
        """Make a room; the caller owns it and is its first member."""
        body = self.body()
        room = create_room(caller_of(request), body["name"], body["members_only"], retry_key(request))
        location = address_of(request, "room-detail", room_id=fields_of(room)["roomId"])
        return Response(RawJSON(room), status=201, headers={"Location": location})

    @refuses(RoomNotFound, Banned)
    def retrieve(self, request: Request, room_id: str) -> Response:
        """One room."""
        return Response(RawJSON(show_room(caller_of(request), room_id)))

    @refuses(RoomNotFound, Banned, NotTheOwner, NotAModerator, PermanentRoom, RoomNameTaken, RoomChanged)
    def partial_update(self, request: Request, room_id: str) -> Response:
        """Change a room, for its owner and admins; or its slow mode alone, for moderators too.

        That is its name, who may see it, and for how long it keeps messages.
        """
        wanted = self.body()
        name, members_only, slow_mode = (wanted.get(field) for field in ("name", "members_only", "slow_mode"))
        retention = Retention(wanted["retention_days"]) if "retention_days" in wanted else AS_IT_IS
        room = update_room(caller_of(request), room_id, name, members_only, slow_mode, retention)
        return Response(RawJSON(room))

    @refuses(RoomNotFound, Banned, NotTheOwner, PermanentRoom)
    def destroy(self, request: Request, room_id: str) -> Response:
        """Delete a room and its messages; for its owner, and admins."""
        delete_room(caller_of(request), room_id)
        return Response(status=204)


class MemberPagination(PlacePagination):
    default_limit = most = MOST_MEMBERS
    entries = "members"


NEWCOMER = [OpenApiExample("Member", {"username": "ann", "joined_at": "2026-03-04T09:16:14.609Z"})]


MODERATOR = OpenApiExample(
    "Member", {"username": "ann", "joined_at": "2026-03-04T09:16:14.609Z", "role": "moderator"}, response_only=True
)


class MemberViewSet(ViewSet):
    """Who is in a room. Members and admins let others in and take them out, anyone oneself."""

    serializer_class = MemberSerializer
    input_serializers = {"add_member": NewMemberSerializer, "partial_update": RoleSerializer}
    pagination_class = MemberPagination
    lookup_url_kwarg = "username"
    path_help = {"room_id": ROOM_ID_HELP, "username": "Who it is about."}
    links = {"username": ("room-member", "username")}

    @refuses(RoomNotFound, Banned, UnknownCursor)
    def list(self, request: Request, room_id: str) -> Response:
        """Who is in a room, by the time they joined."""
        after, limit = request.query_params.get("after", ""), self.pages.limit(request)
        members, following = members_with_presence(caller_of(request), room_id, after, limit)
        if following:
            self.pages.follow(request, after=following)
        return self.get_paginated_response(members)

    @refuses(RoomNotFound, UserNotFound, NotAMember, Banned, TooManyRooms, AccountGone)
    @extend_schema(
        responses={
            201: OpenApiResponse(MemberSerializer, "Who is in the room since now.", NEWCOMER),
            200: OpenApiResponse(MemberSerializer, "Who was in the room already.", NEWCOMER),
        }
    )
    def add_member(self, request: Request, room_id: str) -> Response:
        """Let somebody in: members and admins anyone, anyone oneself into an open room."""
        member, is_new = add_by_name(caller_of(request), room_id, self.body()["username"])
        answer = {"username": member.username, "joined_at": member.joined_at}
        return Response(answer, status=201 if is_new else 200)

    @refuses(RoomNotFound, Banned, UserNotFound, NotInRoom, NotTheOwner, Forbidden)
    @extend_schema(responses=OpenApiResponse(MemberSerializer, "The member, with the new role.", [MODERATOR]))
    def partial_update(self, request: Request, room_id: str, username: str) -> Response:
        """Make a member a moderator, or no longer; for the room's owner, and admins."""
        role, caller = self.body()["role"], caller_of(request)
        member = set_role(caller, room_id, person_for(caller, room_id, username), role)
        return Response({"username": member.username, "joined_at": member.joined_at, "role": member.role})

    @refuses(RoomNotFound, Banned, UserNotFound, NotInRoom, NotAMember, Forbidden)
    def remove_member(self, request: Request, room_id: str, username: str) -> Response:
        """Take somebody out: members other members, the owner also moderators, admins anyone, anyone themselves."""
        remove_by_name(caller_of(request), room_id, username)
        return Response(status=204)


class RestrictionPagination(PlacePagination):
    default_limit = most = MOST_MEMBERS
    entries = "bans or mutes"


class RestrictionViewSet(ViewSet):
    """Who is banned from a room, or muted in it, at this moment. Moderators see it, and change it."""

    which: ClassVar[Restriction]
    serializer_class = RestrictionSerializer
    input_serializers = {"update": TermsSerializer}
    pagination_class = RestrictionPagination
    lookup_url_kwarg = "username"
    path_help = {"room_id": ROOM_ID_HELP, "username": "Who it is about."}

    def list_those_in_force(self, request: Request, room_id: str) -> Response:
        after, limit = request.query_params.get("after", ""), self.pages.limit(request)
        found, following = list_restrictions(caller_of(request), room_id, self.which, after, limit)
        if following:
            self.pages.follow(request, after=following)
        return self.get_paginated_response(RawJSON(as_json_list(found)))

    def impose(self, request: Request, room_id: str, username: str) -> Response:
        body, caller = self.body(), caller_of(request)
        terms = Terms(body.get("until"), body.get("reason"))
        return Response(RawJSON(restrict(caller, room_id, self.which, person_for(caller, room_id, username), terms)))

    def end(self, request: Request, room_id: str, username: str) -> Response:
        caller = caller_of(request)
        lift(caller, room_id, self.which, person_for(caller, room_id, username))
        return Response(status=204)


class BanViewSet(RestrictionViewSet):
    """Bans. They end the membership, and nothing of the room is open to that user until they are lifted or over."""

    which = "bans"
    links = {"username": ("room-ban", "username")}

    @refuses(RoomNotFound, Banned, NotAModerator, UnknownCursor)
    def list(self, request: Request, room_id: str) -> Response:
        """The bans that are in force, by the time at which they were imposed."""
        return self.list_those_in_force(request, room_id)

    @refuses(RoomNotFound, Banned, UserNotFound, NotAModerator, Forbidden)
    def update(self, request: Request, room_id: str, username: str) -> Response:
        """Ban somebody, or change the terms of their ban; for moderators."""
        return self.impose(request, room_id, username)

    @refuses(RoomNotFound, Banned, UserNotFound, NotAModerator, NotBanned, Forbidden)
    def destroy(self, request: Request, room_id: str, username: str) -> Response:
        """Lift a ban; for moderators."""
        return self.end(request, room_id, username)


class MuteViewSet(RestrictionViewSet):
    """Mutes. Who is muted may read, and not post, edit or say that they are typing."""

    which = "mutes"
    links = {"username": ("room-mute", "username")}

    @refuses(RoomNotFound, Banned, NotAModerator, UnknownCursor)
    def list(self, request: Request, room_id: str) -> Response:
        """The mutes that are in force, by the time at which they were imposed."""
        return self.list_those_in_force(request, room_id)

    @refuses(RoomNotFound, Banned, UserNotFound, NotAModerator, Forbidden)
    def update(self, request: Request, room_id: str, username: str) -> Response:
        """Mute somebody, or change the terms of their mute; for moderators."""
        return self.impose(request, room_id, username)

    @refuses(RoomNotFound, Banned, UserNotFound, NotAModerator, NotMuted, Forbidden)
    def destroy(self, request: Request, room_id: str, username: str) -> Response:
        """Lift a mute; for moderators."""
        return self.end(request, room_id, username)
