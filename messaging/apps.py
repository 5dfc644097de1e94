from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"

    def ready(self) -> None:
        from accounts.models import before_deletion
        from messaging.models import DirectMessage
        from messaging.reading import summaries
        from rooms.views import own_room_summaries

        before_deletion.append(DirectMessage.forget_user)
        own_room_summaries.append(summaries)
