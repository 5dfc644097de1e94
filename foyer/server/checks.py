"""Checks before Foyer serves: no development values in production, no known password on an open network.

They are Django's deploy checks: `manage.py check --deploy` runs them, `manage.py serve` refuses to start if one fails.
"""

from __future__ import annotations

import ipaddress
import shutil
import socket
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import check_password
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

DEFAULT_ADMIN = "admin"
"""Name and password of the account that the first start in development makes."""
SECRET_KEY_LENGTH = 32
GENERATOR = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'


@register(Tags.security, deploy=True)
def check_secret_key(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    try:
        key = str(settings.SECRET_KEY)
    except ImproperlyConfigured:  # Django's own answer to an empty one
        key = ""
    development_key = settings.DATA_DIR / "secret-key"
    if not key:
        found = "is not set"
    elif len(key) < SECRET_KEY_LENGTH or len(set(key)) < 8:
        found = f"is too easily guessed (it has {len(key)} characters)"
    elif key.startswith("django-insecure-") or (
        development_key.exists() and key == development_key.read_text().strip()
    ):
        found = "is that of a development server"
    else:
        return []
    hint = f"Set it to at least {SECRET_KEY_LENGTH} random characters, such as {GENERATOR} prints."
    return [Error(f"SECRET_KEY {found}.", hint=hint, id="foyer.E001")]


@register(Tags.security, deploy=True)
def check_allowed_hosts(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    if settings.ALLOWED_HOSTS and "*" not in settings.ALLOWED_HOSTS:
        return []
    found = "allows any host" if settings.ALLOWED_HOSTS else "is not set"
    hint = "Set it to the names that clients use, separated by commas: ALLOWED_HOSTS=chat.example.com."
    return [Error(f"ALLOWED_HOSTS {found}.", hint=hint, id="foyer.E002")]


@register(Tags.security, deploy=True)
def check_default_admin(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    if settings.ALLOW_DEFAULT_ADMIN or not default_admin_signs_in():
        return []
    hint = (
        f"Change it with: {manage('changepassword admin')}. "
        "To keep it all the same, where nobody else can reach this server, set ALLOW_DEFAULT_ADMIN=1."
    )
    return [Error("Anyone can sign in as admin with the password admin.", hint=hint, id="foyer.E003")]


def default_admin_signs_in() -> bool:
    """Whether the password of the account `admin` is `admin`. False before the first migration.

    It reads no more columns than it needs, since a release that is about to be installed may have others.
    """
    if get_user_model()._meta.db_table not in connection.introspection.table_names():
        return False
    admins = get_user_model().objects.filter(username__iexact=DEFAULT_ADMIN, is_active=True)
    return any(check_password(DEFAULT_ADMIN, password) for password in admins.values_list("password", flat=True))


def find_default_admin() -> Any | None:
    """The account `admin`, whatever its password."""
    account: Any = get_user_model()
    try:
        return account.objects.get_by_natural_key(DEFAULT_ADMIN)
    except account.DoesNotExist:
        return None


def manage(command: str) -> str:
    """How a command is given here: with the Python that runs this, as it is called from the current folder."""
    python = Path(sys.executable)
    if python.is_relative_to(Path.cwd()):
        python = python.relative_to(Path.cwd())
    elif shutil.which(python.name) == sys.executable:
        python = Path(python.name)
    return f"{python} manage.py {command}"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on `host`."""
    try:
        found = {str(address[0]) for *_, address in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in found)


def refusals(host: str) -> list[CheckMessage]:
    """Why a server may not start on `host`: an empty list if it may."""
    if not settings.DEBUG:
        return [*check_secret_key(None), *check_allowed_hosts(None), *check_default_admin(None)]
    if is_loopback(host):
        return []
    return check_default_admin(None)


def explain(host: str, found: Iterable[CheckMessage]) -> str:
    """One message that lists everything that is wrong, and what to do about each."""
    where = f"listen on {host}, where other machines reach it," if settings.DEBUG else "start in production (DEBUG=0)"
    return "\n".join([f"Foyer does not {where} like this:", *(f"  - {error.msg} {error.hint}" for error in found)])
