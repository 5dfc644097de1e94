"""Whatever the server is sent, its answer is in the OpenAPI document: schemathesis makes requests from that.

Every operation gets them twice: as they are made, and with what its address names really there.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.server import Server, servers
from tests.settings import ROOT

Case = schemathesis.Case[Any]
EXAMPLES = 10
"""Requests for each operation, and some more that schemathesis thinks of by itself."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    allow_header_conformance,
    unsupported_method,
]
ADMIN = ("admin", "admin")
numbers = itertools.count(1)


def strict_document() -> Any:
    """The document, where answers may have the members that are told of and no other."""
    document = yaml.safe_load((ROOT / "schema.yml").read_text())
    taken = {name for path in document["paths"].values() for one in path.values() for name in body_of(one)}
    for name, shape in document["components"]["schemas"].items():
        if name not in taken and shape["type"] == "object" and "additionalProperties" not in shape:
            shape["additionalProperties"] = False
    return document


def body_of(operation: Any) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {})
    return [body["schema"]["$ref"].rpartition("/")[2] for body in content.values()]


schema = schemathesis.openapi.from_dict(
    strict_document(),
    config=SchemathesisConfig.from_dict({"seed": 1, "generation": {"max-examples": EXAMPLES, "deterministic": True}}),
)
bounded = settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


class Known:
    """Makes what addresses may name: something new where a request will delete it."""

    def __init__(self, rest: httpx.Client) -> None:
        self.rest = rest
        self.lasting: dict[str, dict[str, Any]] = {}

    def parameters(self, case: Case) -> dict[str, Any]:
        if case.method == "DELETE":
            return self.make(case.path)
        if case.path not in self.lasting:
            self.lasting[case.path] = self.make(case.path)
        return dict(self.lasting[case.path])

    def made(self, path: str, body: Any) -> Any:
        answer = self.rest.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def make(self, path: str) -> dict[str, Any]:
        number = next(numbers)
        found: dict[str, Any] = {}
        if "{roomId}" in path:
            found["roomId"] = self.made("/rooms", {"name": f"conforming {number}"})["roomId"]
        if "{username}" in path:
            found["username"] = self.made("/user", {"username": f"conforming {number}", "password": "x"})["username"]
        if path.startswith("/room/") and "{username}" in path:
            self.made(f"/room/{found['roomId']}/members", {"username": found["username"]})
        if "/messages/{id}" in path:
            place = f"/room/{found['roomId']}" if "roomId" in found else f"/user/{found['username']}"
            found["id"] = str(self.made(f"{place}/messages", {"text": "hi"})["id"])
        if path.startswith("/reports"):
            room = self.made("/rooms", {"name": f"reported {number}"})["roomId"]
            message = self.made(f"/room/{room}/messages", {"text": "hi"})["id"]
            found["id"] = str(self.made(f"/room/{room}/messages/{message}/report", {"reason": "x"})["id"])
        if path.startswith("/notices"):
            found["id"] = str(self.made("/notices", {"text": "hi", "level": "info"})["id"])
        if path.startswith("/lobby_api"):
            found["id"] = str(
                self.made("/lobby_api/tables", {"table": {"name": "x", "participants": 1}})["table"]["id"]
            )
        return found


@pytest.fixture(scope="module")
def free_server() -> Iterator[Server]:
    """A server of one's own: others could not sign in while so many fail to, nor find anything among what is made."""
    with servers() as started:
        yield started.start(SIGN_IN_FAILURES="1000000", SIGN_IN_FAILURES_WIDE="1000000")


@pytest.fixture(scope="module")
def known(free_server: Server) -> Iterator[Known]:
    with httpx.Client(base_url=free_server.base_url, auth=ADMIN, timeout=30, trust_env=False) as rest:
        found = Known(rest)
        found.made("/user", {"username": "ann", "password": "x"})  # whom examples name
        yield found


@schema.parametrize()
@bounded
def test_every_answer_is_described(case: Case, free_server: Server) -> None:
    check(case, free_server)


@schema.include(path_regex="{").parametrize()
@bounded
def test_every_answer_about_what_is_there_is_described(case: Case, known: Known, free_server: Server) -> None:
    case.path_parameters = known.parameters(case)
    check(case, free_server)


def check(case: Case, server: Server) -> None:
    case.call_and_validate(base_url=server.base_url, auth=ADMIN, checks=CHECKS, timeout=30)
