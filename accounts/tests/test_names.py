from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.names import KEY_LENGTH, USERNAME_LENGTH, email_key, normal_username, username_key
from foyer.text import key_of, normal

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
        key = username_key(text)
        assert key is None or ":" in key or key in (".", "..")
        return
    assert normal_username(name) == name
    assert 1 <= len(name) <= USERNAME_LENGTH
    assert "/" not in name
    assert name == name.strip()
    assert name == normal(text)
    name.encode()


@given(any_text)
def test_the_key_of_a_name_is_the_same_in_any_case_and_its_own_key(text: str) -> None:
    key = key_of(text)
    assert key_of(key) == key
    assert key_of(text.upper().lower()) == key_of(text.upper())
    assert key_of(unicodedata.normalize("NFD", text)) == key


def test_no_character_is_unstable_under_folding_or_outgrows_the_column() -> None:
    longest = 0
    for point in range(sys.maxunicode + 1):
        character = normal(chr(point))
        key = key_of(character)
        assert key_of(key) == key
        if len(character) == 1:
            longest = max(longest, len(key))
    assert longest * USERNAME_LENGTH <= KEY_LENGTH


@pytest.mark.parametrize(
    "name",
    [
        "User Name",
        "a",
        "x" * 64,
        "日本",
        "Zoë",
        "ﬁx",
        "o'neill",
        "a.b@c",
        "...",
        "{x}",
        "%2F",
        "می\u200cخواهم",
        "ശ്രീ\u200d",
        "👩\u200d🚀",
        "❤\ufe0f",
        "\U0001fae9",
    ],
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
        "a\u2066b",
        "a\u00adb",
        "\ue000",
        "\ufffe",
        "\u2028",
        "\u3164",
        "\u2800",
        "\ufe0f\u200d",
        "\u00a0a",
        "a \u200d",
        ".",
        "..",
        "\u2025",
        "a:b",
        "a\uff1ab",
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
        ("\U00010d50", "\U00010d70"),
        ("می\u200cخواهم", "میخواهم"),
    ],
)
def test_these_names_are_one(one: str, other: str) -> None:
    assert username_key(one) == username_key(other)


@pytest.mark.parametrize("name", [".", "..", "a:b", "Ann"])
def test_names_of_earlier_rules_are_compared_too(name: str) -> None:
    assert username_key(name) == name.lower()


def earlier_key(text: str) -> str:
    """What the first release compared usernames by."""
    unseen = [*"\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f", *map(chr, range(0xFE00, 0xFE10))]
    unseen += map(chr, range(0xE0100, 0xE01F0))
    visible = unicodedata.normalize("NFKC", text).translate(dict.fromkeys(map(ord, unseen)))
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible.casefold()).casefold())


def test_every_name_that_the_first_release_took_has_the_key_that_it_had() -> None:
    for point in range(sys.maxunicode + 1):
        name = unicodedata.normalize("NFKC", "a" + chr(point))
        if name.isprintable() and name == name.strip() and "/" not in name:
            assert username_key(name) == earlier_key(name)


def test_addresses_are_one_in_any_case() -> None:
    assert email_key("Igor@Example.COM") == email_key("igor@example.com")


@pytest.mark.parametrize(
    "text", ["", "igor", "a@b", "a@b.c" + "d" * 260, "a b@c.de", "a@b.de\0", "a@b.de\n", "\ud800@b.de"]
)
def test_these_are_no_addresses(text: str) -> None:
    with pytest.raises(ValueError, match=r"email address"):
        email_key(text)
