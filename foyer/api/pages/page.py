"""What is on the page of a route: the answer, links, and a form for every method that the caller may use.

It comes from the same descriptions as the OpenAPI document (`foyer/api/schema.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from django.urls import resolve
from rest_framework.exceptions import APIException
from rest_framework.request import Request, override_method
from rest_framework.response import Response
from rest_framework.views import APIView

from foyer.api.pages.forms import MethodForm, method_form, query_fields
from foyer.api.pages.json_html import json_html
from foyer.api.rest import JSONRenderer
from foyer.api.schema import NAMES, Description, described
from foyer.api.wire import decode
from foyer.errors import FoyerError

NOTHING = Description("Foyer", {}, {}, {})
NO_FORMS = frozenset({401, 403, 404, 503})
"""Statuses of answers below which there are no forms: what one may not, or can't, see one does not change either."""


def page_of(data: Any, view: APIView, request: Request, response: Response) -> dict[str, Any]:
    """What the template gets."""
    description = described.get(type(view), NOTHING)
    content = JSONRenderer().render(data)
    value: Any = decode(bytes(content)) if content else None
    names = {NAMES.get(name, name): str(given) for name, given in view.kwargs.items()}
    crumbs = list(crumbs_of(request.path))
    return {
        "user": request.user or (None if request.authenticators else getattr(request._request, "cookie_user", None)),
        "title": crumbs[-1][0] if crumbs else description.title,
        "crumbs": crumbs,
        "description": "" if response.status_code >= 400 else view.get_view_description(),
        "related": [(fill(name, names), fill(address, names, quote)) for name, address in description.related.items()],
        "method": request.method,
        "address": request.get_full_path(),
        "json_address": with_format(request),
        "status": response.status_code,
        "reason": response.reason_phrase,
        "headers": [(name, value, link_in(value)) for name, value in sorted(response.items()) if name in SHOWN],
        "content": json_html(value, linker(description, names, request)) if content else "",
        "wrong": list(problems_of(value["fields"])) if response.status_code == 400 and "fields" in value else [],
        "query": query_fields(description.operations.get("get"), request.query_params)
        if response.status_code in (200, 400)
        else [],
        "forms": list(forms_of(value, description, view, request, response)),
        "parent": crumbs[-2][1] if len(crumbs) > 1 else "/",
    }


SHOWN = frozenset({"Allow", "Link", "Location", "Retry-After", "WWW-Authenticate"})


def forms_of(
    value: Any, description: Description, view: APIView, request: Request, response: Response
) -> Iterator[MethodForm]:
    """A form for every method, but GET, that the caller may use."""
    now = value if isinstance(value, dict) and response.status_code == 200 else {}
    if response.status_code in NO_FORMS:
        return
    for method, operation in description.operations.items():
        if method != "get" and may(view, method.upper(), request):
            yield method_form(method, operation, now)


def may(view: APIView, method: str, request: Request) -> bool:
    with override_method(view, request, method) as asked:
        try:
            view.check_permissions(asked)
        except (APIException, FoyerError):
            return False
    return True


def problems_of(fields: Any, way: str = "") -> Iterator[tuple[str, str]]:
    """What is wrong, by the names that fields have in a form."""
    for name, told in fields.items():
        if isinstance(told, dict):
            yield from problems_of(told, f"{way}{name}.")
        else:
            yield f"{way}{name}", " ".join(map(str, told)) if isinstance(told, list) else str(told)


# Links


def crumbs_of(path: str) -> Iterator[tuple[str, str]]:
    """The pages on the way to a path, the first being that of `/`: their titles and addresses."""
    segments = path.strip("/").split("/") if path != "/" else []
    for count in range(len(segments) + 1):
        address = "/" + "/".join(segments[:count])
        found = resolve(address)
        known = described.get(getattr(found.func, "cls", None))  # type: ignore[arg-type]
        if known is not None and ("get" in known.operations or count == len(segments)):
            own = f" {segments[count - 1]}" if found.route.endswith(">") else ""
            yield known.title + own, quote(address)


def linker(description: Description, names: dict[str, str], request: Request) -> Any:
    """What leads where in the answer: values under certain keys, and addresses of this server."""
    here = request.build_absolute_uri("/")

    def link(key: str, value: Any) -> str | None:
        if isinstance(value, str) and value.startswith(here):
            return value
        template = description.linked.get(key)
        if template is None or value is None or isinstance(value, bool):
            return None
        return fill(template, names, quote).replace("{}", quote(str(value), safe=""))

    return link


def fill(template: str, names: dict[str, str], encode: Any = None) -> str:
    """`template` with the values of `{name}`; encoded for an address by `quote`."""
    return re.sub(r"\{(\w+)\}", lambda found: encode(names[found[1]], safe="") if encode else names[found[1]], template)


def link_in(value: str) -> str | None:
    """The address that a header has in it."""
    found = re.match(r"<?(https?://[^>]*)>?", value)
    return found[1] if found else None


def with_format(request: Request) -> str:
    """This address, as a browser gets JSON of it."""
    query = request.query_params.copy()
    query["format"] = "json"
    return f"{quote(request.path)}?{query.urlencode()}"
