from django.urls import path

from lobby import views

urlpatterns = [
    path("lobby_api", views.Entrance.as_view()),
    path("lobby_api/tables", views.TableList.as_view()),
    path("lobby_api/tables/<str:table_id>", views.TableDetail.as_view()),
    path("lobby_api/health", views.Health.as_view()),
]
