"""The addresses of accounts."""

from __future__ import annotations

from django.urls import path

from accounts.views import (
    AccountViewSet,
    CreateUserViewSet,
    HomeViewSet,
    LoginViewSet,
    SessionViewSet,
    SignUpViewSet,
    SuspensionViewSet,
)

urlpatterns = [
    path("", HomeViewSet.as_view({"get": "greet"}, name="Foyer"), name="api-root"),
    path("users", AccountViewSet.as_view({"get": "list"}, suffix="List"), name="account-list"),
    path("user", SignUpViewSet.as_view({"post": "sign_up"}), name="sign-up"),
    path(
        "user/<str:username>",
        AccountViewSet.as_view(
            {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}, suffix="Instance"
        ),
        name="account-detail",
    ),
    path(
        "user/<str:username>/password",
        AccountViewSet.as_view({"put": "change_password"}, name="Password"),
        name="account-password",
    ),
    path(
        "user/<str:username>/suspension",
        SuspensionViewSet.as_view({"put": "update", "delete": "destroy"}, name="Suspension"),
        name="account-suspension",
    ),
    path("auth", SessionViewSet.as_view({"post": "sign_in", "delete": "sign_out"}), name="session"),
    path("createUser", CreateUserViewSet.as_view({"post": "create_user"}), name="create-user"),
    path("login", LoginViewSet.as_view({"post": "log_in"}), name="login"),
]
