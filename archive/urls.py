"""The address of search."""

from __future__ import annotations

from django.urls import path

from archive.views import SearchViewSet

urlpatterns = [path("search", SearchViewSet.as_view({"get": "search_messages"}, name="Search"), name="search")]
