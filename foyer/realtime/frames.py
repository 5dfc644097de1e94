"""What the frames of the gateway look like, as far as they are about sockets, topics and who is there."""

from __future__ import annotations

from rest_framework import serializers

from foyer.api.fields import StrictInteger, StrictText
from foyer.api.serializers import Schema
from foyer.errors import FoyerError
from foyer.realtime.declarations import Channel, FrameShape, event
from foyer.realtime.presence import ONLINE

LARGEST_OFFSET = 2**53 - 1

GATEWAY = Channel(
    "gateway",
    "/ws",
    "One socket for everything. It signs in by its handshake, or by a first frame `authenticate` within 10 s. After "
    "`welcome` it passes on the events of its user's own topic, of all rooms they are in, and of the topics it "
    "subscribes to. Commands are carried out one after another.",
    hears=lambda event: True,
)


class Code(serializers.CharField):
    """One of the codes of our errors."""

    @property
    def also(self) -> Schema:
        return {"enum": sorted(FoyerError.by_code)}


class Failure(FrameShape):
    """Why a command was not carried out, or what was wrong with the frame."""

    code = Code(help_text="Stable.")
    detail = serializers.CharField(help_text="For people.")
    fields = serializers.DictField(  # type: ignore[assignment]  # DRF takes declared fields out of the class
        required=False, help_text="With `invalid`: what is wrong with which field."
    )
    example = {"code": "not_a_member", "detail": "Only members of the room may do this."}


class Place(FrameShape):
    """Where a topic's log stands: the offset of its last event, and which log that offset belongs to."""

    topic = serializers.CharField()
    offset = serializers.IntegerField(min_value=0)
    epoch = serializers.CharField(allow_blank=True)
    example = {"topic": "room:12", "offset": 16, "epoch": "hoct9umac0"}


class Welcome(FrameShape):
    """The socket is signed in; from where on it hears what."""

    username = serializers.CharField()
    user_type = serializers.ChoiceField(["admin", "user"])
    heartbeat = serializers.IntegerField(min_value=1, help_text="Seconds between two pings of the server.")
    topics = Place(many=True)
    more = serializers.BooleanField(required=False, help_text="True if `welcome_topics` has others; else left out.")
    example = {
        "username": "ben",
        "user_type": "user",
        "heartbeat": 25,
        "topics": [{"topic": "user:ben", "offset": 3, "epoch": "hoct9umac0"}, Place.example],
    }


class WelcomeTopics(FrameShape):
    """Where more topics stand, to somebody who hears very many. Of these nothing was told before."""

    topics = Place(many=True)
    more = serializers.BooleanField(help_text="Whether another such frame follows.")
    example = {"topics": [Place.example], "more": False}


class Ping(FrameShape):
    """Ask for a `pong`."""

    seq = serializers.JSONField(required=False, help_text="It comes back.")
    example = {"seq": 9}


class Pong(FrameShape):
    """The answer to `ping`, with what that had."""

    seq = serializers.JSONField(required=False)
    example = {"seq": 9}


class Subscribe(FrameShape):
    """Hear a topic from now on: an open room, `lobby`, `tables` or `online`; or from `offset` on."""

    topic = StrictText(allow_blank=True)
    offset = StrictInteger(required=False, min_value=0, max_value=LARGEST_OFFSET)
    epoch = StrictText(required=False, allow_blank=True)
    example = {"topic": "tables", "offset": 40, "epoch": "hoct9umad1"}


class Subscribed(Place):
    """Where the topic stands. `recovered` comes where an offset was named; if true, what was missed follows."""

    recovered = serializers.BooleanField(required=False)
    example = {"topic": "tables", "recovered": True, "offset": 41, "epoch": "hoct9umad1"}


class Unsubscribe(FrameShape):
    """Hear a topic no more."""

    topic = StrictText(allow_blank=True)
    example = {"topic": "tables"}


class Unsubscribed(FrameShape):
    """The topic that is heard no more."""

    topic = serializers.CharField()
    example = {"topic": "tables"}


class Position(FrameShape):
    """Up to where a client has heard a topic."""

    topic = StrictText(allow_blank=True)
    offset = StrictInteger(min_value=0, max_value=LARGEST_OFFSET)
    epoch = StrictText(required=False, allow_blank=True)
    example = {"topic": "room:12", "offset": 12, "epoch": "hoct9umac0"}


class Resume(FrameShape):
    """Get what was missed of topics since these offsets, before what happens from now on."""

    topics = Position(many=True)
    example = {"topics": [Position.example]}


class Recovery(Place):
    """A topic that was asked for. Recovered, every event between the offset that was named and this one follows."""

    topic = serializers.CharField(allow_blank=True, help_text="As it was asked for.")
    recovered = serializers.BooleanField()
    example = {"topic": "room:12", "recovered": True, "offset": 16, "epoch": "hoct9umac0"}


class Resumed(FrameShape):
    """Which topics go on where they were left, in the order of the question."""

    topics = Recovery(many=True)
    example = {"topics": [Recovery.example]}


class People(FrameShape):
    """One name, or several that came or went together."""

    username = serializers.CharField(required=False)
    usernames = serializers.ListField(child=serializers.CharField(), required=False)
    also = {"oneOf": [{"required": ["username"]}, {"required": ["usernames"]}]}


@event("user_joined", ONLINE.name)
class UserJoined(People):
    """Somebody has a socket or an event stream open now, and had none before."""

    example = {"username": "ann"}


@event("user_left", ONLINE.name)
class UserLeft(People):
    """Somebody's last socket or event stream has closed."""

    example = {"usernames": ["ann", "eve"]}


GATEWAY.says("welcome", Welcome)
GATEWAY.says("welcome_topics", WelcomeTopics)
GATEWAY.says("pong", Pong, echoes=True)
GATEWAY.says("error", Failure, echoes=True)
