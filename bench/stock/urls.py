"""HTTP: one page, by which the bench sees that the server is up."""

from django.http import HttpRequest, JsonResponse
from django.urls import path


def index(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"message": "Hello World"})


urlpatterns = [path("", index)]
