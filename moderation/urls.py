"""The addresses of audits and reports."""

from __future__ import annotations

from django.urls import path

from moderation.views import AuditViewSet, ReportViewSet

urlpatterns = [
    path("room/<str:room_id>/audit", AuditViewSet.as_view({"get": "list"}, suffix="List"), name="room-audit"),
    path("reports", ReportViewSet.as_view({"get": "list"}, suffix="List"), name="report-list"),
    path(
        "reports/<str:pk>", ReportViewSet.as_view({"patch": "partial_update"}, suffix="Instance"), name="report-detail"
    ),
    path(
        "room/<str:room_id>/messages/<str:pk>/report",
        ReportViewSet.as_view({"post": "report_message"}, suffix="Report"),
        name="message-report",
    ),
    path(
        "user/<str:username>/messages/<str:pk>/report",
        ReportViewSet.as_view({"post": "report_direct_message"}, suffix="Report"),
        name="direct-message-report",
    ),
]
