"""The browsable API: DRF's own renderer, with our templates and forms that need no scripts (`foyer/api/forms.py`)."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, cast

from django.urls import NoReverseMatch, Resolver404, URLResolver, get_resolver, resolve
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from rest_framework.exceptions import APIException
from rest_framework.renderers import BrowsableAPIRenderer, HTMLFormRenderer
from rest_framework.request import Request, is_form_media_type, override_method
from rest_framework.serializers import BaseSerializer

from foyer.api.exceptions import CHALLENGE_TO_SCRIPTS
from foyer.api.links import encoded, own_address, path_to
from foyer.api.permissions import may
from foyer.api.policy import POLICY
from foyer.api.renderers import JSONRenderer
from foyer.api.wire import decode, encode
from foyer.errors import FoyerError

MOST = 100_000
"""Bytes of HTML after which the rest of an answer is no longer shown."""
NO_FORMS = frozenset({401, 403, 404, 503})
"""Statuses of answers that get no forms: users can't change what they may not, or can't, see."""
SHOWN = frozenset({"Allow", "Link", "Location", "Retry-After", "WWW-Authenticate"})
"""Headers of an answer that a page shows."""


class FormRenderer(HTMLFormRenderer):
    """The fields of a serializer, from the templates in `foyer/form/`. `prefix` tells apart the forms of one page."""

    template_pack = "foyer/form"

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix


class PageRenderer(BrowsableAPIRenderer):
    """What a route answers, as a page with a form for every method that the caller may use."""

    renderer_context: Mapping[str, Any]

    def get_context(
        self, data: Any, accepted_media_type: str | None, renderer_context: Mapping[str, Any]
    ) -> dict[str, Any]:
        view, request, response = (renderer_context[name] for name in ("view", "request", "response"))
        content = JSONRenderer().render(data)
        self.value: Any = decode(bytes(content)) if content else {}
        self.wrong = self.value.get("fields", {}) if response.status_code == 400 else {}
        self.failed = response.status_code >= 400 or request.method == "OPTIONS"
        context = super().get_context(data, accepted_media_type, renderer_context)
        patch_form = self.get_rendered_html_form(data, view, "PATCH", request)
        forms = [patch_form, *(context[f"{method}_form"] for method in ("post", "put", "delete"))]
        return {
            **context,
            "user": request.user
            or (None if request.authenticators else getattr(request._request, "cookie_user", None)),
            "patch_form": patch_form,
            "is_only_forms": response.status_code == 405 and request.method == "GET" and any(forms),
            "summaries": {method.upper(): summary_of(view, action) for method, action in actions_of(view).items()},
            "display_edit_forms": response.status_code not in NO_FORMS,
            "address": encoded(request.path),
            "json_address": own_address(request, format="json"),
            "headers": [(name, with_link(value)) for name, value in sorted(response.items()) if name in SHOWN],
        }

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> str:
        assert renderer_context is not None
        request, response = renderer_context["request"], renderer_context["response"]
        page: str = super().render(data, accepted_media_type, renderer_context)
        response["Content-Security-Policy"] = POLICY
        response["Referrer-Policy"] = "same-origin"
        response["Cache-Control"] = "no-store"
        if response.status_code == 401 and "Sec-Fetch-Mode" in request.headers:
            response["WWW-Authenticate"] = CHALLENGE_TO_SCRIPTS
        return page

    def get_content(
        self, renderer: Any, data: Any, accepted_media_type: Any, renderer_context: Any
    ) -> SafeString | str:
        """The answer as JSON, with links to what it names."""
        return linked(encode(self.value, indent=True).decode(), self.link) if data is not None else ""

    def link(self, key: str, value: Any) -> str | None:
        """The address that a value of the answer links to: the value itself, or what the view's `links` say of its
        key."""
        view, request = self.renderer_context["view"], self.renderer_context["request"]
        if isinstance(value, str) and value.startswith(request.build_absolute_uri("/")):
            return value
        route, name = getattr(view, "links", {}).get(key, ("", ""))
        if not route or value is None:
            return None
        try:
            return path_to(route, **{**view.kwargs, name: value})
        except NoReverseMatch:
            return None

    def get_description(self, view: Any, status_code: int) -> str:
        return "" if status_code >= 400 else super().get_description(view, status_code)

    def get_breadcrumbs(self, request: Request) -> list[tuple[str, str]]:
        segments = request.path.strip("/").split("/") if request.path != "/" else []
        paths = ["/" + "/".join(segments[:count]) for count in range(len(segments) + 1)]
        return [(title, encoded(path)) for path in paths if (title := title_of(path, looked_at=path != request.path))]

    def get_extra_actions(self, view: Any, status_code: int) -> dict[str, str]:
        """The pages right below this one, by title."""
        match = self.renderer_context["request"].resolver_match
        if status_code in NO_FORMS or match is None or not match.route:
            return {}
        paths = [self.renderer_context["request"].path + rest for rest in names_below(match.route)]
        return {title: encoded(path) for path in paths if (title := title_of(path))}

    def get_filter_form(self, data: Any, view: Any, request: Request) -> Any:
        """The form for the query of a list."""
        if not getattr(view, "is_list", False) or self.renderer_context["response"].status_code > 400:
            return []
        sources = [*(backend() for backend in view.filter_backends), view.paginator]
        parameters = [one for source in sources if source for one in source.get_schema_operation_parameters(view)]
        return [{**one, "value": request.query_params.get(one["name"], "")} for one in parameters]

    # Forms

    def show_form_for_method(self, view: Any, method: str, request: Request, obj: Any) -> bool:
        return method in view.allowed_methods and may(view, request)

    def get_rendered_html_form(self, data: Any, view: Any, method: str, request: Request) -> Any:
        """The fields of a method's form; True for a method that takes no body, None for one that is not offered."""
        with override_method(view, request, method) as asked:
            if not self.show_form_for_method(view, method, asked, None):
                return None
            if method in ("DELETE", "OPTIONS"):
                return True
            takes_forms = any(is_form_media_type(parser.media_type) for parser in view.parser_classes)
            if not takes_forms or not hasattr(view, "get_serializer"):
                return None
            return FormRenderer(method.lower()).render(self.bound(view, method, request).data, None, {})

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Request) -> Any:
        """The JSON that a form for raw JSON begins with."""
        with override_method(view, request, method) as asked:
            if not self.show_form_for_method(view, method, asked, None):
                return None
            serializer = view.get_serializer() if hasattr(view, "get_serializer") else None
            example = getattr(serializer, "example", None)
            now = self.now(serializer) if method in ("PUT", "PATCH") else None
            return encode(now or example or {}, indent=True).decode()

    def bound(self, view: Any, method: str, request: Request) -> BaseSerializer[Any]:
        """The fields of a form. For a change they have the present values; after a failure what was sent, and the
        errors."""
        serializer: Any = view.get_serializer()
        now = self.now(serializer) if method != "POST" else None
        if request.method == method and (self.failed or (method != "POST" and now is None)):
            serializer = view.get_serializer(data=sent_in(request))
            serializer.is_valid()
            # Errors of an operation are shown beside their fields too; the serializer does not know them.
            serializer._errors, serializer._data = self.wrong, serializer.get_initial()
        elif now is not None:
            serializer = view.get_serializer(instance=now)
        return cast("BaseSerializer[Any]", serializer)

    def now(self, serializer: Any) -> dict[str, Any] | None:
        """The present values of the fields of a change, from the answer; None if the answer lacks one."""
        if not isinstance(self.value, dict) or serializer is None or self.failed:
            return None
        fields = serializer.fields.items()
        if any(field.required and name not in self.value for name, field in fields):
            return None
        return {name: self.value[name] for name, _ in fields if name in self.value}


