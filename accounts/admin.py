"""Accounts in Django's admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import Account
from config.errors import FoyerError, InvalidInput
from config.wire import decode


class NewAccountForm(AdminUserCreationForm):  # type: ignore[type-arg]  # it takes none at run time
    class Meta:
        model = Account
        fields = ("username",)

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if Account.objects.called(username) is not None:
            raise ValidationError("An account of that name exists. Names that differ only in case are the same.")
        return username


class AccountForm(UserChangeForm):  # type: ignore[type-arg]
    class Meta:
        model = Account
        fields = ("data_json",)
        widgets = {"data_json": forms.Textarea(attrs={"rows": 8, "class": "vLargeTextField"})}

    def clean_data_json(self) -> str:
        """Sets the email address too, which follows the data."""
        account: Account = self.instance
        try:
            content = decode(self.cleaned_data["data_json"].encode())
            if not isinstance(content, dict):
                raise ValidationError("This must be a JSON object.")
            account.data = content
        except InvalidInput as error:
            raise ValidationError([sentence for told in error.fields.values() for sentence in told]) from None
        except FoyerError as error:
            raise ValidationError(str(error)) from None
        others = Account.objects.exclude(pk=account.pk)
        if account.email_key and others.filter(email_key=account.email_key).exists():
            raise ValidationError("An account with that email address exists.")
        return account.data_json


@admin.register(Account)
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]
    """Passwords are shown to nobody and have a page of their own; a name stays as it is for the account's life."""

    form = AccountForm
    add_form = NewAccountForm
    list_display = ("username", "email", "is_staff", "is_active", "created_at", "last_login")
    list_filter = ("is_staff", "is_active", "created_at")
    search_fields = ("username", "email")
    ordering = ("id",)
    readonly_fields = ("email", "created_at", "last_login")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("What it may", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("What it keeps", {"fields": ("data_json", "email")}),
        ("When", {"fields": ("created_at", "last_login")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> tuple[Any, ...]:
        readonly = tuple(super().get_readonly_fields(request, obj))
        return readonly if obj is None else ("username", *readonly)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        for account in queryset:  # one by one: each has sessions to end and memberships to leave
            account.delete()
