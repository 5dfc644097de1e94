"""Django models that are kept in Redis.

A `StoredModel` has no table. Its class says how one is read, made, changed and deleted; its `StoredQuerySet` says how
lists are read. Both do so in steps of the app's operations. On top of that the usual methods of Django work, blocking
and asynchronous: `objects`, `save`, `delete`, `refresh_from_db`.

Guarantees: a loop reads one page after another, never everything at once. `save` writes only the fields that were
changed since the row was read. Refusals of an operation are raised unchanged, as `FoyerError`. Permissions are not
checked: this is for code of the server, which may do everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NoReturn, Self

from django.core.exceptions import ValidationError
from django.db import models

from foyer.errors import InvalidInput, NotFound
from foyer.store.querysets import NotInRedis as NotInRedis
from foyer.store.querysets import Part as Part
from foyer.store.querysets import StoredManager as StoredManager
from foyer.store.querysets import StoredQuerySet as StoredQuerySet
from foyer.store.querysets import wait_for as wait_for
from foyer.store.steps import Steps, acarry_out


class StoredModel(models.Model):
    """Something that is kept in Redis, as a Django model. Django keeps permissions for it, and no table.

    Subclasses say in steps what is done with one, by `reading`, `making`, `changing` and `removing`, and have a manager
    made of their own `StoredQuerySet`.
    """

    made_of: ClassVar[frozenset[str]] = frozenset()
    """The fields that are given when one is made; the others come from the store."""
    changeable: ClassVar[frozenset[str]] = frozenset()
    """The fields that `save` can change."""
    known: Mapping[str, Any] = {}
    """The fields as the store had them when this was read; none where it was not read."""

    class Meta:
        abstract = True
        managed = False

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        """Make it, or write the fields that were changed, of `update_fields` where given.

        Raises what the operation refuses, `InvalidInput` for fields that can't be stored, and `NotInRedis` if a field
        was changed that can't be changed.
        """
        wait_for(self.saving(update_fields, options))

    async def asave(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        await acarry_out(self.saving(update_fields, options))

    def delete(self, **options: Any) -> tuple[int, dict[str, int]]:  # type: ignore[override]  # not `using`
        """Delete it. Returns how many were deleted, as Django does: none if it was gone already."""
        return wait_for(self.deleting(options))

    async def adelete(self, **options: Any) -> tuple[int, dict[str, int]]:  # type: ignore[override]
        return await acarry_out(self.deleting(options))

    def refresh_from_db(self, *args: Any, fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Read it again, or only `fields`. Changes that were not saved are lost. Raises `DoesNotExist`."""
        fresh = type(self)._default_manager.get(pk=self.pk)
        self.take_over(fresh, self.changed() - set(fields) if fields is not None else ())

    async def arefresh_from_db(self, *args: Any, fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        fresh = await type(self)._default_manager.aget(pk=self.pk)
        self.take_over(fresh, self.changed() - set(fields) if fields is not None else ())

    def save_base(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotInRedis(type(self), "save_base(), as loaddata calls it,", "create() each.")

    def validate_unique(self, exclude: Any = None) -> None:
        """Nothing: the operations check it."""

    # What subclasses say, in steps

    @classmethod
    def stored(cls, **fields: Any) -> Self:
        """One as the store has it. Fields that were changed since are known by comparison with these."""
        row = cls(**fields)
        row._state.adding = False
        row.known = {field.attname: getattr(row, field.attname) for field in cls._meta.concrete_fields}
        return row

    @classmethod
    def reading(cls, pk: Any) -> Steps[Self]:
        """The one that has this id. Raises `NotFound`, also for what can't be an id."""
        raise NotImplementedError

    def making(self) -> Steps[Self]:
        """Make this one, whose fields were checked; returns it as it is stored. Arguments are those of `create`."""
        raise NotInRedis(type(self), "create()", "They come and go by themselves.")

    def changing(self, names: frozenset[str]) -> Steps[Self]:
        """Change the fields in `names`, which were checked; returns what is stored. Arguments are those of `save`."""
        raise NotImplementedError

    def removing(self) -> Steps[None]:
        """Delete this one. Raises `NotFound` if it is gone. Arguments are those of `delete`."""
        raise NotImplementedError

    # How it is done

    def changed(self) -> frozenset[str]:
        """The names of the fields that were changed since they were read."""
        return frozenset(name for name, value in self.known.items() if getattr(self, name) != value)

    def saving(self, update_fields: Iterable[str] | None, options: Mapping[str, Any]) -> Steps[None]:
        if self._state.adding:
            self.refuse_to_change(self.filled() - self.made_of, self.made_of)
            self.check_fields(self.changeable)
            self.take_over((yield from self.making(**options)))
            return
        changed = self.changed()
        names = changed if update_fields is None else changed & frozenset(update_fields)
        self.refuse_to_change(names - self.changeable, self.changeable)
        if names:
            self.check_fields(names)
            self.take_over((yield from self.changing(names, **options)), changed - names)

    def deleting(self, options: Mapping[str, Any]) -> Steps[tuple[int, dict[str, int]]]:
        try:
            yield from self.removing(**options)
        except NotFound:
            return 0, {}
        return 1, {self._meta.label: 1}

    def filled(self) -> frozenset[str]:
        """The names of the fields that don't have their default value."""
        fields = self._meta.concrete_fields
        return frozenset(f.attname for f in fields if getattr(self, f.attname) not in (None, "", f.get_default()))

    def refuse_to_change(self, names: frozenset[str], allowed: frozenset[str]) -> None:
        if names:
            can = " and ".join(sorted(allowed)) or "nothing"
            raise NotInRedis(type(self), f"to set {' and '.join(sorted(names))}", f"What can be set: {can}.")

    def check_fields(self, names: Iterable[str]) -> None:
        """Raise `InvalidInput` unless these fields are as the model says."""
        try:
            self.clean_fields(exclude={field.name for field in self._meta.fields} - set(names))
        except ValidationError as error:
            raise InvalidInput(error.message_dict) from None

    def take_over(self, fresh: Self, but: Iterable[str] = ()) -> None:
        """Take all values from `fresh`, except the fields in `but`."""
        for name, value in fresh.known.items():
            if name not in but:
                setattr(self, name, value)
        self.known = fresh.known
        self._state.adding = False
