"""JSON for programs, HTML for browsers."""

from __future__ import annotations

import pytest

from foyer.api.negotiation import preferred

JSON, HTML = "application/json", "text/html"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/json", JSON),
        ("application/json; charset=utf-8", JSON),
        ("APPLICATION/JSON", JSON),
        ("application/*", JSON),
        ("application/json, */*;q=0.5", JSON),
        ("text/plain, */*", JSON),
        (BROWSER, HTML),
        ("text/html", HTML),
        ("text/*", HTML),
        ("text/html;q=0.1, application/json;q=0.2", JSON),
        ("text/html;q=x", HTML),
        ("nonsense", None),
        ("image/png", None),
        ("application/json;q=0", None),
        ("*/*;q=0", None),
        ("application/json;q=0, */*", HTML),
        (",;q=;,", JSON),
    ],
)
def test_json_is_preferred_unless_html_is_asked_for(accept: str, chosen: str | None) -> None:
    assert preferred(accept, (JSON, HTML)) == chosen
