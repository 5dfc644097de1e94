"""Contracts: serializers that say what the body of a request, or a frame, looks like."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from foyer.errors import InvalidInput


def checked(contract: type[serializers.Serializer[Any]], data: Any, *, partial: bool = False) -> dict[str, Any]:
    """`data`, checked by `contract`; with `partial` any field may be left out. Raises `InvalidInput`."""
    body = contract(data=data, partial=partial)
    if not body.is_valid():
        raise InvalidInput(dict(body.errors))
    content: dict[str, Any] = body.validated_data
    return content
