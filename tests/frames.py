"""Holds frames against `/schema/events`, which is closed: no field too many, none missing, no type undeclared.

The clients of `tests.clients` hold every frame that they hear against it, and every command that was carried out.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import fastjsonschema

Frame = dict[str, Any]
Check = Callable[[Any], Any]

seen: Counter[tuple[str, str]] = Counter()
"""How often each message of each channel was heard or said, by the names that the document gives them."""


class Undeclared(AssertionError):
    """A frame is not what the document says."""


@cache
def declared() -> dict[str, Any]:
    """The document, as a server makes it: with the errors of all views."""
    from config import urls as urls
    from foyer.realtime.asyncapi import frames

    return frames()


@cache
def channel_at(path: str) -> str:
    """The name of the channel at the path of an address."""
    for name, channel in declared()["channels"].items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", channel["address"]), path.partition("?")[0]):
            return str(name)
    raise Undeclared(f"There is no channel at {path}.")


def message_of(channel: str, name: str) -> Any:
    """A message as the document has it. Raises `Undeclared`."""
    reference = declared()["channels"][channel]["messages"].get(name)
    if reference is None:
        raise Undeclared(f"{channel} has no message {name}.")
    return declared()["components"]["messages"][reference["$ref"].rpartition("/")[2]]


@cache
def check_of(channel: str, message: str) -> Check:
    """What raises for a frame that is not this message of the channel."""
    schema = {**message_of(channel, message)["payload"], "components": {"schemas": declared()["components"]["schemas"]}}
    check: Check = fastjsonschema.compile(schema, use_formats=False)
    return check


def hold(channel: str, message: str, frame: Any) -> None:
    """Raises `Undeclared` unless the frame is this message of the channel."""
    check = check_of(channel, message)
    try:
        check(frame)
    except fastjsonschema.JsonSchemaValueException as error:
        raise Undeclared(f"{channel}, {message}: {error.message}\n{frame}") from None
    seen[channel, message] += 1


class Dialogue:
    """What is said and heard on one socket. Answers come in the order of the commands that have the same `id`."""

    def __init__(self, path: str) -> None:
        self.channel = channel_at(path)
        self.numbered = "correlationId" in message_of(self.channel, "error")
        self.asked: dict[str, list[Frame]] = {}

    def said(self, frame: Any) -> None:
        """Note a command, so that it and its answer can be held against what they have to be."""
        if not self.numbered:
            return
        if isinstance(frame, str):
            try:
                frame = json.loads(frame)
            except (ValueError, RecursionError):
                return
        if isinstance(frame, dict) and "id" in frame:
            self.asked.setdefault(json.dumps(frame["id"]), []).append(frame)

    def heard(self, frame: Frame) -> None:
        """Hold what was heard, and the command that it answers, against the document."""
        kind = frame.get("type") or frame["$type"]
        asked = self.asked.get(json.dumps(frame["id"])) if self.numbered and "id" in frame else None
        command = asked.pop(0) if asked else None
        if kind != "reply":
            hold(self.channel, kind, frame)
        elif command is not None:
            hold(self.channel, f"{command['type']}.reply", frame)
        else:
            self.hold_some_reply(frame)
        if command is not None and kind != "error":
            hold(self.channel, f"{command['type']}.command", command)

    def hold_some_reply(self, frame: Frame) -> None:
        """To what, nobody knows; it has to be one of them."""
        for message in declared()["channels"][self.channel]["messages"]:
            if message.endswith(".reply"):
                try:
                    return hold(self.channel, message, frame)
                except Undeclared:
                    continue
        raise Undeclared(f"{self.channel} has no such reply: {frame}")
