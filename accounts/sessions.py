"""The caller of a token: the store is asked first; the row of the account is read if the store has no copy."""

from __future__ import annotations

from collections.abc import Sequence

from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model

from accounts.callers import Caller
from accounts.operations import Standing, aask, aask_rights, acheck_sessions, ask, keep_copy
from accounts.suspension import SUSPENSION, refuse_suspended
from accounts.tokens import Claims, read_token
from foyer.errors import BadToken
from foyer.realtime.connection import Identity

COPIED = ("id", "username", "is_staff", "is_active", "password", *SUSPENSION)
"""The columns of a row that its copy is made of."""


def may_act(standing: Standing) -> bool:
    return standing.is_active and standing.suspension is None


def authenticate(token: str) -> Caller:
    """The caller of a token. Raises `BadToken`, `Suspended`. A forged or expired one is refused without the store."""
    claims = read_token(token)
    return ask(claims) or ask_row(claims)


async def aauthenticate(token: str) -> Caller:
    """As `authenticate`, on the event loop."""
    claims = read_token(token)
    return await aask(claims) or await database_sync_to_async(ask_row)(claims)


def ask_row(claims: Claims) -> Caller:
    """As `ask`, of the row; and keep a copy of it for the next time."""
    standing = standing_by_row(claims.account)
    if standing is None or not standing.is_active:
        raise BadToken
    refuse_suspended(standing.suspension)
    return Caller(standing.id, standing.username, standing.is_admin, claims.session, claims.expires_at)


def standing_by_row(account_id: int) -> Standing | None:
    """What the row of an account says, of which a copy is kept; None where there is no row."""
    rows = get_user_model()._default_manager.filter(pk=account_id)
    row = rows.values_list(*COPIED).first()
    if row is None:
        return None
    standing = Standing.of(*row)
    keep_copy(standing)
    return standing


async def ais_admin_now(proven: Standing) -> bool:
    """Whether somebody who signed in as `proven`, without a token, may do what admins may, at this moment.

    No longer so when the account was deleted, disabled or demoted, or got another password. Raises `Unavailable`.
    """
    known = await aask_rights(proven)
    if known is None:
        found = await database_sync_to_async(standing_by_row)(proven.id)
        known = found is not None and may_act(found) and found.is_admin and found.stamp == proven.stamp
    return known


async def alook_again(callers: Sequence[Identity]) -> list[bool]:
    """Which of `callers` are still signed in, in their order. Raises `Unavailable`."""
    looked = zip(callers, await acheck_sessions(callers), strict=True)
    return [await ahas_password(caller) if known is None else known for caller, known in looked]


async def ahas_password(caller: Identity) -> bool:
    """Whether the account still has the password by which somebody signed in without a token."""
    found = await database_sync_to_async(standing_by_row)(caller.id)
    return found is not None and may_act(found) and found.stamp == getattr(caller, "stamp", "")
