"""How REST is described: to programs by the OpenAPI document, to people by the pages of the browsable API.

Each app says in its `schema.py` what its routes take and answer, once for both: `describe(view, …)`. Views know nothing
of it. A refusal is named by its code; status and example come from the error itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiRequest,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.views import APIView

from foyer.api.retry_keys import LONGEST_KEY
from foyer.errors import FoyerError, InvalidInput

Shape = type[serializers.Serializer[Any]]
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class Error(serializers.Serializer[Any]):
    """What every error looks like."""

    code = serializers.CharField(help_text="Stable, for programs.")
    detail = serializers.CharField(help_text="For people.")
    fields: Any = serializers.DictField(required=False, help_text="With `invalid`: what is wrong, by field.")


TypedError: Shape = type("TypedError", (Error,), {"$type": serializers.CharField(required=False)})
"""An error that may be a frame of `/lobby_api` too."""

# Parameters


def in_path(name: str, description: str, pattern: str | None = None) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.PATH, description=description, pattern=pattern)


def in_query(name: str, description: str, schema: Any = str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=description, **more)


def page_parameters(most: int, default: int, of: str) -> tuple[OpenApiParameter, ...]:
    """What pages a list."""
    cursor = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
    return (
        limit_parameter(most, default, of),
        in_query("before", f"Only {of} in front of the one with this id.", cursor),
        in_query("after", f"Only {of} behind the one with this id.", cursor),
        NEXT,
    )


def limit_parameter(most: int, default: int, of: str) -> OpenApiParameter:
    limit = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return in_query("limit", f"How many {of} at most.", limit)


RETRY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    description="For 24 hours the same key with the same request answers as the first time and creates nothing.",
)


def answered_header(name: str, description: str, schema: Any, statuses: list[int], *, always: bool) -> OpenApiParameter:
    return OpenApiParameter(
        name, schema, OpenApiParameter.HEADER, required=always, description=description, response=statuses
    )


LOCATION = answered_header(
    "Location", "The absolute address of what was made.", OpenApiTypes.URI, [201], always=True
)  # fmt: skip
NEXT = answered_header(
    "Link", 'The next page, if there is one: `<…>; rel="next"` (RFC 8288).', OpenApiTypes.STR, [200], always=False
)
CHALLENGED = answered_header(
    "WWW-Authenticate", "Names Bearer and Basic.", OpenApiTypes.STR, [401], always=True
)  # fmt: skip
RETRY_AFTER = answered_header(
    "Retry-After", "Seconds to wait before asking again.", {"type": "integer", "minimum": 0}, [429, 503], always=True
)

# Operations

ANY = "bad_request not_acceptable busy unavailable newer_format"
OF_SIGNED_IN = "not_authenticated bad_credentials bad_token too_many_sign_ins"
OF_BODIES = "malformed_json invalid too_large unsupported_media_type"


@dataclass(frozen=True)
class Operation:
    """What one method of a route takes and gives.

    `gives` has for each status a shape, a list with one shape in it, or None for an empty answer; `refusals` are error
    codes, divided by blanks, beside those that any route may answer. `takes` is the shape of the body and `example`
    one such. `open` says that nobody has to sign in.
    """

    name: str
    summary: str
    gives: Mapping[int, Any]
    refusals: str = ""
    takes: Shape | None = None
    example: Any = None
    media_types: tuple[str, ...] = (JSON,)
    parameters: tuple[OpenApiParameter, ...] = ()
    open: bool = False
    more_answers: Mapping[Any, OpenApiResponse] = field(default_factory=dict)

    def codes(self, method: str) -> list[str]:
        """Of every error that it may answer."""
        names = f"{self.refusals} {ANY}"
        if not self.open:
            names += f" {OF_SIGNED_IN}" + ("" if method == "get" else " forbidden")
        if self.takes is not None:
            names += f" {OF_BODIES}"
        if RETRY_KEY in self.parameters:
            names += " retry_key_reused"
        if any(parameter.location == OpenApiParameter.QUERY for parameter in self.parameters):
            names += " invalid"
        return sorted(set(names.split()))

    def errors(self, method: str) -> dict[int, OpenApiResponse]:
        by_status: dict[int, dict[str, Any]] = {}
        for code in self.codes(method):
            kind = FoyerError.by_code[code]
            by_status.setdefault(kind.status, {})[code] = example_of(kind)
        return {status: refusal(examples) for status, examples in sorted(by_status.items())}

    def answers(self) -> dict[int, OpenApiResponse]:
        return {status: answer(shape) for status, shape in self.gives.items()}

    def headers(self, statuses: Iterable[int]) -> list[OpenApiParameter]:
        told = set(statuses)
        return [known for known in (CHALLENGED, RETRY_AFTER) if told & set(known.response)]  # type: ignore[arg-type]


def example_of(kind: type[FoyerError]) -> dict[str, Any]:
    error = kind({"name": ["This field is required."]}) if issubclass(kind, InvalidInput) else kind()
    return error.as_json()


def refusal(examples: dict[str, Any]) -> OpenApiResponse:
    """The answer that is one of these errors, by code."""
    return OpenApiResponse(
        TypedError if any("$type" in example for example in examples.values()) else Error,
        ", ".join(f"`{code}`" for code in examples),
        [OpenApiExample(code, example, response_only=True) for code, example in examples.items()],
    )


def answer(shape: Any) -> OpenApiResponse:
    """The answer that has a shape, a list of it for `[shape]`, or no body for None."""
    if shape is None:
        return OpenApiResponse(None, "Done; there is nothing to say.")
    many = isinstance(shape, list)
    one: Shape = shape[0] if many else shape
    told = getattr(one, "example", None)
    examples = [OpenApiExample(one.__name__, told, response_only=True)] if told else []
    about = (one.__doc__ or "").strip()
    return OpenApiResponse(one(many=many), f"A list. Each entry: {about}" if many else about, examples)


# Views


@dataclass(frozen=True)
class Description:
    """What is said of a route beside its operations. In addresses, `{name}` stands for a parameter of the route.

    `related` are addresses to go to from here, by what they are called. `linked` has, for keys of the answer, the
    address that the value leads to, which stands for `{}` in it.
    """

    title: str
    operations: Mapping[str, Operation]
    related: Mapping[str, str]
    linked: Mapping[str, str]


described: dict[type[APIView], Description] = {}


def describe(
    view: type[APIView],
    title: str,
    tag: str,
    *path: OpenApiParameter,
    related: Mapping[str, str] | None = None,
    linked: Mapping[str, str] | None = None,
    **operations: Operation,
) -> None:
    """Say what a view's methods (`get=Operation(…)`) take and give. `path` are the parameters in its address."""
    described[view] = Description(title, operations, related or {}, linked or {})
    extend_schema_view(**{method: decorator(operation, method, tag, path) for method, operation in operations.items()})(
        view
    )


