"""The archive in Django's admin: how far the follower got, and what lies where. Nothing can be changed here."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.callers import SERVER
from archive.models import Copied
from archive.operations import see_progress
from archive.places import archive_parts, database_name, store_nodes
from archive.progress import TOO_FAR
from archive.search import Search, place_of, search, wanted_by
from messaging.admin import finders

MOST_PARTS = 36
"""Months that are listed."""


@admin.register(Copied)
class ArchiveAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # it takes none at run time
    """One page in the place of a list of topics, which nobody could read."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            parts: Any = archive_parts()
        except DatabaseError:
            parts = None
        progress = see_progress()
        context = {
            **self.admin_site.each_context(request),
            "title": "Archive",
            "opts": self.opts,
            "progress": progress,
            "is_late": progress.seconds > TOO_FAR,
            "database": database_name(),
            "parts": parts and parts[:MOST_PARTS],
            "events": parts and sum(part.events for part in parts),
            "size": parts and sum(part.size for part in parts),
            "nodes": store_nodes(),
            "hot_events": settings.HOT_EVENTS,
        }
        return TemplateResponse(request, "admin/archive/progress.html", context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def find_in_room(room_id: str, words: str, cursor: str | None, most: int) -> tuple[list[bytes], str | None]:
    """Messages of a room by their words, for the admin's list of them."""
    found = search(SERVER, Search(wanted_by(words), room_id, limit=most, before=place_of(cursor)))
    return found.messages, found.cursor


finders.append(find_in_room)
