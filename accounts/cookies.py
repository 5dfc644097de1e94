"""Signed in by cookie: for the web client, the pages of the API and the admin.

Django's session has the account. It also names a session of ours, of the same kind as that of a token. Every request
and socket is checked against that. So signing out anywhere ends at once what the cookie opened, and whatever ends the
sessions of an account also ends those of its browsers.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from importlib import import_module
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts import operations
from accounts.callers import Caller
from accounts.errors import AccountChanged
from accounts.models import Account
from accounts.operations import NewSession
from accounts.suspension import refuse_suspended

KEY = "foyer_session"
"""Where Django's session keeps the id of ours, and when that ends."""
STAY = "stay"
"""The field of a sign-in form for staying signed in after the browser is closed."""


@receiver(user_logged_in)
def begin_session(request: HttpRequest, user: Account, **_: Any) -> None:
    """Begin a session for the user who has just signed in. It replaces one that this browser had."""
    if held := request.session.get(KEY):
        operations.end_session(user.pk, held[0])
    stays = STAY in request.POST
    begun = start_session(user, settings.STAY_SIGNED_IN if stays else None)
    request.session.set_expiry(settings.STAY_SIGNED_IN if stays else 0)  # 0: until the browser is closed
    request.session[KEY] = [begun.id, begun.expires_at]


def start_session(account: Account, lifetime: timedelta | None) -> NewSession:
    try:
        return operations.start_session(account.standing, lifetime)
    except AccountChanged:  # or the copy in the store is of a database that was restored since
        account.renew_copy()
        return operations.start_session(account.standing, lifetime)


@receiver(user_logged_out)
def end_session(request: HttpRequest, user: Account | None, **_: Any) -> None:
    if user is not None and (held := request.session.get(KEY)):
        operations.end_session(user.pk, held[0])


def make_room_for(account: Account, request: HttpRequest) -> None:
    """Before `account` signs in, end a session that this browser had for another account."""
    if request.user.is_authenticated and request.user.pk != account.pk:
        end_session(request=request, user=request.user)


def account_of(request: HttpRequest) -> Account | AnonymousUser:
    """The account of a request's cookie, if its session has not ended. Raises `Unavailable`.

    Where the account is suspended, `request.turned_away` says so: nobody is signed in, so that somebody else can be.
    """
    account, held = get_user(request), request.session.get(KEY)
    if isinstance(account, Account) and held:
        (is_open,) = operations.check_sessions([caller_of(account, request)])
        if is_open:
            request._cached_user = account  # type: ignore[attr-defined]  # where the access log looks
            return account
        request.turned_away = account.suspension  # type: ignore[attr-defined]
    return AnonymousUser()


def caller_of(account: Account, request: HttpRequest) -> Caller:
    """The owner of an account, signed in by the cookie of a request."""
    session_id, expires_at = request.session[KEY]
    return Caller(account.pk, account.username, account.is_staff, session_id, expires_at)


def refuse_turned_away(request: HttpRequest) -> None:
    """Raise `Suspended` if the cookie of a request is that of somebody who is."""
    refuse_suspended(getattr(request, "turned_away", None))


def caller_from_cookie(key: str) -> Caller | None:
    """The caller of a session of Django's, or None if it has none. Raises `Suspended`."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    account = account_of(request)
    refuse_turned_away(request)
    if not isinstance(account, Account) or not account.is_active:
        return None
    return caller_of(account, request)


class CookieSessions(AuthenticationMiddleware):
    """Middleware: `request.user`, as Django's own has it, but nobody once the session has ended.

    `request.cookie_user` is the same, and stays so in views of REST, which put their caller in the place of `user`.
    """

    def process_request(self, request: HttpRequest) -> None:
        request.user = request.cookie_user = SimpleLazyObject(partial(account_of, request))  # type: ignore
        request.auser = partial(sync_to_async(account_of), request)
