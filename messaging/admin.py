"""Messages of rooms in Django's admin. Direct messages are between two people, and have no page here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from accounts.admin import caller_of_page
from foyer.admin.stored import Shown, StoredAdmin, log_change, place, whole
from foyer.api.rest import Page
from foyer.errors import NotFound
from messaging.models import Message
from messaging.operations import delete_message, read_history, show_message
from rooms import admin as rooms_admin
from rooms.models import Room as ShownRoom
from rooms.operations import find_room, show_room

RECENT = 20
"""Messages that the page of a room shows."""


@admin.register(Message)
class MessageAdmin(StoredAdmin):
    """The messages of a room, the newest first. Only whoever sent a message edits it."""

    list_display = ("number", "sender", "shortened", "sent_at", "edited_at")
    search_fields = ("number",)
    fields = ("room_link", "number", "sender", "text", "sent_at", "edited_at")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="text")
    def shortened(self, message: Message) -> str:
        return Truncator(message.text).chars(120)

    @admin.display(description="room")
    def room_link(self, message: Message) -> str:
        room = reverse("admin:rooms_room_change", args=[message.room])
        messages = reverse("admin:messaging_message_changelist", query={"room": message.room})
        return format_html('<a href="{}">{}</a> (<a href="{}">its messages</a>)', room, message.room, messages)

    def page(self, request: HttpRequest, query: str) -> Shown:
        room_id = request.GET.get("room", "")
        if not room_id:
            return self.choose_room(request, query)
        title, help = f"Messages of room {room_id}", "A message's id."
        if query:
            return Shown(self.named(request, f"{room_id}-{query}"), help=help, title=title)
        after, before = place(request, "after"), place(request, "before")
        found = read_history(caller_of_page(request), room_id, Page(self.list_per_page, before, after))
        rows = [Message.of(message) for message in reversed(found.messages)]
        links: dict[str, dict[str, Any]] = {}
        if rows and (found.more if after is not None else before is not None):
            links |= {"Newest": {}, "Newer": {"after": rows[0].number}}
        if rows and (found.more or after is not None):
            links["Older"] = {"before": rows[-1].number}
        return Shown(rows, links, help, title)

    def choose_room(self, request: HttpRequest, query: str) -> Shown:
        """No messages yet: a link to those of the room that was searched for."""
        help = "The messages of which room? Its id, or its whole name."
        found = None
        if query:
            found = find_room(caller_of_page(request), query)
            if found is None:
                try:
                    found = show_room(caller_of_page(request), query)
                except NotFound:
                    return Shown([], help=help)
        if found is None:
            return Shown([], help=help)
        room = ShownRoom.of(found)
        return Shown([], {f"Messages of “{room}”": {"room": room.pk, "q": None}}, help)

    def named(self, request: HttpRequest, pk: str) -> list[Message]:
        message = self.get_object(request, pk)
        return [] if message is None else [message]

    def find(self, request: HttpRequest, pk: str) -> Message:
        room_id, _, number = pk.rpartition("-")
        return Message.of(show_message(caller_of_page(request), room_id, whole(number)))

    def remove(self, request: HttpRequest, row: Message) -> None:
        delete_message(caller_of_page(request), row.room, row.number)
        room = ShownRoom.of(show_room(caller_of_page(request), row.room))
        log_change(request, room, f"Deleted message {row.number}.")


def recent_messages(request: HttpRequest, room: ShownRoom) -> SafeString:
    """The newest messages of a room, for those who may see messages."""
    if not request.user.has_perm("messaging.view_message"):
        return SafeString()
    page = read_history(caller_of_page(request), room.pk, Page(RECENT))
    context = {"room": room, "found": [Message.of(message) for message in reversed(page.messages)]}
    return render_to_string("admin/messaging/recent.html", context, request)


rooms_admin.parts.append(recent_messages)
