"""QuerySets of what is kept in Redis: as Django's, page by page, and without SQL.

What works is what the store can answer: `get`, `filter` by some lookups, loops, slices, `first`, `exists`, `create`, on
threads and on event loops. Everything else that a QuerySet has raises `NotInRedis`, which says what works instead.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Protocol, Self, TypeVar

from django.db import NotSupportedError, models
from django.utils.asyncio import async_unsafe

from foyer.errors import NotFound
from foyer.store.steps import Steps, acarry_out, carry_out

if TYPE_CHECKING:
    from foyer.store.models import StoredModel

Row = TypeVar("Row", bound="StoredModel")
Part = tuple[list[Row], Any]
"""Some rows, and the place where the list continues after them; None at its end."""

PAGE = 100
"""Rows that a loop reads at a time."""

wait_for = async_unsafe("This waits for the store. On an event loop await its other form: aget, asave, async for …")(
    carry_out
)
"""Carry steps out, blocking. Refuses to do so on an event loop, as Django's own queries do."""


class NotInRedis(NotSupportedError, TypeError):
    """This needs SQL, and the model's rows are kept in Redis. The message says what works instead.

    It is a `TypeError` too: `list()` asks for a length first, and continues without it only after a `TypeError`.
    """

    def __init__(self, model: type[models.Model], asked: str, instead: str) -> None:
        plural = str(model._meta.verbose_name_plural)
        super().__init__(f"{model.__name__}: {asked} is not possible, as {plural} are kept in Redis. {instead}")


INSTEAD = {
    "adelete": "Loop, and adelete() each.",
    "aupdate": "Loop, change each and asave() it.",
    "bulk_create": "create() each.",
    "delete": "Loop, and delete() each.",
    "exclude": "Loop, and leave out what is not wanted.",
    "len": "Count in the loop; a part that was cut off, such as [:50], has a length.",
    "update": "Loop, change each and save() it.",
    "values": "Loop, and take what is wanted from each.",
    "values_list": "Loop, and take what is wanted from each.",
}
"""For each method that can't work, what to use instead."""


class StoredManager(Protocol[Row]):
    """The methods that work on the manager of a model in Redis. Django's own types allow others, and no
    `create(after=…)`."""

    def all(self) -> StoredQuerySet[Row]: ...
    def none(self) -> StoredQuerySet[Row]: ...
    def filter(self, **lookups: Any) -> StoredQuerySet[Row]: ...
    def order_by(self, *fields: str) -> StoredQuerySet[Row]: ...
    def reverse(self) -> StoredQuerySet[Row]: ...
    def get(self, **lookups: Any) -> Row: ...
    async def aget(self, **lookups: Any) -> Row: ...
    def first(self) -> Row | None: ...
    async def afirst(self) -> Row | None: ...
    def last(self) -> Row | None: ...
    async def alast(self) -> Row | None: ...
    def exists(self) -> bool: ...
    async def aexists(self) -> bool: ...
    def count(self) -> int: ...
    async def acount(self) -> int: ...
    def iterator(self, chunk_size: int = PAGE) -> Iterator[Row]: ...
    def aiterator(self, chunk_size: int = PAGE) -> AsyncIterator[Row]: ...
    def create(self, **fields: Any) -> Row: ...
    async def acreate(self, **fields: Any) -> Row: ...


