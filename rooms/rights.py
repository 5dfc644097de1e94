"""Who may do what in a room, and to whom: the one table, which the stored functions hold.

They check it in the step that does the thing, so nobody does anything with a right that they have lost. Here it is read
from their text, for REST, the documentation and the tests.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

LUA = Path(__file__).parent / "lua"
IN_ROOMS = (LUA / "_admit.lua", LUA / "_rights.lua")
"""What every library needs whose functions work on rooms."""

ROLES = ("member", "moderator", "owner", "admin")
"""From the least to the most, as the table names them. An admin is no role of a room."""
ROW = re.compile(r"^  (\w+) += \{'(\w*)', '(\w*)', '(\w*)'\},", re.MULTILINE)


class Right(NamedTuple):
    """The least role that may do something, that may do it to a moderator, and to the owner.

    '' says that it is done to nobody, 'nobody' that nobody may.
    """

    least: str
    to_moderator: str
    to_owner: str

    def given_to(self, role: str, whom: str = "") -> bool:
        """Whether somebody of a role has it, about one of the role `whom`: 'moderator', 'owner' or any other."""
        least = {"moderator": self.to_moderator, "owner": self.to_owner}.get(whom, self.least)
        return role in ROLES and all(step in ROLES and reaches(role, step) for step in (self.least, least))


def reaches(role: str, least: str) -> bool:
    return ROLES.index(role) >= ROLES.index(least)


RIGHTS = {what: Right(*least) for what, *least in ROW.findall(IN_ROOMS[1].read_text())}
