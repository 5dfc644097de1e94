"""Who may use a route of REST."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.authentication import caller_or_none
from foyer.errors import Forbidden


class SignedIn(BasePermission):
    """Anyone who is signed in."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return caller_or_none(request) is not None


class IsAdmin(BasePermission):
    """Admins."""

    refuses = (Forbidden,)

    def has_permission(self, request: Request, view: Any) -> bool:
        caller = caller_or_none(request)
        return caller is not None and caller.is_admin
