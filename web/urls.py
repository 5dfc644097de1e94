from django.urls import path

from web import views

urlpatterns = [
    path("app", views.without_slash),
    path("app/", views.client),
]
