"""What moderators type: `/ban ann 2d why`. A line becomes a command of the gateway, an event a line to show."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

HELP = """/mute NAME [TIME] [WHY]   they read on and can't write; TIME is 10m, 2h or 7d
/unmute NAME
/ban NAME [TIME] [WHY]    they are out of the room, and can't come back
/unban NAME
/role NAME moderator      or member
/report NAME WHY          report the last message of somebody to the moderators
A NAME with blanks stands between quotation marks."""
NAME = re.compile(r'\s*(?:"([^"]+)"|(\S+))\s*(.*)', re.DOTALL)
TIME = re.compile(r"([0-9]{1,5})([mhd])(?:\s+(.*))?", re.DOTALL)
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
WORDS = frozenset({"/mute", "/unmute", "/ban", "/unban", "/role", "/report"})


def named(line: str) -> tuple[str, str]:
    """The name that the rest of a line begins with, and what comes after it; two empty texts where there is none."""
    found = NAME.fullmatch(line)
    return (found[1] or found[2], found[3].strip()) if found else ("", "")


def command_of(word: str, line: str, now: datetime) -> dict[str, Any] | None:
    """The command that a line stands for, but for its room: its `type` and fields; None for one that makes no sense."""
    name, rest = named(line)
    if not name:
        return None
    if word in ("/unmute", "/unban") and not rest:
        return {"type": word[1:], "username": name}
    if word == "/role" and rest in ("moderator", "member"):
        return {"type": "set_role", "username": name, "role": rest}
    if word in ("/mute", "/ban"):
        return {"type": word[1:], "username": name, **terms_of(rest, now)}
    return None


def terms_of(rest: str, now: datetime) -> dict[str, str]:
    """Until when, and why."""
    terms, why = dict[str, str](), rest
    if found := TIME.fullmatch(rest):
        until = now + int(found[1]) * UNITS[found[2]]
        terms["until"] = until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        why = found[3] or ""
    return {**terms, "reason": why} if why else terms


def told(event: dict[str, Any]) -> str:
    """What an event says to people; '' for one that is not about order."""
    who, by = event.get("username") or "(gone)", event.get("by") or "(gone)"
    until = f" until {datetime.fromisoformat(event['until']).astimezone():%Y-%m-%d %H:%M}" if event.get("until") else ""
    why = f": {event['reason']}" if event.get("reason") else ""
    return {
        "member_banned": f"{by} banned {who}{until}{why}",
        "member_unbanned": f"{by} lifted the ban of {who}",
        "member_muted": f"{by} muted {who}{until}{why}",
        "member_unmuted": f"{by} let {who} speak again",
        "member_updated": f"{by} made {who} a {event.get('role')}",
    }.get(event["type"], "")
