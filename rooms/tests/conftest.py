"""People who have signed in, as clients of the REST interface."""

from __future__ import annotations

import pytest

from accounts.models import Account
from accounts.operations import start_session
from accounts.tests.conftest import Api


def signed_in(username: str, *, admin: bool = False) -> Api:
    """A new account that can't sign in by password, which would take its time, with a session."""
    account = Account.objects.create_user(username, None, is_staff=admin)
    return Api(token=start_session(account.standing).token)


@pytest.fixture
def ann(db: None) -> Api:
    return signed_in("ann")


@pytest.fixture
def ben(db: None) -> Api:
    return signed_in("ben")


@pytest.fixture
def eve(db: None) -> Api:
    return signed_in("eve")


@pytest.fixture
def boss(db: None) -> Api:
    return signed_in("boss", admin=True)
