"""Pages of other sites: what they may read, on answers that Django's middleware does not see.

Those are event streams, pages for operators, and what is refused before it gets to Django. The middleware decides here
as it does there, by the same settings.
"""

from __future__ import annotations

from typing import Any

from corsheaders.middleware import CorsMiddleware
from django.http import HttpRequest, HttpResponse

middleware = CorsMiddleware(lambda request: HttpResponse())


def with_cors(scope: Any, send: Any) -> Any:
    """`send`, adding the headers of CORS to an answer that has none; `send` itself if no page of another site asks."""
    origin = next((value for name, value in scope["headers"] if name == b"origin"), None)
    if origin is None:
        return send

    async def send_with_cors(message: Any) -> None:
        if message["type"] == "http.response.start":
            known = {name for name, _ in message["headers"]}
            added = [header for header in cors_headers(scope, origin) if header[0] not in known]
            message = {**message, "headers": [*message["headers"], *added]}
        await send(message)

    return send_with_cors


def cors_headers(scope: Any, origin: bytes) -> list[tuple[bytes, bytes]]:
    request = HttpRequest()
    request.method, request.path_info = scope["method"], scope["path"]
    request.META["HTTP_ORIGIN"] = origin.decode("latin-1")
    response = HttpResponse()
    middleware.add_response_headers(request, response)
    del response["Content-Type"]
    return [(name.lower().encode(), value.encode()) for name, value in response.items()]
