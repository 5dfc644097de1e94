"""Accounts over REST: check the shape, call one operation, answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.mixins import DestroyModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import credentials, operations
from accounts.authentication import CookieAuthentication, WelcomeAll, caller_of, caller_or_none, client_address
from accounts.errors import (
    AccountChanging,
    EmailTaken,
    SignUpClosed,
    Suspended,
    TooManySignIns,
    UsernameTaken,
    UserNotFound,
    WrongPassword,
)
from accounts.models import Account
from accounts.names import USERNAME_LENGTH
from accounts.people import about
from accounts.permissions import IsAdmin, SignedIn
from accounts.reach import changeable, own_account, reachable
from accounts.serializers import (
    AccountChangeSerializer,
    AccountSerializer,
    CreatedUserSerializer,
    CredentialsSerializer,
    EmailCredentialsSerializer,
    GreetingSerializer,
    LoggedInSerializer,
    NewAccountSerializer,
    NewPasswordSerializer,
    NewSuspensionSerializer,
    SessionSerializer,
    SignUpWithEmailSerializer,
    SuspensionSerializer,
)
from foyer.api.links import address_of
from foyer.api.pagination import IdPagination
from foyer.api.parsers import AnyTypeParser, FormParser
from foyer.api.retry_keys import RetryKey, retry_key
from foyer.api.schema import LOCATION, RETRY_KEY, example_body, in_query, refuses
from foyer.api.serializers import Shape
from foyer.api.viewsets import ViewSet
from foyer.errors import BadCredentials, Forbidden, NearlyFull, TooManyRequests, UnknownCursor

USERNAME_HELP = f"1 to {USERNAME_LENGTH} printable characters, in any case."
NOT_KEPT = {"Cache-Control": "no-store"}


class HomeViewSet(ViewSet):
    """A greeting for anyone, and for those who are signed in what is known of them."""

    authentication_classes = [WelcomeAll]
    permission_classes = [AllowAny]
    serializer_class = GreetingSerializer

    @refuses(UserNotFound)
    def greet(self, request: Request) -> Response:
        """A greeting, or what is known of the caller."""
        caller = caller_or_none(request)
        if caller is None:
            return Response({"message": "Hello World"})
        account = own_account(caller)
        return Response({"username": account.username, "user_type": account.user_type, "data": account.data})


class AccountPagination(IdPagination):
    entries = "accounts"


class AccountViewSet(ListModelMixin, RetrieveModelMixin, DestroyModelMixin, ViewSet):
    """One's own account, or any for an admin."""

    queryset = Account.objects.all()
    serializer_class = AccountSerializer
    input_serializers = {
        "update": AccountChangeSerializer,
        "partial_update": AccountChangeSerializer,
        "change_password": NewPasswordSerializer,
    }
    pagination_class = AccountPagination
    lookup_field = "username"
    path_help = {"username": USERNAME_HELP}
    links = {"username": ("account-detail", "username")}

    def get_permissions(self) -> Sequence[Any]:
        return [IsAdmin()] if self.action == "list" else super().get_permissions()

    def get_object(self) -> Account:
        """The account that is meant, if the caller may reach it and, for what changes it, change it."""
        find = reachable if self.action == "retrieve" else changeable
        return find(caller_of(self.request), self.kwargs["username"])

    @refuses(UnknownCursor)
    def list(self, request: Request) -> Response:
        """All accounts, for admins.

        Every account, in the order in which they were made.
        """
        return super().list(request)

    @refuses(Forbidden, UserNotFound)
    def retrieve(self, request: Request, username: str) -> Response:
        """One's own account; any for an admin."""
        return super().retrieve(request)

    @refuses(UserNotFound, AccountChanging, EmailTaken)
    def update(self, request: Request, username: str) -> Response:
        """Replace the account's data."""
        account = self.get_object()
        account.replace_data(self.body())
        return Response(AccountSerializer(account).data)

    @refuses(UserNotFound, AccountChanging, EmailTaken)
    @extend_schema(examples=example_body({"data": {"phone": None}}))
    def partial_update(self, request: Request, username: str) -> Response:
        """Merge into the account's data; null removes a key."""
        account = self.get_object()
        account.merge_data(self.body())
        return Response(AccountSerializer(account).data)

    @refuses(UserNotFound, AccountChanging)
    def destroy(self, request: Request, username: str) -> Response:
        """Delete the account; its messages stay, unsigned."""
        return super().destroy(request)

    @refuses(UserNotFound, AccountChanging, WrongPassword)
    @extend_schema(responses={204: None})
    def change_password(self, request: Request, username: str) -> Response:
        """Set another password, which ends every session of the account."""
        account, body = self.get_object(), self.body()
        address = client_address(request)
        credentials.change_password(caller_of(request), account, body.get("current"), body["new"], address)
        return Response(status=204)


