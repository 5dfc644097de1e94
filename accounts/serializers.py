"""The shapes of requests about accounts, and of nothing else: whether a name is taken is not asked here."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from foyer.api.contracts import checked

ACCOUNT_FIELDS = frozenset({"id", "username", "password", "user_type", "created_at"})


class Text(serializers.CharField):
    """A string, exactly as it was sent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Shape(serializers.Serializer[Any]):
    """A request's body."""

    @classmethod
    def of(cls, request: Request) -> dict[str, Any]:
        """The body, if it has this shape. Raises `InvalidInput`."""
        return checked(cls, request.data)


class Credentials(Shape):
    username = Text()
    password = Text()


class EmailCredentials(Shape):
    email = Text()
    password = Text()


class SignUpWithEmail(Shape):
    email = Text()
    username = Text()
    password = Text()


class NewPassword(Shape):
    current = Text(required=False)
    new = Text()


class Data(Shape):
    """A user's own JSON, flat or in `data`; from both, where a name is in both that in `data` counts.

    `username` and `password` are never part of it; and where there is a `data`, nothing that an account has beside it
    is either, so that a client may send back what it got.
    """

    def to_internal_value(self, data: dict[str, Any]) -> dict[str, Any]:
        nested = data.get("data", {})
        if not isinstance(nested, dict):
            raise serializers.ValidationError({"data": ["This must be a JSON object."]})
        dropped = ACCOUNT_FIELDS if "data" in data else {"username", "password"}
        flat = {name: value for name, value in data.items() if name not in dropped and name != "data"}
        return {**flat, **nested}


class SignUp(Credentials):
    """Username, password, and the user's own JSON."""

    def to_internal_value(self, data: dict[str, Any]) -> dict[str, Any]:
        credentials: dict[str, Any] = super().to_internal_value(data)
        return {**credentials, "data": Data().to_internal_value(data)}
