from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts.operations import acheck_sessions
        from foyer.realtime.sessions import session_checks

        session_checks.append(acheck_sessions)
