"""Order in a room on its page in Django's admin: who moderates, who is banned or muted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts.admin import account_of_page
from accounts.callers import SERVER, Caller
from accounts.people import Person, find_person
from foyer.admin.stored import log_change
from foyer.api.wire import fields_of
from foyer.errors import BadRequest, FoyerError
from rooms.models import Room
from rooms.order import Terms, lift, list_restrictions, restrict, set_role
from rooms.serializers import LONGEST_REASON

MOST_SHOWN = 100
"""Bans, and mutes, that the page of a room names: those that were imposed first."""

Deed = Callable[[Caller, str, Person, Terms], Any]
DEEDS: dict[str, tuple[str, Deed]] = {
    "ban": ("Banned", lambda by, room, whom, terms: restrict(by, room, "bans", whom, terms)),
    "mute": ("Muted", lambda by, room, whom, terms: restrict(by, room, "mutes", whom, terms)),
    "unban": ("Lifted the ban of", lambda by, room, whom, terms: lift(by, room, "bans", whom)),
    "unmute": ("Lifted the mute of", lambda by, room, whom, terms: lift(by, room, "mutes", whom)),
    "moderator": ("Made a moderator of", lambda by, room, whom, terms: set_role(by, room, whom, "moderator")),
    "member": ("Took the role of moderator from", lambda by, room, whom, terms: set_role(by, room, whom, "member")),
}
"""What the buttons do, and how that is called in the history."""


def keep_order(request: HttpRequest, room_id: str) -> HttpResponseRedirect:
    """Do what a button says to a user. Its reason is told in the room, as over REST."""
    if not request.user.has_perm("rooms.change_room"):
        raise PermissionDenied
    room, name = get_object_or_404(Room, pk=room_id), request.POST.get("username", "").strip()
    if (do := request.POST.get("do", "")) not in DEEDS:
        raise BadRequest
    called, deed = DEEDS[do]
    terms = Terms(reason=request.POST.get("reason", "").strip()[:LONGEST_REASON] or None)
    try:
        person = find_person(name)
        deed(account_of_page(request).caller, room_id, person, terms)
    except FoyerError as error:
        if error.status >= 500:
            raise
        messages.error(request, str(error))
    else:
        told = f"{called} “{person.username}”."
        log_change(request, room, told)
        messages.success(request, told)
    return HttpResponseRedirect(reverse("admin:rooms_room_change", args=[room_id]))


def order(request: HttpRequest, room: Room) -> SafeString:
    """Who is banned from a room, and who is muted there."""
    context = {
        "room": room,
        "lists": [("Banned", "unban", shown(room, "bans")), ("Muted", "unmute", shown(room, "mutes"))],
        "longest": LONGEST_REASON,
        "may_change": request.user.has_perm("rooms.change_room"),
    }
    return render_to_string("admin/rooms/room/order.html", context, request)


def shown(room: Room, which: Any) -> list[dict[str, Any]]:
    found, _ = list_restrictions(SERVER, room.pk, which, limit=MOST_SHOWN)
    return [moments(fields_of(told)) for told in found]


def moments(told: dict[str, Any]) -> dict[str, Any]:
    """The same with times for the template."""
    times = {name: datetime.fromisoformat(told[name]) if told[name] else None for name in ("until", "at")}
    return {**told, **times}
