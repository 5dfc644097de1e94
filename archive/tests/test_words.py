"""Words are found whatever their case, accents and script; what the databases keep of a text is enough to find it."""

from __future__ import annotations

import pytest
from django.db import connections
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.index import document_of, is_postgresql, words_of
from archive.router import ALIAS
from archive.words import read_query, terms_of
from messaging.tests.said import texts

TABLE = [
    ("hello", "Hello, world!", True),
    ("HELLO WORLD", "hello world", True),
    ("world hello", "Hello, world!", True),
    ("hello wor", "Hello, world!", True),
    ("hell world", "Hello, world!", False),
    ("ello", "Hello", False),
    ('"hello world"', "Well: Hello, World.", True),
    ('"world hello"', "Hello, world!", False),
    ('"hello wor"', "Hello, world!", False),
    ('"hello wor', "Hello, wor", True),
    ("\u201chello world\u201d", "Hello, world!", True),
    ("hello -world", "Hello, world!", False),
    ("hello -wor", "Hello, world!", True),
    ('hello -"big world"', "Hello, big world!", False),
    ('hello -"big world"', "Hello, world so big!", True),
    ("well-known", "a well known fact", True),
    ("well-known", "known well", False),
    ("don't", "I don't know", True),
    ("x.org/a", "see https://x.org/a-b", True),
    ("c++ 3.14", "C++ says 3.14159", True),
    ("cafe", "Un Café crème", True),
    ("CAFÉ CREME", "un cafe\u0301 crème", True),
    ("strasse", "Die Straße", True),
    ("STRASSE", "die straße", True),
    ("lodz", "Łódź", True),
    ("istanbul", "İstanbul", True),
    ("ολοσ", "ΌΛΟΣ", True),
    ("еж", "Ёж", True),
    ("МОСКВА", "в москве и Москва", True),
    ("ｆｕｌｌ", "full width", True),
    ("soft", "so\u00adft", True),
    ("كتب", "كَتَبَ", True),
    ("नमस्ते", "नमस्ते दुनिया", True),
    ("한국", "한국어", True),
    ("국어", "한국어", False),
    ("世界", "你好世界", True),
    ("好世", "你好世界。", True),
    ("你好世界", "他說你好世界嗎", True),
    ("你世", "你好世界", False),
    ("界", "你好世界", True),
    ("世界 hello", "hello 你好世界", True),
    ("iphone手机", "我的iPhone手机", True),
    ("東京 -大阪", "東京と大阪", False),
    ("東京 -大阪", "東京です", True),
    ("カタカナ", "ｶﾀｶﾅ", True),
    ("がく", "かく", False),
    ("สวัสดี", "สวัสดีครับ", True),
    ("ครับ", "สวัสดีครับ", True),
    ("🎉", "Well done🎉🎉", True),
    ("🎉 done", "Well done🎉", True),
    ("done🎉", "Well done 🎉", True),
    ("x" * 150, "x" * 150, True),
    ("x" * 150, "x" * 149, False),
    ("x" * 100, "x" * 150, True),
    ("'", "it's", None),
    ("-hello", "world", None),
    ("...", "...", None),
    ('""', "a", None),
    ("-", "-", None),
]
each = pytest.mark.parametrize(("query", "text", "is_found"), TABLE)


@each
def test_a_text_has_what_a_query_asks_for_or_not(query: str, text: str, is_found: bool | None) -> None:
    wanted = read_query(query)
    if is_found is None:
        assert not wanted.phrases
    else:
        assert wanted.phrases
        assert wanted.are_in(text) == is_found


def has(terms: set[str], term: str, is_begun: bool) -> bool:
    return term in terms or (is_begun and any(kept.startswith(term) for kept in terms))


@each
def test_what_a_query_finds_is_kept_under_each_of_its_terms(query: str, text: str, is_found: bool | None) -> None:
    if is_found:
        assert all(has(terms_of(text), *term) for term in read_query(query).terms)


@settings(deadline=None)
@given(texts, st.data())
def test_a_text_is_found_by_parts_of_it(text: str, data: st.DataObject) -> None:
    start, end = sorted((data.draw(st.integers(0, len(text))), data.draw(st.integers(0, len(text)))))
    for part in (text, text[start:end]):
        wanted = read_query(part)
        if wanted.phrases and wanted.are_in(text):
            assert all(has(terms_of(text), *term) for term in wanted.terms)


@settings(max_examples=200, deadline=None)
@given(texts)
def test_terms_have_no_character_that_the_databases_read_as_something_else(text: str) -> None:
    for term in terms_of(text):
        assert term
        assert all(character.isalnum() or character > "\x80" for character in term)
        assert len(term) <= 64
    assert document_of(48, text).split(" ")[0] == "@48"


@pytest.mark.django_db(databases="__all__")
@settings(max_examples=200, deadline=None)
@given(st.lists(texts | st.text(st.characters(min_codepoint=0xE00, max_codepoint=0x9FFF), min_size=1), max_size=5))
def test_postgresql_keeps_a_text_under_all_its_terms(some: list[str]) -> None:
    if not is_postgresql():
        pytest.skip("the function is one of PostgreSQL")
    for text in [*some, *(text for _, text, _ in TABLE)]:
        with connections[ALIAS].cursor() as cursor:
            cursor.execute("SELECT tsvector_to_array(archive_lexemes(%s, %s))", [text, words_of(text)])
            lexemes = set(cursor.fetchone()[0])
        assert all(has(lexemes, term, len(term) == 64) for term in terms_of(text))
