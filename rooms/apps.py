from django.apps import AppConfig


class RoomsConfig(AppConfig):
    name = "rooms"

    def ready(self) -> None:
        from accounts.models import before_deletion
        from foyer.server import beside
        from rooms import reactions  # noqa: F401 - importing it registers them
        from rooms.operations import forget_user
        from rooms.renewal import renew_at_start

        before_deletion.append(forget_user)
        beside.tasks.append(renew_at_start)
