"""What names of rooms are compared by."""

from __future__ import annotations

import unicodedata

from foyer.text import key_of


def name_key(name: str) -> str:
    """What names are compared by: the same for any case, composition, and for what nobody sees."""
    return key_of(name)


def earlier_key(name: str) -> str:
    """What earlier releases compared names by: the interpreter's tables, and every character that nobody sees."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def keys_of(name: str) -> list[str]:
    """The keys under which a room of this name may be, that of this release first."""
    return list(dict.fromkeys((name_key(name), earlier_key(name))))