def decorator(operation: Operation, method: str, tag: str, path: tuple[OpenApiParameter, ...]) -> Callable[[Any], Any]:
    body = operation.takes and OpenApiRequest(
        operation.takes,
        examples=[OpenApiExample(operation.name, operation.example, request_only=True)] if operation.example else [],
    )
    responses: dict[Any, OpenApiResponse] = {
        **operation.answers(),
        **operation.more_answers,
        **operation.errors(method),
    }
    statuses = [status for status in responses if isinstance(status, int)]
    return extend_schema(
        operation_id=operation.name,
        summary=operation.summary,
        tags=[tag],
        parameters=[*path, *operation.parameters, *operation.headers(statuses)],
        request=dict.fromkeys(operation.media_types, body) if body else None,
        responses=responses,
    )


# Hooks of drf-spectacular

NAMES = {"room_id": "roomId", "message_id": "id", "table_id": "id"}
"""Parameters of addresses, as views and as clients call them."""

Endpoint = tuple[str, str, str, Any]


def name_parameters(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Before: call parameters of addresses what the documentation calls them."""
    return [(public_path(path), *rest) for path, *rest in endpoints]


def public_path(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: "{" + NAMES.get(found[1], found[1]) + "}", path)


def add_operators_routes(result: dict[str, Any], **context: Any) -> dict[str, Any]:
    """After: the routes that are answered before Django is asked (`foyer/server`)."""
    reference = {"$ref": "#/components/schemas/Error"}

    def operation(name: str, summary: str, answers: dict[str, Any]) -> dict[str, Any]:
        return {"get": {"operationId": name, "summary": summary, "tags": ["Operators"], "responses": answers}}

    def says(description: str, schema: Any, media_type: str = JSON) -> dict[str, Any]:
        return {"description": description, "content": {media_type: {"schema": schema}}}

    status = {"type": "object", "required": ["status"], "properties": {"status": {"type": "string", "enum": ["ok"]}}}
    checks = {"checks": {"type": "object", "additionalProperties": {"type": "string", "enum": ["ok", "away"]}}}
    ready = {**status, "required": ["status", "checks"], "properties": {**status["properties"], **checks}}  # type: ignore[dict-item]
    away = {"allOf": [reference, {"type": "object", "required": ["checks"], "properties": checks}]}
    wait = {"Retry-After": {"schema": {"type": "integer"}, "required": True}}
    challenge = {"WWW-Authenticate": {"schema": {"type": "string"}, "required": True}}
    result["paths"] |= {
        "/health/live": operation("live", "That the server answers", {"200": says("It does.", status)}),
        "/health/ready": operation(
            "ready",
            "Whether the server can work",
            {
                "200": says("It can.", ready),
                "503": {**says("`unavailable`; `checks` says what is away.", away), "headers": wait},
            },
        ),
        "/metrics": operation(
            "metrics",
            "Numbers for Prometheus, with the METRICS_TOKEN of the server as Bearer token",
            {
                "200": says("The numbers of all workers.", {"type": "string"}, "text/plain"),
                "401": {**says("`not_authenticated`", reference), "headers": challenge},
                "403": says("`forbidden`", reference),
            },
        ),
    }
    return result


def share_errors(result: dict[str, Any], **context: Any) -> dict[str, Any]:
    """After: keep each error answer once, under the codes that it may have; operations refer to it."""
    shared: dict[str, Any] = {}
    for operation in (one for path in result["paths"].values() for one in path.values()):
        for status, told in operation["responses"].items():
            examples = told.get("content", {}).get(JSON, {}).get("examples", {})
            codes = [example["value"]["code"] for example in examples.values() if "code" in example["value"]]
            if status < "400" or not codes:
                continue
            name = "-or-".join(codes)
            shared[name] = told
            operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
    result["components"]["responses"] = dict(sorted(shared.items()))
    return cast("dict[str, Any]", without_marks(result))


def without_marks(part: Any) -> Any:
    """The document without what drf-spectacular notes in it for a hook that is not used."""
    if isinstance(part, dict):
        return {name: without_marks(value) for name, value in part.items() if name != "x-spec-enum-id"}
    return [without_marks(value) for value in part] if isinstance(part, list) else part
