"""The addresses of accounts."""

from __future__ import annotations

from django.urls import path

from accounts import views

urlpatterns = [
    path("", views.Home.as_view()),
    path("user", views.SignUpView.as_view()),
    path("user/<str:username>", views.AccountView.as_view()),
    path("user/<str:username>/password", views.PasswordView.as_view()),
    path("users", views.Accounts.as_view()),
    path("auth", views.Auth.as_view()),
    path("createUser", views.CreateUser.as_view()),
    path("login", views.Login.as_view()),
]
