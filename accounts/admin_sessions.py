"""Sessions and live connections in Django's admin."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accounts.models import Account, Connection, Session
from accounts.reach import is_within_reach
from foyer.admin.stored import Shown, StoredAdmin, log_change, place


class EndedNotDeleted(StoredAdmin):
    """Rows that are shown and ended, never changed. `account_of` is the account of a row."""

    actions = ["end"]
    delete_confirmation_template = "admin/stored/end_confirmation.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def account_of(self, row: Any) -> Account | None:
        raise NotImplementedError

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        account = None if obj is None else self.account_of(obj)
        reached = account is None or is_within_reach(cast(int, request.user.pk), account)
        return super().has_delete_permission(request, obj) and reached

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        return super().delete_view(request, object_id, {"title": f"End {self.opts.verbose_name}"})

    def get_actions(self, request: HttpRequest) -> Any:
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    @admin.action(description="End the selected", permissions=["delete"])
    def end(self, request: HttpRequest, chosen: Any) -> None:
        ended = [row for row in chosen if self.has_delete_permission(request, row)]
        self.delete_queryset(request, ended)
        if len(ended) < len(chosen):
            self.message_user(request, "Only a superuser ends the sessions of one.", messages.ERROR)
        if ended:
            self.message_user(request, f"Ended: {', '.join(map(str, ended))}.", messages.SUCCESS)


@admin.register(Session)
class SessionAdmin(EndedNotDeleted):
    """The sessions of an account that was searched for."""

    list_display = ("began_at", "ends_at", "account")
    search_fields = ("account",)
    fields = ("account_link", "began_at", "ends_at")
    readonly_fields = fields

    @admin.display(description="account")
    def account_link(self, session: Session) -> str:
        address = reverse("admin:accounts_account_change", args=[session.account_id])
        return format_html('<a href="{}">{}</a>', address, session.account)

    def account_of(self, row: Session) -> Account | None:
        return Account.objects.filter(pk=row.account_id).first()

    def page(self, request: HttpRequest, query: str) -> Shown:
        help = "Whose sessions? A whole username, in upper or lower case."
        account = Account.objects.called(query) if query else None
        if account is None:
            return Shown([], help=help)
        return Shown(list(account.sessions.all()), help=help, title=f"Sessions of {account}")

    def take_away(self, request: HttpRequest, row: Session) -> bool:
        there = super().take_away(request, row)
        began = f"{row.began_at:%Y-%m-%d %H:%M:%S} UTC"
        log_change(request, row.account, f"Ended a session of {row.account} since {began}.")
        return there


@admin.register(Connection)
class ConnectionAdmin(EndedNotDeleted):
    """Who is connected, the latest to come first."""

    list_display = ("username", "since", "instances")
    search_fields = ("username",)
    fields = ("account_link", "since", "instances", "places")
    readonly_fields = fields

    @admin.display(description="account")
    def account_link(self, connection: Connection) -> str:
        account = reverse("admin:accounts_account_change", args=[connection.pk])
        its_sessions = reverse("admin:accounts_session_changelist", query={"q": connection.username})
        links = '<a href="{}">{}</a> (<a href="{}">sessions</a>)'
        return format_html(links, account, connection.username, its_sessions)

    def account_of(self, row: Connection) -> Account | None:
        return Account.objects.filter(pk=row.pk).first()

    def page(self, request: HttpRequest, query: str) -> Shown:
        help = "Somebody's whole username, in upper or lower case."
        if query:
            account = Account.objects.called(query)
            return Shown(list(Connection.objects.filter(pk=account.pk)) if account else [], help=help)
        skip, total = place(request, "from") or 0, Connection.objects.count()
        rows = list(Connection.objects.all()[skip : skip + self.list_per_page])
        links: dict[str, dict[str, Any]] = {}
        if skip:
            links["Later"] = {"from": max(skip - self.list_per_page, 0) or None}
        if skip + self.list_per_page < total:
            links["Earlier"] = {"from": skip + self.list_per_page}
        users = "1 user" if total == 1 else f"{total:,} users"
        return Shown(rows, links, help, f"Live connections of {users}")

    def take_away(self, request: HttpRequest, row: Connection) -> bool:
        there = super().take_away(request, row)
        log_change(request, Account(pk=row.pk, username=row.username), "Ended all sessions and connections.")
        return there
