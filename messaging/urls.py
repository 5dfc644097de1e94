"""The addresses of messages over HTTP. Their sockets and streams are in `routing.py`."""

from __future__ import annotations

from django.urls import path

from messaging.views import BlockViewSet, DirectMessageViewSet, ExportViewSet, MessageViewSet, SubscriptionViewSet

urlpatterns = [
    path(
        "room/<str:room_id>/messages",
        MessageViewSet.as_view({"get": "list", "post": "create"}, suffix="List"),
        name="message-list",
    ),
    path(
        "room/<str:room_id>/messages/<str:pk>",
        MessageViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}, suffix="Instance"),
        name="message-detail",
    ),
    path(
        "room/<str:room_id>/subscribe",
        SubscriptionViewSet.as_view({"get": "subscribe_to_room"}),
        name="room-subscribe",
    ),
    path(
        "user/<str:username>/messages",
        DirectMessageViewSet.as_view({"get": "list", "post": "create"}, suffix="List"),
        name="direct-message-list",
    ),
    path(
        "user/<str:username>/export",
        ExportViewSet.as_view({"get": "export_account"}, name="Export"),
        name="account-export",
    ),
    path("blocks", BlockViewSet.as_view({"get": "list"}, suffix="List"), name="block-list"),
    path(
        "blocks/<str:username>",
        BlockViewSet.as_view({"put": "update", "delete": "destroy"}, suffix="Instance"),
        name="block-detail",
    ),
    path("messages", DirectMessageViewSet.as_view({"get": "list_inbox"}, name="Inbox"), name="inbox"),
    path(
        "messages/subscribe",
        SubscriptionViewSet.as_view({"get": "subscribe_to_inbox"}),
        name="inbox-subscribe",
    ),
]
