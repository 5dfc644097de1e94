from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    """History beyond the store's memory: every log in SQL."""

    name = "archive"

    def ready(self) -> None:
        from archive.noting import keep_noting
        from foyer.server import beside

        beside.tasks.append(keep_noting)
        beside.commands.append(["follow", "--with-parent"])
