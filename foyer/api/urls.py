"""Signing in and out of the pages, under the names that DRF's template tags know, and what describes REST."""

from __future__ import annotations

from django.urls import include, path

from foyer.api import views

pages = [
    path("sign-in", views.SignIn.as_view(), name="login"),
    path("sign-out", views.SignOut.as_view(), name="logout"),
]
urlpatterns = [
    path("", include((pages, "rest_framework"))),
    path("schema", views.Schema.as_view(), name="schema"),
    path("schema/docs", views.Docs.as_view(), name="schema-docs"),
]
