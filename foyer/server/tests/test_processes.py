"""The processes that serve: how they end, and the folder that they share."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import LazySettings

from foyer.server.processes import folder_for_metrics
from tests.server import Server
from tests.store import wait_for
from tests.test_serve import QUICK, family_of, gone, workers_of


def test_a_worker_that_is_killed_does_not_hold_up_the_end_and_nothing_is_left_behind(
    start_server: Callable[..., Server],
) -> None:
    server = start_server(WORKERS="2", REDIS_URL="")
    family = family_of(server)
    assert list((server.data_dir / "metrics").iterdir())
    worker = workers_of(server)[0]
    worker.suspend()
    time.sleep(1)  # workers are asked every half a second whether they live: by now one waits for an answer
    worker.kill()
    told = time.monotonic()
    assert server.stop(signal.SIGTERM) == 0
    assert time.monotonic() - told < QUICK / 2
    wait_for(lambda: gone(family), seconds=1)
    assert list((server.data_dir / "metrics").iterdir()) == []


def test_a_folder_for_metrics_goes_with_its_instance(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    with folder_for_metrics() as mine, folder_for_metrics() as another:
        assert mine.is_dir()
        assert another.is_dir()
        assert mine != another
    assert list((tmp_path / "metrics").iterdir()) == []


def test_what_a_killed_instance_left_is_removed_by_the_next(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    left = tmp_path / "metrics/left"
    left.mkdir(parents=True)
    (left / "counter_1.db").touch()
    with folder_for_metrics() as mine:
        assert list((tmp_path / "metrics").iterdir()) == [mine]
