from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import cookies  # noqa: F401 - importing it registers them
        from accounts.operations import acheck_sessions
        from foyer.realtime.sessions import session_checks

        session_checks.append(acheck_sessions)
