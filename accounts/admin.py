"""Accounts in Django's admin."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import admin_sessions as admin_sessions  # has admins of its own, which importing registers
from accounts import operations
from accounts.models import Account
from accounts.reach import is_within_reach
from foyer.api.wire import decode
from foyer.errors import FoyerError, InvalidInput

OURS = ("accounts", "rooms", "messaging", "lobby", "archive", "moderation", "notices")
"""The apps of which a promoted admin may do everything."""


SUSPENDED = ("suspended", "suspended_until", "suspension_reason")
"""The fields that say whether an account is suspended, until when and why."""


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
    suspended = forms.BooleanField(required=False, help_text="Nobody signs in to it, and its sessions end.")

    class Meta:
        model = Account
        fields = ("data_json", *SUSPENDED[1:])
        widgets = {"data_json": forms.Textarea(attrs={"rows": 8, "class": "vLargeTextField"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "suspended" in self.fields:
            self.fields["suspended"].initial = self.instance.suspension is not None

    def clean(self) -> dict[str, Any]:
        content = super().clean() or {}
        until = content.get("suspended_until")
        if content.get("suspended") and until and until <= timezone.now():
            self.add_error("suspended_until", "This moment is over.")
        return content

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
    """Passwords are shown to nobody and have a page of their own; a name stays as it is for the account's life.

    Only superusers say who is one, or give permissions, and only they change the account of one.
    """

    form = AccountForm
    add_form = NewAccountForm
    list_display = ("username", "email", "is_staff", "is_active", "is_suspended", "created_at", "last_login")
    list_filter = ("is_staff", "is_active", ("suspended_at", admin.EmptyFieldListFilter), "created_at")
    search_fields = ("username", "email")
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False
    readonly_fields = ("email", "suspended_by", "suspended_at", "created_at", "last_login")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("What it may", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Suspension", {"fields": (*SUSPENDED, "suspended_by", "suspended_at")}),
        ("What it keeps", {"fields": ("data_json", "email")}),
        ("When", {"fields": ("created_at", "last_login")}),
    )
    actions = ["end_sessions", "disable", "enable", "promote", "demote"]

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> tuple[Any, ...]:
        readonly = tuple(super().get_readonly_fields(request, obj))
        if not is_superuser(request):
            readonly += ("is_superuser", "groups", "user_permissions")
        if obj is not None and obj.pk == request.user.pk:
            readonly += SUSPENDED[1:]
        return readonly if obj is None else ("username", *readonly)

    def get_fieldsets(self, request: HttpRequest, obj: Account | None = None) -> Any:
        """Nobody suspends themselves."""
        found = super().get_fieldsets(request, obj)
        return [one for one in found if one[0] != "Suspension"] if obj and obj.pk == request.user.pk else found

    @admin.display(description="suspended", boolean=True)
    def is_suspended(self, account: Account) -> bool:
        return account.suspension is not None

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        """The suspension is changed by itself: it has a time and an author, and others hear of it."""
        super().save_model(request, obj, form, change)
        if not change or not {*SUSPENDED} & {*form.changed_data}:
            return
        caller = account_of_page(request).caller
        if form.cleaned_data["suspended"]:
            obj.suspend(caller, obj.suspended_until, obj.suspension_reason)
        else:
            obj.lift_suspension(caller)

    def has_change_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        return super().has_change_permission(request, obj) and reaches(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        return super().has_delete_permission(request, obj) and reaches(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        for account in queryset:  # one by one: each has sessions to end and memberships to leave
            account.delete()

    # What is done to those who are selected

    @admin.action(description="End all sessions and connections", permissions=["change"])
    def end_sessions(self, request: HttpRequest, chosen: QuerySet[Account]) -> None:
        def end(account: Account) -> bool:
            operations.end_all_sessions(account.pk)
            return True

        self.do_to_each(request, chosen, end, "Ended all sessions and connections")

    @admin.action(description="Disable: no signing in, sessions end", permissions=["change"])
    def disable(self, request: HttpRequest, chosen: QuerySet[Account]) -> None:
        self.do_to_each(request, others(request, chosen), partial(turned, "is_active", False), "Disabled")

    @admin.action(description="Enable", permissions=["change"])
    def enable(self, request: HttpRequest, chosen: QuerySet[Account]) -> None:
        self.do_to_each(request, chosen, partial(turned, "is_active", True), "Enabled")

    @admin.action(description="Promote to admin", permissions=["change"])
    def promote(self, request: HttpRequest, chosen: QuerySet[Account]) -> None:
        """What an admin may in these pages, the group "Admins" says; superusers change it."""
        self.do_to_each(request, chosen, promoted, "Promoted to admin")

    @admin.action(description="Demote from admin: sessions end", permissions=["change"])
    def demote(self, request: HttpRequest, chosen: QuerySet[Account]) -> None:
        self.do_to_each(request, others(request, chosen), demoted, "Demoted from admin")

    def do_to_each(
        self, request: HttpRequest, chosen: QuerySet[Account], change: Callable[[Account], bool], told: str
    ) -> None:
        """Call `change` for each account that may be changed, log each change, and report what was done."""
        done = []
        for account in chosen:
            if not self.has_change_permission(request, account):
                messages.error(request, f"Only a superuser changes the account of one: {account}.")
            elif change(account):
                self.log_change(request, account, f"{told}.")
                done.append(account.username)
        if done:
            messages.success(request, f"{told}: {', '.join(done)}.")
        else:
            messages.info(request, "Nothing had to be changed.")


def turned(field: str, value: bool, account: Account) -> bool:
    """Set a field, by `save`, which ends sessions if the account lost rights. Returns whether the value changed."""
    if getattr(account, field) == value:
        return False
    setattr(account, field, value)
    account.save(update_fields=[field])
    return True


def promoted(account: Account) -> bool:
    account.groups.add(admins())
    return turned("is_staff", True, account)


def demoted(account: Account) -> bool:
    account.groups.remove(admins())
    return turned("is_staff", False, account)


def admins() -> Group:
    """The group of those who were promoted. When it is made it may do all that admins may by REST."""
    group, is_new = Group.objects.get_or_create(name="Admins")
    if is_new:
        group.permissions.set(Permission.objects.filter(content_type__app_label__in=OURS))
    return group


def others(request: HttpRequest, chosen: QuerySet[Account]) -> QuerySet[Account]:
    """The selected accounts without the admin's own, so that admins don't lock themselves out."""
    own = account_of_page(request).pk
    if chosen.filter(pk=own).exists():
        messages.warning(request, "Your own account was left as it is.")
    return chosen.exclude(pk=own)


def is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, Account) and request.user.is_superuser


def reaches(request: HttpRequest, account: Account | None) -> bool:
    """Whether the admin of a request may change an account; None stands for accounts in general."""
    return account is None or is_within_reach(account_of_page(request).pk, account)


def account_of_page(request: HttpRequest) -> Account:
    """The account of the admin who opened the page."""
    assert isinstance(request.user, Account)
    return request.user
