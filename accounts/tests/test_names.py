from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.names import KEY_LENGTH, USERNAME_LENGTH, email_key, folded, normal_username, username_key

any_text = st.text(st.characters(), max_size=80)


@given(any_text)
@example("ΐ" * 64)
@example("\u1e9e")
@example("\u0345\u03b1")
@example("\ufdfa" * 3)
def test_a_name_is_stored_as_it_is_or_refused(text: str) -> None:
    try:
        name = normal_username(text)
    except ValueError:
        assert username_key(text) is None
        return
    assert normal_username(name) == name
    assert 1 <= len(name) <= USERNAME_LENGTH
    assert "/" not in name
    assert name == name.strip()
    assert name == unicodedata.normalize("NFKC", text)
    name.encode()


@given(any_text)
def test_the_key_of_a_name_is_the_same_in_any_case_and_its_own_key(text: str) -> None:
    key = folded(text)
    assert folded(key) == key
    assert folded(text.upper().lower()) == folded(text.upper())
    assert folded(unicodedata.normalize("NFD", text)) == key


def test_no_character_is_unstable_under_folding_or_outgrows_the_column() -> None:
    longest = 0
    for point in range(sys.maxunicode + 1):
        character = unicodedata.normalize("NFKC", chr(point))
        key = folded(character)
        assert folded(key) == key
        if len(character) == 1:
            longest = max(longest, len(key))
    assert longest * USERNAME_LENGTH <= KEY_LENGTH


@pytest.mark.parametrize(
    "name", ["User Name", "a", "x" * 64, "日本", "Zoë", "ﬁx", "o'neill", "a.b@c", "..", "{x}", "%2F"]
)
def test_these_are_names(name: str) -> None:
    assert normal_username(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " a",
        "a ",
        "a/b",
        "a\uff0fb",
        "x" * 65,
        "a\nb",
        "a\0b",
        "\ud800",
        "a\u200bb",
        "a\u202eb",
        "\u3164",
        "\u00a0a",
    ],
)
def test_these_are_no_names(name: str) -> None:
    with pytest.raises(ValueError, match=r"A username"):
        normal_username(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ben", "bEN"),
        ("STRASSE", "straße"),
        ("\uff21\uff4e\uff4e", "ann"),
        ("Zoe\u0308", "ZOË"),
        ("a\ufe0f", "A"),
        ("ΣΊΣ", "σίς"),
    ],
)
def test_these_names_are_one(one: str, other: str) -> None:
    assert username_key(one) == username_key(other)


def test_addresses_are_one_in_any_case() -> None:
    assert email_key("Igor@Example.COM") == email_key("igor@example.com")


@pytest.mark.parametrize(
    "text", ["", "igor", "a@b", "a@b.c" + "d" * 260, "a b@c.de", "a@b.de\0", "a@b.de\n", "\ud800@b.de"]
)
def test_these_are_no_addresses(text: str) -> None:
    with pytest.raises(ValueError, match=r"email address"):
        email_key(text)
