from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """What admins say to everybody."""

    name = "moderation.notices"
    verbose_name = "Notices"
