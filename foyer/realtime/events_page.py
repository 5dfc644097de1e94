"""What the page at `/schema/events` shows: the document, as a person reads it."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from foyer.api.serializers import Schema
from foyer.realtime.asyncapi import CLOSES, frames
from foyer.realtime.declarations import Channel, Command, channels, events

CODE = re.compile(r"`([^`]+)`")


@cache
def page() -> dict[str, Any]:
    """What the template is filled with; made once in a process."""
    document = frames()
    return {
        "about": [marked(text) for text in document["info"]["description"].split("\n\n")],
        "channels": [shown_channel(channel) for channel in channels.values()],
        "events": [shown_frame(kind) for kind in events],
        "shapes": [
            {"name": name, "about": marked(schema.get("description", "")), "fields": fields(schema)}
            for name, schema in document["components"]["schemas"].items()
        ],
        "closes": [(code, why, reconnect) for code, (why, reconnect) in CLOSES.items()],
    }


def shown_channel(channel: Channel) -> dict[str, Any]:
    """A socket: its commands, its own frames, and the types of the events that it passes on."""
    return {
        "name": channel.name,
        "address": channel.address,
        "about": marked(channel.about),
        "signed_in": channel.signed_in,
        "commands": [shown_command(channel, command) for command in channel.commands.values()],
        "frames": [shown_frame(f"{channel.name}.{kind}") for kind in channel.said],
        "events": [event.kind for event in events.values() if channel.hears(event)],
    }


def shown_command(channel: Channel, command: Command) -> dict[str, Any]:
    """A command, its reply, and what else may answer it."""
    name = f"{channel.name}.{command.kind}"
    answers = [{"kind": kind, "anchor": f"{channel.name}.{kind}"} for kind in (*command.answers, "error")]
    reply = shown_frame(f"{name}.reply") if command.gives is not None else None
    return {**shown_frame(f"{name}.command"), "reply": reply, "answers": answers}


def shown_frame(name: str) -> dict[str, Any]:
    """A message, by its name in the document."""
    message = frames()["components"]["messages"][name]
    return {
        "anchor": name,
        "kind": message["name"],
        "about": marked(message["summary"]),
        "fields": fields(message["payload"]),
        "example": json.dumps(message["examples"][0]["payload"], ensure_ascii=False, indent=2),
    }


def fields(schema: Schema) -> list[dict[str, Any]]:
    """The fields of an object; those of an object inside it come after it, by their path."""
    found: list[dict[str, Any]] = []
    for name, told in schema.get("properties", {}).items():
        optional = name not in schema.get("required", [])
        about = marked(told.get("description", ""))
        found.append({"name": name, "type": kind_of(told), "optional": optional, "about": about})
        found += [{**inner, "name": f"{name}.{inner['name']}"} for inner in fields(told)]
    return found


def kind_of(schema: Schema) -> SafeString:
    """What a value is, in a few words; named shapes are links."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return format_html('<a href="#shape.{0}">{0}</a>', name)
    if "anyOf" in schema:
        return mark_safe(" or ".join(map(kind_of, schema["anyOf"])))  # noqa: S308 - each is safe
    if "const" in schema:
        return format_html("<code>{}</code>", json.dumps(schema["const"]))
    if schema.get("type") == "array":
        return format_html("list of {}", kind_of(schema["items"]))
    if "enum" in schema and len(schema["enum"]) < 5:
        return mark_safe(" or ".join(format_html("<code>{}</code>", json.dumps(value)) for value in schema["enum"]))  # noqa: S308
    kinds = schema.get("type", "anything")
    told = " or ".join(kinds) if isinstance(kinds, list) else kinds
    return format_html("{}{}", told, limits_of(schema))


def limits_of(schema: Schema) -> str:
    least, most, longest = schema.get("minimum"), schema.get("maximum"), schema.get("maxLength")
    if longest is not None:
        return f", up to {longest:,} characters"
    if least is not None and most is not None:
        return f", {least:,} to {most:,}"
    return f", from {least:,}" if least is not None else ""


def marked(text: str) -> SafeString:
    """Text with what is in backticks as code."""
    return mark_safe(CODE.sub(r"<code>\1</code>", escape(" ".join(text.split()))))  # noqa: S308 - escaped
