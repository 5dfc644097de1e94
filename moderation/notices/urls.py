"""The addresses of notices."""

from __future__ import annotations

from django.urls import path

from moderation.notices.views import NoticeViewSet

urlpatterns = [
    path("notices", NoticeViewSet.as_view({"get": "list", "post": "create"}, suffix="List"), name="notice-list"),
    path("notices/<str:pk>", NoticeViewSet.as_view({"delete": "destroy"}, suffix="Instance"), name="notice-detail"),
]
