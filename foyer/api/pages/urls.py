from django.urls import path

from foyer.api.pages import views

urlpatterns = [
    path("sign-in", views.SignIn.as_view()),
    path("sign-out", views.SignOut.as_view()),
    path("schema", views.Schema.as_view()),
    path("schema/docs", views.Docs.as_view()),
]
