"""Checks what a caller may do, without doing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.exceptions import APIException
from rest_framework.request import Request

from foyer.errors import FoyerError

if TYPE_CHECKING:
    from rest_framework.views import APIView


def may(view: APIView, request: Request) -> bool:
    """Whether the user of `request` may use its method on the view."""
    try:
        view.check_permissions(request)
    except (APIException, FoyerError):
        return False
    return True
