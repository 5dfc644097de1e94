"""A session of tests that is killed leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil

from tests.settings import ROOT

SESSION = """
import json, signal
from foyer.store import steps as store
from tests.settings import SESSION_DIR

def test_until_it_is_killed(server):
    store.client().ping()
    print(json.dumps([str(SESSION_DIR), str(server.data_dir)]), flush=True)
    signal.pause()
"""


def test_what_a_killed_session_started_ends_and_its_folders_go(tmp_path: Path) -> None:
    path = tmp_path / "test_session.py"
    path.write_text(SESSION)
    ours = f"-c {ROOT / 'pyproject.toml'} -p conftest -p no:cacheprovider -n 0 -s"
    command = [sys.executable, "-m", "pytest", *ours.split(), str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as session:
        assert session.stdout
        folders = [Path(folder) for folder in json.loads(session.stdout.readline())]
        started = psutil.Process(session.pid).children(recursive=True)
        session.kill()
        assert {"valkey", "python"} <= {process.name().split("-")[0].rstrip("0123456789.") for process in started}
        assert all(folder.exists() for folder in folders)
        _, left = psutil.wait_procs(started, timeout=30)
    assert not left
    assert not any(folder.exists() for folder in folders)
