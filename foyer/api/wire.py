"""JSON as it goes over the wire: strict on the way in, exact on the way out.

`encode` gives back every value that `decode` read, with the same type: integers of any length, floats, the order of
keys, every character.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NoReturn

import orjson

from foyer.errors import MalformedJSON
from foyer.times import time_text

DEEPEST = 100
"""Levels of lists and objects inside each other. More is refused, because other parsers might not accept it."""
LONG_NUMBER = re.compile(rb"[0-9]{19}")
"""Shorter integers fit into 64 bits. orjson makes longer ones floats, so a body that has one goes to the stdlib."""


def decode(body: bytes) -> Any:
    """The value that `body` says. Raises `MalformedJSON` unless it is JSON (RFC 8259) in UTF-8.

    Refused too: NaN and infinities, half a surrogate pair, integers of over 4300 digits, more than `DEEPEST` levels.
    """
    try:
        value = decode_exactly(body) if LONG_NUMBER.search(body) else orjson.loads(body)
    except RecursionError:
        raise MalformedJSON(TOO_DEEP) from None
    except ValueError as error:
        raise MalformedJSON(f"The body is not JSON in UTF-8: {error}.") from None
    if body.count(b"[") + body.count(b"{") > DEEPEST and is_too_deep(value):
        raise MalformedJSON(TOO_DEEP)
    return value


TOO_DEEP = f"The JSON is nested too deeply: {DEEPEST} levels are taken."


def decode_exactly(body: bytes) -> Any:
    """The stdlib's parser, made as strict as orjson's."""
    value = json.loads(body.decode(), parse_constant=refuse_constant, parse_float=finite)
    json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair fails here
    return value


def refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


def is_too_deep(value: Any) -> bool:
    """Whether more than `DEEPEST` lists and objects are inside each other; looks level by level, without recursion."""
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [
            child
            for item in level
            if isinstance(item, (dict, list))
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True


def encode(value: Any, *, indent: bool = False) -> bytes:
    """`value` as JSON in UTF-8. Times become RFC 3339 in UTC, anything else that JSON lacks its `str`."""
    option = orjson.OPT_PASSTHROUGH_DATETIME | (orjson.OPT_INDENT_2 if indent else 0)
    try:
        return orjson.dumps(value, default=encode_other, option=option)
    except orjson.JSONEncodeError:  # an integer of more than 64 bits
        separators = (",", ": ") if indent else (",", ":")
        text = json.dumps(
            value, default=encode_other, ensure_ascii=False, indent=2 if indent else None, separators=separators
        )
        return text.encode()


def quoted(text: str) -> bytes:
    """A text as JSON, as stored functions take it."""
    return orjson.dumps(text)


def fields_of(stored: bytes) -> dict[str, Any]:
    """The object in JSON of our own, such as the answer of a stored function."""
    fields: dict[str, Any] = orjson.loads(stored)
    return fields


def as_json_list(items: Iterable[bytes]) -> bytes:
    """JSON texts as one JSON array."""
    return b"[" + b",".join(items) + b"]"


def encode_other(value: Any) -> str:
    return time_text(value) if isinstance(value, datetime) else str(value)
