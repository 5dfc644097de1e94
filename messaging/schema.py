"""What is said of the routes of messages, at `/schema` and on their pages."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from accounts.schema import USERNAME
from foyer.api.rest import MOST_MESSAGES, NEWEST
from foyer.api.schema import LOCATION, RETRY_KEY, Operation, describe, in_path, in_query, page_parameters
from messaging import frames, views
from messaging.serializers import MessageText
from rooms.schema import ROOM_ID

TAG = "Messages"
MESSAGE_ID = in_path("id", "The id of a message: its offset in the log of the room.")
PAGE = page_parameters(MOST_MESSAGES, NEWEST, "messages")


class Addresses(serializers.Serializer[Any]):
    """Where to hear it live."""

    websocket = serializers.CharField()
    events = serializers.CharField()
    example = {
        "websocket": "ws://127.0.0.1:9000/room/12/subscribe",
        "events": "http://127.0.0.1:9000/room/12/subscribe",
    }


FRAME = 'id: 17-p01a\ndata: {"type":"message","topic":"room:12","offset":17,"message":{…}}\n\n'
LIVE: dict[Any, OpenApiResponse] = {
    101: OpenApiResponse(None, "With an upgrade to WebSocket: every later event, a frame each."),
    (200, "text/event-stream"): OpenApiResponse(
        {"type": "string"},
        "With `Accept: text/event-stream`: every later event.",
        [OpenApiExample("event", FRAME, response_only=True)],
    ),
}
RESUMING = (
    in_query("after", "For sockets and streams: first what came after the event at this offset.", {"type": "string"}),
    in_query("epoch", "For sockets and streams: the log that the offset belongs to.", {"type": "string"}),
    OpenApiParameter(
        "Last-Event-ID", {"type": "string"}, OpenApiParameter.HEADER, description="For streams: as `after`."
    ),
)

describe(
    views.RoomMessages,
    "Messages",
    TAG,
    ROOM_ID,
    related={"The room": "/room/{roomId}", "Members": "/room/{roomId}/members"},
    linked={"id": "/room/{roomId}/messages/{}"},
    get=Operation(
        "listMessages", "The newest messages of a room, or those before or after an id; oldest first",
        {200: [frames.RoomMessage]}, "room_not_found unknown_cursor", parameters=PAGE,
    ),
    post=Operation(
        "postMessage",
        "Say something in a room",
        {201: frames.RoomMessage},
        "room_not_found account_gone",
        takes=MessageText,
        example={"text": "hi"},
        parameters=(LOCATION, RETRY_KEY),
    ),
)  # fmt: skip
describe(
    views.RoomMessage,
    "Message",
    TAG,
    ROOM_ID,
    MESSAGE_ID,
    related={"All messages": "/room/{roomId}/messages", "The room": "/room/{roomId}"},
    get=Operation("showMessage", "One message", {200: frames.RoomMessage}, "room_not_found message_not_found"),
    patch=Operation(
        "editMessage",
        "Give one's own message another text",
        {200: frames.RoomMessage},
        "room_not_found message_not_found not_the_sender",
        takes=MessageText,
        example={"text": "hi!"},
    ),
    delete=Operation(
        "deleteMessage",
        "Delete a message: one's own or, as the room's owner or an admin, any",
        {204: None},
        "room_not_found message_not_found not_the_sender",
    ),
)
describe(
    views.RoomSubscription,
    "A room live",
    TAG,
    ROOM_ID,
    related={"The room": "/room/{roomId}", "Messages": "/room/{roomId}/messages"},
    get=Operation(
        "subscribeToRoom",
        "A room live: a WebSocket, an event stream, or the addresses of both",
        {202: Addresses},
        "room_not_found unknown_cursor foreign_origin",
        more_answers=LIVE,
        parameters=RESUMING,
    ),
)
describe(
    views.Conversation,
    "Conversation",
    TAG,
    USERNAME,
    related={"All messages to you": "/messages"},
    linked={"sender": "/user/{}/messages", "to": "/user/{}/messages"},
    get=Operation(
        "listConversation", "What the caller and that user said to each other",
        {200: [frames.DirectMessage]}, "user_not_found unknown_cursor", parameters=PAGE,
    ),
    post=Operation(
        "sendMessage",
        "Send a direct message",
        {201: frames.DirectMessage},
        "user_not_found account_gone",
        takes=MessageText,
        example={"text": "psst"},
        parameters=(RETRY_KEY,),
    ),
)  # fmt: skip
describe(
    views.Inbox,
    "Messages to you",
    TAG,
    related={"Hear them live": "/messages/subscribe"},
    linked={"sender": "/user/{}/messages", "to": "/user/{}/messages"},
    get=Operation(
        "listInbox", "Direct messages to the caller",
        {200: [frames.DirectMessage]}, "unknown_cursor", parameters=PAGE,
    ),
)  # fmt: skip
describe(
    views.InboxSubscription,
    "Messages to you, live",
    TAG,
    related={"Messages to you": "/messages"},
    get=Operation(
        "subscribeToInbox",
        "The caller's direct messages live: a WebSocket, an event stream, or the addresses of both",
        {202: Addresses},
        "unknown_cursor foreign_origin",
        more_answers=LIVE,
        parameters=RESUMING,
    ),
)
