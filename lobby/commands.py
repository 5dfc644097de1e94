"""What the gateway does about tables: anyone who is signed in may read the topic `tables`."""

from __future__ import annotations

from accounts.sessions import Caller
from lobby.models import TABLES
from realtime.gateway import Reading, UnknownTopic, topics


@topics(TABLES.name)
def tables_reading(caller: Caller, rest: str) -> Reading:
    if rest:
        raise UnknownTopic(f"There is one topic of tables, '{TABLES.name}'.")
    return Reading(TABLES, None)
