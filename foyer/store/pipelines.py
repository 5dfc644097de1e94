"""What goes into one pipeline: calls, each to the node that has its key, and the wait for that node's replicas.

`REDIS_WAIT` says how many replicas must have a write before it is answered. The wait travels behind the calls, on the
same connection, since Redis counts what that connection wrote. Without it, a replica that is promoted may lack what
was acknowledged a moment before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from foyer.errors import Unavailable

UNCONFIRMED = "Too few replicas have this yet, so it may be lost. Try again, with the same retry key if you sent one."
Groups = list[list[int]]


def queue(pipeline: Any, store: Any, calls: Sequence[Any]) -> Groups:
    """Put `calls` into `pipeline`; returns their numbers, grouped by the wait that confirms them, if there is one."""
    groups: dict[Any, list[int]] = {}
    for number, call in enumerate(calls):
        node = store.get_node_from_key(call.keys[0]) if hasattr(store, "get_node_from_key") else None
        target = {"target_nodes": node} if node is not None else {}
        pipeline.execute_command(*call.command(), **target)
        groups.setdefault(node, []).append(number)
    if not settings.REDIS_WAIT:
        return []
    for node in groups:
        target = {"target_nodes": node} if node is not None else {}
        pipeline.execute_command(*wait_for_replicas(), **target)
    return list(groups.values())


def wait_for_replicas() -> tuple[str, int, int]:
    """The command whose reply says how many replicas have what its connection wrote."""
    return "WAIT", settings.REDIS_WAIT, int(settings.REDIS_TIMEOUT * 500)


def confirmed(replies: list[Any], groups: Groups) -> list[Any]:
    """The replies of the calls alone; those whose replicas did not confirm in time become `Unavailable`."""
    if not groups:
        return replies
    count = sum(map(len, groups))
    answers = replies[:count]
    for numbers, replicas in zip(groups, replies[count:], strict=True):
        if isinstance(replicas, int) and replicas >= settings.REDIS_WAIT:
            continue
        for number in numbers:
            if not isinstance(answers[number], Exception):
                answers[number] = Unavailable(UNCONFIRMED)
    return answers
