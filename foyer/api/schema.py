"""REST in OpenAPI, read from the viewsets by drf-spectacular: serializers, pages, filters, permissions, docstrings.

What these can't say is declared at the action: its errors by `@refuses(RoomNotFound)`, headers and answers of other
shapes by drf-spectacular's own `@extend_schema`. The first sentence of an action's docstring is its summary. Its name
and the viewset's name make the id: `listRooms`, `getRoom`. An example of a body is the `example` of its serializer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from django.apps import apps
from django.utils.text import capfirst
from drf_spectacular import openapi
from drf_spectacular.plumbing import force_instance, get_doc
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.serializers import ListSerializer

from foyer.api.retry_keys import LONGEST_KEY
from foyer.api.serializers import ErrorSerializer, TypedErrorSerializer, name_of
from foyer.errors import (
    BadRequest,
    Busy,
    Forbidden,
    FoyerError,
    InvalidInput,
    MalformedJSON,
    NewerFormat,
    NotAcceptable,
    RetryKeyReused,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)

Action = TypeVar("Action", bound=Callable[..., Any])
Kind = type[FoyerError]


def refuses(*kinds: Kind) -> Callable[[Action], Action]:
    """Declare the errors of an action, except those of its permissions, of its body, and of all routes."""

    def note(action: Action) -> Action:
        action.refuses = kinds  # type: ignore[attr-defined]
        return action

    return note


def example_body(value: Any) -> list[OpenApiExample]:
    """An example of a request's body, if it differs from the example of the serializer."""
    return [OpenApiExample("Body", value, request_only=True)]


# Parameters and headers


def in_query(name: str, description: str, **schema: Any) -> OpenApiParameter:
    return OpenApiParameter(name, {"type": "string", **schema}, OpenApiParameter.QUERY, description=description)


RETRY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    description="For 24 hours the same key with the same request answers as the first time and creates nothing.",
)


def answered_header(name: str, description: str, schema: Any, *statuses: int, always: bool = True) -> OpenApiParameter:
    return OpenApiParameter(
        name, schema, OpenApiParameter.HEADER, required=always, description=description, response=[*statuses]
    )


LOCATION = answered_header("Location", "The absolute address of what was made.", OpenApiTypes.URI, 201)
LINK = answered_header(
    "Link", 'The next page, if there is one: `<…>; rel="next"` (RFC 8288).', OpenApiTypes.STR, 200, always=False
)
CHALLENGED = answered_header("WWW-Authenticate", "Names Bearer and Basic.", OpenApiTypes.STR, 401)
RETRY_AFTER = answered_header(
    "Retry-After", "Seconds to wait before asking again.", {"type": "integer", "minimum": 0}, 429, 503
)

ANYWHERE: tuple[Kind, ...] = (BadRequest, NotAcceptable, Busy, Unavailable, NewerFormat)
OF_BODIES: tuple[Kind, ...] = (MalformedJSON, InvalidInput, TooLarge, UnsupportedMediaType)
NOTHING = "Done; there is nothing to say."


