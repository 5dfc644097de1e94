"""The addresses of rooms and their members."""

from __future__ import annotations

from django.urls import path

from rooms.views import BanViewSet, MemberViewSet, MuteViewSet, RoomViewSet

urlpatterns = [
    path("rooms", RoomViewSet.as_view({"get": "list", "post": "create"}, suffix="List"), name="room-list"),
    path(
        "room/<str:room_id>",
        RoomViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}, suffix="Instance"),
        name="room-detail",
    ),
    path(
        "room/<str:room_id>/members",
        MemberViewSet.as_view({"get": "list", "post": "add_member"}, suffix="List"),
        name="room-members",
    ),
    path(
        "room/<str:room_id>/members/<str:username>",
        MemberViewSet.as_view({"patch": "partial_update", "delete": "remove_member"}, suffix="Instance"),
        name="room-member",
    ),
    path("room/<str:room_id>/bans", BanViewSet.as_view({"get": "list"}, suffix="List"), name="room-bans"),
    path(
        "room/<str:room_id>/bans/<str:username>",
        BanViewSet.as_view({"put": "update", "delete": "destroy"}, suffix="Instance"),
        name="room-ban",
    ),
    path("room/<str:room_id>/mutes", MuteViewSet.as_view({"get": "list"}, suffix="List"), name="room-mutes"),
    path(
        "room/<str:room_id>/mutes/<str:username>",
        MuteViewSet.as_view({"put": "update", "delete": "destroy"}, suffix="Instance"),
        name="room-mute",
    ),
]