def sent_in(request: Request) -> Any:
    """The body of a request; nothing of one that can't be read, which is why it failed."""
    try:
        return request.data
    except (APIException, FoyerError):
        return {}


@cache
def names_below(route: str) -> list[str]:
    """How the addresses of REST that have one more name than a route end: `/members` below `room/<str:room_id>`."""
    ends = (known.removeprefix(route) for known in routes(get_resolver().url_patterns) if known.startswith(route))
    return sorted(end for end in ends if re.fullmatch(r"/\w+", end))


def routes(patterns: Iterable[Any]) -> Iterator[str]:
    """The routes of all views of DRF."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from (str(pattern.pattern) + route for route in routes(pattern.url_patterns))
        elif hasattr(pattern.callback, "cls"):
            yield str(pattern.pattern)


def title_of(path: str, *, looked_at: bool = False) -> str | None:
    """What the page at a path is called; None where there is none or, with `looked_at`, nothing to GET."""
    try:
        view: Any = resolve(path).func
    except Resolver404:
        return None
    kind = getattr(view, "cls", None)
    if kind is None or (looked_at and "get" not in getattr(view, "actions", {"get": ""})):
        return None
    return str(kind(**view.initkwargs).get_view_name())


def actions_of(view: Any) -> dict[str, str]:
    found: dict[str, str] = getattr(view, "action_map", None) or {}
    return found


def summary_of(view: Any, action: str) -> str:
    """The first sentence of an action's docstring."""
    return (inspect.getdoc(getattr(view, action)) or "").split("\n\n")[0].rstrip(".")


def with_link(value: str) -> SafeString | str:
    """A header, with the address in it as a link."""
    found = re.match(r"(<?)(https?://[^>]*)(.*)", value)
    return format_html('{}<a href="{}">{}</a>{}', found[1], found[2], found[2], found[3]) if found else value


# JSON as HTML

LINE = re.compile(r'( *)("(?:[^"\\]|\\.)*"(?=: ))?(: )?(.*?)(,?)', re.DOTALL)
"""A line of JSON that is laid out: indent, key, colon, value, comma."""


def linked(text: str, link: Callable[[str, Any], str | None]) -> SafeString:
    """JSON that is laid out, as the content of a `<pre>`. `link` says where the value of a key leads to, or None."""
    lines, shown, size = text.split("\n"), [], 0
    for number, line in enumerate(lines):
        if size > MOST:
            shown.append(
                format_html('<span class="left-out">… {} lines more, not shown here</span>', len(lines) - number)
            )
            break
        shown.append(line_of(line, link))
        size += len(shown[-1].encode())
    return mark_safe("\n".join(shown))  # noqa: S308 - each line was made by format_html


def line_of(line: str, link: Callable[[str, Any], str | None]) -> SafeString:
    found = LINE.fullmatch(line)
    assert found is not None
    indent, key, colon, value, comma = (part or "" for part in found.groups())
    marked = format_html('<span class="key">{}</span>{}', key, colon) if key else ""
    return format_html("{}{}{}{}", indent, marked, value_of(value, key, link), comma)


def value_of(value: str, key: str, link: Callable[[str, Any], str | None]) -> SafeString | str:
    if value[:1] in "{}[]":
        return value
    kind = "text" if value.startswith('"') else "plain"
    address = link(decode(key.encode()), decode(value.encode())) if key else None
    if address is None:
        return format_html('<span class="{}">{}</span>', kind, value)
    return format_html('<a class="{}" href="{}">{}</a>', kind, address, value)
