"""The one hierarchy of exceptions. Every refusal, over REST and on sockets, is one of these.

An error says what came, what was expected and what to do. On the wire it is `{"code", "detail"}` and, for invalid
input, `"fields"`; REST adds the status, a socket adds `"type": "error"` and the command's `id`.
"""

from __future__ import annotations

from typing import Any, ClassVar


class FoyerError(Exception):
    """What a client is told. `code` is stable and documented, `detail` is for people.

    `retry_after` is in seconds; where it is set, HTTP answers carry it as `Retry-After`.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    detail: ClassVar[str] = "The request could not be understood."
    by_code: ClassVar[dict[str, type[FoyerError]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        FoyerError.by_code.setdefault(cls.code, cls)

    def __init__(self, detail: str = "", *, retry_after: int | None = None) -> None:
        super().__init__(detail or self.detail)
        self.retry_after = retry_after

    def as_json(self) -> dict[str, Any]:
        """The body that goes over the wire."""
        return {"code": self.code, "detail": str(self)}


class BadRequest(FoyerError):
    pass


class MalformedJSON(BadRequest):
    code = "malformed_json"
    detail = "The body is not JSON in UTF-8."


class InvalidInput(BadRequest):
    """A field is missing or wrong. `fields` maps each to the sentences about it."""

    code = "invalid"
    detail = "Some fields are missing or invalid."

    def __init__(self, fields: dict[str, Any], detail: str = "") -> None:
        super().__init__(detail)
        self.fields = fields

    def as_json(self) -> dict[str, Any]:
        return {**super().as_json(), "fields": self.fields}


class UnknownCursor(BadRequest):
    code = "unknown_cursor"
    detail = "The list has no such place. Use an id from an earlier page."


class UnknownCommand(BadRequest):
    code = "unknown_command"
    detail = "There is no such command."


class NotAuthenticated(FoyerError):
    status = 401
    code = "not_authenticated"
    detail = "Sign in first: a Bearer token from POST /auth, or HTTP Basic."


class BadCredentials(NotAuthenticated):
    code = "bad_credentials"
    detail = "The username and password do not match an account, or it is disabled."


class BadToken(NotAuthenticated):
    code = "bad_token"
    detail = "The token is invalid, expired or signed out. Get a new one from POST /auth."


class Forbidden(FoyerError):
    status = 403
    code = "forbidden"
    detail = "Your account may not do this."


class NotFound(FoyerError):
    status = 404
    code = "not_found"
    detail = "There is nothing at this address."


class MethodNotAllowed(FoyerError):
    status = 405
    code = "method_not_allowed"
    detail = "This address does not take that method; Allow lists those it takes."


class NotAcceptable(FoyerError):
    status = 406
    code = "not_acceptable"
    detail = "The answer is JSON; the Accept header rules it out."


class RequestTimeout(FoyerError):
    status = 408
    code = "request_timeout"
    detail = "The rest of the request did not come in time."


class Conflict(FoyerError):
    status = 409
    code = "conflict"
    detail = "That is taken already."


class RetryKeyReused(Conflict):
    code = "retry_key_reused"
    detail = "This retry key came with another body before. Use a new key for a new request."


class TooLarge(FoyerError):
    status = 413
    code = "too_large"
    detail = "A body may have 64 KiB."


class UnsupportedMediaType(FoyerError):
    status = 415
    code = "unsupported_media_type"
    detail = "Send the body as application/json."


class UpgradeRequired(FoyerError):
    status = 426
    code = "upgrade_required"
    detail = "There is a WebSocket at this address. Connect to it with ws:// or wss:// and a client for WebSockets."


class TooManyRequests(FoyerError):
    status = 429
    code = "rate_limited"
    detail = "Too many requests. Wait and try again."


class HeadTooLarge(FoyerError):
    status = 431
    code = "head_too_large"
    detail = "The request line and the headers may have 64 KiB and 200 lines."


class Unavailable(FoyerError):
    """The answer to a write is unknown when its connection broke; a retry key makes asking again safe."""

    status = 503
    code = "unavailable"
    detail = "The store is away. Try again in a moment, with the same retry key if you sent one."

    def __init__(self, detail: str = "", *, retry_after: int = 2) -> None:
        super().__init__(detail, retry_after=retry_after)


class NearlyFull(Unavailable):
    code = "nearly_full"
    detail = "The store has little memory left. Reading and deleting go on; the operator is to make room."

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, retry_after=30)


class NewerFormat(Unavailable):
    """During an upgrade: a newer release has written here, in a format that this release does not know."""

    code = "newer_format"
    detail = "A newer release of the server has written here. Try again; the operator is to upgrade this server."


class Busy(Unavailable):
    code = "busy"
    detail = "The server has too much to do at this moment. Try again shortly."
