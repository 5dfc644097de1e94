"""What error replies of the store mean: a refusal of a stored function, a store that is away, or a fault of ours."""

from __future__ import annotations

from typing import NoReturn

from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)

from foyer.errors import FoyerError, Unavailable
from foyer.store.client import STORE_ERRORS
from foyer.store.functions import Call, with_places

AWAY = (
    *(AskError, ClusterDownError, OutOfMemoryError, ReadOnlyError, TryAgainError),
    *(AuthenticationError, NoPermissionError),
)
AWAY_REPLIES = (
    *("MISCONF", "NOREPLICAS", "BUSY", "LOADING", "MASTERDOWN", "OOM", "READONLY"),
    *("ASK", "CLUSTERDOWN", "MOVED", "TRYAGAIN"),
    *("NOAUTH", "NOPERM", "WRONGPASS"),
)
"""The same as a node says it, and what redis-py has no class for."""


def is_away(error: Exception) -> bool:
    """Whether a client's error says that the store, or the node, can't work at this moment."""
    if isinstance(error, ResponseError):
        return isinstance(error, AWAY) or str(error).startswith(AWAY_REPLIES)
    return isinstance(error, STORE_ERRORS)


def is_unknown_function(error: object) -> bool:
    return isinstance(error, ResponseError) and "Function not found" in str(error)


def refuse(error: Exception, call: Call | None = None) -> NoReturn:
    """Raise what a client is told for an error reply of a stored function, or for a store that is away.

    A fault in the function of `call` is raised as it is, with the file and line of the fault.
    """
    if isinstance(error, FoyerError):
        raise error
    text = str(error)
    if isinstance(error, ResponseError) and text.startswith("FOYER "):
        code, _, detail = text[6:].partition(" ")
        raise FoyerError.by_code[code](detail) from None
    if isinstance(error, ResponseError) and not is_away(error):
        raise type(error)(with_places(text, call)) if call else error
    raise Unavailable from error
