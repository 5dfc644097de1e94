"""REST for messages: check, call one operation, answer."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import caller_of
from accounts.errors import AccountGone, ForeignOrigin, UserNotFound
from accounts.people import Person, find_person
from accounts.reach import reachable
from accounts.views import USERNAME_HELP
from foyer.api.links import address_of, id_in, own_address, websocket_address
from foyer.api.negotiation import preferred
from foyer.api.paged import PagedAnswer
from foyer.api.pagination import LARGEST_ID, IdPagination, number_of, query_parameter
from foyer.api.renderers import JSONRenderer, RawJSON
from foyer.api.retry_keys import retry_key
from foyer.api.schema import LOCATION, RETRY_KEY, example_body, in_query, refuses
from foyer.api.viewsets import ViewSet
from foyer.api.wire import as_json_list, fields_of
from foyer.errors import Forbidden, InvalidInput, NearlyFull, NotAcceptable, TooManyRequests, UnknownCursor
from foyer.paging import Page
from messaging.blocks import block, list_blocks, unblock
from messaging.errors import Blocked, MessageNotFound, NotTheSender, TooManyBlocks
from messaging.export import export
from messaging.operations import (
    delete_message,
    edit_message,
    post_message,
    read_direct,
    read_history,
    send_direct,
    show_message,
)
from messaging.past import History
from messaging.quota import count_post
from messaging.serializers import (
    MOST_MESSAGES,
    NEWEST,
    AddressesSerializer,
    BlockSerializer,
    DirectMessageSerializer,
    MessageInputSerializer,
    MessageSerializer,
)
from rooms.errors import Banned, Muted, NotAMember, RoomNotFound, SlowMode
from rooms.operations import show_room
from rooms.views import ROOM_ID_HELP

AROUND_HELP = (
    "The message with this id, and as many before it as after it. `Link` leads to older (`prev`) and newer ones "
    "(`next`)."
)


class MessagePagination(IdPagination):
    default_limit, most = NEWEST, MOST_MESSAGES
    entries = "messages"
    newest_first = True

    def asked(self, request: Request) -> Page:
        """As for every list; or the messages around one. Raises `InvalidInput`."""
        wrong: dict[str, list[str]] = {}
        page, around = super().asked(request), number_of(request, "around", 0, LARGEST_ID - 1, wrong)
        if around is not None and (page.before, page.after) != (None, None):
            wrong["around"] = ["Ask for messages around one, or before and after, not both."]
        if wrong:
            raise InvalidInput(wrong)
        return page._replace(around=around)

    def history_response(self, request: Request, page: Page, found: History) -> Response:
        """The answer with a page of messages. One around a message leads both ways."""
        if page.around is not None and found.messages:
            first, last = (fields_of(found.messages[place])["id"] for place in (0, -1))
            if found.earlier:
                self.previous_address = own_address(request, around=None, before=first)
            if found.more:
                self.next_address = own_address(request, around=None, after=last)
            return self.get_paginated_response(RawJSON(as_json_list(found.messages)))
        return self.page_response(request, page, found.messages, more=found.more)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        cursor = {"type": "integer", "minimum": 0, "maximum": LARGEST_ID - 1}
        return [*super().get_schema_operation_parameters(view), query_parameter("around", AROUND_HELP, cursor)]


class ListedMessages(ViewSet):
    """What lists of messages have in common."""

    pagination_class = MessagePagination

    def history_response(self, page: Page, found: History) -> Response:
        return cast(MessagePagination, self.pages).history_response(self.request, page, found)


class MessageViewSet(ListedMessages):
    """A room's messages. Its sender edits one; its sender, a moderator or an admin deletes it."""

    serializer_class = MessageSerializer
    input_serializers = {"create": MessageInputSerializer, "partial_update": MessageInputSerializer}
    path_help = {"room_id": ROOM_ID_HELP, "id": "The id of a message: its offset in the log of the room."}
    links = {"id": ("message-detail", "pk")}

    @refuses(RoomNotFound, Banned, UnknownCursor)
    def list(self, request: Request, room_id: str) -> Response:
        """The newest messages of a room, or those before, after or around an id; oldest first.

        They are the newest 50 unless asked otherwise.
        """
        page = self.asked()
        found = read_history(caller_of(request), room_id, page)
        return self.history_response(page, found)

    @refuses(RoomNotFound, Banned, NotAMember, Muted, SlowMode, AccountGone, TooManyRequests, NearlyFull)
    @extend_schema(parameters=[LOCATION, RETRY_KEY])
    def create(self, request: Request, room_id: str) -> Response:
        """Say something in a room."""
        caller, text, key = caller_of(request), self.body()["text"], retry_key(request)
        count_post(caller)
        message = post_message(caller, room_id, text, key)
        location = address_of(request, "message-detail", room_id=room_id, pk=fields_of(message)["id"])
        return Response(RawJSON(message), status=201, headers={"Location": location})

    @refuses(RoomNotFound, Banned, MessageNotFound)
    def retrieve(self, request: Request, room_id: str, pk: str) -> Response:
        """One message."""
        return Response(RawJSON(show_message(caller_of(request), room_id, offset_of(pk))))

    @refuses(RoomNotFound, Banned, Muted, MessageNotFound, NotTheSender, TooManyRequests, NearlyFull)
    @extend_schema(examples=example_body({"text": "hi!"}))
    def partial_update(self, request: Request, room_id: str, pk: str) -> Response:
        """Give one's own message another text."""
        caller, message_id, text = caller_of(request), offset_of(pk), self.body()["text"]
        count_post(caller)
        return Response(RawJSON(edit_message(caller, room_id, message_id, text)))

    @refuses(RoomNotFound, Banned, MessageNotFound, NotTheSender, Forbidden)
    def destroy(self, request: Request, room_id: str, pk: str) -> Response:
        """Delete a message: one's own or, as a moderator, a member's; the room's owner and admins delete any."""
        delete_message(caller_of(request), room_id, offset_of(pk))
        return Response(status=204)


