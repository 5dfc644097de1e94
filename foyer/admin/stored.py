"""Pages of Django's admin for what is kept in Redis: lists, forms, histories and permissions as for any other model.

A `StoredAdmin` says which part of a list a page shows. The model reads and changes its data. Django's own views, forms
and templates do the rest.

Guarantees: a list reads one page, never everything, and counts nothing. A change is in the admin's log only after it
was made. The form shows why an operation was refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, cast

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.text import capfirst

from foyer.api.links import id_in
from foyer.errors import BadRequest, FoyerError, InvalidInput, NotFound
from foyer.store.models import StoredQuerySet

CURSORS = ("before", "after", "from", "moved", "down")
"""Parameters of an address that stand for a place in a list; a new search drops them."""


class Shown(NamedTuple):
    """Part of a list. `links` lead to others: what each is called, and the parameters that stand for its place."""

    rows: Sequence[models.Model]
    links: dict[str, dict[str, Any]] = {}
    help: str = ""
    title: str = ""


class StoredChangeList(ChangeList):
    """A list of which one page is read, by `StoredAdmin.page`."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        return self.root_queryset

    def get_ordering_field_columns(self) -> dict[int, Any]:
        return {}

    def get_results(self, request: HttpRequest) -> None:
        owner = cast(StoredAdmin, self.model_admin)
        try:
            page = owner.page(request, self.query.strip())
        except BadRequest as error:
            raise IncorrectLookupParameters(error) from None
        self.result_list: Any = list(page.rows)
        self.result_count = len(page.rows)
        self.full_result_count = self.result_count
        self.show_full_result_count = False
        self.show_admin_actions = bool(page.rows)
        self.can_show_all = self.multi_page = False
        self.paginator = Paginator(self.result_list, max(self.result_count, 1))
        self.params = {name: value for name, value in self.params.items() if name not in CURSORS}
        self.search_help_text = page.help
        self.page_title = page.title or capfirst(str(self.opts.verbose_name_plural))
        self.page_links = [(name, self.get_query_string(place, list(CURSORS))) for name, place in page.links.items()]


class StoredForm(ModelForm):  # type: ignore[type-arg]  # it takes none at run time
    """A form that also shows what the operation refused."""

    refused: ClassVar[FoyerError | None] = None

    def clean(self) -> dict[str, Any]:
        content = super().clean() or {}
        if isinstance(self.refused, InvalidInput):
            for name, sentences in self.refused.fields.items():
                self.add_error(name if name in self.fields else None, [str(sentence) for sentence in sentences])
        elif self.refused is not None:
            raise ValidationError(str(self.refused))
        return content


class StoredAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # it takes none at run time
    """The admin of one kind of thing in Redis. Subclasses say what a page of the list shows, by `page`."""

    form = StoredForm
    change_list_template = "admin/stored/change_list.html"
    sortable_by = ()
    list_per_page = 50

    def page(self, request: HttpRequest, query: str) -> Shown:
        """The part of the list that `request` asks for. `query` is what was searched for, or ''."""
        raise NotImplementedError

    # What Django asks for

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return StoredChangeList

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if isinstance(db_field, models.CharField):
            kwargs["strip"] = False  # names are kept as sent
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.refused = getattr(request, "refused", None)
        return form

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """If the operation refuses, the form is shown again with the reason."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except FoyerError as error:
            if error.status >= 500 or request.method != "POST":
                raise
            request.refused = error  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def take_away(self, request: HttpRequest, row: Any) -> bool:
        """Take `row` away. Returns whether it was there."""
        return bool(row.delete()[0])

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        lacking = {str(self.opts.verbose_name) for row in objs if not self.has_delete_permission(request, row)}
        named = [format_html("{}: {}", capfirst(str(self.opts.verbose_name)), str(row)) for row in objs]
        return named, {str(self.opts.verbose_name_plural): len(named)}, lacking, []

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Nothing yet: `delete_model` logs it once it is done."""

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        if self.take_away(request, obj):
            super().log_deletions(request, cast(Any, [obj]))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        shown = getattr(response, "context_data", None)
        if shown and "cl" in shown:
            shown["title"] = shown["cl"].page_title
        return response


def log_change(request: HttpRequest, row: models.Model, what: str) -> None:
    """Note in the admin's log, and so in the history of `row`, what was done to it."""
    LogEntry.objects.log_actions(cast(int, request.user.pk), cast(Any, [row]), CHANGE, what)


def newest_first(request: HttpRequest, listed: StoredQuerySet[Any], field: str, size: int) -> Shown:
    """The page that `request` asks for of a list that begins with the newest, by a field whose values rise."""
    after, before = place(request, "after"), place(request, "before")
    if after is not None:
        found = list(listed.filter(**{f"{field}__gt": after}).reverse()[: size + 1])
        rows = found[:size][::-1]
    else:
        found = list((listed if before is None else listed.filter(**{f"{field}__lt": before}))[: size + 1])
        rows = found[:size]
    is_more = len(found) > size
    links: dict[str, dict[str, Any]] = {}
    if rows and (is_more if after is not None else before is not None):
        links |= {"Newest": {}, "Newer": {"after": getattr(rows[0], field)}}
    if rows and (is_more or after is not None):
        links["Older"] = {"before": getattr(rows[-1], field)}
    return Shown(rows, links)


def place(request: HttpRequest, name: str) -> int | None:
    """A place in a list, from the address. Raises `BadRequest` for what can't be one."""
    text = request.GET.get(name)
    try:
        return None if text is None else whole(text)
    except NotFound:
        raise BadRequest from None


def whole(text: str) -> int:
    """The id in an address. Raises `NotFound` for what can't be one."""
    return id_in(text, NotFound, digits=16)
