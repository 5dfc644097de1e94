"""Reports of messages in Django's admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator

from accounts.admin import account_of_page
from foyer.errors import FoyerError
from moderation.models import Report
from moderation.reports import NAMED, close_report

CLOSED = (Report.State.RESOLVED, Report.State.DISMISSED)


class ReportForm(forms.ModelForm):  # type: ignore[type-arg]  # it takes none at run time
    becomes = forms.ChoiceField(choices=[(state.value, state.label) for state in CLOSED])

    class Meta:
        model = Report
        fields = ("note",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "becomes" in self.fields and self.instance.state in CLOSED:
            self.fields["becomes"].initial = self.instance.state


@admin.register(Report)
class ReportAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # it takes none at run time
    """The queue. A report is closed here as over REST, so it is noted in the audit of its room."""

    form = ReportForm
    list_display = ("id", "state", "room", "sender", "shortened", "reason", "by", "at")
    list_filter = ("state",)
    list_select_related = NAMED
    list_per_page = 50
    search_fields = ("=room", "text", "reason")
    ordering = ("-pk",)
    actions = ("resolve", "dismiss")
    readonly_fields = (
        *("state", "room", "message", "sender", "to", "text", "sent_at", "edited_at"),
        *("reason", "by", "at", "closed_by", "closed_at"),
    )
    fields = (*readonly_fields, "becomes", "note")

    @admin.display(description="text of the message")
    def shortened(self, report: Report) -> str:
        return Truncator(report.text).chars(120)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Report, form: Any, change: bool) -> None:
        self.close(request, obj, form.cleaned_data["becomes"], form.cleaned_data["note"])

    @admin.action(description="Resolve selected reports", permissions=["change"])
    def resolve(self, request: HttpRequest, reports: QuerySet[Report]) -> None:
        for report in reports:
            self.close(request, report, Report.State.RESOLVED, report.note)

    @admin.action(description="Dismiss selected reports", permissions=["change"])
    def dismiss(self, request: HttpRequest, reports: QuerySet[Report]) -> None:
        for report in reports:
            self.close(request, report, Report.State.DISMISSED, report.note)

    def close(self, request: HttpRequest, report: Report, state: str, note: str) -> None:
        try:
            close_report(account_of_page(request).caller, report.pk, state, note or None)
        except FoyerError as error:
            if error.status >= 500:
                raise
            messages.error(request, f"{report}: {error}")
