"""What can be seen of a text, and when two are the same, held against Unicode's own properties."""

from __future__ import annotations

import sys
import unicodedata

import pytest
import unicodedata2
from hypothesis import given
from hypothesis import strategies as st

from foyer.text import is_blank, is_printable, key_of

any_text = st.text(st.characters(), max_size=40)
CHARACTERS = [chr(point) for point in range(sys.maxunicode + 1)]


def test_the_two_libraries_have_the_same_unicode_which_is_newer_than_the_interpreters() -> None:
    import regex

    unassigned = regex.compile(r"\p{Cn}")
    assert [c for c in CHARACTERS if bool(unassigned.match(c)) != (unicodedata2.category(c) == "Cn")] == []
    newer = tuple(map(int, unicodedata2.unidata_version.split(".")))
    assert newer >= tuple(map(int, unicodedata.unidata_version.split(".")))


def test_refused_are_controls_surrogates_and_noncharacters() -> None:
    refused = {c for c in CHARACTERS if not is_printable(c)}
    noncharacters = {chr(0xFDD0 + n) for n in range(32)} | {
        chr(plane * 0x10000 + last) for plane in range(17) for last in (0xFFFE, 0xFFFF)
    }
    by_category = {c for c in CHARACTERS if unicodedata2.category(c) in ("Cc", "Cs")}
    assert refused == by_category | noncharacters


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n\t", "\u3000", "\u200b", "\u200c\u200d", "\ufe0f", "\u3164", "\uffa0", "\u115f", "\u00ad", "\u2800",
     "\u202e", "\ufff9", "\U000e0067", "\U000e0100", "\x00", " \u200b "],
)  # fmt: skip
def test_there_is_nothing_to_see(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", " a", "\u200ba", "\u0301", "\u0600", "💬", "\U0001fae9", "\U0001fa8a", "\ue000"])
def test_there_is_something_to_see(text: str) -> None:
    assert not is_blank(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("general", "general\ufe0f"),
        ("general", "GENERAL"),
        ("general", "gene\u200bral"),
        ("general", "\u202egeneral\u202c"),
        ("general", "general\u3164"),
        ("general", " general "),
        ("général", "ge\u0301ne\u0301ral"),
        ("\uff47eneral", "general"),
        ("می\u200cخواهم", "میخواهم"),
        ("\u1c89", "\u1c8a"),
        ("\U00010d50", "\U00010d70"),
        ("\U00016ea0", "\U00016ebb"),
        ("STRASSE", "straße"),
    ],
)
def test_these_are_one_name(one: str, other: str) -> None:
    assert key_of(one) == key_of(other)


@pytest.mark.parametrize(("one", "other"), [("general", "genera1"), ("a b", "ab"), ("é", "e"), ("ı", "i")])
def test_these_are_two_names(one: str, other: str) -> None:
    assert key_of(one) != key_of(other)


def test_the_key_of_a_character_is_its_own_key_in_any_case() -> None:
    unstable = [c for c in CHARACTERS if key_of(key_of(c)) != key_of(c) or key_of(c.lower()) != key_of(c)]
    assert [c for c in unstable if c != "\u0130"] == []  # the dotted I of Turkish, which has no small letter


@given(any_text)
def test_the_key_of_a_text_is_its_own_key(text: str) -> None:
    key = key_of(text)
    assert key_of(key) == key
    assert key_of(unicodedata2.normalize("NFD", text)) == key
    assert key_of(f"\u200b{text}\ufe0f") == key
