from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = "Messages"

    def ready(self) -> None:
        from accounts.models import before_deletion
        from messaging.operations import forget_conversations
        from messaging.reading import summaries
        from rooms.listing import own_room_summaries

        before_deletion.append(forget_conversations)
        own_room_summaries.append(summaries)
