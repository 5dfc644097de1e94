"""Whether a text has something visible, and when two texts are the same: for usernames, rooms, tables and messages.

The answers follow Unicode's own properties, from the data of two libraries that are pinned. The interpreter's tables
are years older: they call new letters and emoji unprintable, and what they say changes with the interpreter.
"""

from __future__ import annotations

import regex
import unicodedata2
from regex import _regex

UNICODE = unicodedata2.unidata_version
"""The version of Unicode that keys are made by."""

UNSEEN = r"[\p{Default_Ignorable_Code_Point}[\p{Cf}--\p{Prepended_Concatenation_Mark}]]"
"""Characters that leave no mark themselves: joiners, selectors of variants, fillers, tags, controls of direction."""
JOINERS = r"[\p{Join_Control}\p{Variation_Selector}\U000E0020-\U000E007F]"
"""Those of them by which scripts and emoji are written: U+200C, U+200D, selectors of variants, tags."""
REFUSED = r"[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]"
"""Characters that no name has: controls, line breaks among them, halves of surrogate pairs, noncharacters."""
BLANK = r"[\p{White_Space}\p{Cc}\u2800]"
"""Characters that leave a gap; U+2800 is the Braille pattern without a dot."""

unseen = regex.compile(UNSEEN, regex.V1)
refused = regex.compile(REFUSED, regex.V1)
seen = regex.compile(rf"[\p{{Any}}--{UNSEEN}--{BLANK}]", regex.V1)
FOLD = regex.FULLCASE | regex.IGNORECASE | regex.UNICODE


def is_blank(text: str) -> bool:
    """Whether there is nothing to see in `text`."""
    begins_visibly = "!" <= text[:1] <= "~"  # as most do, and the search takes longer
    return not begins_visibly and seen.search(text) is None


def is_printable(text: str) -> bool:
    """Whether `text` has no character that names are refused for."""
    return refused.search(text) is None


def without_unseen(text: str) -> str:
    """`text` less the characters that leave no mark."""
    return unseen.sub("", text)


def normal(text: str) -> str:
    """`text` in the form that characters of one meaning share (NFKC)."""
    form: str = unicodedata2.normalize("NFKC", text)
    return form


def composed(text: str) -> str:
    """`text` with each character composed as far as Unicode does (NFC)."""
    form: str = unicodedata2.normalize("NFC", text)
    return form


def key_of(text: str) -> str:
    """The key by which texts are compared. Case, composition, width and invisible characters make no difference.

    The key of a key is the key itself. Blanks at the ends count as invisible too.
    """
    return normal(without_case(normal(without_case(without_unseen(normal(text)))))).strip()


def without_case(text: str) -> str:
    """`text` folded by the full mappings of Unicode. `regex` leaves the two letters alone on which Turkish differs."""
    folded: str = _regex.fold_case(FOLD, text)  # type: ignore[attr-defined]  # what `regex` compares by has no public name
    return folded.casefold()
