"""Notices in Django's admin: made and deleted, and never changed, since they have been said."""

from __future__ import annotations

from typing import Any

import orjson
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.admin import account_of_page
from foyer.text import is_blank
from moderation.notices.models import Notice
from moderation.notices.operations import publish, withdraw


class NoticeForm(forms.ModelForm):  # type: ignore[type-arg]  # it takes none at run time
    class Meta:
        model = Notice
        fields = ("text", "level", "until")
        widgets = {"text": forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"})}

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        if is_blank(text):
            raise ValidationError("A notice is not blank.")
        return text

    def clean_until(self) -> Any:
        until = self.cleaned_data["until"]
        if until is not None and until <= timezone.now():
            raise ValidationError("This moment is over.")
        return until


@admin.register(Notice)
class NoticeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = NoticeForm
    list_display = ("text", "level", "until", "at", "by")
    list_filter = ("level", "at")
    ordering = ("-pk",)
    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Notice, form: Any, change: bool) -> None:
        """Publish it, as `POST /notices` does; `obj` is then the notice that was made."""
        told = orjson.loads(publish(account_of_page(request).caller, obj.text, obj.level, obj.until, None))
        obj.pk = int(told["id"])
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: Notice) -> None:
        withdraw(obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Notice]) -> None:
        for notice in queryset:
            withdraw(notice.pk)