class StoredQuerySet(models.QuerySet[Row]):
    """Rows of a model in Redis. Like a Django QuerySet, without what needs SQL.

    A slice, such as `[:50]`, is read once and remembered. Everything else is read again by each loop, `PAGE` rows at a
    time.
    """

    answers: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """The lookups that the store can answer, by those that go together; `pk` and `pk__in` it always can."""
    needs: ClassVar[str] = ""
    """The lookup without which there is no list."""
    order: ClassVar[str] = ""
    """The field that the list is in order of, as `order_by` takes it; '' if no field says that."""
    numbered: ClassVar[bool] = False
    """Whether places in the list are numbers, so that a slice may begin anywhere."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted: dict[str, Any] = {}
        self.start, self.most, self.is_reversed = 0, None, False

    start: int
    most: int | None
    is_reversed: bool

    @classmethod
    def as_manager(cls) -> Any:
        """A manager of it, to be declared as `ClassVar[StoredManager[…]]`."""
        return super().as_manager()

    def read(self, place: Any, size: int) -> Steps[Part[Row]]:
        """The rows from `place` on (None is the beginning): about `size` of them.

        `wanted` says which, by lookup, `is_reversed` in which direction. Subclasses say how.
        """
        raise NotImplementedError

    def cannot(self, asked: str, instead: str = "") -> NotInRedis:
        """The error for what can't be done."""
        found = [f"filter({', '.join(f'{name}=…' for name in group)})" for group in self.answers]
        works = ", ".join(["get(pk=…)", *found, "loops, [:n], first(), exists(), create(), save() and delete()"])
        return NotInRedis(self.model, asked, instead or f"What works: {works}.")

    # Asking

    def filter(self, *args: Any, **lookups: Any) -> Self:
        if args:
            raise self.cannot("filter() by Q objects")
        found, pk = self.whole("filter()"), self.model._meta.pk.name
        for lookup, value in lookups.items():
            name, *rest = lookup.removesuffix("__exact").split("__")
            name = "__".join(["pk" if name == pk else name, *rest])
            if name in found.wanted:
                raise self.cannot(f"filter({lookup}=…) twice")
            found.wanted[name] = value
        if not any(found.wanted.keys() <= set(group) for group in (("pk",), ("pk__in",), *self.answers)):
            raise self.cannot(f"filter({', '.join(f'{name}=…' for name in found.wanted)})")
        return found

    def none(self) -> Self:
        return self.cut(0, 0)

    def reverse(self) -> Self:
        found = self.whole("reverse()")
        found.is_reversed = not self.is_reversed
        return found

    def order_by(self, *fields: Any) -> Self:
        """The order that the list has anyway, or the reverse."""
        found, own = self.whole("order_by()"), self.order.removeprefix("-")
        field = str(fields[0]) if len(fields) == 1 else ""
        names = (own, self.model._meta.pk.name) if own == "pk" else (own,)
        if fields and not (own and field.removeprefix("-") in names):
            also = f"order_by() takes '{own}' and '-{own}'" if own else "They have an order of their own"
            raise self.cannot(f"order_by({', '.join(map(repr, fields))})", f"{also}; reverse() turns it round.")
        found.is_reversed = bool(fields) and field.startswith("-") != self.order.startswith("-")
        return found

    def __getitem__(self, key: Any) -> Any:
        if self._result_cache is not None:
            return self._result_cache[key]
        if isinstance(key, int) and key >= 0:
            return list(self.cut(0, key + 1))[key]
        if not isinstance(key, slice) or key.step is not None or min(key.start or 0, key.stop or 0) < 0:
            raise self.cannot(f"[{key}]", "first() gives the first, [:n] the first n.")
        if key.start and (self.is_cut or not self.numbered):
            raise self.cannot(f"[{key.start}:…]", "[:n] gives the first n; a lookup such as pk__gt those behind one.")
        return self.cut(key.start or 0, key.stop)

    def cut(self, start: int, stop: int | None) -> Self:
        """The part between two places: a slice."""
        part = self.all()
        part.start = self.start + start
        if stop is not None:
            length = max(stop - start, 0)
            part.most = length if self.most is None else min(length, self.most)
        return part

    def whole(self, asked: str) -> Self:
        """A copy of this, which is a whole list, as `asked` needs."""
        if self.is_cut:
            raise self.cannot(f"{asked} of a part")
        return self.all()

    @property
    def is_cut(self) -> bool:
        """Whether this is a part of a list."""
        return self.most is not None or self.start > 0

    @property
    def is_bounded(self) -> bool:
        """Whether there are few enough to be read at once and remembered."""
        return self.most is not None or not self.wanted.keys().isdisjoint(("pk", "pk__in"))

    @property
    def ordered(self) -> bool:
        return True

    @property
    def query(self) -> NoReturn:  # type: ignore[override]
        """Django asks for this to put a QuerySet into SQL, as in `Subquery`."""
        raise self.cannot("SQL")

    def _clone(self) -> Self:
        clone = type(self)(self.model, using=self._db, hints=self._hints)  # type: ignore[attr-defined]
        clone.wanted = dict(self.wanted)
        clone.start, clone.most, clone.is_reversed = self.start, self.most, self.is_reversed
        return clone

    # Reading, in steps

    def part(self, place: Any, size: int) -> Steps[Part[Row]]:
        """As `read`, also where the rows were named by their ids."""
        if "pk" in self.wanted or "pk__in" in self.wanted:
            ids = list(self.wanted["pk__in"]) if "pk__in" in self.wanted else [self.wanted["pk"]]
            start, found = place or 0, []
            for pk in (ids[::-1] if self.is_reversed else ids)[start : start + size]:
                with contextlib.suppress(NotFound):
                    found.append((yield from self.model.reading(pk)))
            return found, (start + size if start + size < len(ids) else None)
        if self.needs and self.needs not in self.wanted:
            raise self.cannot("a list of all", f"Say which: filter({self.needs}=…).")
        return (yield from self.read(place, size))

    def pages(self, size: int = PAGE) -> Iterator[Steps[list[Row]]]:
        """The steps to each page, in order; those to one page are carried out before the next is asked for."""
        place, left = self.start or None, self.most

        def page() -> Steps[list[Row]]:
            nonlocal place, left
            rows, place = yield from self.part(place, size if left is None else min(left, size))
            rows = rows[:left]
            left = None if left is None else left - len(rows)
            return rows

        while left != 0:
            yield page()
            if place is None:
                return

    def everything(self) -> Steps[list[Row]]:
        found: list[Row] = []
        for page in self.pages():
            found += yield from page
        return found

    def one(self, lookups: Mapping[str, Any]) -> Steps[Row]:
        try:
            found = yield from self.filter(**lookups).cut(0, 2).everything()
        except NotFound:
            found = []
        if not found:
            raise self.model.DoesNotExist(f"{self.model._meta.object_name} matching query does not exist.")
        if len(found) > 1:
            raise self.model.MultipleObjectsReturned(f"get() found more than one {self.model._meta.object_name}.")
        row: Row = found[0]
        return row

    def beginning(self) -> Steps[Row | None]:
        found = yield from self.cut(0, 1).everything()
        return found[0] if found else None

    def counting(self) -> Steps[int]:
        """How many there are, if that is known without reading them."""
        if not self.is_bounded:
            raise self.cannot("count()", INSTEAD["len"])
        return len((yield from self.everything()))

    # Reading, as Django does

    def get(self, *args: Any, **lookups: Any) -> Row:
        return wait_for(self.filter(*args).one(lookups))

    async def aget(self, *args: Any, **lookups: Any) -> Row:
        return await acarry_out(self.filter(*args).one(lookups))

    def first(self) -> Row | None:
        return wait_for(self.beginning())

    async def afirst(self) -> Row | None:
        return await acarry_out(self.beginning())

    def last(self) -> Row | None:
        return self.reverse().first()

    async def alast(self) -> Row | None:
        return await self.reverse().afirst()

    def exists(self) -> bool:
        return self.first() is not None

    async def aexists(self) -> bool:
        return await self.afirst() is not None

    def count(self) -> int:
        return wait_for(self.counting())

    async def acount(self) -> int:
        return await acarry_out(self.counting())

    def iterator(self, chunk_size: int | None = None) -> Iterator[Row]:
        for page in self.pages(chunk_size or PAGE):
            yield from wait_for(page)

    async def aiterator(self, chunk_size: int = PAGE) -> AsyncIterator[Row]:
        for page in self.pages(chunk_size):
            for row in await acarry_out(page):
                yield row

    def __iter__(self) -> Iterator[Row]:
        if not self.is_bounded:
            return self.iterator()
        self._fetch_all()
        return iter(self._result_cache or [])

    def __aiter__(self) -> AsyncIterator[Row]:
        return self.aiterator()

    def __bool__(self) -> bool:
        return len(self) > 0 if self.is_bounded else self.exists()

    def _fetch_all(self) -> None:
        if not self.is_bounded:
            raise self.cannot("the length of a whole list", INSTEAD["len"])
        if self._result_cache is None:
            self._result_cache = wait_for(self.everything())

    # Making

    def create(self, **fields: Any) -> Row:
        """Make one. Arguments that are not fields of the model go to its `making`."""
        row, options = self.draft(fields)
        row.save(**options)
        return row

    async def acreate(self, **fields: Any) -> Row:
        row, options = self.draft(fields)
        await row.asave(**options)
        return row

    def draft(self, given: Mapping[str, Any]) -> tuple[Row, dict[str, Any]]:
        options = inspect.signature(self.model.making).parameters.keys() & given.keys()
        row = self.model(**{name: value for name, value in given.items() if name not in options})
        return row, {name: given[name] for name in options}


def refusal(name: str) -> Callable[..., NoReturn]:
    def refuse(self: StoredQuerySet[Any], *args: Any, **kwargs: Any) -> NoReturn:
        raise self.cannot(name if name.startswith("__") else f"{name}()", INSTEAD.get(name, ""))

    return refuse


SAME = {"all"}
"""Methods that stay as Django has them."""
for name, _ in inspect.getmembers(models.QuerySet, inspect.isfunction):
    is_asked_for = not name.startswith("_") or name in ("__and__", "__or__", "__xor__")
    if is_asked_for and name not in SAME and name not in vars(StoredQuerySet):
        setattr(StoredQuerySet, name, refusal(name))
