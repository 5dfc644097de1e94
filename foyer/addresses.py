"""What counts as one address: who shares it shares its limits, and its turns in a queue."""

from __future__ import annotations

import ipaddress
from contextvars import ContextVar
from functools import lru_cache

client_network: ContextVar[str] = ContextVar("client_network", default="")
"""The address of the client that is being served, as `network_of` gives it; an empty string outside of any request."""


@lru_cache(4096)
def network_of(address: str) -> str:
    """What counts as one address: of IPv6 the /64 that a single customer is given."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ipaddress.ip_network((parsed, 64), strict=False))
        parsed = parsed.ipv4_mapped
    return str(parsed)
