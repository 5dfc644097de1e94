"""REST for messages: check, call one operation, answer."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller_of
from accounts.people import find_person
from foyer.api.rest import MOST_MESSAGES, NEWEST, RawJSON, page_of, retry_key, with_next_link
from foyer.api.wire import as_json_list, fields_of
from messaging.errors import MessageNotFound
from messaging.operations import (
    History,
    delete_message,
    edit_message,
    post_message,
    read_direct,
    read_history,
    send_direct,
    show_message,
)
from messaging.serializers import MessageText
from rooms.operations import show_room


def text_of(request: Request) -> str:
    body = MessageText(data=request.data)
    body.is_valid(raise_exception=True)
    text: str = body.validated_data["text"]
    return text


def answer_page(request: Request, page: History, *, forward: bool) -> Response:
    """A page, with a link to the next: newer messages when reading forward, older ones otherwise."""
    response = Response(RawJSON(as_json_list(page.messages)))
    if page.more and page.messages:
        edge = fields_of(page.messages[-1 if forward else 0])["id"]
        with_next_link(response, request, **{"after" if forward else "before": edge})
    return response


class RoomMessages(APIView):
    """A room's messages, the newest 50 unless asked otherwise; post a text to add one."""

    def get(self, request: Request, room_id: str) -> Response:
        asked = page_of(request, default=NEWEST, most=MOST_MESSAGES)
        page = read_history(caller_of(request), room_id, asked)
        return answer_page(request, page, forward=asked.after is not None)

    def post(self, request: Request, room_id: str) -> Response:
        message = post_message(caller_of(request), room_id, text_of(request), retry_key(request))
        location = request.build_absolute_uri(f"/room/{room_id}/messages/{fields_of(message)['id']}")
        return Response(RawJSON(message), status=201, headers={"Location": location})


class RoomMessage(APIView):
    """One message of a room. Its sender edits it; its sender, the room's owner or an admin deletes it."""

    def get(self, request: Request, room_id: str, message_id: str) -> Response:
        return Response(RawJSON(show_message(caller_of(request), room_id, offset_of(message_id))))

    def patch(self, request: Request, room_id: str, message_id: str) -> Response:
        return Response(RawJSON(edit_message(caller_of(request), room_id, offset_of(message_id), text_of(request))))

    def delete(self, request: Request, room_id: str, message_id: str) -> Response:
        delete_message(caller_of(request), room_id, offset_of(message_id))
        return Response(status=204)


def offset_of(message_id: str) -> int:
    if not (message_id.isascii() and message_id.isdigit() and len(message_id) <= 15):
        raise MessageNotFound
    return int(message_id)


class Conversation(APIView):
    """What you and another user said to each other; post a text to say more."""

    def get(self, request: Request, username: str) -> Response:
        asked = page_of(request, default=NEWEST, most=MOST_MESSAGES)
        page = read_direct(caller_of(request), find_person(username), asked)
        return answer_page(request, page, forward=asked.after is not None)

    def post(self, request: Request, username: str) -> Response:
        text = text_of(request)
        message = send_direct(caller_of(request), find_person(username), text, retry_key(request))
        return Response(RawJSON(message), status=201)


class Inbox(APIView):
    """Direct messages to you, the newest 50 unless asked otherwise."""

    def get(self, request: Request) -> Response:
        asked = page_of(request, default=NEWEST, most=MOST_MESSAGES)
        page = read_direct(caller_of(request), None, asked)
        return answer_page(request, page, forward=asked.after is not None)


class RoomSubscription(APIView):
    """Where to hear a room live: by WebSocket, or as server-sent events."""

    def get(self, request: Request, room_id: str) -> Response:
        show_room(caller_of(request), room_id)
        return addresses(request)


class InboxSubscription(APIView):
    """Where to hear your direct messages live: by WebSocket, or as server-sent events."""

    def get(self, request: Request) -> Response:
        return addresses(request)


def addresses(request: Request) -> Response:
    events = request.build_absolute_uri(request.path)
    return Response({"websocket": "ws" + events.removeprefix("http"), "events": events}, status=202)