class SuspensionViewSet(ViewSet):
    """Keeping somebody out for a while, or until it is lifted; for admins."""

    permission_classes = [IsAdmin]
    serializer_class = SuspensionSerializer
    input_serializers = {"update": NewSuspensionSerializer}
    path_help = {"username": USERNAME_HELP}

    def get_object(self) -> Account:
        """The account that is meant, if the caller may change it and it is not their own."""
        caller = caller_of(self.request)
        account = changeable(caller, self.kwargs["username"])
        if account.pk == caller.id:
            raise Forbidden("Nobody suspends themselves.")
        return account

    @refuses(UserNotFound, AccountChanging)
    def update(self, request: Request, username: str) -> Response:
        """Suspend the account: its sessions end, and nobody signs in to it."""
        account, body, caller = self.get_object(), self.body(), caller_of(request)
        with about(account.username):
            suspension = account.suspend(caller, body["until"], body["reason"] or "")
        return Response(suspension.as_json(account.username, caller.username))

    @refuses(UserNotFound, AccountChanging)
    def destroy(self, request: Request, username: str) -> Response:
        """Lift the suspension, if there is one."""
        account = self.get_object()
        with about(account.username):
            account.lift_suspension(caller_of(request))
        return Response(status=204)


class SignUpViewSet(ViewSet):
    """Whoever is not there yet makes an account."""

    authentication_classes = [WelcomeAll]
    permission_classes = [AllowAny]
    serializer_class: type[Shape] = AccountSerializer
    input_serializers = {"sign_up": NewAccountSerializer}

    @refuses(SignUpClosed, UsernameTaken, EmailTaken, TooManyRequests, NearlyFull)
    @extend_schema(responses={201: AccountSerializer}, parameters=[LOCATION, RETRY_KEY])
    def sign_up(self, request: Request) -> Response:
        """Make an account."""
        account = self.made(**self.body())
        return Response(AccountSerializer(account).data, status=201, headers=self.location(account))

    def made(self, username: str, password: str, data: dict[str, Any]) -> Account:
        key, caller = retry_key(self.request), caller_or_none(self.request)
        is_admin, address = caller is not None and caller.is_admin, client_address(self.request)
        if not (settings.OPEN_SIGN_UP or is_admin):
            raise SignUpClosed
        retry = RetryKey(f"user {caller.id}" if caller else f"address {address}", key) if key else None
        return Account.sign_up(username, password, data, retry, None if is_admin else address)

    def location(self, account: Account) -> dict[str, str]:
        return {"Location": address_of(self.request, "account-detail", username=account.username)}


class CreateUserViewSet(SignUpViewSet):
    """Signing up with an email address."""

    parser_classes = [AnyTypeParser, FormParser]
    serializer_class = CreatedUserSerializer
    input_serializers = {"create_user": SignUpWithEmailSerializer}

    @refuses(SignUpClosed, UsernameTaken, EmailTaken, TooManyRequests, NearlyFull)
    @extend_schema(responses={201: CreatedUserSerializer}, parameters=[LOCATION, RETRY_KEY])
    def create_user(self, request: Request) -> Response:
        """Make an account with an email address."""
        body = self.body()
        account = self.made(body["username"], body["password"], {"email": body["email"]})
        answer = {"id": str(account.pk), "username": account.username, "email": account.email}
        return Response(answer, status=201, headers=self.location(account))


class SessionViewSet(ViewSet):
    """Signing in and out."""

    serializer_class = SessionSerializer
    input_serializers = {"sign_in": CredentialsSerializer}

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [] if self.request and self.request.method == "POST" else super().get_authenticators()

    def get_permissions(self) -> Sequence[BasePermission]:
        return [AllowAny()] if self.request.method == "POST" else [SignedIn()]

    @refuses(BadCredentials, TooManySignIns, Suspended, AccountChanging)
    def sign_in(self, request: Request) -> Response:
        """Begin a session."""
        account, session = credentials.sign_in(**self.body(), address=client_address(request))
        answer = {
            "token": session.token,
            "token_type": "Bearer",
            "expires_at": datetime.fromtimestamp(session.expires_at, UTC),
            "user_type": account.user_type,
        }
        return Response(answer, headers=NOT_KEPT)

    @extend_schema(parameters=[in_query("all", "`true` ends every session of the account.", enum=["true", "false"])])
    def sign_out(self, request: Request) -> Response:
        """End this session."""
        caller = caller_of(request)
        if request.query_params.get("all") == "true":
            operations.end_all_sessions(caller.id)
        elif caller.session is not None:
            operations.end_session(caller.id, caller.session)
        if isinstance(request.successful_authenticator, CookieAuthentication):
            logout(request._request)
        return Response(status=204)


class LoginViewSet(ViewSet):
    """Signing in by email address."""

    authentication_classes: list[type[BaseAuthentication]] = []
    permission_classes = [AllowAny]
    parser_classes = [AnyTypeParser, FormParser]
    serializer_class = LoggedInSerializer
    input_serializers = {"log_in": EmailCredentialsSerializer}

    @refuses(BadCredentials, TooManySignIns, Suspended, AccountChanging)
    def log_in(self, request: Request) -> Response:
        """Begin a session by email address."""
        account, session = credentials.sign_in_by_email(**self.body(), address=client_address(request))
        answer = {"id": str(account.pk), "username": account.username, "token": session.token}
        return Response(answer, headers=NOT_KEPT)
