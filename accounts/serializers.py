"""The shapes of bodies about accounts, and of nothing else: whether a name is taken is not asked here."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty

from accounts.suspension import REASON_LENGTH
from foyer.api.fields import SECRET, FutureTime, JSONObject, StrictText
from foyer.api.serializers import Shape

ACCOUNT_FIELDS = frozenset({"id", "username", "password", "user_type", "created_at"})
USER_TYPES = ["admin", "user"]
TOKEN_HELP = "For `Authorization: Bearer`."  # noqa: S105
DATA = {"email": "ben@example.com", "phone": "+358 40 123"}
TOKEN = "eyJhbGciOiJIUzI1NiJ9.…"  # noqa: S105


# What is answered


class AccountSerializer(Shape):
    """An account."""

    id = serializers.CharField(source="pk")
    username = serializers.CharField()
    user_type = serializers.ChoiceField(USER_TYPES)
    created_at = serializers.DateTimeField()
    data: Any = JSONObject(help_text="What the user keeps here: any JSON.")
    example = {
        "id": "7",
        "username": "ben",
        "user_type": "user",
        "created_at": "2026-03-04T09:16:10.714Z",
        "data": DATA,
    }


class GreetingSerializer(Shape):
    """A greeting; for those who are signed in what is known of them."""

    message = serializers.CharField(required=False)
    username = serializers.CharField(required=False)
    user_type = serializers.ChoiceField(USER_TYPES, required=False)
    data: Any = JSONObject(required=False)
    example = {"message": "Hello World"}


class SessionSerializer(Shape):
    """A session has begun."""

    token = serializers.CharField(help_text=TOKEN_HELP)
    token_type = serializers.ChoiceField(["Bearer"])
    expires_at = serializers.DateTimeField()
    user_type = serializers.ChoiceField(USER_TYPES)
    example = {
        "token": TOKEN,
        "token_type": "Bearer",
        "expires_at": "2026-03-05T09:16:14.000Z",
        "user_type": "user",
    }


class CreatedUserSerializer(Shape):
    """The account was made."""

    id = serializers.CharField()
    username = serializers.CharField()
    email = serializers.CharField()
    example = {"id": "7", "username": "Igor", "email": "igor@example.com"}


class SuspensionSerializer(Shape):
    """The account is suspended."""

    username = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True, help_text="Null: until it is lifted.")
    reason = serializers.CharField(allow_null=True)
    by = serializers.CharField()
    at = serializers.DateTimeField()
    example = {
        "username": "eve",
        "until": "2026-03-11T09:16:14.000Z",
        "reason": "spam",
        "by": "admin",
        "at": "2026-03-04T09:16:14.609Z",
    }


class LoggedInSerializer(Shape):
    """A session has begun."""

    id = serializers.CharField()
    username = serializers.CharField()
    token = serializers.CharField(help_text=TOKEN_HELP)
    example = {"id": "7", "username": "Igor", "token": TOKEN}


# What is taken


class CredentialsSerializer(Shape):
    """A name and its password."""

    username = StrictText()
    password = StrictText(style=SECRET)
    example = {"username": "ben", "password": "pass"}


class EmailCredentialsSerializer(Shape):
    """An email address and the password of its account."""

    email = StrictText()
    password = StrictText(style=SECRET)
    example = {"email": "igor@example.com", "password": "qwerty123456"}


class SignUpWithEmailSerializer(Shape):
    """An email address, a name and a password."""

    email = StrictText()
    username = StrictText()
    password = StrictText(style=SECRET)
    example = {"email": "igor@example.com", "username": "Igor", "password": "qwerty123456"}


class NewPasswordSerializer(Shape):
    """The password as it is, and as it is to be."""

    current = StrictText(required=False, style=SECRET)
    new = StrictText(style=SECRET)
    example = {"current": "pass", "new": "qwerty123456"}


class NewSuspensionSerializer(Shape):
    """Until when, and why; the user is told both."""

    until = FutureTime(required=False, allow_null=True, default=None, help_text="Left out: until it is lifted.")
    reason = StrictText(required=False, allow_blank=True, allow_null=True, default=None, max_length=REASON_LENGTH)
    example = {"until": "2026-03-11T09:16:14Z", "reason": "spam"}


class AccountChangeSerializer(Shape):
    """Any JSON, flat or in `data`."""

    data: Any = JSONObject(required=False, help_text="Any JSON object, up to 16 KiB.")
    example = {"data": DATA}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        return data_in(self, data)


class NewAccountSerializer(CredentialsSerializer):
    """Name, password, and any other JSON, flat or in `data`."""

    data: Any = JSONObject(required=False, help_text="Any JSON object, up to 16 KiB.")
    example = {**CredentialsSerializer.example, "data": DATA}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        credentials = {name: value for name, value in data.items() if name != "data"}
        return {**super().to_internal_value(credentials), "data": data_in(self, data)}


def data_in(shape: Shape, body: Any) -> dict[str, Any]:
    """The user's own JSON in a body: flat or in `data`; where a name is in both, that in `data` counts.

    `username` and `password` are never part of it; and where there is a `data`, nothing that an account has beside it
    is either, so that a client may send back what it got. Raises `ValidationError`.
    """
    nested = shape.fields["data"].get_value(body)
    try:
        own = {} if nested is empty else shape.fields["data"].to_internal_value(nested)
    except serializers.ValidationError as error:
        raise serializers.ValidationError({"data": error.detail}) from None
    dropped = ACCOUNT_FIELDS if "data" in body else {"username", "password"}
    return {**{name: value for name, value in body.items() if name not in dropped and name != "data"}, **own}
