"""Declarations of frames: the sockets, the commands they accept, the frames they send, and the events of topics.

Apps declare theirs in `commands.py` and `frames.py`. Nothing here is used while frames are sent: `asyncapi.py` makes
the document at `/schema/events` from it, and the tests check every frame that they send or receive against that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from foyer.api.fields import StrictText
from foyer.api.retry_keys import LONGEST_KEY
from foyer.api.serializers import Schema, Shape

Example = dict[str, Any]


class FrameShape(Shape):
    """The own fields of a frame, or a part of one: those without its type, and without what all frames have.

    `example` has a value for each of them; `also` is JSON Schema that is true of them together.
    """

    example: ClassVar[Example] = {}


Kind = type[Shape]


class Nothing(FrameShape):
    """It says all by its type."""


class ClientId(StrictText):
    """The retry key of a frame."""

    also: ClassVar[Schema] = {"pattern": "^[ -~]+$"}

    def __init__(self) -> None:
        super().__init__(
            required=False,
            allow_null=True,
            max_length=LONGEST_KEY,
            help_text="A retry key: said again with the same one within 24 hours, it is done once.",
        )


@dataclass(frozen=True)
class Event:
    """An event of a topic. `topics` are prefixes of names: `room` is for `room:12`, `tables` for itself.

    `stored` events have an offset and are in the topic's log; others are delivered once or not at all.
    """

    kind: str
    shape: Kind
    topics: tuple[str, ...]
    stored: bool


@dataclass(frozen=True)
class Command:
    """A frame from a client. It is answered by a `reply` with a result that has the shape of `gives`, or by one of the
    types in `answers`; if both are empty, by nothing. If it fails, it is answered by `error`."""

    kind: str
    shape: Kind
    gives: Kind | None
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Said:
    """What the server says on one socket. `echoes` says that it carries the `id` of the command that it answers."""

    kind: str
    shape: Kind
    echoes: bool


@dataclass
class Channel:
    """A socket. Its frames tell their type in the field `marker`; their own fields are beside it or, where `inside` is
    given, in the field of that name. `hears` says which events come as they are."""

    name: str
    address: str
    about: str
    marker: str = "type"
    inside: str = ""
    hears: Callable[[Event], bool] = lambda event: False
    signed_in: bool = True
    streams: bool = False
    commands: dict[str, Command] = field(default_factory=dict)
    said: dict[str, Said] = field(default_factory=dict)

    def __post_init__(self) -> None:
        channels[self.name] = self

    @property
    def numbered(self) -> bool:
        """Whether commands may have an `id`, which comes back in the answer."""
        return self.marker == "type" and not self.inside

    def takes(self, kind: str, shape: Kind, gives: Kind | None = None, answers: tuple[str, ...] = ()) -> None:
        self.commands[kind] = Command(kind, shape, gives, answers)

    def says(self, kind: str, shape: Kind, *, echoes: bool = False) -> None:
        self.said[kind] = Said(kind, shape, echoes)


channels: dict[str, Channel] = {}
events: dict[str, Event] = {}


def event(kind: str, *topics: str, stored: bool = True) -> Callable[[Kind], Kind]:
    """Declare an event of topics, on the class that has its fields."""

    def keep(shape: Kind) -> Kind:
        events[kind] = Event(kind, shape, topics, stored)
        return shape

    return keep
