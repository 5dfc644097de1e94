"""What the gateway does about tables: anyone who is signed in may read the topic `tables`."""

from __future__ import annotations

from accounts.callers import Caller
from foyer.realtime.gateway import Reading, UnknownTopic, topics
from lobby.operations import TABLES


@topics(TABLES.name)
def tables_reading(caller: Caller, rest: str) -> Reading:
    if rest:
        raise UnknownTopic(f"There is one topic of tables, '{TABLES.name}'.")
    return Reading(TABLES, None)
