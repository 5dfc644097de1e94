from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"

    def ready(self) -> None:
        from accounts.models import before_deletion
        from messaging.models import DirectMessage

        before_deletion.append(DirectMessage.forget_user)
