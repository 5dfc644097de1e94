"""The OpenAPI document is that of the code, is sound, and tells of every route and error."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest
import yaml
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.functional import cached_property

from foyer.api.viewsets import ViewSet
from foyer.errors import FoyerError
from tests.server import Server
from tests.settings import ROOT

KEPT = ROOT / "schema.yml"
NAMES = {"room_id": "roomId", "pk": "id"}
"""What parameters of addresses are called in the document."""
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.safe_load(KEPT.read_text())


def operations(document: Any) -> Iterator[tuple[str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_the_document_in_the_repository_is_that_of_the_code_and_valid() -> None:
    written = io.StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=written)
    assert written.getvalue().rstrip() == KEPT.read_text().rstrip(), "Run `make schema`, and look at what it changes."


def routes(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    """Every method of every REST view: `GET /room/{roomId}`."""
    for pattern in views(patterns):
        path = re.sub(r"<\w+:(\w+)>", lambda found: "{" + NAMES.get(found[1], found[1]) + "}", f"/{pattern.pattern}")
        methods = getattr(pattern.callback, "actions", {"get": ""})
        yield from (f"{method.upper()} {path}" for method in METHODS if method in methods)


def test_every_route_is_described(document: Any) -> None:
    rest = {route for route in routes(get_resolver().url_patterns) if not route.startswith("GET /schema")}
    operators = {"GET /health/live", "GET /health/ready", "GET /metrics"}
    assert {route for route, _ in operations(document)} == rest | operators


def test_every_route_has_a_name_and_is_a_viewsets_action() -> None:
    patterns = [*views(get_resolver().url_patterns)]
    assert len(patterns) > 20
    for pattern in patterns:
        assert pattern.name
        if "schema" not in pattern.name:
            assert issubclass(pattern.callback.cls, ViewSet)  # type: ignore[attr-defined]


def views(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from views(pattern.url_patterns)
        elif hasattr(pattern.callback, "cls"):
            yield pattern


def test_generators_find_names_for_all_that_they_make(document: Any) -> None:
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name) for name in ids)
    shapes = document["components"]["schemas"]
    parts = {name + part.capitalize() for name, shape in shapes.items() for part in shape["properties"]}
    assert not parts & set(shapes), "A generator would give the same name to a shape and to a part of another one."


def test_every_integer_has_64_bits(document: Any) -> None:
    found = [schema for schema in schemas_in(document) if schema.get("type") == "integer"]
    assert len(found) > 30
    assert {schema.get("format") for schema in found} == {"int64"}


def schemas_in(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        part = list(part.values())
    if isinstance(part, list):
        for item in part:
            yield from schemas_in(item)


def test_every_error_that_rest_can_answer_is_told_somewhere(document: Any) -> None:
    told = {code for answer in document["components"]["responses"].values() for code in codes_of(answer)}
    of_sockets = {"bad_frame", "unknown_command", "not_subscribed", "unknown_topic", "already_signed_in"}
    everywhere = {"not_found", "method_not_allowed", "server_fault", "conflict", "rate_limited"}
    before_any_route = {"head_too_large", "request_timeout", "upgrade_required"}
    assert set(FoyerError.by_code) - told <= of_sockets | everywhere | before_any_route | {"account_changed"}


def codes_of(answer: Any) -> list[str]:
    return [example["value"]["code"] for example in answer["content"]["application/json"]["examples"].values()]


def test_errors_come_with_the_headers_that_they_have(document: Any) -> None:
    for answer in document["components"]["responses"].values():
        status = FoyerError.by_code[codes_of(answer)[0]].status
        headers = {401: {"WWW-Authenticate"}, 429: {"Retry-After"}, 503: {"Retry-After"}}
        assert set(answer.get("headers", {})) == headers.get(status, set())


class Examples:
    """The examples of a document, each with the schema that it is for."""

    def __init__(self, document: Any) -> None:
        self.document = document

    @cached_property
    def schemas(self) -> Any:
        """As JSON Schema knows them: it has no `nullable`."""
        return json.loads(json.dumps(self.document["components"]["schemas"]), object_hook=with_null)

    def all(self) -> Iterator[tuple[Any, Any]]:
        for _, operation in operations(self.document):
            yield from self.of(operation.get("requestBody", {}))
            for answer in operation["responses"].values():
                yield from self.of(answer)
        for answer in self.document["components"]["responses"].values():
            yield from self.of(answer)

    def of(self, body: Any) -> Iterator[tuple[Any, Any]]:
        for content in body.get("content", {}).values():
            for example in content.get("examples", {}).values():
                yield content["schema"], example["value"]

    def check(self, schema: Any, value: Any) -> None:
        jsonschema.validate(value, {**schema, "components": {"schemas": self.schemas}})


def with_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]} if schema.get("nullable") and "type" in schema else schema


def test_every_example_has_the_shape_that_it_is_an_example_of(document: Any) -> None:
    examples = Examples(document)
    found = list(examples.all())
    assert len(found) > 100
    for schema, value in found:
        examples.check(schema, value)


def test_it_is_served_as_json_and_as_yaml(server: Server, document: Any) -> None:
    with httpx.Client(base_url=server.base_url) as anyone:
        for accept, kind in (
            ("*/*", "application/json"),
            ("application/json", "application/json"),
            ("application/vnd.oai.openapi+json", "application/vnd.oai.openapi+json"),
            ("application/yaml", "application/yaml"),
            ("application/yaml, application/json;q=0.5", "application/yaml"),
            ("application/vnd.oai.openapi", "application/vnd.oai.openapi"),
        ):
            answer = anyone.get("/schema", headers={"Accept": accept})
            assert answer.headers["Content-Type"].partition(";")[0] == kind
            assert yaml.safe_load(answer.text) == document
        assert anyone.get("/schema?format=yaml").text.startswith("openapi:")
