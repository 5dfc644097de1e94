"""The document at `/schema/events`: AsyncAPI 3, made of what apps have declared (`foyer.realtime.declarations`).

Actions are the server's: it receives commands and sends the rest.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from foyer import VERSION
from foyer.api.json_schema import TIME, Schemas, description_of
from foyer.api.serializers import Schema
from foyer.realtime.connection import CloseCode
from foyer.realtime.consumer import PROTOCOL
from foyer.realtime.declarations import Channel, ClientId, Command, Event, Example, Kind, Said, channels, events

Document = dict[str, Any]

SCHEMAS = "#/components/schemas/"
MESSAGES = "#/components/messages/"
ID: Schema = {"description": "It comes back in the answer."}
SOMEBODY = {"room": "room:12", "user": "user:ben"}
"""Of the topics of which there are many, one."""
RESUMES: Document = {
    "query": {
        "type": "object",
        "properties": {
            "after": {"type": "integer", "minimum": 0, "description": "Begin with what came after this offset."},
            "epoch": {"type": "string", "description": "Which log the offset belongs to."},
        },
    }
}
CLOSES = {
    CloseCode.GOING_AWAY: ("the server goes away; not sent at present", "yes"),
    CloseCode.RESTARTING: (
        "the server restarts, its store is away, or the log was lost",
        "yes, after a random 0 to 5 s",
    ),
    CloseCode.BAD_FRAME: (
        "a binary frame; a message in too many fragments; or the log can't tell any more what was missed",
        "no; open it afresh",
    ),
    CloseCode.SIGNED_OUT: ("signed out, or the token expired", "no; sign in first"),
    CloseCode.FORBIDDEN: ("the room is no longer one's own to read", "no"),
    CloseCode.GONE: ("the room was deleted", "no"),
    CloseCode.TOO_SLOW: ("over 1 MiB waits to be read", "yes; resume"),
    CloseCode.TOO_MANY: ("too many frames", "yes, later"),
}
"""Why a socket is closed, and whether a client comes back."""
SECURITY: Document = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "`POST /auth` gives a token for 24 hours.",
    },
    "password": {"type": "http", "scheme": "basic", "description": "The username and password of an account."},
    "subprotocol": {
        "type": "httpApiKey",
        "in": "header",
        "name": "Sec-WebSocket-Protocol",
        "description": f"For browsers, which send no other header: the subprotocols `{PROTOCOL}, bearer.<token>`. "
        f"The server answers `{PROTOCOL}`.",
    },
}
ABOUT = """\
Every frame of the server's sockets and event streams. A frame is one JSON object, in a text frame of a WebSocket or as
the `data` of a server-sent event; it tells its type in `type` (on `/lobby_api` in `$type`).

