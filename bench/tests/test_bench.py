"""The bench as `make bench` runs it, with small numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench.report import Row, Target, as_markdown, as_text
from bench.servers import CHECKOUT


def bench(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *options]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=170, check=False)


def test_a_quick_run_measures_every_part_without_a_loss(tmp_path: Path) -> None:
    done = bench("--quick", "--json", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert results == json.loads((tmp_path / "result.json").read_text())
    parts = {"a", "b", "c", "connect", "memory", "rest", "history", "bytes", "lobby", "list", "basic", "return"}
    parts |= {"archive", "past", "resume", "search"}
    assert {row["part"] for row in results["rows"]} == parts
    assert all(row["value"] is not None and not row["problem"] for row in results["rows"])
    assert not list(tmp_path.glob("data-*"))


def test_the_sockets_of_rooms_can_be_measured_instead_of_the_gateways(tmp_path: Path) -> None:
    done = bench("--quick", "--json", "--socket", "room", "--only", "c", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["machine"]["socket"] == "room"


def test_an_unknown_part_is_refused_with_the_list_of_parts() -> None:
    done = bench("--only", "a,z")
    assert done.returncode == 2
    assert "no part z; there are a, b, c" in done.stderr


def test_a_table_sets_each_figure_against_its_target() -> None:
    rows = [
        Row("a", "deliveries", 987_000.4, "deliveries/s", Target(least=900_000)),
        Row("c", "p99 | of delivery", 25.31, "ms", Target(most=25)),
        Row("b", "nothing", None, "", problem="the server ended"),
    ]
    assert [row.verdict for row in rows] == ["met", "missed", "failed"]
    assert "987,000 deliveries/s  ≥ 900,000" in as_text(rows)
    assert "| p99 \\| of delivery | 25.3 ms | ≤ 25.0 | missed |" in as_markdown(rows)
