"""REST for rooms: check, call one operation, answer."""

from __future__ import annotations

from collections.abc import Callable

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller_of
from accounts.callers import Caller
from accounts.people import find_person
from foyer.api.rest import RawJSON, limit_of, page_of, retry_key, with_next_link
from foyer.api.wire import as_json_list, fields_of
from foyer.realtime.presence import ONLINE, among
from rooms.membership import MOST_MEMBERS, add_member, page_of_members, remove_member
from rooms.operations import (
    create_room,
    delete_room,
    find_room,
    list_rooms,
    show_room,
    update_room,
)
from rooms.search import search_rooms
from rooms.serializers import NewMember, NewRoom, RoomChange

MOST_ROOMS = 1000

Summaries = Callable[[Caller, list[str]], list[bytes]]
own_room_summaries: list[Summaries] = []
"""What other apps tell of a caller's own rooms: for each room id, members of a JSON object without its braces."""


def with_summaries(caller: Caller, rooms: list[bytes]) -> list[bytes]:
    """Rooms as JSON, with what the other apps tell of each."""
    ids = [fields_of(room)["roomId"] for room in rooms]
    told = [summaries(caller, ids) for summaries in own_room_summaries]
    return [
        room[:-1] + b"".join(b"," + more for more in parts) + b"}" for room, *parts in zip(rooms, *told, strict=True)
    ]


class RoomList(APIView):
    """The rooms you may see; post a name to make one."""

    def get(self, request: Request) -> Response:
        caller, query = caller_of(request), request.query_params
        if "name" in query:
            room = find_room(caller, query["name"])
            return Response(RawJSON(as_json_list([room] if room else [])))
        page = page_of(request, default=MOST_ROOMS, most=MOST_ROOMS)
        mine = query.get("member") == "me"
        if "q" in query:
            found = search_rooms(caller, query["q"], query.get("cursor"), page.limit, mine=mine)
            response = Response(RawJSON(as_json_list(with_summaries(caller, found.rooms) if mine else found.rooms)))
            return with_next_link(response, request, cursor=found.cursor) if found.cursor else response
        rooms = list_rooms(caller, page.after, page.limit + 1, before=page.before, mine=mine)
        shown = page.cut(rooms)
        response = Response(RawJSON(as_json_list(with_summaries(caller, shown) if mine else shown)))
        if len(rooms) > len(shown):
            edge = fields_of(shown[0 if page.is_backwards else -1])["roomId"]
            with_next_link(response, request, **{"before" if page.is_backwards else "after": edge})
        return response

    def post(self, request: Request) -> Response:
        body = NewRoom(data=request.data)
        body.is_valid(raise_exception=True)
        room = create_room(
            caller_of(request), body.validated_data["name"], body.validated_data["members_only"], retry_key(request)
        )
        location = request.build_absolute_uri(f"/room/{fields_of(room)['roomId']}")
        return Response(RawJSON(room), status=201, headers={"Location": location})


class RoomDetail(APIView):
    """One room. Its owner, or an admin, renames and deletes it."""

    def get(self, request: Request, room_id: str) -> Response:
        return Response(RawJSON(show_room(caller_of(request), room_id)))

    def patch(self, request: Request, room_id: str) -> Response:
        change = RoomChange(data=request.data)
        change.is_valid(raise_exception=True)
        wanted = change.validated_data
        room = update_room(caller_of(request), room_id, wanted.get("name"), wanted.get("members_only"))
        return Response(RawJSON(room))

    def delete(self, request: Request, room_id: str) -> Response:
        delete_room(caller_of(request), room_id)
        return Response(status=204)


class RoomMembers(APIView):
    """Who is in a room; post a username to let somebody in, your own to join an open room."""

    def get(self, request: Request, room_id: str) -> Response:
        limit = limit_of(request, default=MOST_MEMBERS, most=MOST_MEMBERS)
        page = page_of_members(caller_of(request), room_id, request.query_params.get("after", ""), limit)
        online = among(ONLINE, [member.id for member in page.members])
        response = Response(
            [
                {"username": member.username, "joined_at": member.joined_at, "online": member.id in online}
                for member in page.members
            ]
        )
        return with_next_link(response, request, after=page.after) if page.after else response

    def post(self, request: Request, room_id: str) -> Response:
        body = NewMember(data=request.data)
        body.is_valid(raise_exception=True)
        caller = caller_of(request)
        show_room(caller, room_id)
        member, is_new = add_member(caller, room_id, find_person(body.validated_data["username"]))
        answer = {"username": member.username, "joined_at": member.joined_at}
        return Response(answer, status=201 if is_new else 200)


class RoomMember(APIView):
    """One member: members and admins take others out, everyone himself."""

    def delete(self, request: Request, room_id: str, username: str) -> Response:
        caller = caller_of(request)
        show_room(caller, room_id)
        remove_member(caller, room_id, find_person(username))
        return Response(status=204)
