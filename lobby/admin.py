"""Lobby tables in Django's admin: the list in its order, which dragging changes, or buttons where one can't drag."""

from __future__ import annotations

from typing import Any

import orjson
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from foyer.admin.stored import Shown, StoredAdmin, StoredForm, log_change, place, whole
from foyer.errors import FoyerError, InvalidInput
from lobby.models import Table
from lobby.operations import BEGINNING, add_table, list_tables, move_table, remove_table, show_table, update_table
from lobby.serializers import change_of, new_table


class NewTableForm(StoredForm):
    table_id = forms.IntegerField(required=False, help_text="Left empty, the server picks one.")
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
        tables = in_order()
        help = "A table's id, or part of its name."
        if query:
            found = [at for at, told in enumerate(tables) if is_meant(told, query)][: self.list_per_page]
            return Shown([placed(tables, at) for at in found], help=help)
        start, size = place(request, "from") or 0, self.list_per_page
        links: dict[str, dict[str, Any]] = {}
        if start:
            links["Before"] = {"from": max(start - size, 0) or None}
        if start + size < len(tables):
            links["After"] = {"from": start + size}
        rows = [placed(tables, at) for at in range(start, min(start + size, len(tables)))]
        for table in rows:
            table.is_draggable = True
            if str(table.pk) == request.GET.get("moved"):
                table.focus = "up" if table.down_after is None or "down" not in request.GET else "down"
        return Shown(rows, links, help)

    def find(self, request: HttpRequest, pk: str) -> Table:
        return Table.of(orjson.loads(show_table(whole(pk))))

    def store(self, request: HttpRequest, row: Table, form: Any, change: bool) -> None:
        given = form.cleaned_data
        if change:
            wanted = {name: given[name] for name in form.changed_data}
            if wanted:
                update_table(row.pk, *change_of(row.pk, wanted, partial=True))
            return
        table = {"id": given["table_id"], "name": given["name"], "participants": given["participants"]}
        body = {"after_id": given["after_id"], "table": without_none(table)}
        try:
            added = add_table(new_table(without_none(body)))
        except InvalidInput as error:
            raise named_as_in_the_form(error) from None
        row.pk = orjson.loads(b"{" + added + b"}")["table"]["id"]

    def remove(self, request: HttpRequest, row: Table) -> None:
        remove_table(row.pk)

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
        table, after = self.find(request, table_id), request.POST.get("after", "")
        before = position_of(table.pk)
        try:
            if not after.removeprefix("-").isdecimal():
                raise InvalidInput({"after": ["The id of a table, or -1."]})
            if move_table(table.pk, int(after)):
                where = "to the beginning" if int(after) == BEGINNING else f"after table {after}"
                log_change(request, table, f"Moved {where}.")
        except FoyerError as error:
            if error.status >= 500:
                raise
            messages.error(request, str(error))
        return HttpResponseRedirect(self.address_of(table.pk, went_down=position_of(table.pk) > before))

    def address_of(self, table_id: int, *, went_down: bool) -> str:
        """The page of the list that has a table, with the focus on the button that moves it on."""
        start = position_of(table_id) // self.list_per_page * self.list_per_page
        query = {"moved": table_id, **({"down": 1} if went_down else {}), **({"from": start} if start else {})}
        return reverse("admin:lobby_table_changelist", query=query)


def in_order() -> list[dict[str, Any]]:
    tables: list[dict[str, Any]] = orjson.loads(list_tables().json)
    return tables


def is_meant(told: dict[str, Any], query: str) -> bool:
    return query.casefold() in told["name"].casefold() or query == str(told["id"])


def position_of(table_id: int) -> int:
    return next((at for at, told in enumerate(in_order()) if told["id"] == table_id), 0)


def placed(tables: list[dict[str, Any]], at: int) -> Table:
    """The table at a position, counted from 0, with what moving it takes."""

    def id_at(position: int) -> int:
        found: int = tables[position]["id"] if position >= 0 else BEGINNING
        return found

    table = Table.of(tables[at])
    table.position, table.previous = at + 1, id_at(at - 1)
    table.up_after = id_at(at - 2) if at > 0 else None
    table.down_after = id_at(at + 1) if at + 1 < len(tables) else None
    return table


def without_none(content: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if value is not None}


def named_as_in_the_form(error: InvalidInput) -> InvalidInput:
    """What is wrong with a new table, by the names of the form's fields: there the table's own are not apart."""
    fields = {**error.fields, **error.fields.get("table", {})}
    fields.pop("table", None)
    return InvalidInput({"table_id" if name == "id" else name: told for name, told in fields.items()})
