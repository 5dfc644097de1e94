"""Stored functions of other releases. A release loads its own beside them, so they stay until they are removed."""

from __future__ import annotations

from typing import Any

from foyer.store.client import STORE_ERRORS
from foyer.store.functions import Library, primaries
from foyer.store.replies import refuse


def libraries_on(node: Any) -> set[str]:
    """The libraries of Foyer on one node, of whatever release."""
    found = [dict(zip(row[0::2], row[1::2], strict=True)) for row in node.function_list("foyer_*")]
    return {library[b"library_name"].decode() for library in found}


def remove_others(*, dry_run: bool = False) -> list[str]:
    """Remove the libraries of other releases from every node; with `dry_run` only find them. Returns their names.

    Raises `Unavailable`. A server of another release that still runs loads its own again at its next call.
    """
    removed: set[str] = set()
    try:
        for node in primaries():
            others = libraries_on(node) - Library.every.keys()
            removed |= others
            for name in () if dry_run else sorted(others):
                node.function_delete(name)
    except STORE_ERRORS as error:
        refuse(error)
    return sorted(removed)
