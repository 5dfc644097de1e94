"""The list of tables for sockets: read once for all who ask at the same time, and framed once for all of them.

Suppose ten thousand clients come back at once, to ten thousand tables. If each read the list for itself, the store
would be blocked for more than a minute. If each had its own copy while it is sent, they would take gigabytes.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from foyer.realtime.connection import Batch
from foyer.realtime.log import Event, Head
from lobby.operations import Listing, alist_tables
from lobby.serializers import table_list

LIST = "table_list"
"""The type of the list. It is sent as an event that is in no log."""


class SharedListing:
    """The list, for the sockets of one event loop. Runs on that loop."""

    def __init__(self) -> None:
        self.reading = asyncio.Lock()
        self.begun = self.read = 0
        self.listing: Listing | None = None
        self.batch = Batch([])

    async def newest(self) -> tuple[Head, Batch]:
        """The list as it is at some moment after this call, and where the log stands with it. Raises `Unavailable`.

        Callers that come while the list is being read share the next reading.
        """
        asked = self.begun
        async with self.reading:
            if self.listing is None or self.read <= asked:
                self.begun += 1
                self.keep(await alist_tables())
                self.read = self.begun
            assert self.listing is not None
            return self.listing.head, self.batch

    def keep(self, listing: Listing) -> None:
        if listing is not self.listing:
            self.listing = listing
            self.batch = Batch([Event(b"0  %s\n%s" % (LIST.encode(), table_list(listing.json)))])


shared: WeakKeyDictionary[asyncio.AbstractEventLoop, SharedListing] = WeakKeyDictionary()


def shared_listing() -> SharedListing:
    """The list of the running loop."""
    loop = asyncio.get_running_loop()
    found = shared.get(loop)
    if found is None:
        found = shared[loop] = SharedListing()
    return found
