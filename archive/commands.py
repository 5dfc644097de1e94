"""What the gateway does about search: the same operation as REST, checked by the same contract."""

from __future__ import annotations

from accounts.people import afind_person
from archive import frames
from archive.search import FOUND, Search, asearch, place_of, wanted_by
from foyer.api.contracts import checked
from foyer.api.wire import as_json_list, encode
from foyer.realtime.gateway import Frame, Gateway, command


@command("search", frames.Search, gives=frames.Found)
async def search(gateway: Gateway, frame: Frame) -> bytes:
    """A page of messages that have some words, newest first."""
    asked = checked(frames.Search, frame)
    user, sender = [await afind_person(asked[name]) if name in asked else None for name in ("user", "from")]
    wanted, before = wanted_by(asked["q"]), place_of(asked.get("cursor"))
    limit = asked.get("limit") or FOUND
    page = await asearch(gateway.caller, Search(wanted, asked.get("room"), user, sender, limit, before))
    more = b"false" if page.cursor is None else b"true"
    return b'{"messages":%b,"more":%b,"cursor":%b}' % (as_json_list(page.messages), more, encode(page.cursor))
