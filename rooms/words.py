"""The words of rooms' names, by which rooms are searched for."""

from __future__ import annotations

import regex

BETWEEN = regex.compile(r"[\p{P}\p{Z}\s]+")


def words_of(key: str) -> list[str]:
    """The words in what a name is compared by, each once: what stands between blanks and punctuation.

    A name of punctuation alone is one word.
    """
    words = filter(None, BETWEEN.split(key))
    return list(dict.fromkeys(words)) or ["".join(key.split())]