def offset_of(message_id: str) -> int:
    return id_in(message_id, MessageNotFound)


class DirectMessageViewSet(ListedMessages):
    """Direct messages, the newest 50 unless asked otherwise: to and from one user, or all that came."""

    serializer_class = DirectMessageSerializer
    input_serializers = {"create": MessageInputSerializer}
    lookup_field = "username"
    path_help = {"username": USERNAME_HELP}
    links = {"sender": ("direct-message-list", "username"), "to": ("direct-message-list", "username")}

    def get_object(self) -> Person:
        return find_person(self.kwargs["username"])

    @refuses(UserNotFound, UnknownCursor)
    def list(self, request: Request, username: str) -> Response:
        """What the caller and that user said to each other."""
        page = self.asked()
        found = read_direct(caller_of(request), self.get_object(), page)
        return self.history_response(page, found)

    @refuses(UserNotFound, AccountGone, Blocked, TooManyRequests, NearlyFull)
    @extend_schema(parameters=[RETRY_KEY], examples=example_body({"text": "psst"}))
    def create(self, request: Request, username: str) -> Response:
        """Send a direct message."""
        caller, text, key = caller_of(request), self.body()["text"], retry_key(request)
        count_post(caller)
        message = send_direct(caller, self.get_object(), text, key)
        return Response(RawJSON(message), status=201)

    @refuses(UnknownCursor)
    def list_inbox(self, request: Request) -> Response:
        """Direct messages to the caller."""
        page = self.asked()
        found = read_direct(caller_of(request), None, page)
        return self.history_response(page, found)


LINES = ("application/x-ndjson", JSONRenderer.media_type)
EXPORTED = OpenApiResponse(
    {"type": "string"},
    "A JSON object a line: `type` says what it is about, and that stands under the same name.",
    [OpenApiExample("line", '{"type":"conversation","conversation":{"username":"ann"}}\n', response_only=True)],
)


