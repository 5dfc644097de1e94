"""JSON as HTML: laid out, coloured by classes, with links, every character of it escaped."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

Link = Callable[[str, Any], str | None]

MOST = 100_000
"""Bytes of HTML after which the entries of a list are no longer shown but counted."""
INDENT = "  "


class Writer:
    """Writes one value. `link` gives the address that a value leads to, by the key that it stands under, or None."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.parts: list[str] = []
        self.size = 0

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.size += len(text.encode())

    def write(self, value: Any, key: str = "", depth: int = 0) -> None:
        if isinstance(value, dict):
            self.write_object(value, depth)
        elif isinstance(value, list):
            self.write_list(value, key, depth)
        else:
            self.write_plain(value, key)

    def write_object(self, value: dict[str, Any], depth: int) -> None:
        self.add("{")
        for number, (key, item) in enumerate(value.items()):
            self.add(("," if number else "") + "\n" + INDENT * (depth + 1))
            self.add(format_html('<span class="key">{}</span>: ', text_of(key)))
            self.write(item, key, depth + 1)
        self.add("\n" + INDENT * depth + "}" if value else "}")

    def write_list(self, value: list[Any], key: str, depth: int) -> None:
        self.add("[")
        for number, item in enumerate(value):
            self.add(("," if number else "") + "\n" + INDENT * (depth + 1))
            if self.size > MOST:
                self.add(format_html('<span class="left-out">… {} more, not shown here</span>', len(value) - number))
                break
            self.write(item, key, depth + 1)
        self.add("\n" + INDENT * depth + "]" if value else "]")

    def write_plain(self, value: Any, key: str) -> None:
        kind = "text" if isinstance(value, str) else "plain"
        address = self.link(key, value)
        if address is None:
            self.add(format_html('<span class="{}">{}</span>', kind, text_of(value)))
        else:
            self.add(format_html('<a class="{}" href="{}">{}</a>', kind, address, text_of(value)))


def text_of(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def json_html(value: Any, link: Link) -> SafeString:
    """`value`, which came from JSON, as the content of a `<pre>`."""
    writer = Writer(link)
    writer.write(value)
    return mark_safe("".join(writer.parts))  # noqa: S308 - each part was made by format_html, or is punctuation