class AutoSchema(openapi.AutoSchema):
    """Describes one action of a viewset."""

    verbs: ClassVar[dict[str, str]] = {
        "list": "list",
        "create": "create",
        "retrieve": "get",
        "update": "replace",
        "partial_update": "update",
        "destroy": "delete",
    }

    @property
    def action_name(self) -> str:
        return str(getattr(self.view, "action", self.method.lower()))

    @cached_property
    def paragraphs(self) -> list[str]:
        """What the action's docstring says: its summary, and the rest."""
        return get_doc(getattr(self.view, self.action_name)).split("\n\n", 1)

    # What drf-spectacular asks for

    def get_operation_id(self) -> str:
        noun = type(self.view).__name__.removesuffix("ViewSet")
        if self.action_name in self.verbs:
            return self.verbs[self.action_name] + noun + ("s" if self.action_name == "list" else "")
        first, *others = self.action_name.split("_")
        return first + "".join(map(capfirst, others))

    def get_summary(self) -> str:
        return self.paragraphs[0].rstrip(".")

    def get_description(self) -> str:  # type: ignore[override]
        about: str = self.paragraphs[1] if len(self.paragraphs) > 1 else get_doc(type(self.view))
        return about

    def get_tags(self) -> list[str]:
        app = apps.get_containing_app_config(type(self.view).__module__)
        return [str(app.verbose_name)] if app else super().get_tags()

    def map_parsers(self) -> list[str]:
        """JSON only. For a form of the same shape a generator would make a second body with the same name."""
        return ["application/json"]

    def get_override_parameters(self) -> list[Any]:
        return [CHALLENGED, RETRY_AFTER, *([LINK] if self._get_pagination_parameters() else [])]

    def get_response_serializers(self) -> Any:
        if self.method == "DELETE":
            return {204: None}
        shape = getattr(self.view, "serializer_class", None) or super().get_response_serializers()
        return {201 if self.action_name == "create" else 200: shape}

    def _is_list_view(self, serializer: Any = None) -> bool:
        return isinstance(serializer, ListSerializer) or bool(getattr(self.view, "is_list", False))

    def _get_paginator(self) -> None:
        """None: a page is a bare array."""

    def _get_pagination_parameters(self) -> list[Any]:
        paginator = getattr(self.view, "pagination_class", None)
        return paginator().get_schema_operation_parameters(self.view) if paginator and self._is_list_view() else []

    def _resolve_path_parameters(self, variables: list[str]) -> list[Any]:
        parameters: list[Any] = super()._resolve_path_parameters(variables)
        about = getattr(self.view, "path_help", {})
        return [{**one, "description": about[one["name"]]} if one["name"] in about else one for one in parameters]

    def _get_examples(
        self, serializer: Any, direction: str, media_type: str, status_code: Any = None, extras: Any = None
    ) -> Any:
        """The examples that are given at the action, otherwise that of the serializer."""
        serializer = force_instance(serializer)
        shape = type(getattr(serializer, "child", serializer))
        given = extras or (direction == "request" and self.get_examples())
        if not given and getattr(shape, "example", None):
            extras = [OpenApiExample(name_of(shape), shape.example)]
        return super()._get_examples(serializer, direction, media_type, status_code, extras)

    # Answers

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        """Those of the action, and every error by its status."""
        errors = {
            str(status): self._get_response_for_code(refusal(kinds), str(status), direction=direction)
            for status, kinds in self.refusals().items()
        }
        return {**super()._get_response_bodies(direction), **errors}

    def _get_response_for_code(
        self, serializer: Any, status_code: str, media_types: Any = None, direction: Any = "response"
    ) -> Any:
        answer = super()._get_response_for_code(serializer, status_code, media_types, direction)
        if not isinstance(serializer, OpenApiResponse):
            answer["description"] = self.description_of(force_instance(serializer), answer)
        return answer

    @staticmethod
    def description_of(serializer: Any, answer: dict[str, Any]) -> str:
        if serializer is None:
            return NOTHING
        about = get_doc(type(getattr(serializer, "child", serializer)))
        schemas = [content["schema"] for content in answer["content"].values()]
        return f"A list. Each entry: {about}" if schemas[0].get("type") == "array" else about

    def refusals(self) -> dict[int, list[Kind]]:
        """The errors that the action may answer, by status."""
        view, parameters = self.view, {(one["name"], one["in"]) for one in self._get_parameters()}
        kinds: set[Kind] = {*ANYWHERE, *getattr(getattr(view, self.action_name), "refuses", ())}
        for part in (*view.get_authenticators(), *view.get_permissions()):
            kinds.update(getattr(part, "refuses", ()))
        if self.method not in SAFE_METHODS and not any(isinstance(one, AllowAny) for one in view.get_permissions()):
            kinds.add(Forbidden)
        if self._get_request_body() is not None:
            kinds.update(OF_BODIES)
        if any(where == "query" for _, where in parameters):
            kinds.add(InvalidInput)
        if (RETRY_KEY.name, "header") in parameters:
            kinds.add(RetryKeyReused)
        found: dict[int, list[Kind]] = {}
        for kind in sorted(kinds, key=lambda one: (one.status, one.code)):
            found.setdefault(kind.status, []).append(kind)
        return found


def refusal(kinds: Iterable[Kind]) -> OpenApiResponse:
    """The answer that is one of these errors."""
    examples = {kind.code: example_of(kind) for kind in kinds}
    return OpenApiResponse(
        TypedErrorSerializer if any("$type" in example for example in examples.values()) else ErrorSerializer,
        ", ".join(f"`{code}`" for code in examples),
        [OpenApiExample(code, example, response_only=True) for code, example in examples.items()],
    )


def example_of(kind: Kind) -> dict[str, Any]:
    error = kind({"name": ["This field is required."]}) if issubclass(kind, InvalidInput) else kind()
    return error.as_json()
