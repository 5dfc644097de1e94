"""What is said of the routes of accounts, at `/schema` and on their pages."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import serializers

from accounts import views
from accounts.names import USERNAME_LENGTH
from accounts.serializers import Credentials, EmailCredentials, NewPassword, SignUpWithEmail
from foyer.api.schema import FORM, JSON, LOCATION, RETRY_KEY, Operation, describe, in_path, in_query, page_parameters

TAG = "Accounts"
USERNAME = in_path("username", f"1 to {USERNAME_LENGTH} printable characters, in any case.", "^[^/]+$")
DATA = {"email": "ben@example.com", "phone": "+358 40 123"}


class Account(serializers.Serializer[Any]):
    """An account."""

    id = serializers.CharField()
    username = serializers.CharField()
    user_type = serializers.ChoiceField(["admin", "user"])
    created_at = serializers.DateTimeField()
    data: Any = serializers.DictField(help_text="What the user keeps here: any JSON.")
    example = {
        "id": "7",
        "username": "ben",
        "user_type": "user",
        "created_at": "2026-03-04T09:16:10.714Z",
        "data": DATA,
    }


class Greeting(serializers.Serializer[Any]):
    """A greeting; for those who are signed in what is known of them."""

    message = serializers.CharField(required=False)
    username = serializers.CharField(required=False)
    user_type = serializers.ChoiceField(["admin", "user"], required=False)
    data: Any = serializers.DictField(required=False)
    example = {"message": "Hello World"}


class NewAccount(Credentials):
    """Name, password, and any other JSON, flat or in `data`."""

    data: Any = serializers.DictField(required=False, help_text="Any JSON object, up to 16 KiB.")


class AccountData(serializers.Serializer[Any]):
    """Any JSON, flat or in `data`."""

    data: Any = serializers.DictField(required=False, help_text="Any JSON object, up to 16 KiB.")


class Session(serializers.Serializer[Any]):
    """A session has begun."""

    token = serializers.CharField(help_text="For `Authorization: Bearer`.")
    token_type = serializers.ChoiceField(["Bearer"])
    expires_at = serializers.DateTimeField()
    user_type = serializers.ChoiceField(["admin", "user"])
    example = {
        "token": "eyJhbGciOiJIUzI1NiJ9.…",
        "token_type": "Bearer",
        "expires_at": "2026-03-05T09:16:14.000Z",
        "user_type": "user",
    }


class CreatedUser(serializers.Serializer[Any]):
    """The account was made."""

    id = serializers.CharField()
    username = serializers.CharField()
    email = serializers.CharField()
    example = {"id": "7", "username": "Igor", "email": "igor@example.com"}


class LoggedIn(serializers.Serializer[Any]):
    """A session has begun."""

    id = serializers.CharField()
    username = serializers.CharField()
    token = serializers.CharField(help_text="For `Authorization: Bearer`.")
    example = {"id": "7", "username": "Igor", "token": "eyJhbGciOiJIUzI1NiJ9.…"}


ONE = "forbidden user_not_found"
CHANGE = f"{ONE} account_changing"

describe(
    views.Home,
    "Foyer",
    TAG,
    get=Operation(
        "greet", "A greeting, or what is known of the caller", {200: Greeting}, "too_many_sign_ins user_not_found",
        open=True,
    ),
)  # fmt: skip
describe(
    views.SignUpView,
    "Sign up",
    TAG,
    post=Operation(
        "signUp",
        "Make an account",
        {201: Account},
        "username_taken email_taken too_many_sign_ins",
        takes=NewAccount,
        example={"username": "ben", "password": "pass", "data": DATA},
        media_types=(JSON, FORM),
        parameters=(LOCATION, RETRY_KEY),
        open=True,
    ),
)
describe(
    views.AccountView,
    "Account",
    TAG,
    USERNAME,
    related={
        "Change the password": "/user/{username}/password",
        "Messages with {username}": "/user/{username}/messages",
    },
    get=Operation("showAccount", "One's own account; any for an admin", {200: Account}, ONE),
    put=Operation(
        "replaceData", "Replace the account's data", {200: Account}, f"{CHANGE} email_taken",
        takes=AccountData, example={"data": DATA},
    ),
    patch=Operation(
        "mergeData", "Merge into the account's data; null removes a key", {200: Account}, f"{CHANGE} email_taken",
        takes=AccountData, example={"data": {"phone": None}},
    ),
    delete=Operation("deleteAccount", "Delete the account; its messages stay, unsigned", {204: None}, CHANGE),
)  # fmt: skip
describe(
    views.PasswordView,
    "Password",
    TAG,
    USERNAME,
    related={"The account": "/user/{username}"},
    put=Operation(
        "changePassword",
        "Set another password, which ends every session of the account",
        {204: None},
        f"{CHANGE} wrong_password",
        takes=NewPassword,
        example={"current": "pass", "new": "qwerty123456"},
    ),
)
describe(
    views.Accounts,
    "Accounts",
    TAG,
    linked={"username": "/user/{}"},
    get=Operation(
        "listAccounts", "All accounts, for admins", {200: [Account]}, "forbidden unknown_cursor",
        parameters=page_parameters(1000, 50, "accounts"),
    ),
)  # fmt: skip
describe(
    views.Auth,
    "Sessions",
    TAG,
    post=Operation(
        "signIn",
        "Begin a session",
        {200: Session},
        "bad_credentials too_many_sign_ins account_changing",
        takes=Credentials,
        example={"username": "ben", "password": "pass"},
        media_types=(JSON, FORM),
        open=True,
    ),
    delete=Operation(
        "signOut",
        "End this session",
        {204: None},
        parameters=(
            in_query("all", "`true` ends every session of the account.", {"type": "string", "enum": ["true", "false"]}),
        ),
    ),
)
describe(
    views.CreateUser,
    "Create a user",
    TAG,
    post=Operation(
        "createUser",
        "Make an account with an email address",
        {201: CreatedUser},
        "username_taken email_taken too_many_sign_ins",
        takes=SignUpWithEmail,
        example={"email": "igor@example.com", "username": "Igor", "password": "qwerty123456"},
        parameters=(LOCATION, RETRY_KEY),
        open=True,
    ),
)
describe(
    views.Login,
    "Log in",
    TAG,
    post=Operation(
        "logIn",
        "Begin a session by email address",
        {200: LoggedIn},
        "bad_credentials too_many_sign_ins account_changing",
        takes=EmailCredentials,
        example={"email": "igor@example.com", "password": "qwerty123456"},
        open=True,
    ),
)


# Ways of signing in

BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token from `POST /auth`."}
BASIC = {"type": "http", "scheme": "basic", "description": "Username and password, with every request."}
COOKIE = {
    "type": "apiKey",
    "in": "cookie",
    "name": "sessionid",
    "description": "Set by `/sign-in`. What changes something needs the header `X-CSRFToken` too.",
}


class Bearer(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.authentication.TokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> Any:
        return BEARER


class Basic(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.authentication.RememberedBasicAuthentication"
    name = "basic"

    def get_security_definition(self, auto_schema: Any) -> Any:
        return BASIC


class Cookie(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.authentication.CookieAuthentication"
    name = "cookie"

    def get_security_definition(self, auto_schema: Any) -> Any:
        return COOKIE


class AnyWay(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.authentication.WelcomeAll"
    name = ["bearer", "basic", "cookie"]

    def get_security_requirement(self, auto_schema: Any) -> Any:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> Any:
        return []  # each is defined above
