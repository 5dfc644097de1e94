"""Rooms in Django's admin."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.admin import caller_of_page
from accounts.people import find_person
from foyer.admin.stored import Shown, StoredAdmin, log_change, place
from foyer.errors import FoyerError, InvalidInput
from rooms.membership import add_member, list_members, remove_member
from rooms.models import Room
from rooms.operations import (
    LOBBY,
    ROOM_ID,
    create_room,
    delete_room,
    find_room,
    last_room_id,
    list_rooms,
    openness,
    show_room,
    update_room,
)
from rooms.serializers import NewRoom, RoomChange

MOST_MEMBERS = 100
"""Members that the page of a room names; of a larger room those who joined first, and whoever is searched for."""

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
        caller, size = caller_of_page(request), self.list_per_page
        help = "A room's id, or its whole name with capital letters as they are; 'lobby' for the lobby."
        if query:
            by_id = show_room(caller, query) if query == LOBBY or exists(query) else None
            found = [room for room in (by_id, find_room(caller, query)) if room]
            return Shown([Room.of(room) for room in dict.fromkeys(found)], help=help)
        after, before = place(request, "after"), place(request, "before")
        if after is not None:
            rooms = list_rooms(caller, after, size + 1)
            is_more, rooms = len(rooms) > size, rooms[:size]
        else:
            rooms = list_rooms(caller, None, size + 1, before=before or last_room_id() + 1)
            is_more, rooms = len(rooms) > size, rooms[-size:]
        rows = [Room.of(room) for room in reversed(rooms)]
        links: dict[str, dict[str, Any]] = {}
        if rows and (is_more if after is not None else before is not None):
            links |= {"Newest": {}, "Newer": {"after": rows[0].pk}}
        if rows and (is_more or after is not None):
            links["Older"] = {"before": rows[-1].pk}
        return Shown(rows, links, help)

    def find(self, request: HttpRequest, pk: str) -> Room:
        return Room.of(show_room(caller_of_page(request), pk))

    def store(self, request: HttpRequest, row: Room, form: Any, change: bool) -> None:
        given = {name: form.cleaned_data[name] for name in (form.changed_data if change else form.fields)}
        if not given:
            return
        body = RoomChange(data=given) if change else NewRoom(data=given)
        if not body.is_valid():
            raise InvalidInput(dict(body.errors))
        wanted = body.validated_data
        if change:
            update_room(caller_of_page(request), row.pk, wanted.get("name"), wanted.get("members_only"))
        else:
            made = create_room(caller_of_page(request), wanted["name"], wanted["members_only"], None)
            row.pk = Room.of(made).pk

    def remove(self, request: HttpRequest, row: Room) -> None:
        delete_room(caller_of_page(request), row.pk)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.pk != LOBBY)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.pk != LOBBY)

    # Members, and what other apps know of a room

    def get_urls(self) -> list[URLPattern]:
        members = self.admin_site.admin_view(self.members_view)
        return [path("<str:room_id>/members/", members, name="rooms_room_members"), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        if (room := context["original"]) is not None:
            context["parts"] = [part(request, room) for part in parts]
        return super().render_change_form(request, context, *args, **kwargs)

    def members_view(self, request: HttpRequest, room_id: str) -> Any:
        """Let somebody in, or take him out, as `do` says: add or remove."""
        return require_POST(self.change_members)(request, room_id)

    def change_members(self, request: HttpRequest, room_id: str) -> HttpResponseRedirect:
        if not self.has_change_permission(request):
            raise PermissionDenied
        room, name = self.find(request, room_id), request.POST.get("username", "").strip()
        try:
            person = find_person(name)
            if request.POST.get("do") == "remove":
                remove_member(caller_of_page(request), room_id, person)
                told = f"Removed member “{person.username}”."
            else:
                member, is_new = add_member(caller_of_page(request), room_id, person)
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


def exists(room_id: str) -> bool:
    return bool(ROOM_ID.fullmatch(room_id)) and bool(openness(room_id))


def members(request: HttpRequest, room: Room) -> SafeString:
    """Who is in a room."""
    found, wanted = list_members(caller_of_page(request), room.pk), request.GET.get("member", "").strip().casefold()
    shown = [member for member in found if wanted in member.username.casefold()][:MOST_MEMBERS]
    context = {
        "room": room,
        "count": len(found),
        "members": [(member, datetime.fromisoformat(member.joined_at)) for member in shown],
        "most": MOST_MEMBERS,
        "wanted": wanted,
        "may_change": request.user.has_perm("rooms.change_room"),
    }
    return render_to_string("admin/rooms/room/members.html", context, request)


parts.append(members)
