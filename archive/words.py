"""The words of a text, by which messages are found: the same for what is written, for what is asked, in every database.

A text is compared in one form (`spread`): without case and accents, its words between single blanks. Whether a message
has what was asked for is decided on that form alone (`Wanted.are_in`). The databases only choose, by the terms that
they keep of each message (`terms_of`), which messages are looked at.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import regex
import unicodedata2

from foyer.text import normal, without_case, without_unseen

LONGEST_TERM = 64
"""Characters of a word that the databases keep."""

ACCENTS = regex.compile(
    r"[\p{Mn}&&[\p{Script=Inherited}\p{Script=Cyrillic}\p{Script=Arabic}\p{Script=Hebrew}]--[\u3099\u309A]]", regex.V1
)
"""Marks that a text may have or lack and still be the same. In other scripts marks are letters."""
STROKES = str.maketrans("đħıłøŧ", "dhilot")
"""Letters with a stroke, which Unicode does not take apart."""
SINGLE = r"[\p{Han}\p{Hiragana}\p{Katakana}\u30FC\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{So}\p{Emoji_Modifier}]"
"""Characters of scripts that are written without blanks between words, and signs that are read by themselves."""
PART = regex.compile(rf"(?P<run>{SINGLE}+)|[[\p{{L}}\p{{M}}\p{{N}}]--{SINGLE}]+", regex.V1)
"""A run of such characters, or a word."""
IS_RUN = regex.compile(SINGLE, regex.V1)
PLAIN = re.compile("[a-z0-9]+")


def folded(text: str) -> str:
    """A text without case, accents, and what is not seen."""
    if text.isascii():
        return text.lower()
    bare = normal(without_case(normal(without_case(without_unseen(normal(text))))))
    bare = ACCENTS.sub("", unicodedata2.normalize("NFD", bare)).translate(STROKES)
    composed: str = unicodedata2.normalize("NFC", bare)
    return composed


def parts_of(text: str) -> list[str]:
    """The words of a text, and its runs of characters without blanks, in order."""
    if text.isascii():
        return PLAIN.findall(text.lower())
    return [found[0] for found in PART.finditer(folded(text))]


def spread(text: str) -> str:
    """The form in which texts are compared: words and runs between single blanks, one at each end."""
    return f" {' '.join(parts_of(text))} "


def is_run(part: str) -> bool:
    return not part.isascii() and IS_RUN.match(part) is not None


def terms_of(text: str) -> set[str]:
    """The terms under which the databases keep a text: its words; of a run each two neighbours, and the last alone."""
    return {term for part in parts_of(text) for term in terms_of_part(part)}


def terms_of_part(part: str) -> list[str]:
    if is_run(part):
        return [*pairs_of(part), part[-1]]
    return [part[:LONGEST_TERM]]


def pairs_of(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run) - 1)]


class Phrase(NamedTuple):
    """Words and runs that follow each other; with `is_begun` the last is the beginning of one."""

    parts: tuple[str, ...]
    is_begun: bool = False

    @property
    def form(self) -> str:
        """What stands in the form of each text that has it. A run may be found inside of another."""
        start = "" if is_run(self.parts[0]) else " "
        end = "" if self.is_begun or is_run(self.parts[-1]) else " "
        return start + " ".join(self.parts) + end

    @property
    def terms(self) -> list[tuple[str, bool]]:
        """Terms that each such text is kept under, and whether each is only the beginning of one."""
        *before, last = self.parts
        found = [term for part in before for term in terms_of_part(part)]
        if is_run(last):
            begun = [] if len(last) > 1 else [last]
            found += pairs_of(last)
        else:
            begun = [last[:LONGEST_TERM]] if self.is_begun else []
            found += [] if begun else terms_of_part(last)
        return [(term, len(term) == LONGEST_TERM) for term in found] + [(term, True) for term in begun]


class Wanted(NamedTuple):
    """What a message is to have, and what not."""

    phrases: tuple[Phrase, ...]
    unwanted: tuple[Phrase, ...] = ()

    def are_in(self, text: str) -> bool:
        form = spread(text)
        return all(phrase.form in form for phrase in self.phrases) and not any(
            phrase.form in form for phrase in self.unwanted
        )

    @property
    def terms(self) -> list[tuple[str, bool]]:
        """Terms that each message is kept under that has it all.

        A beginning of one or two letters is left out: most messages have it, and a database would read all of these.
        """
        terms = dict.fromkeys(term for phrase in self.phrases for term in phrase.terms)
        return [(term, is_begun) for term, is_begun in terms if not is_begun or len(term) > 2 or is_run(term)]


CHUNK = re.compile(r'(-?)(?:"([^"]*)(?:"|$)|([^\s"]+))')
"""A word or a phrase of a query, and what stands before it."""
QUOTES = str.maketrans(dict.fromkeys("\u201c\u201d\u201e", '"'))
"""Quotation marks that keyboards make of plain ones."""


def read_query(query: str) -> Wanted:
    """What a query asks for: words, `"a phrase"`, `-word`; the last word may be a beginning.

    `phrases` is empty where there is nothing to look for.
    """
    phrases, unwanted, is_begun = list[Phrase](), list[Phrase](), False
    for minus, quoted, word in CHUNK.findall(query.translate(QUOTES)):
        parts = tuple(parts_of(word or quoted))
        if parts and minus:
            unwanted.append(Phrase(parts))
        elif parts:
            phrases.append(Phrase(parts))
            is_begun = bool(word)
    if is_begun:
        phrases[-1] = phrases[-1]._replace(is_begun=True)
    return Wanted(tuple(dict.fromkeys(phrases)), tuple(dict.fromkeys(unwanted)))
