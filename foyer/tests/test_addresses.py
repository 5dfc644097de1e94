"""What counts as one address."""

from __future__ import annotations

import pytest

from foyer.addresses import network_of


@pytest.mark.parametrize(
    ("one", "other"),
    [("2001:db8::1", "2001:db8::ffff"), ("::ffff:192.0.2.1", "192.0.2.1"), ("fe80::1%eth0", "fe80::2"), ("", "")],
)
def test_these_are_one_address(one: str, other: str) -> None:
    assert network_of(one) == network_of(other)


def test_these_are_not() -> None:
    addresses = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1", "", "unix"]
    assert len({network_of(address) for address in addresses}) == len(addresses)
