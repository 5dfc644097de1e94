"""The words of rooms' names, by which rooms are searched for."""

from __future__ import annotations

import unicodedata


def words_of(key: str) -> list[str]:
    """The words in what a name is compared by, each once: what stands between blanks and punctuation.

    A name of punctuation alone is one word.
    """
    apart = "".join(" " if unicodedata.category(character)[0] in "PZ" else character for character in key)
    return list(dict.fromkeys(apart.split())) or ["".join(key.split())]
