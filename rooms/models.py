"""Rooms and their members, as models. Their operations are in `operations.py` and `membership.py`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any, ClassVar, cast

from django.db import models

from accounts.callers import SERVER, Somebody, signed_by, trusted
from accounts.people import Person
from foyer.api.fields import NAME_CHECKS
from foyer.api.wire import fields_of
from foyer.store.models import Part, StoredManager, StoredModel, StoredQuerySet, wait_for
from foyer.store.steps import Steps, acarry_out
from rooms.errors import NotInRoom
from rooms.membership import Member, add_member, apage_of_members, is_member, page_of_members, remove_member
from rooms.operations import create_room, delete_room, find_room, last_room_id, list_rooms, show_room, update_room

MEMBERS_AT_ONCE = 1000
"""Members that a loop reads at once."""


class RoomQuerySet(StoredQuerySet["Room"]):
    """Rooms by creation. The lobby is in no list, but has the id `lobby`."""

    answers = (("name",), ("member", "pk__gt", "pk__lt"))
    order = "pk"

    def read(self, place: Any, size: int) -> Steps[Part[Room]]:
        if "name" in self.wanted:
            found = yield from find_room.steps(SERVER, self.wanted["name"])
            return [Room.of(found)] if found else [], None
        caller, mine = (trusted(self.wanted["member"]), True) if "member" in self.wanted else (SERVER, False)
        after, before = int(self.wanted.get("pk__gt", 0)), self.wanted.get("pk__lt")
        before = None if before is None else int(before)
        if not self.is_reversed:
            rooms = yield from list_rooms.steps(caller, place or after, size, before=before, mine=mine)
            rows = [Room.of(room) for room in rooms]
            return rows, int(rows[-1].pk) if len(rows) == size else None
        before = place or before or (yield from last_room_id.steps()) + 1
        rooms = yield from list_rooms.steps(caller, None, size, before=before, mine=mine)
        rows = [row for row in map(Room.of, reversed(rooms)) if int(row.pk) > after]
        return rows, int(rows[-1].pk) if len(rows) == size else None


class Room(StoredModel):
    """A room. `save` renames it, or changes whether it is for members only."""

    id = models.CharField("room id", primary_key=True, max_length=16, editable=False)
    name = models.CharField(max_length=100, validators=[*NAME_CHECKS])
    members_only = models.BooleanField("for members only", default=False)
    owner = models.CharField(max_length=64, null=True)  # noqa: DJ001 - null for the lobby, and once the account is gone
    created_at = models.DateTimeField("created")

    objects: ClassVar[StoredManager[Room]] = RoomQuerySet.as_manager()
    made_of = frozenset({"owner", "name", "members_only"})
    changeable = frozenset({"name", "members_only"})

    class Meta(StoredModel.Meta):
        pass

    def __str__(self) -> str:
        return self.name or f"room {self.pk}"

    @property
    def members(self) -> Members:
        return Members(self.pk)

    @classmethod
    def of(cls, json: bytes) -> Room:
        told = fields_of(json)
        return cls.stored(
            id=told["roomId"],
            name=told["name"],
            members_only=told["members_only"],
            owner=told["owner"],
            created_at=datetime.fromisoformat(told["created_at"]),
        )

    @classmethod
    def reading(cls, pk: Any) -> Steps[Room]:
        return cls.of((yield from show_room.steps(SERVER, str(pk))))

    def making(self, *, retry_key: str | None = None) -> Steps[Room]:
        """`owner` is an account. With a retry key that came before, it is the room that was made then."""
        owner = trusted(cast(Any, self.owner))
        return Room.of((yield from create_room.steps(owner, self.name, self.members_only, retry_key)))

    def changing(self, names: frozenset[str], *, by: Somebody | None = None) -> Steps[Room]:
        name = self.name if "name" in names else None
        members_only = self.members_only if "members_only" in names else None
        return Room.of((yield from update_room.steps(signed_by(by), self.pk, name, members_only)))

    def removing(self, *, by: Somebody | None = None) -> Steps[None]:
        yield from delete_room.steps(signed_by(by), self.pk)


class Members:
    """The members of a room: `room.members`. A loop gives a `Member` for each, by the time they joined.

    They are read one portion after another.
    """

    def __init__(self, room_id: str) -> None:
        self.room_id = room_id

    def all(self) -> Members:
        return self

    def __iter__(self) -> Iterator[Member]:
        after: str | None = ""
        while after is not None:
            page = wait_for(page_of_members.steps(SERVER, self.room_id, after, MEMBERS_AT_ONCE))
            yield from page.members
            after = page.after

    async def __aiter__(self) -> AsyncIterator[Member]:
        after: str | None = ""
        while after is not None:
            page = await apage_of_members(SERVER, self.room_id, after, MEMBERS_AT_ONCE)
            for member in page.members:
                yield member
            after = page.after

    def count(self) -> int:
        return wait_for(page_of_members.steps(SERVER, self.room_id, limit=1)).total

    async def acount(self) -> int:
        return (await apage_of_members(SERVER, self.room_id, limit=1)).total

    def __contains__(self, account: Somebody) -> bool:
        return wait_for(is_member.steps(account.pk, self.room_id))

    async def acontains(self, account: Somebody) -> bool:
        return await acarry_out(is_member.steps(account.pk, self.room_id))

    def add(self, *accounts: Somebody, by: Somebody | None = None) -> None:
        """Add accounts; members stay members. Events name `by`, or nobody."""
        wait_for(self.adding(accounts, by))

    async def aadd(self, *accounts: Somebody, by: Somebody | None = None) -> None:
        await acarry_out(self.adding(accounts, by))

    def remove(self, *accounts: Somebody, by: Somebody | None = None) -> None:
        """Remove accounts that are members. Events name `by`, or nobody."""
        wait_for(self.removing(accounts, by))

    async def aremove(self, *accounts: Somebody, by: Somebody | None = None) -> None:
        await acarry_out(self.removing(accounts, by))

    def adding(self, accounts: tuple[Somebody, ...], by: Somebody | None) -> Steps[None]:
        for account in accounts:
            yield from add_member.steps(signed_by(by), self.room_id, Person.of(account))

    def removing(self, accounts: tuple[Somebody, ...], by: Somebody | None) -> Steps[None]:
        for account in accounts:
            with contextlib.suppress(NotInRoom):
                yield from remove_member.steps(signed_by(by), self.room_id, Person.of(account))
