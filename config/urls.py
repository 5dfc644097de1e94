"""Every address of the server. Paths have no trailing slash, those of the admin aside."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path

from config.handlers import no_such_address

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("rooms.urls")),
    path("", include("messaging.urls")),
    path("", include("lobby.urls")),
    path("", include("web.urls")),
    path("", include("realtime.urls")),
    path("", include("pages.urls")),
    path("admin/", admin.site.urls),
    re_path("", no_such_address),
]

handler400 = "config.handlers.bad_request"
handler403 = "config.handlers.forbidden"
handler404 = "config.handlers.not_found"
handler500 = "config.handlers.server_fault"
