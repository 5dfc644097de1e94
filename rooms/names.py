"""The keys by which names of rooms are compared."""

from __future__ import annotations

import unicodedata

from foyer.text import key_of


def name_key(name: str) -> str:
    """The key of a name. Case, composition and invisible characters make no difference."""
    return key_of(name)


def earlier_key(name: str) -> str:
    """The key of a name in earlier releases: by the interpreter's tables, with invisible characters."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def keys_of(name: str) -> list[str]:
    """The keys under which a room of this name may be, that of this release first."""
    return list(dict.fromkeys((name_key(name), earlier_key(name))))
