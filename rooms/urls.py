from django.urls import path

from rooms import views

urlpatterns = [
    path("rooms", views.RoomList.as_view()),
    path("room/<str:room_id>", views.RoomDetail.as_view()),
    path("room/<str:room_id>/members", views.RoomMembers.as_view()),
    path("room/<str:room_id>/members/<str:username>", views.RoomMember.as_view()),
]
