"""Which accounts a caller may see, and which an admin may change: the same over REST and in Django's admin."""

from __future__ import annotations

from accounts.callers import Caller
from accounts.errors import UserNotFound
from accounts.models import Account
from foyer.errors import Forbidden
from foyer.text import key_of


def own_account(caller: Caller) -> Account:
    """The caller's. Raises `UserNotFound` if it was deleted while a request was on its way."""
    account = Account.objects.filter(pk=caller.id).first()
    if account is None:
        raise UserNotFound
    return account


def reachable(caller: Caller, username: str) -> Account:
    """The account of that name. Callers who are not admins get `Forbidden` for any account but their own."""
    if key_of(username) == key_of(caller.username):
        return own_account(caller)
    if not caller.is_admin:
        raise Forbidden
    account = Account.objects.called(username)
    if account is None:
        raise UserNotFound
    return account


def changeable(caller: Caller, username: str) -> Account:
    """As `reachable`, to change it. Raises `Forbidden` also for a superuser's account, unless the caller is its owner
    or a superuser."""
    account = reachable(caller, username)
    if not is_within_reach(caller.id, account):
        raise Forbidden("Only a superuser changes the account of one.")
    return account


def is_within_reach(caller_id: int, account: Account) -> bool:
    """Whether an admin may change, delete or sign out `account`. A superuser's account is for its owner and
    superusers."""
    if not account.is_superuser or account.pk == caller_id:
        return True
    return Account.objects.filter(pk=caller_id, is_superuser=True, is_active=True).exists()
