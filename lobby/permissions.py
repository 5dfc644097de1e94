"""Who may change lobby tables."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from accounts.authentication import caller_of
from accounts.permissions import SignedIn
from lobby.errors import NotAuthorized


class AdminsChange(SignedIn):
    """Whoever is signed in reads; admins change. Raises `NotAuthorized`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        if request.method not in SAFE_METHODS and not caller_of(request).is_admin:
            raise NotAuthorized
        return True
