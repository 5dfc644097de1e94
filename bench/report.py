"""What was measured, next to what was asked for: as a table for a terminal, in Markdown and in JSON."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.client import Latency


@dataclass(frozen=True)
class Target:
    """A bound on a figure: at least `least`, or at most `most`."""

    least: float | None = None
    most: float | None = None

    def met_by(self, value: float) -> bool:
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        return f"≥ {figure(self.least)}" if self.least is not None else f"≤ {figure(self.most or 0)}"


@dataclass(frozen=True)
class Row:
    """One figure. `problem` says why it may not be trusted: something was lost, refused or not measured at all."""

    part: str
    what: str
    value: float | None
    unit: str
    target: Target | None = None
    latency: Latency | None = None
    note: str = ""
    problem: str = ""

    @property
    def verdict(self) -> str:
        if self.problem:
            return "failed"
        if self.target is None or self.value is None:
            return ""
        return "met" if self.target.met_by(self.value) else "missed"

    def cells(self) -> list[str]:
        latency = self.latency
        percentiles = [figure(value) for value in (latency.p50, latency.p99, latency.p999)] if latency else [""] * 3
        value = "" if self.value is None else f"{figure(self.value)} {self.unit}"
        target = "" if self.target is None else str(self.target)
        return [self.what, value, target, self.verdict, *percentiles, self.problem or self.note]


HEADINGS = ["what", "measured", "target", "", "p50 ms", "p99 ms", "p99.9 ms", "how"]
NUMERIC = range(1, 7)


def figure(value: float) -> str:
    """A number with three digits or more that tell something: 987,000, 25.3, 0.42."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def as_text(rows: list[Row]) -> str:
    """Columns aligned for a terminal; the last one, which is prose, is left ragged."""
    table = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEADINGS))]
    lines = []
    for line in table:
        cells = [
            cell.rjust(width) if column in NUMERIC else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([lines[0], "-" * min(len(lines[0]) + 4, 120), *lines[1:]])


def as_markdown(rows: list[Row]) -> str:
    rule = ["---:" if column in NUMERIC else "---" for column in range(len(HEADINGS))]
    table = [HEADINGS, rule, *(row.cells() for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in table)


def as_json(rows: list[Row], machine: dict[str, Any]) -> dict[str, Any]:
    return {"machine": machine, "rows": [{**asdict(row), "verdict": row.verdict} for row in rows]}


def describe_machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
