"""`python -m bench`: runs the parts asked for, one after another, and shows what came out."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bench.parts import PARTS
from bench.report import Row, Target, as_json, as_markdown, as_text, describe_machine
from bench.servers import CHECKOUT, BenchError
from bench.stage import KINDS, QUICK, Bench, Sizes

FOLDER = CHECKOUT / "var" / "bench"
BUSY = 0.5
"""Load average from which on a machine is not the bench's own."""
LOGS = ("foyer.log", "stock.log", "stock-valkey.log")
TIMES_STOCK = Target(least=100)


def read_arguments(words: list[str] | None) -> argparse.Namespace:
    parts = "\n".join(f"  {name:9}{(measure.__doc__ or '').splitlines()[0]}" for name, measure in PARTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=(
            "Measures Foyer and, on the same machine, the stock way to write such a chat.\n\n"
            "The server runs alone on one core; the load client, Valkey and the follower share another. A figure\n"
            "counts only if every delivery arrived, once and in order. Latency runs from the time a post was due.\n"
            "Results go to var/bench/: result.json, result.md, and the servers' logs."
        ),
        epilog=f"parts:\n{parts}\n\nexit code: 0 measured, whatever the figures; 1 something was lost or refused",
    )
    parser.add_argument("--only", metavar="PARTS", help="the parts to run, separated by commas (default: all)")
    parser.add_argument(
        "--socket", choices=KINDS, default="gateway", help="the sockets that hear rooms: the gateway's, or a room's own"
    )
    parser.add_argument("--seconds", type=float, help="length of a window (default: 5)")
    parser.add_argument("--quick", action="store_true", help="small numbers, to see that it works; no stock way")
    parser.add_argument("--json", action="store_true", help="print the results as JSON, not as a table")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of results and logs (default: var/bench)")
    arguments = parser.parse_args(words)
    arguments.parts = [name.strip() for name in arguments.only.split(",")] if arguments.only else list(PARTS)
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if arguments.quick and not arguments.only:
        arguments.parts.remove("stock")  # it would install packages
    if arguments.seconds is not None and not 0 < arguments.seconds <= 60:
        parser.error("--seconds: more than 0, at most 60")
    return arguments


def run_part(bench: Bench, name: str) -> list[Row]:
    """The rows of one part; if it fails, a row that says why, so that the other parts still run."""
    what = (PARTS[name].__doc__ or name).splitlines()[0]
    bench.say(f"{name}: {what}")
    try:
        return PARTS[name](bench)
    except BenchError as error:
        bench.say(str(error))
        return [Row(name, what, None, "", problem=str(error).splitlines()[0])]


def compare(rows: list[Row]) -> list[Row]:
    """How many times the stock way, where both were measured."""
    ours, stock = (next((row for row in rows if row.part == part), None) for part in ("a", "stock"))
    if not ours or not stock or not ours.value or not stock.value:
        return []
    what = "the same, against the stock way"
    return [Row("times", what, ours.value / stock.value, "times", TIMES_STOCK, problem=ours.problem or stock.problem)]


def measure(bench: Bench, parts: list[str]) -> list[Row]:
    rows = [row for name in parts for row in run_part(bench, name)]
    return rows + compare(rows)


def store_results(folder: Path, bench: Bench, rows: list[Row], machine: dict[str, Any]) -> str:
    """Write result.json and result.md; returns the JSON."""
    windows = {name: [asdict(window) for window in found] for name, found in bench.windows.items()}
    text = json.dumps({**as_json(rows, machine), "windows": windows}, indent=2)
    (folder / "result.json").write_text(text + "\n")
    (folder / "result.md").write_text(as_markdown(rows) + "\n")
    return text


def doubts(machine: dict[str, Any]) -> list[str]:
    """What about this machine makes the figures lower than they could be."""
    found = []
    if not machine["server_alone_on_its_core"]:
        found.append("There is only one core: server, Valkey and load client share it.")
    if machine["load_before"] > BUSY:
        found.append(f"Other work was under way when the bench began (load {machine['load_before']}).")
    return found


def main(words: list[str] | None = None) -> int:
    arguments = read_arguments(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped on the way out
    sizes = QUICK if arguments.quick else Sizes()
    if arguments.seconds is not None:
        sizes = replace(sizes, seconds=arguments.seconds)
    folder = arguments.out.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for name in LOGS:
        (folder / name).unlink(missing_ok=True)
    try:
        bench = Bench(folder, sizes, lambda line: print(line, file=sys.stderr, flush=True), KINDS[arguments.socket])
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    machine = {**describe_machine(), "server_alone_on_its_core": bench.cores.apart, "socket": arguments.socket}
    try:
        rows = measure(bench, arguments.parts)
        if arguments.quick:
            rows = [replace(row, target=None) for row in rows]  # small numbers say nothing about the targets
        text = store_results(folder, bench, rows, machine)
    finally:
        bench.close()
    print(text if arguments.json else "\n".join(["", as_text(rows), *doubts(machine)]))
    return 1 if any(row.problem for row in rows) else 0
