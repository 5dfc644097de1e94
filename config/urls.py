"""Every address of the server. Paths have no trailing slash, those of the admin aside."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path

from foyer.api.handlers import no_such_address

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("rooms.urls")),
    path("", include("messaging.urls")),
    path("", include("lobby.urls")),
    path("", include("archive.urls")),
    path("", include("moderation.urls")),
    path("", include("moderation.notices.urls")),
    path("", include("web.urls")),
    path("", include("foyer.realtime.urls")),
    path("", include("foyer.api.urls")),
    path("admin/", admin.site.urls),
    re_path("", no_such_address),
]

handler400 = "foyer.api.handlers.bad_request"
handler403 = "foyer.api.handlers.forbidden"
handler404 = "foyer.api.handlers.not_found"
handler500 = "foyer.api.handlers.server_fault"
