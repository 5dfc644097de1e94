"""Lobby tables in Django's admin: the list in its order, which dragging changes, or buttons where one can't drag."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from foyer.admin.stored import Shown, StoredAdmin, StoredForm, log_change, place
from foyer.errors import FoyerError, InvalidInput
from lobby.models import Table
from lobby.operations import BEGINNING
from lobby.serializers import LARGEST


class NewTableForm(StoredForm):
    table_id = forms.IntegerField(
        required=False, min_value=1, max_value=LARGEST, help_text="Left empty, the server picks one."
    )
    after_id = forms.IntegerField(
        required=False, label="After table", help_text="The id of a table; -1 for the beginning, empty for the end."
    )


@admin.register(Table)
class TableAdmin(StoredAdmin):
    list_display = ("position_shown", "name", "participants", "id")
    list_display_links = ("name",)
    list_per_page = 100
    search_fields = ("name",)
    readonly_fields = ("id",)

    class Media:
        js = ["lobby/reorder.js"]

    @admin.display(description="place")
    def position_shown(self, table: Table) -> int:
        return table.position

    @admin.display(description="move")
    def moves(self, table: Table) -> SafeString:
        """A handle to drag the table by, for a pointer, and buttons for everyone."""
        return render_to_string("admin/lobby/table/moves.html", {"table": table})

    def get_list_display(self, request: HttpRequest) -> Any:
        return ("moves", *self.list_display) if self.has_change_permission(request) else self.list_display

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change=change, **({} if change else {"form": NewTableForm}), **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", "participants", "table_id", "after_id") if obj is None else ("name", "participants", "id")

    def page(self, request: HttpRequest, query: str) -> Shown:
        tables = list(Table.objects.all())
        help = "A table's id, or part of its name."
        if query:
            found = [table for table in tables if is_meant(table, query)][: self.list_per_page]
            return Shown(with_moves(found, tables), help=help)
        start, size = place(request, "from") or 0, self.list_per_page
        links: dict[str, dict[str, Any]] = {}
        if start:
            links["Before"] = {"from": max(start - size, 0) or None}
        if start + size < len(tables):
            links["After"] = {"from": start + size}
        rows = with_moves(tables[start : start + size], tables)
        for table in rows:
            table.is_draggable = True
            if str(table.pk) == request.GET.get("moved"):
                table.focus = "up" if table.down_after is None or "down" not in request.GET else "down"
        return Shown(rows, links, help)

    def save_model(self, request: HttpRequest, obj: Table, form: Any, change: bool) -> None:
        if change:
            obj.save()
        else:
            obj.pk = form.cleaned_data["table_id"]
            obj.save(after=form.cleaned_data["after_id"])

    # Moving

    def get_urls(self) -> list[URLPattern]:
        move = self.admin_site.admin_view(self.move_view)
        return [path("<str:table_id>/move/", move, name="lobby_table_move"), *super().get_urls()]

    def move_view(self, request: HttpRequest, table_id: str) -> Any:
        """Put a table after another, whose id is in `after`; -1 is the beginning."""
        return require_POST(self.move)(request, table_id)

    def move(self, request: HttpRequest, table_id: str) -> HttpResponseRedirect:
        if not self.has_change_permission(request):
            raise PermissionDenied
        table, after = get_object_or_404(Table, pk=table_id), request.POST.get("after", "")
        before = position_of(table)
        try:
            if not after.removeprefix("-").isdecimal():
                raise InvalidInput({"after": ["The id of a table, or -1."]})
            if table.move(int(after)):
                where = "to the beginning" if int(after) == BEGINNING else f"after table {after}"
                log_change(request, table, f"Moved {where}.")
        except FoyerError as error:
            if error.status >= 500:
                raise
            messages.error(request, str(error))
        return HttpResponseRedirect(self.address_of(table, went_down=position_of(table) > before))

    def address_of(self, table: Table, *, went_down: bool) -> str:
        """The page of the list that has a table, with the focus on the button that moves it on."""
        start = (position_of(table) - 1) // self.list_per_page * self.list_per_page
        query = {"moved": table.pk, **({"down": 1} if went_down else {}), **({"from": start} if start > 0 else {})}
        return reverse("admin:lobby_table_changelist", query=query)


def with_moves(shown: list[Table], tables: list[Table]) -> list[Any]:
    """Those that a page shows, each with what moving it takes: the ids of tables that it may be put behind.

    `previous` is before it now, `up_after` and `down_after` are where the buttons put it, None where it can't go.
    `is_draggable` and `focus`, which of its buttons has the focus, are for the page to say.
    """
    ids = [BEGINNING, *(table.pk for table in tables)]
    rows: list[Any] = list(shown)
    for row in rows:
        at = row.position
        row.previous, row.is_draggable, row.focus = ids[at - 1], False, ""
        row.up_after = ids[at - 2] if at > 1 else None
        row.down_after = ids[at + 1] if at + 1 < len(ids) else None
    return rows


def is_meant(table: Table, query: str) -> bool:
    return query.casefold() in table.name.casefold() or query == str(table.pk)


def position_of(table: Table) -> int:
    return next((other.position for other in Table.objects.all() if other == table), 0)
