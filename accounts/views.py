"""Accounts over REST: check the shape, call one operation, answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from django.contrib.auth import logout
from django.db.models import Max
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import credentials, operations
from accounts.authentication import (
    CookieAuthentication,
    IsAdmin,
    SignedIn,
    WelcomeAll,
    caller_of,
    caller_or_none,
    client_address,
)
from accounts.callers import Caller
from accounts.errors import UserNotFound, WrongPassword
from accounts.models import Account, as_json
from accounts.reach import is_within_reach
from accounts.serializers import Credentials, Data, EmailCredentials, NewPassword, SignUp, SignUpWithEmail
from foyer.api.rest import AnyTypeJSONParser, FormParser, JSONParser, page_of, retry_key, with_next_link
from foyer.api.retry_keys import RetryKey
from foyer.errors import BadCredentials, Forbidden, InvalidInput, UnknownCursor
from foyer.text import key_of


class Home(APIView):
    """A greeting for anyone, and for those who are signed in what is known of them."""

    authentication_classes = [WelcomeAll]
    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        caller = caller_or_none(request)
        if caller is None:
            return Response({"message": "Hello World"})
        account = own_account(caller)
        return Response({"username": account.username, "user_type": account.user_type, "data": account.data})


class SignUpView(APIView):
    authentication_classes = [WelcomeAll]
    permission_classes = [AllowAny]
    parser_classes: list[type[BaseParser]] = [JSONParser, FormParser]

    def post(self, request: Request) -> Response:
        account = sign_up(request, **SignUp.of(request))
        return Response(as_json(account), status=201, headers=location(request, account))


class CreateUser(SignUpView):
    parser_classes = [AnyTypeJSONParser]

    def post(self, request: Request) -> Response:
        body = SignUpWithEmail.of(request)
        account = sign_up(request, body["username"], body["password"], {"email": body["email"]})
        answer = {"id": str(account.pk), "username": account.username, "email": account.email}
        return Response(answer, status=201, headers=location(request, account))


def sign_up(request: Request, username: str, password: str, data: dict[str, Any]) -> Account:
    key = retry_key(request)
    caller = caller_or_none(request)
    sender = f"user {caller.id}" if caller else f"address {client_address(request)}"
    return Account.sign_up(username, password, data, RetryKey(sender, key) if key else None)


def location(request: Request, account: Account) -> dict[str, str]:
    return {"Location": request.build_absolute_uri(f"/user/{quote(account.username, safe='')}")}


class AccountView(APIView):
    """One's own account, or any for an admin."""

    def get(self, request: Request, username: str) -> Response:
        return Response(as_json(reachable(caller_of(request), username)))

    def put(self, request: Request, username: str) -> Response:
        account = changeable(caller_of(request), username)
        account.replace_data(Data.of(request))
        return Response(as_json(account))

    def patch(self, request: Request, username: str) -> Response:
        account = changeable(caller_of(request), username)
        account.merge_data(Data.of(request))
        return Response(as_json(account))

    def delete(self, request: Request, username: str) -> Response:
        changeable(caller_of(request), username).delete()
        return Response(status=204)


class PasswordView(APIView):
    def put(self, request: Request, username: str) -> Response:
        account = changeable(caller_of(request), username)
        body = NewPassword.of(request)
        if "current" in body:
            prove_current(account, body["current"], request)
        elif not caller_of(request).is_admin:
            raise InvalidInput({"current": ["This field is required."]})
        account.change_password(body["new"])
        return Response(status=204)


def prove_current(account: Account, password: str, request: Request) -> None:
    try:
        credentials.check_current(account, password, client_address(request))
    except BadCredentials:
        raise WrongPassword from None


def reachable(caller: Caller, username: str) -> Account:
    """The account of that name. Raises `Forbidden` for another's, whether or not it exists, save to an admin."""
    if key_of(username) == key_of(caller.username):
        return own_account(caller)
    if not caller.is_admin:
        raise Forbidden
    account = Account.objects.called(username)
    if account is None:
        raise UserNotFound
    return account


def changeable(caller: Caller, username: str) -> Account:
    """As `reachable`, to change it. Raises `Forbidden` for a superuser's too, save to its owner and to superusers."""
    account = reachable(caller, username)
    if not is_within_reach(caller.id, account):
        raise Forbidden("Only a superuser changes the account of one.")
    return account


def own_account(caller: Caller) -> Account:
    account = Account.objects.filter(pk=caller.id).first()
    if account is None:  # deleted while this request was on its way
        raise UserNotFound
    return account


class Auth(APIView):
    """Signing in and out."""

    parser_classes = [JSONParser, FormParser]

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [] if self.request and self.request.method == "POST" else super().get_authenticators()

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny()] if self.request.method == "POST" else [SignedIn()]

    def post(self, request: Request) -> Response:
        account, session = credentials.sign_in(**Credentials.of(request), address=client_address(request))
        answer = {
            "token": session.token,
            "token_type": "Bearer",
            "expires_at": datetime.fromtimestamp(session.expires_at, UTC),
            "user_type": account.user_type,
        }
        return Response(answer, headers={"Cache-Control": "no-store"})

    def delete(self, request: Request) -> Response:
        caller = caller_of(request)
        if request.query_params.get("all") == "true":
            operations.end_all_sessions(caller.id)
        elif caller.session is not None:
            operations.end_session(caller.id, caller.session)
        if isinstance(request.successful_authenticator, CookieAuthentication):
            logout(request._request)
        return Response(status=204)


class Login(APIView):
    authentication_classes: list[type[BaseAuthentication]] = []
    permission_classes = [AllowAny]
    parser_classes = [AnyTypeJSONParser]

    def post(self, request: Request) -> Response:
        account, session = credentials.sign_in_by_email(**EmailCredentials.of(request), address=client_address(request))
        answer = {"id": str(account.pk), "username": account.username, "token": session.token}
        return Response(answer, headers={"Cache-Control": "no-store"})


class Accounts(APIView):
    """Every account, in the order in which they were made."""

    permission_classes = [IsAdmin]

    def get(self, request: Request) -> Response:
        page = page_of(request, default=50, most=1000)
        last = Account.objects.order_by().aggregate(Max("pk"))["pk__max"] or 0
        if (page.after or 0) > last or (page.before or 0) > last + 1:
            raise UnknownCursor
        found = Account.objects.order_by("-pk" if page.is_backwards else "pk")
        if page.after is not None:
            found = found.filter(pk__gt=page.after)
        if page.before is not None:
            found = found.filter(pk__lt=page.before)
        accounts = sorted(found[: page.limit + 1], key=lambda account: account.pk)
        shown = page.cut(accounts)
        response = Response([as_json(account) for account in shown])
        if len(accounts) > len(shown):
            edge = shown[0 if page.is_backwards else -1].pk
            with_next_link(response, request, **{"before" if page.is_backwards else "after": edge})
        return response
