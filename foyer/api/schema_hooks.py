"""Changes to the OpenAPI document after drf-spectacular has made it."""

from __future__ import annotations

from typing import Any, cast

JSON = "application/json"


def add_operators_routes(result: dict[str, Any], **context: Any) -> dict[str, Any]:
    """Add the routes that are answered before Django is asked (`foyer/server`)."""
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
        "/health/live": operation("getLiveness", "That the server answers", {"200": says("It does.", status)}),
        "/health/ready": operation(
            "getReadiness",
            "Whether the server can work",
            {
                "200": says("It can.", ready),
                "503": {**says("`unavailable`; `checks` says what is away.", away), "headers": wait},
            },
        ),
        "/metrics": operation(
            "getMetrics",
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
    """Keep each error answer once, under the codes that it may have; operations refer to it."""
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
    return result


def polish(result: dict[str, Any], **context: Any) -> dict[str, Any]:
    """Give every integer 64 bits, and remove notes of drf-spectacular for a hook that is not used."""

    def polished(part: Any) -> Any:
        if isinstance(part, list):
            return [polished(value) for value in part]
        if not isinstance(part, dict):
            return part
        kept = {name: polished(value) for name, value in part.items() if name != "x-spec-enum-id"}
        return {**kept, "format": "int64"} if kept.get("type") == "integer" else kept

    return cast("dict[str, Any]", polished(result))
