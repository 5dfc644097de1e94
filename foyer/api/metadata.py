"""What OPTIONS answers: what a route is, and the fields of each method that the caller may use."""

from __future__ import annotations

from typing import Any

from rest_framework.metadata import SimpleMetadata
from rest_framework.request import Request, override_method

from foyer.api.permissions import may


class Metadata(SimpleMetadata):
    def determine_actions(self, request: Request, view: Any) -> dict[str, Any]:
        actions = {}
        for method in ("POST", "PUT", "PATCH"):
            if method in view.allowed_methods:
                with override_method(view, request, method) as asked:
                    if may(view, asked):
                        actions[method] = self.get_serializer_info(view.get_serializer())
        return actions
