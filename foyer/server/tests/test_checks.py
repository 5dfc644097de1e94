"""What may not be served: development values in production, a known password within reach of others."""

from __future__ import annotations

import io
import secrets
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings

from foyer.server import checks

GOOD_KEY = secrets.token_urlsafe(48)
production = override_settings(DEBUG=False, SECRET_KEY=GOOD_KEY, ALLOWED_HOSTS=["chat.example.com"])


def found(host: str = "127.0.0.1") -> list[str]:
    return [error.id or "" for error in checks.refusals(host)]


def make_admin(password: str, **fields: Any) -> None:
    get_user_model().objects.create_superuser(username="admin", password=password, **fields)


@pytest.mark.django_db
class TestProduction:
    @production
    def test_starts_with_a_key_hosts_and_no_known_password(self) -> None:
        make_admin("correct horse battery staple")
        assert found() == found("0.0.0.0") == []

    @production
    @pytest.mark.parametrize(
        "key",
        ["", "changeme", "a" * 64, "django-insecure-" + GOOD_KEY],
        ids=["none", "short", "one letter", "Django's for development"],
    )
    def test_needs_a_key_that_cannot_be_guessed(self, key: str) -> None:
        with override_settings(SECRET_KEY=key):
            assert found() == ["foyer.E001"]

    @production
    def test_refuses_the_key_that_development_made(self) -> None:
        with override_settings(SECRET_KEY=(settings.DATA_DIR / "secret-key").read_text()):
            assert found() == ["foyer.E001"]

    @production
    @pytest.mark.parametrize("hosts", [[], ["*"], ["chat.example.com", "*"]])
    def test_needs_the_names_of_its_hosts(self, hosts: list[str]) -> None:
        with override_settings(ALLOWED_HOSTS=hosts):
            assert found() == ["foyer.E002"]

    @production
    def test_refuses_the_known_password_wherever_it_listens(self) -> None:
        make_admin("admin")
        assert found() == ["foyer.E003"]

    @production
    def test_takes_the_known_password_when_a_setting_says_so_by_name(self) -> None:
        make_admin("admin")
        with override_settings(ALLOW_DEFAULT_ADMIN=True):
            assert found() == []

    @production
    def test_minds_no_password_of_an_account_that_is_disabled(self) -> None:
        make_admin("admin", is_active=False)
        assert found() == []

    @override_settings(DEBUG=False, SECRET_KEY="", ALLOWED_HOSTS=[])
    def test_is_told_everything_that_is_wrong_at_once(self) -> None:
        make_admin("admin")
        message = checks.explain("127.0.0.1", checks.refusals("127.0.0.1"))
        assert message.startswith("Foyer does not start in production (DEBUG=0) like this:")
        for word in ("SECRET_KEY is not set", "ALLOWED_HOSTS is not set", "as admin with the password admin"):
            assert word in message

    @override_settings(DEBUG=False, SECRET_KEY="short", ALLOWED_HOSTS=[])
    def test_is_checked_by_djangos_own_command_too(self) -> None:
        with pytest.raises(SystemCheckError, match=r"(?s)foyer\.E001.*foyer\.E002"):
            call_command("check", "--deploy", stderr=io.StringIO())


@pytest.mark.django_db
class TestDevelopment:
    @override_settings(DEBUG=True)
    @pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
    def test_keeps_the_known_password_on_this_machine(self, host: str) -> None:
        make_admin("admin")
        assert found(host) == []
        assert checks.default_admin_signs_in()

    @override_settings(DEBUG=True)
    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "no.such.host.invalid"])
    def test_refuses_it_where_others_reach_it(self, host: str) -> None:
        assert found(host) == []
        make_admin("admin")
        assert found(host) == ["foyer.E003"]
        assert "listen on " + host in checks.explain(host, checks.refusals(host))
        with override_settings(ALLOW_DEFAULT_ADMIN=True):
            assert found(host) == []


@pytest.mark.django_db
def test_a_changed_password_is_no_known_password() -> None:
    make_admin("admin1")
    assert not checks.default_admin_signs_in()
