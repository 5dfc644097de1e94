"""Forms of pages. A browser without scripts sends only GET, POST and fields; some fields stand for what it can't send.

`_method` is the method that is meant, `_content` a body as JSON, `csrfmiddlewaretoken` the CSRF token. `_filters` comes
with the form that filters a list: its blank fields are ignored.
"""

from __future__ import annotations

from django.http import HttpRequest, QueryDict

from foyer.api.links import encoded
from foyer.errors import BadRequest

FORM = "application/x-www-form-urlencoded"
METHOD_FIELD, JSON_FIELD, CSRF_FIELD, FILTERS_FIELD = "_method", "_content", "csrfmiddlewaretoken", "_filters"
OWN_FIELDS = frozenset({METHOD_FIELD, CSRF_FIELD})
METHODS = frozenset({"PUT", "PATCH", "DELETE", "OPTIONS"})
"""What `_method` may say."""


def fields_of(body: bytes) -> QueryDict:
    """The fields of a form. Raises `BadRequest` if it is not in UTF-8."""
    try:
        return QueryDict(body.decode(), mutable=True, encoding="utf-8")
    except UnicodeDecodeError:
        raise BadRequest("The form is not in UTF-8.") from None


def obey_form(request: HttpRequest) -> None:
    """Give a request the method that its form means, and its CSRF token as the header that scripts would send."""
    if request.method != "POST" or request.content_type != FORM:
        return
    fields = fields_of(request.body)
    if CSRF_FIELD in fields:
        request.META["HTTP_X_CSRFTOKEN"] = fields[CSRF_FIELD]
    method = str(fields.get(METHOD_FIELD, "")).upper()
    if method in METHODS:
        request.method = method


def address_without_blanks(request: HttpRequest) -> str | None:
    """Where a form that filters a list leads to: the same address without what was left blank. None for others."""
    if request.method not in ("GET", "HEAD") or FILTERS_FIELD not in request.GET:
        return None
    query = request.GET.copy()
    for name in [name for name in query if name == FILTERS_FIELD or not query[name]]:
        del query[name]
    return encoded(request.path) + (f"?{query.urlencode()}" if query else "")
