"""Answers: JSON for programs. For browsers there is `foyer/api/browsable.py`."""

from __future__ import annotations

from typing import Any

from rest_framework.renderers import BaseRenderer

from foyer.api.wire import encode


class RawJSON(bytes):
    """JSON that a stored function has composed; it is answered as it is."""


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        if data is None:
            return b""
        if isinstance(data, RawJSON):
            return data
        return encode(data, indent=bool((renderer_context or {}).get("indent")))
