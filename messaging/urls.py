from django.urls import path

from messaging import views

urlpatterns = [
    path("room/<str:room_id>/messages", views.RoomMessages.as_view()),
    path("room/<str:room_id>/messages/<str:message_id>", views.RoomMessage.as_view()),
    path("room/<str:room_id>/subscribe", views.RoomSubscription.as_view()),
    path("user/<str:username>/messages", views.Conversation.as_view()),
    path("messages", views.Inbox.as_view()),
    path("messages/subscribe", views.InboxSubscription.as_view()),
]
