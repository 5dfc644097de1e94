"""Which of JSON and HTML a client gets."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from foyer.errors import NotAcceptable


class Negotiation(BaseContentNegotiation):
    """JSON, unless the client prefers HTML, as browsers do. Raises `NotAcceptable` where Accept rules out both."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        by_type = {renderer.media_type: renderer for renderer in renderers}
        wanted = request.query_params.get("format") if request.META.get("QUERY_STRING") else None
        named = [media_type for media_type, renderer in by_type.items() if renderer.format == wanted]
        chosen = named[0] if named else preferred(request.META.get("HTTP_ACCEPT", ""), tuple(by_type))
        if chosen is None:
            raise NotAcceptable
        return by_type[chosen], chosen


@lru_cache(256)
def preferred(accept: str, offers: tuple[str, ...]) -> str | None:
    """Which of `offers` the Accept header likes best, the first of those it likes the same; None if it refuses all.

    Parameters other than `q` are passed over; a header that is empty takes anything.
    """
    liking: dict[str, float] = {}
    for token in accept[:2048].split(","):
        media_type, *parameters = (part.strip().lower() for part in token.split(";"))
        if media_type:
            liking[media_type] = next((quality(text[2:]) for text in parameters if text.startswith("q=")), 1.0)
    if not liking:
        return offers[0]

    def rank(offer: str) -> float:
        ranges = (offer, offer.partition("/")[0] + "/*", "*/*")
        return next((liking[name] for name in ranges if name in liking), 0.0)

    best = max(offers, key=rank)
    return best if rank(best) > 0 else None


def quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0
