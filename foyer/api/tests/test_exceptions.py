"""Errors have one shape, whichever library raised them."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.test import RequestFactory
from rest_framework import exceptions
from rest_framework.request import Request

from foyer.api.exceptions import answer_error
from foyer.errors import Unavailable


def query(text: str) -> Request:
    return Request(RequestFactory().get(f"/rooms?{text}"))


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.AuthenticationFailed(), 401, "not_authenticated"),
        (exceptions.PermissionDenied(), 403, "forbidden"),
        (exceptions.NotFound(), 404, "not_found"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.NotAcceptable(), 406, "not_acceptable"),
        (exceptions.UnsupportedMediaType("a/b"), 415, "unsupported_media_type"),
        (exceptions.Throttled(3), 429, "rate_limited"),
        (exceptions.ParseError("no"), 400, "bad_request"),
        (exceptions.ValidationError({"name": ["no"]}), 400, "invalid"),
        (exceptions.ValidationError("no"), 400, "invalid"),
        (OperationalError("gone"), 503, "unavailable"),
        (Unavailable(), 503, "unavailable"),
    ],
)
def test_every_error_has_one_shape(error: Exception, status: int, code: str) -> None:
    answer = answer_error(error, {"request": query("")})
    assert answer is not None
    assert (answer.status_code, answer.data["code"]) == (status, code)
    assert answer.data["detail"]
    assert ("WWW-Authenticate" in answer) == (status == 401)
    assert ("Retry-After" in answer) == (status in (429, 503))


def test_a_fault_of_ours_is_left_to_be_reported() -> None:
    assert answer_error(KeyError("x"), {"request": query("")}) is None
