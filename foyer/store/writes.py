"""The keys that this process wrote to, for the follower of logs: the first key of every call that may change something.

Nothing is noted until somebody asks for it. A note is only a hint. If it is lost with its process, the next write to
the same key makes a new one.
"""

from __future__ import annotations

from foyer.store.functions import Call, Library, Plain


class Writes:
    """The keys written to since they were last taken. For any thread."""

    def __init__(self) -> None:
        self.wanted = False
        self.keys: dict[str, None] = {}

    def note(self, call: Call | Plain) -> None:
        """Call it when the call is over, whatever came of it: a note before that may be taken too early."""
        if self.wanted and isinstance(call, Call) and call.function not in Library.read_only:
            self.keys[call.keys[0]] = None

    def take(self, most: int) -> list[str]:
        """Up to `most` of the keys, which are forgotten."""
        taken: list[str] = []
        while self.keys and len(taken) < most:
            taken.append(self.keys.popitem()[0])
        return taken


writes = Writes()
