"""The addresses of audits and reports."""

from __future__ import annotations

from django.urls import path

from moderation.views import AuditViewSet

urlpatterns = [
    path("room/<str:room_id>/audit", AuditViewSet.as_view({"get": "list"}, suffix="List"), name="room-audit"),
]