A command may have an `id`, which comes back in its `reply` or `error` (not on `/join` and `/lobby_api`). Fields of
commands that are not described here are passed over. Events that are stored have an `offset` that rises by one in
their topic. `x-close-codes` says why sockets are closed, and whether to come back."""


def document(host: str, *, secure: bool) -> Document:
    """The whole, for a server that clients reach under this name, with TLS if `secure`."""
    tls = "s" if secure else ""
    servers = {
        "sockets": {"host": host, "protocol": f"ws{tls}", "description": "WebSocket, RFC 6455. Frames are text."},
        "streams": {"host": host, "protocol": f"http{tls}", "description": "Server-sent events."},
    }
    return {**frames(), "servers": servers}


@cache
def frames() -> Document:
    """The document without the servers; made once in a process."""
    return Writer().write()


class Writer:
    """Writes the document. What several places share is in `schemas` and `messages`."""

    def __init__(self) -> None:
        self.schemas: dict[str, Schema] = {}
        self.messages: dict[str, Document] = {}
        self.operations: dict[str, Document] = {}
        self.heard = Schemas(self.schemas, SCHEMAS, closed=True)
        self.taken = Schemas(self.schemas, SCHEMAS, closed=False)

    def write(self) -> Document:
        told = {name: self.channel(channel) for name, channel in channels.items()}
        return {
            "asyncapi": "3.0.0",
            "info": {"title": "Foyer: sockets and event streams", "version": VERSION, "description": ABOUT},
            "defaultContentType": "application/json",
            "servers": {},
            "channels": told,
            "operations": self.operations,
            "components": {
                "schemas": self.schemas,
                "messages": self.messages,
                "securitySchemes": SECURITY,
                "operationTraits": {
                    "signedIn": {
                        "description": "By any of these. Pages of other sites need a token.",
                        "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in SECURITY],
                    }
                },
                "correlationIds": {
                    "id": {
                        "location": "$message.payload#/id",
                        "description": "The answer has the `id` of its command, if that had one.",
                    }
                },
            },
            "x-close-codes": [
                {"code": code, "why": why, "reconnect": reconnect} for code, (why, reconnect) in CLOSES.items()
            ],
        }

    # Channels and what is done on them

    def channel(self, channel: Channel) -> Document:
        heard = [event for event in events.values() if channel.hears(event)]
        mine = {event.kind: self.event(event) for event in heard}
        mine |= {kind: self.said(channel, frame) for kind, frame in channel.said.items()}
        self.operations[f"{channel.name}.send"] = self.operation(
            channel, "send", [*mine], "What comes without being asked for, and answers."
        )
        for command in channel.commands.values():
            mine |= self.exchange(channel, command)
        if channel.streams:
            unasked = [kind for kind, frame in channel.said.items() if not frame.echoes]
            kinds = [event.kind for event in heard] + unasked
            stream = self.operation(channel, "send", kinds, "The event stream.")
            stream["bindings"] = {"http": {"method": "GET", **RESUMES, "bindingVersion": "0.3.0"}}
            self.operations[f"{channel.name}.stream"] = stream
        servers = ["sockets", "streams"] if channel.streams else ["sockets"]
        names = re.findall(r"{(\w+)}", channel.address)
        return {
            "address": channel.address,
            "description": channel.about,
            "servers": [{"$ref": f"#/servers/{name}"} for name in servers],
            "parameters": {name: {"description": "The id of a room.", "examples": ["12"]} for name in names},
            "messages": {name: {"$ref": MESSAGES + key} for name, key in mine.items()},
            "bindings": {"ws": {"method": "GET", **(RESUMES if channel.streams else {}), "bindingVersion": "0.1.0"}},
        }

    def operation(self, channel: Channel, action: str, names: list[str], summary: str) -> Document:
        return {
            "action": action,
            "channel": {"$ref": f"#/channels/{channel.name}"},
            "summary": summary,
            "messages": references(channel, names),
            **({"traits": [{"$ref": "#/components/operationTraits/signedIn"}]} if channel.signed_in else {}),
        }

    def exchange(self, channel: Channel, command: Command) -> dict[str, str]:
        """A command and its reply, as messages of a channel."""
        asked, reply = f"{command.kind}.command", f"{command.kind}.reply"
        mine = {asked: self.command(channel, command)}
        answers = [*command.answers, "error"]
        if command.gives is not None:
            mine[reply] = self.reply(channel, command, command.gives)
            answers.insert(0, reply)
        operation = self.operation(channel, "receive", [asked], description_of(command.shape))
        operation["reply"] = {
            "channel": {"$ref": f"#/channels/{channel.name}"},
            "messages": references(channel, answers),
        }
        self.operations[f"{channel.name}.{command.kind}"] = operation
        return mine

    # Messages: each of these keeps one and returns its name

    def event(self, event: Event) -> str:
        names = "|".join(f"{prefix}:.+" if prefix in SOMEBODY else prefix for prefix in event.topics)
        topic: Schema = {"type": "string", "pattern": f"^({names})$"}
        offset: Schema = {"type": "integer", "minimum": 1, "description": "Its place in the topic's log."}
        envelope = {"topic": topic, "offset": offset} if event.stored else {"topic": topic}
        values: Example = {"topic": SOMEBODY.get(event.topics[0], event.topics[0]), "offset": 17}
        payload = self.payload("type", event.kind, envelope, [*envelope], self.heard, event.shape)
        example = {"type": event.kind, **{name: values[name] for name in envelope}, **event.shape.example}
        return self.keep(event.kind, event.kind, event.shape, payload, example)

    def said(self, channel: Channel, frame: Said) -> str:
        shape, name = frame.shape, f"{channel.name}.{frame.kind}"
        if channel.inside:
            envelope = {"sent_at": TIME, channel.inside: self.heard.object_of(shape)}
            payload = self.payload("type", frame.kind, envelope, [*envelope], self.heard)
            example = {"type": frame.kind, "sent_at": "2026-03-04T09:19:55.903Z", channel.inside: shape.example}
            return self.keep(name, frame.kind, shape, payload, example)
        payload = self.payload(channel.marker, frame.kind, numbered(ID, frame.echoes), [], self.heard, shape)
        example = {**numbered(1, frame.echoes), channel.marker: frame.kind, **shape.example}
        return self.keep(name, frame.kind, shape, payload, example, correlated=frame.echoes)

    def command(self, channel: Channel, command: Command) -> str:
        shape, name = command.shape, f"{channel.name}.{command.kind}.command"
        if channel.inside:
            envelope = {channel.inside: self.taken.object_of(shape), "client_id": self.taken.schema_of(ClientId())}
            payload = self.payload("type", command.kind, envelope, [channel.inside], self.taken)
            example = {"type": command.kind, channel.inside: shape.example}
            return self.keep(name, command.kind, shape, payload, example)
        payload = self.payload(channel.marker, command.kind, numbered(ID, channel.numbered), [], self.taken, shape)
        example = {**numbered(1, channel.numbered), channel.marker: command.kind, **shape.example}
        return self.keep(name, command.kind, shape, payload, example, correlated=channel.numbered)

    def reply(self, channel: Channel, command: Command, gives: Kind) -> str:
        envelope = {"id": ID, "result": self.heard.reference_to(gives)}
        payload = self.payload("type", "reply", envelope, ["result"], self.heard)
        example = {"id": 1, "type": "reply", "result": gives.example}
        name = f"{channel.name}.{command.kind}.reply"
        return self.keep(name, "reply", gives, payload, example, title=f"reply to {command.kind}", correlated=True)

    def payload(
        self,
        marker: str,
        kind: str,
        envelope: dict[str, Schema],
        required: list[str],
        schemas: Schemas,
        shape: Kind | None = None,
    ) -> Schema:
        """The schema of a frame: its type, what frames of this sort have, and its own fields beside that."""
        own: Schema = schemas.object_of(shape) if shape is not None else {"type": "object", "properties": {}}
        own["properties"] = {marker: {"type": "string", "const": kind}, **envelope, **own["properties"]}
        own["required"] = [marker, *required, *own.get("required", [])]
        if schemas.closed:
            own["additionalProperties"] = False
        return own

    def keep(
        self,
        name: str,
        kind: str,
        shape: Kind,
        payload: Schema,
        example: Example,
        *,
        title: str = "",
        correlated: bool = False,
    ) -> str:
        message: Document = {
            "name": kind,
            "title": title or kind,
            "summary": description_of(shape),
            "payload": payload,
            "examples": [{"payload": example}],
        }
        if correlated:
            message["correlationId"] = {"$ref": "#/components/correlationIds/id"}
        self.messages[name] = message
        return name


def numbered(value: Any, wanted: bool) -> dict[str, Any]:
    return {"id": value} if wanted else {}


def references(channel: Channel, names: list[str]) -> list[Document]:
    return [{"$ref": f"#/channels/{channel.name}/messages/{name}"} for name in names]