class ExportViewSet(ViewSet):
    """All that an account said and was told."""

    lookup_field = "username"
    path_help = {"username": USERNAME_HELP}

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Lines of JSON; errors are JSON as everywhere. Raises `NotAcceptable`."""
        if not force and preferred(request.META.get("HTTP_ACCEPT", ""), LINES) is None:
            raise NotAcceptable
        return JSONRenderer(), JSONRenderer.media_type

    @refuses(Forbidden, UserNotFound)
    @extend_schema(responses={(200, LINES[0]): EXPORTED})
    def export_account(self, request: Request, username: str) -> PagedAnswer:
        """Everything of one's own account, or of any for an admin, line by line.

        The account, its rooms, every message it sent to rooms, its direct conversations. The last line says `end`;
        without it the export is not whole.
        """
        account = reachable(caller_of(request), username)
        headers = {"Content-Disposition": 'attachment; filename="export.ndjson"', "Cache-Control": "no-store"}
        return PagedAnswer(export(account, caller_of(request)), content_type=LINES[0], headers=headers)


class BlockViewSet(ViewSet):
    """Users from whom the caller takes no direct messages."""

    serializer_class = BlockSerializer
    lookup_field = "username"
    path_help = {"username": USERNAME_HELP}
    links = {"username": ("block-detail", "username")}

    def get_object(self) -> Person:
        return find_person(self.kwargs["username"])

    def list(self, request: Request) -> Response:
        """Whom the caller blocks, the first first."""
        return Response([block._asdict() for block in list_blocks(caller_of(request))])

    @refuses(UserNotFound, Forbidden, TooManyBlocks, AccountGone)
    @extend_schema(request=None)
    def update(self, request: Request, username: str) -> Response:
        """Take no direct messages from a user; what was said stays."""
        return Response(block(caller_of(request), self.get_object())._asdict())

    @refuses(UserNotFound, AccountGone)
    def destroy(self, request: Request, username: str) -> Response:
        """Take direct messages from a user again."""
        unblock(caller_of(request), self.get_object())
        return Response(status=204)


FRAME = 'id: 17-p01a\ndata: {"type":"message","topic":"room:12","offset":17,"message":{…}}\n\n'
LIVE: dict[Any, Any] = {
    202: AddressesSerializer,
    101: OpenApiResponse(None, "With an upgrade to WebSocket: every later event, a frame each."),
    (200, "text/event-stream"): OpenApiResponse(
        {"type": "string"},
        "With `Accept: text/event-stream`: every later event.",
        [OpenApiExample("event", FRAME, response_only=True)],
    ),
}
RESUMING = [
    in_query("after", "For sockets and streams: first what came after the event at this offset."),
    in_query("epoch", "For sockets and streams: the log that the offset belongs to."),
    OpenApiParameter(
        "Last-Event-ID", {"type": "string"}, OpenApiParameter.HEADER, description="For streams: as `after`."
    ),
]


class SubscriptionViewSet(ViewSet):
    """Where to hear it live: by WebSocket, or as server-sent events."""

    serializer_class = AddressesSerializer
    path_help = {"room_id": ROOM_ID_HELP}

    @refuses(RoomNotFound, Banned, UnknownCursor, ForeignOrigin)
    @extend_schema(responses=LIVE, parameters=RESUMING)
    def subscribe_to_room(self, request: Request, room_id: str) -> Response:
        """A room live: a WebSocket, an event stream, or the addresses of both."""
        show_room(caller_of(request), room_id)
        return self.addresses()

    @refuses(UnknownCursor, ForeignOrigin)
    @extend_schema(responses=LIVE, parameters=RESUMING)
    def subscribe_to_inbox(self, request: Request) -> Response:
        """The caller's direct messages live: a WebSocket, an event stream, or the addresses of both."""
        return self.addresses()

    def addresses(self) -> Response:
        events = own_address(self.request)
        return Response({"websocket": websocket_address(events), "events": events}, status=202)
