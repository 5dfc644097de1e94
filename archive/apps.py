from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    """History beyond the store's memory: every log in SQL."""

    name = "archive"

    def ready(self) -> None:
        from accounts.models import before_deletion
        from archive.noting import keep_noting
        from archive.reading import Archive, forget_account
        from foyer.realtime.past import kept_by
        from foyer.server import beside

        before_deletion.append(forget_account)
        kept_by(Archive())

        beside.tasks.append(keep_noting)
        beside.commands.append(["follow", "--with-parent"])
