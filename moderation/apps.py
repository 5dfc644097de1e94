from django.apps import AppConfig


class ModerationConfig(AppConfig):
    """What was done to keep order in rooms, and reports of messages."""

    name = "moderation"
