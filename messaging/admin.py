"""Messages of rooms in Django's admin. Direct messages are between two people, and have no page here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from accounts.admin import account_of_page
from foyer.admin.stored import Shown, StoredAdmin, log_change, newest_first
from messaging.models import Message
from rooms import admin as rooms_admin
from rooms.models import Room

RECENT = 20
"""Messages that the page of a room shows."""
Finder = Callable[[str, str, str | None, int], tuple[list[bytes], str | None]]
finders: list[Finder] = []
"""What finds messages of a room by words, if an app can: of room id, words, cursor or None and how many it makes
messages as JSON, and the cursor from which it goes on."""


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
        title, help = f"Messages of room {room_id}", "A message's id, or words of it."
        if query:
            found = self.by_words(request, room_id, query) if finders and not query.isdecimal() else None
            found = found or Shown(list(Message.objects.filter(pk=f"{room_id}-{query}")))
            return found._replace(help=help, title=title)
        found = newest_first(request, Message.objects.filter(room=room_id), "number", self.list_per_page)
        return found._replace(help=help, title=title)

    def by_words(self, request: HttpRequest, room_id: str, query: str) -> Shown:
        """Messages of a room that have some words, the newest first."""
        messages, cursor = finders[-1](room_id, query, request.GET.get("from"), self.list_per_page)
        links: dict[str, dict[str, Any]] = {} if cursor is None else {"Older": {"from": cursor}}
        return Shown([Message.of(message) for message in messages], links)

    def choose_room(self, request: HttpRequest, query: str) -> Shown:
        """No messages yet: links to those of the rooms that were searched for."""
        help = "The messages of which room? Its id, its name, or words of it."
        rooms = rooms_admin.rooms_called(query) if query else []
        links = {f"Messages of “{room}” (room {room.pk})": {"room": room.pk, "q": None} for room in rooms}
        return Shown([], links, help)

    def take_away(self, request: HttpRequest, row: Message) -> bool:
        there = bool(row.delete(by=account_of_page(request))[0])
        if there:
            what = f"Deleted {row}, sent at {row.sent_at:%Y-%m-%d %H:%M:%S} UTC."
            log_change(request, Room.objects.get(pk=row.room), what)
        return there


def recent_messages(request: HttpRequest, room: Room) -> SafeString:
    """The newest messages of a room, for those who may see messages."""
    if not request.user.has_perm("messaging.view_message"):
        return SafeString()
    context = {"room": room, "found": Message.objects.filter(room=room)[:RECENT]}
    return render_to_string("admin/messaging/recent.html", context, request)


rooms_admin.parts.append(recent_messages)
