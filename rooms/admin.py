"""Rooms in Django's admin."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.admin import account_of_page
from accounts.callers import SERVER
from accounts.people import find_person
from foyer.admin.stored import Shown, StoredAdmin, log_change, newest_first
from foyer.errors import FoyerError
from rooms import admin_order
from rooms.membership import add_member, page_of_members, remove_member
from rooms.models import Room
from rooms.operations import LOBBY
from rooms.search import MOST_CHARACTERS, search_rooms

MOST_MEMBERS = 100
"""Members that the page of a room names; of a larger room those who joined first, and whoever is searched for."""

MOST_FOUND = 50
"""Rooms that a search shows."""

Part = Callable[[HttpRequest, Room], SafeString]
parts: list[Part] = []
"""What is shown of a room below its fields; other apps add theirs."""


@admin.register(Room)
class RoomAdmin(StoredAdmin):
    list_display = ("name", "id", "members_only", "owner", "created_at")
    search_fields = ("name",)
    fields = ("name", "members_only", "id", "owner", "created_at")
    readonly_fields = ("id", "owner", "created_at")
    change_form_template = "admin/rooms/room/change_form.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", "members_only") if obj is None else self.fields

    def page(self, request: HttpRequest, query: str) -> Shown:
        help = "A room's id, its name, or words of it; 'lobby' for the lobby."
        if query:
            return Shown(rooms_called(query), help=help)
        return newest_first(request, Room.objects.reverse(), "pk", self.list_per_page)._replace(help=help)

    def save_model(self, request: HttpRequest, obj: Room, form: Any, change: bool) -> None:
        if change:
            obj.save(by=account_of_page(request))
        else:
            obj.owner = account_of_page(request)  # type: ignore[assignment]  # it becomes the name
            obj.save()

    def take_away(self, request: HttpRequest, row: Room) -> bool:
        return bool(row.delete(by=account_of_page(request))[0])

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.pk != LOBBY)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.pk != LOBBY)

    # Members, and what other apps know of a room

    def get_urls(self) -> list[URLPattern]:
        members = self.admin_site.admin_view(self.members_view)
        order = self.admin_site.admin_view(require_POST(admin_order.keep_order))
        return [
            path("<str:room_id>/members/", members, name="rooms_room_members"),
            path("<str:room_id>/order/", order, name="rooms_room_order"),
            *super().get_urls(),
        ]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        if (room := context["original"]) is not None:
            context["parts"] = [part(request, room) for part in parts]
        return super().render_change_form(request, context, *args, **kwargs)

    def members_view(self, request: HttpRequest, room_id: str) -> Any:
        """Let somebody in or take them out, as `do` says: add or remove."""
        return require_POST(self.change_members)(request, room_id)

    def change_members(self, request: HttpRequest, room_id: str) -> HttpResponseRedirect:
        if not self.has_change_permission(request):
            raise PermissionDenied
        room, name = get_object_or_404(Room, pk=room_id), request.POST.get("username", "").strip()
        try:
            person = find_person(name)
            if request.POST.get("do") == "remove":
                remove_member(account_of_page(request).caller, room_id, person)
                told = f"Removed member “{person.username}”."
            else:
                member, is_new = add_member(account_of_page(request).caller, room_id, person)
                told = f"Added member “{member.username}”." if is_new else ""
        except FoyerError as error:
            if error.status >= 500:
                raise
            messages.error(request, str(error))
        else:
            if told:
                log_change(request, room, told)
            messages.success(request, told or f"“{person.username}” is a member already.")
        return HttpResponseRedirect(reverse("admin:rooms_room_change", args=[room_id]))


def rooms_called(query: str) -> list[Room]:
    """The room with this id, that of exactly this name, and those that have such words in their names."""
    by_words = map(Room.of, search_rooms(SERVER, query[:MOST_CHARACTERS], None, MOST_FOUND).rooms)
    return list(dict.fromkeys([*Room.objects.filter(pk=query), *Room.objects.filter(name=query), *by_words]))


def members(request: HttpRequest, room: Room) -> SafeString:
    """Who is in a room."""
    wanted = request.GET.get("member", "").strip().casefold()
    page = page_of_members(SERVER, room.pk, limit=MOST_MEMBERS)
    found = list(room.members) if wanted and page.after else page.members
    shown = [member for member in found if wanted in member.username.casefold()][:MOST_MEMBERS]
    context = {
        "room": room,
        "count": page.total,
        "members": [(member, datetime.fromisoformat(member.joined_at)) for member in shown],
        "most": MOST_MEMBERS,
        "wanted": wanted,
        "may_change": request.user.has_perm("rooms.change_room"),
    }
    return render_to_string("admin/rooms/room/members.html", context, request)


parts += [members, admin_order.order]
