from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import cookies  # noqa: F401 - importing it registers them
        from accounts.sessions import alook_again
        from foyer.realtime.sessions import session_checks

        session_checks.append(alook_again)
