"""REST for rooms: check, call one operation, answer."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller_of
from accounts.people import find_person
from config.rest import RawJSON, page_of, retry_key, with_next_link
from rooms.membership import Membership
from rooms.models import Room, as_json_list, fields_of
from rooms.serializers import NewMember, NewRoom, RoomChange

MOST_ROOMS = 1000


class RoomList(APIView):
    """The rooms you may see; post a name to make one."""

    def get(self, request: Request) -> Response:
        caller, query = caller_of(request), request.query_params
        if "name" in query:
            room = Room.find(caller, query["name"])
            return Response(RawJSON(as_json_list([room] if room else [])))
        page = page_of(request, default=MOST_ROOMS, most=MOST_ROOMS)
        rooms = Room.list(caller, page.after or 0, page.limit + 1, mine=query.get("member") == "me")
        shown = rooms[: page.limit]
        response = Response(RawJSON(as_json_list(shown)))
        if len(rooms) > len(shown):
            with_next_link(response, request, after=fields_of(shown[-1])["roomId"])
        return response

    def post(self, request: Request) -> Response:
        body = NewRoom(data=request.data)
        body.is_valid(raise_exception=True)
        room = Room.create(
            caller_of(request), body.validated_data["name"], body.validated_data["members_only"], retry_key(request)
        )
        location = request.build_absolute_uri(f"/room/{fields_of(room)['roomId']}")
        return Response(RawJSON(room), status=201, headers={"Location": location})


class RoomDetail(APIView):
    """One room. Its owner, or an admin, renames and deletes it."""

    def get(self, request: Request, room_id: str) -> Response:
        return Response(RawJSON(Room.show(caller_of(request), room_id)))

    def patch(self, request: Request, room_id: str) -> Response:
        change = RoomChange(data=request.data)
        change.is_valid(raise_exception=True)
        wanted = change.validated_data
        room = Room.update(caller_of(request), room_id, wanted.get("name"), wanted.get("members_only"))
        return Response(RawJSON(room))

    def delete(self, request: Request, room_id: str) -> Response:
        Room.delete(caller_of(request), room_id)
        return Response(status=204)


class RoomMembers(APIView):
    """Who is in a room; post a username to let somebody in, your own to join an open room."""

    def get(self, request: Request, room_id: str) -> Response:
        members = Membership.list(caller_of(request), room_id)
        return Response([{"username": member.username, "joined_at": member.joined_at} for member in members])

    def post(self, request: Request, room_id: str) -> Response:
        body = NewMember(data=request.data)
        body.is_valid(raise_exception=True)
        caller = caller_of(request)
        Room.show(caller, room_id)
        member, is_new = Membership.add(caller, room_id, find_person(body.validated_data["username"]))
        answer = {"username": member.username, "joined_at": member.joined_at}
        return Response(answer, status=201 if is_new else 200)


class RoomMember(APIView):
    """One member: members and admins take others out, everyone himself."""

    def delete(self, request: Request, room_id: str, username: str) -> Response:
        caller = caller_of(request)
        Room.show(caller, room_id)
        Membership.remove(caller, room_id, find_person(username))
        return Response(status=204)
