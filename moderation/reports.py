"""What is done with reports: made, listed, closed. REST and the admin call these.

A report that is closed is noted in the audit of its room before that is committed. So a closed report is in the audit;
one that a crash left open may be there too, and is there twice when it is closed again.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.callers import Caller
from accounts.models import Account
from accounts.people import Person
from foyer.api.wire import fields_of
from foyer.errors import TooManyRequests, UnknownCursor
from foyer.paging import Page
from messaging.errors import MessageNotFound
from messaging.operations import read_direct, show_message
from moderation.errors import ReportNotFound
from moderation.models import Report
from moderation.operations import note_report, rooms_moderated
from rooms.errors import RoomNotFound
from rooms.operations import LOBBY, own_rooms

MOST_OPEN = 100
"""Reports of one user that wait to be closed."""
NAMED = ("sender", "to", "by", "closed_by")


def report_in_room(caller: Caller, room_id: str, message_id: int, reason: str) -> tuple[Report, bool]:
    """Report a message of a room. Returns the report, and whether it is new: who reported it before gets that one.

    Raises `RoomNotFound`, `Banned`, `MessageNotFound`, `TooManyRequests`.
    """
    try:
        message = fields_of(show_message(caller, room_id, message_id))
    except MessageNotFound:
        return reported_before(caller, room_id, message_id), False
    return report(caller, room_id, message, reason)


def report_direct(caller: Caller, other: Person, message_id: int, reason: str) -> tuple[Report, bool]:
    """As `report_in_room`, for a message between the caller and `other`; by its id in the caller's own log."""
    try:
        found = read_direct(caller, other, Page(limit=1, after=max(message_id - 1, 0), before=message_id + 1)).messages
    except UnknownCursor:
        found = []
    if not found:
        return reported_before(caller, "", message_id, other), False
    return report(caller, "", fields_of(found[0]), reason)


def reported_before(caller: Caller, room_id: str, message_id: int, other: Person | None = None) -> Report:
    """The report that the caller made of a message which is gone by now. Raises `MessageNotFound` if there is none."""
    found = Report.objects.select_related(*NAMED).filter(by=caller.id, room=room_id, message=message_id)
    if other is not None:
        found = found.filter(Q(sender=other.id) | Q(to=other.id))
    earlier = found.first()
    if earlier is None:
        raise MessageNotFound
    return earlier


def report(caller: Caller, room_id: str, message: dict[str, Any], reason: str) -> tuple[Report, bool]:
    earlier = Report.objects.select_related(*NAMED).filter(by=caller.id, room=room_id, message=message["id"]).first()
    if earlier is not None:
        return earlier, False
    if Report.objects.filter(by=caller.id, state=Report.State.OPEN).count() >= MOST_OPEN:
        raise TooManyRequests("Many of your reports wait to be looked at. Report more later.", retry_after=3600)
    return Report.objects.select_related(*NAMED).get_or_create(
        by_id=caller.id,
        room=room_id,
        message=message["id"],
        defaults={
            "sender": account_called(message["sender"]),
            "to": account_called(message.get("to")),
            "text": message["text"],
            "sent_at": message["sent_at"],
            "edited_at": message["edited_at"] or "",
            "reason": reason,
            "at": timezone.now(),
        },
    )


def account_called(name: str | None) -> Account | None:
    return None if name is None else Account.objects.called(name)


def reports_for(caller: Caller, state: str | None) -> QuerySet[Report]:
    """The reports that a caller sees: an admin all, others those of rooms that they moderate."""
    found = Report.objects.select_related(*NAMED)
    if state is not None:
        found = found.filter(state=state)
    if caller.is_admin:
        return found
    reported = set(found.exclude(room="").values_list("room", flat=True).distinct())
    own = [room_id for room_id in {LOBBY, *own_rooms(caller.id)} if room_id in reported]
    return found.filter(room__in=rooms_moderated(caller, own))


def page_of_reports(caller: Caller, state: str | None, page: Page) -> tuple[list[Report], bool]:
    """Some reports, the oldest first, and whether the list goes on."""
    found = reports_for(caller, state).order_by("-pk" if page.is_backwards else "pk")
    if page.after is not None:
        found = found.filter(pk__gt=page.after)
    if page.before is not None:
        found = found.filter(pk__lt=page.before)
    rows = list(found[: page.limit + 1])[:: -1 if page.is_backwards else 1]
    return page.cut(rows), len(rows) > page.limit


def close_report(caller: Caller, report_id: int, state: str, note: str | None) -> Report:
    """Say that a report was looked at. Admins may, and moderators those of their rooms, but for what they wrote.

    Raises `ReportNotFound`, `Forbidden`.
    """
    with transaction.atomic():
        found = Report.objects.select_for_update(of=("self",)).select_related(*NAMED).filter(pk=report_id).first()
        if found is None or not (caller.is_admin or (found.room and rooms_moderated(caller, [found.room]))):
            raise ReportNotFound
        found.state, found.note = state, note or ""
        found.closed_by, found.closed_at = account_of(caller), timezone.now()
        found.save()
        if found.room:
            try:
                note_report(caller, found.room, found.sender_id, found.pk, state, note)
            except RoomNotFound:
                if not caller.is_admin:
                    raise
    return found


def account_of(caller: Caller) -> Account | None:
    return Account.objects.filter(pk=caller.id).first()
