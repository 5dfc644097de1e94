from django.apps import AppConfig
from django.conf import settings


class ArchiveConfig(AppConfig):
    """History beyond the store's memory: every log in SQL."""

    name = "archive"

    def ready(self) -> None:
        from accounts.models import before_deletion
        from archive.noting import keep_noting
        from archive.reading import Archive, forget_account
        from foyer.realtime.past import kept_by
        from foyer.server import beside, health

        before_deletion.append(forget_account)
        kept_by(Archive())

        beside.tasks += [keep_noting, keep_looking]
        health.checks["archive"] = ask_follower
        if settings.FOLLOW:
            beside.commands.append(["follow", "--with-parent"])


async def keep_looking() -> None:
    """Imported late: only what serves may import what counts."""
    from archive.metrics import collector
    from archive.progress import look
    from foyer.server.metrics import shared

    shared.register(collector)
    await look.keep()


async def ask_follower() -> None:
    from archive import progress

    await progress.ask_follower()
