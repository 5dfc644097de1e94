"""What is refused about tables."""

from __future__ import annotations

from typing import Any

from foyer.errors import Conflict, Forbidden, NotFound


class TableNotFound(NotFound):
    code = "table_not_found"
    detail = "There is no table with that id."


class TableIdTaken(Conflict):
    code = "table_id_taken"
    detail = "A table with that id exists. Take another, or leave it out and the server picks one."


class PlaceGone(Conflict):
    code = "after_id_not_found"
    detail = "after_id names no table of the list. -1 adds at the beginning, none at the end."


class NotAuthorized(Forbidden):
    """The refusal that `/lobby_api` has a frame of its own for; over REST it has the fields of every error too."""

    code = "not_authorized"
    detail = "Only an admin may change the list of tables."

    def as_json(self) -> dict[str, Any]:
        return {"$type": "not_authorized", **super().as_json()}
