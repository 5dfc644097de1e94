"""Whose account an admin may change: the same on REST and in Django's admin."""

from __future__ import annotations

from accounts.models import Account


def is_within_reach(caller_id: int, account: Account) -> bool:
    """Whether an admin may change, delete or sign out `account`: a superuser's only its owner and superusers may."""
    if not account.is_superuser or account.pk == caller_id:
        return True
    return Account.objects.filter(pk=caller_id, is_superuser=True, is_active=True).exists()
