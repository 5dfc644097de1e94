"""The base of all viewsets: bodies, pages, and forms of browsers without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from foyer.api.forms import address_without_blanks, obey_form
from foyer.api.pagination import IdPagination, Pagination
from foyer.paging import Page


class ViewSet(GenericViewSet[Any]):
    """A `GenericViewSet` whose answers are mostly JSON from the store, sent as it is.

    `serializer_class` is the shape of what it answers. `input_serializers` has the serializers of actions that take
    another shape. `path_help` explains parameters of the address. `links` is for the browsable API: for keys of the
    answer it says which route the value links to, and which parameter of that route the value is.
    """

    input_serializers: ClassVar[Mapping[str, type[BaseSerializer[Any]]]] = {}
    path_help: ClassVar[Mapping[str, str]] = {}
    links: ClassVar[Mapping[str, tuple[str, str]]] = {}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if (address := address_without_blanks(request)) is not None:
            return HttpResponseRedirect(address)
        obey_form(request)
        return super().dispatch(request, *args, **kwargs)

    @property
    def is_list(self) -> bool:
        """Whether the action gives a list, by its name."""
        return (self.action or "").startswith("list")

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """The shape of what the action takes."""
        return self.input_serializers.get(self.action or "") or super().get_serializer_class()

    def body(self) -> dict[str, Any]:
        """The request's body, if it has the shape that the action takes. Raises `ValidationError` otherwise."""
        serializer = self.get_serializer(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return cast("dict[str, Any]", serializer.validated_data)

    # Pages

    @property
    def pages(self) -> Pagination:
        """The paginator of this request."""
        return cast(Pagination, self.paginator)

    def asked(self) -> Page:
        """The page that the query asks for. Raises `InvalidInput`."""
        return cast(IdPagination, self.paginator).asked(self.request)

    def page_response(self, page: Page, entries: list[bytes], *, more: bool) -> Response:
        """The answer with a page of stored JSON; `more` says whether the list goes on."""
        return cast(IdPagination, self.paginator).page_response(self.request, page, entries, more=more)
