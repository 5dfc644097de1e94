"""Which database has the archive: `archive` if the settings have one, else that of the accounts."""

from __future__ import annotations

from typing import Any

from django.conf import settings

ALIAS = "archive" if "archive" in settings.DATABASES else "default"


class ArchiveRouter:
    """Sends the archive's models to its database, and nothing else there."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return ALIAS if model._meta.app_label == "archive" else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        if app_label == "archive":
            return db == ALIAS
        return None if db == "default" else False
